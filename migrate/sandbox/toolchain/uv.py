"""uv, which makes the virtual environments: from PATH when new enough, else installed once from PyPI."""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.sandbox.toolchain.cache import CacheEntry, provide, recipe_hash
from migrate.sandbox.toolchain.commands import answer, run

if TYPE_CHECKING:
    from migrate.sandbox.toolchain.progress import Progress

UV_VERSION = "0.13.9"
#: As pyproject.toml's ``required-version``.
_MINIMUM = (0, 9)
_TIMEOUT_SECONDS = 600.0


def find_uv(progress: Progress) -> Path:
    """Return a uv new enough. Raises EngineError when it has to be installed and cannot be.

    Uses nothing but the standard library: it runs before the project's own environment exists.
    """
    found = shutil.which("uv")
    told = answer([found, "--version"]) if found else None
    if found and told and _version(told) >= _MINIMUM:
        return Path(found)
    entry = CacheEntry("uv", UV_VERSION, recipe_hash((), UV_VERSION), "bin/uv")
    return provide(entry, partial(_install, entry=entry, progress=progress), progress) / entry.proof


def _version(told: str) -> tuple[int, ...]:
    words = told.split()
    parts = words[1].split(".") if len(words) > 1 else []
    return tuple(int(part) for part in parts[:2] if part.isdigit())


def _install(target: Path, *, entry: CacheEntry, progress: Progress) -> None:
    part = f"uv {UV_VERSION}"
    with progress.step(f"installing {part}", usually="15 s"):
        run([sys.executable, "-m", "venv", target], part=part, log=entry.log, timeout=_TIMEOUT_SECONDS)
        run(
            [target / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check", f"uv=={UV_VERSION}"],
            part=part,
            log=entry.log,
            timeout=_TIMEOUT_SECONDS,
        )
