"""Runs by its path in MiniStack's environment: makes this package importable without what lies around it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType


def _bare_package(name: str, path: Path) -> None:
    """Register ``name`` as a package at ``path`` without running its ``__init__``.

    Adding the directory above to the path instead would offer the project's own third-party packages to MiniStack,
    which pins other versions of some of them.
    """
    module = ModuleType(name)
    module.__path__ = [str(path)]
    sys.modules[name] = module


def main() -> None:
    """Start the front with the arguments of the command line and serve until told to end."""
    here = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != here]
    _bare_package("migrate", here.parent.parent)
    _bare_package("migrate.sandbox", here.parent)
    from migrate.sandbox.front.server import run

    run(sys.argv[1:])


if __name__ == "__main__":
    main()
