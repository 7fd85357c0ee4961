"""Prints how many AWS calls one plan makes; run as a program of its own, in the environment of the account."""

from __future__ import annotations

import sys
from pathlib import Path

from migrate import wiring
from migrate.workflows.plan import look


def main() -> None:
    """Plan once, saving nothing, and print the number of calls."""
    with wiring.aws_calls(wiring.Place(config=Path(sys.argv[1]))) as (readers, session):
        look(readers)
    sys.stdout.write(f"{session.calls.total}\n")


if __name__ == "__main__":
    main()
