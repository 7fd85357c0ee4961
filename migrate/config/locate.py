"""On which line of a TOML text a key stands: tomllib does not tell, and the errors of the settings have to."""

from __future__ import annotations

import tomllib
from typing import Any, TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys and list positions from the top of the file."""


def line_of(text: str, path: KeyPath) -> int | None:
    """Return the line (from 1) on which the statement with ``path`` begins; of a list over many lines, the item's line.

    The text is cut after each line in turn. The first cut that reads as TOML and holds the path ends in its
    statement, and what the cut before it left over is where that statement begins. A list that is still open is
    closed for a look.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    steps = [position for position, step in enumerate(path) if isinstance(step, int)]
    around = path[: steps[0]] if steps else None
    complete, opened = 0, False
    for count in range(1, len(lines) + 1):
        cut = "\n".join(lines[:count])
        found = _read(cut)
        closed = _read(f"{cut}\n]") if found is None else None
        if _holds(found, path):
            return count if opened else complete + 1
        if _holds(closed, path):
            return count
        if found is not None:
            complete, opened = count, False
        opened = opened or (around is not None and _holds(closed, around))
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
