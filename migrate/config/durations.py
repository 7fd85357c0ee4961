"""Durations as an operator writes them: 15s, 10m, 1h, 1h30m."""

from __future__ import annotations

import re
from datetime import timedelta

_SHAPE = re.compile(r"(?=\d)(?:(?P<hours>\d{1,6})h)?(?:(?P<minutes>\d{1,6})m)?(?:(?P<seconds>\d{1,6})s)?", re.ASCII)


def parse_duration(text: str) -> timedelta | None:
    """Read a duration in whole seconds; None where the text is none."""
    match = _SHAPE.fullmatch(text)
    if match is None:
        return None
    return timedelta(**{unit: int(number) for unit, number in match.groupdict(default="0").items()})


def format_duration(duration: timedelta) -> str:
    """Write a duration in whole seconds as parse_duration reads it."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"
