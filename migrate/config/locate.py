"""On which line of a TOML text a key stands: tomllib does not tell, and the errors of the settings have to."""

from __future__ import annotations

import tomllib
from typing import Any, TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys and list positions from the top of the file."""


def line_of(text: str, path: KeyPath) -> int | None:
    """Return the line (from 1) on which the statement with ``path`` begins, or the item of a list over many lines.

    The text is cut after each line in turn. The first cut that reads as TOML and holds the path ends in its
    statement, and what the cut before it left over is where that statement begins.
    """
    lines = text.split("\n")
    complete = 0
    for count in range(1, len(lines) + 1):
        cut = "\n".join(lines[:count])
        found = _read(cut)
        if found is not None:
            if _holds(found, path):
                return complete + 1
            complete = count
        elif _holds(_read(f"{cut}\n]"), path):
            return count
    return None


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _holds(value: Any, path: KeyPath) -> bool:
    for step in path:
        positions = range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ()
        if step not in positions:
            return False
        value = value[step]
    return True
