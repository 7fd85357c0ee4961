"""When a schedule of Application Auto Scaling comes next.

Expressions: Application Auto Scaling user guide, "Schedule recurring scaling actions using cron expressions", and the
cron reference of the Amazon EventBridge user guide: minutes, hours, day of month, month, day of week (1 is Sunday),
year; ``,`` ``-`` ``*`` ``?`` ``/`` everywhere, ``L`` and ``W`` for days of the month, ``L`` and ``#`` for days of the
week.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS_AHEAD = 1500
"""How far a schedule is followed: any that comes at all comes within it, 29 February too."""

_EXPRESSION = re.compile(r"(cron|rate|at)\((.*)\)")
_FIELDS = 6
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_SATURDAY = 7


def next_time(schedule: str, timezone: str, after: datetime, started: datetime | None = None) -> datetime | None:
    """Return when a schedule comes after a time, in UTC; None where it never does, or cannot be told.

    ``started`` is where a rate counts from: without it nobody can say. Raises nothing.
    """
    match = _EXPRESSION.fullmatch(schedule.strip())
    if match is None:
        return None
    kind, inside = match.groups()
    try:
        zone: tzinfo = UTC if timezone.upper() == "UTC" else ZoneInfo(timezone)
        if kind == "at":
            once = datetime.fromisoformat(inside).replace(tzinfo=zone).astimezone(UTC)
            return once if once > after else None
        if kind == "rate":
            return _next_of_rate(inside, after, started)
        return next(_times(inside.split(), after, zone), None)
    except (ValueError, OverflowError, ZoneInfoNotFoundError, KeyError, OSError):
        return None


def _next_of_rate(inside: str, after: datetime, started: datetime | None) -> datetime | None:
    number, unit = inside.split()
    period = timedelta(seconds=int(number) * _UNITS[unit.removesuffix("s")])
    if started is None or period <= timedelta(0):
        return None
    passed = max((after - started) // period, -1) + 1
    return started + passed * period


def _times(parts: list[str], after: datetime, zone: tzinfo) -> Iterator[datetime]:
    if len(parts) != _FIELDS:
        raise ValueError(parts)
    minutes, hours, days, months, weekdays, years = parts
    at = [(hour, minute) for hour in _numbers(hours, 0, 23) for minute in _numbers(minutes, 0, 59)]
    in_months = set(_numbers(months, 1, 12, _MONTHS))
    in_years = set(_numbers(years, 1970, 2199))
    first = after.astimezone(zone).date()
    for offset in range(DAYS_AHEAD):
        day = first + timedelta(days=offset)
        if day.year in in_years and day.month in in_months and _is_day(day, days) and _is_weekday(day, weekdays):
            for hour, minute in at:
                found = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)
                if found > after:
                    yield found


def _numbers(text: str, lowest: int, highest: int, names: tuple[str, ...] = ()) -> list[int]:
    found: set[int] = set()
    for part in text.upper().split(","):
        span, _, step = part.partition("/")
        if span in {"*", "?"}:
            start, end = lowest, highest
        else:
            low, _, high = span.partition("-")
            start = _number(low, names)
            end = _number(high, names) if high else highest if step else start
        if not (lowest <= start <= highest and lowest <= end <= highest):
            raise ValueError(text)
        # FRI-MON goes over the end of the week.
        around = range(start, end + 1) if start <= end else (*range(start, highest + 1), *range(lowest, end + 1))
        found.update(around[:: int(step or 1)])
    return sorted(found)


def _number(text: str, names: tuple[str, ...]) -> int:
    return names.index(text) + 1 if text in names else int(text)


def _is_day(day: date, text: str) -> bool:
    """Tell whether a day of the month is meant: ``L`` is the last one, ``15W`` the weekday nearest to the 15th."""
    last = monthrange(day.year, day.month)[1]
    if text.upper() == "L":
        return day.day == last
    if text.upper().endswith("W"):
        wanted = last if text.upper() == "LW" else min(int(text[:-1]), last)
        return day == _nearest_weekday(day.replace(day=wanted), last)
    return day.day in _numbers(text, 1, 31)


def _nearest_weekday(day: date, last: int) -> date:
    """Return the nearest day from Monday to Friday within the same month."""
    beyond = day.isoweekday() - 5
    if beyond <= 0:
        return day
    if beyond == 1:
        return day - timedelta(days=1) if day.day > 1 else day + timedelta(days=2)
    return day + timedelta(days=1) if day.day < last else day - timedelta(days=2)


def _is_weekday(day: date, text: str) -> bool:
    """Tell whether a day of the week is meant: ``6L`` is the last Friday, ``3#2`` the second Tuesday of the month."""
    number = day.isoweekday() % 7 + 1
    upper = text.upper()
    if "#" in upper:
        wanted, _, which = upper.partition("#")
        return number == _number(wanted, _DAYS) and (day.day - 1) // 7 + 1 == int(which)
    if upper.endswith("L"):
        wanted_number = _number(upper[:-1], _DAYS) if upper != "L" else _SATURDAY
        in_last_week = upper == "L" or day.day + 7 > monthrange(day.year, day.month)[1]
        return number == wanted_number and in_last_week
    return number in _numbers(text, 1, 7, _DAYS)
