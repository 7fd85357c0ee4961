"""Figures of one run, a line each: NAME VALUE UNIT. Compare them from run to run on one machine, never assert them."""

from __future__ import annotations

import sys

from tests.bench.migration import migration_figures


def main() -> None:
    """Run every bench and print its figures as they come."""
    for name, value, unit in migration_figures():
        sys.stdout.write(f"{name} {value:.2f} {unit}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
