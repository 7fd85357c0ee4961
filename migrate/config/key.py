"""One key of migrate.toml, and what keys of several tables may hold."""

from __future__ import annotations

from dataclasses import dataclass

TEXT = "a text that is not empty"
DURATION = 'a duration such as "15s", "10m", "1h" or "1h30m"'
LIMIT = "a whole number, 0 or more"


@dataclass(frozen=True, slots=True)
class Key:
    """One key. ``example`` is its commented line in a new file where the key has no value yet."""

    table: str
    name: str
    expected: str
    explanation: str
    example: str = ""
