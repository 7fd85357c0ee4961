"""Coverage-guided fuzzing by hand: ``python -m tests.fuzz TARGET [options of libFuzzer]``, as ``make fuzz`` does.

Inputs that reach new code are kept in a folder of the machine's own; what crashes is written into the working
directory as ``crash-…`` and belongs, made small, into the corpus.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

try:
    atheris: Any = importlib.import_module("atheris")
except ImportError:
    raise SystemExit("atheris is not here: `uv sync --group fuzz` installs it where it has wheels.") from None

with atheris.instrument_imports(include=["migrate.core", "migrate.adapters.registry"]):
    from tests.fuzz.targets import CORPUS, TARGETS

_USUAL = ("-max_len=65536", "-timeout=20", "-rss_limit_mb=1024", "-max_total_time=120")


def main() -> None:
    """Fuzz one target until the time is over or something is found."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        raise SystemExit(f"Name one of: {', '.join(TARGETS)}")
    name, *options = sys.argv[1:]
    found = Path(tempfile.gettempdir()) / "migrate-fuzz" / name
    found.mkdir(parents=True, exist_ok=True)
    atheris.Setup([sys.argv[0], *_USUAL, *options, str(found), str(CORPUS / name)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
