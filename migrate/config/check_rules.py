"""What the operator's own checks must obey beyond the type of each key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from migrate.config.durations import format_duration
from migrate.config.mistakes import Mistake, quoted
from migrate.core.gate_checks import BUILT_IN

if TYPE_CHECKING:
    from migrate.config.check_tables import CheckTable
    from migrate.config.model import GateTable

_SHORT_PERIODS = frozenset({1, 5, 10, 20, 30})
_MINUTE = 60
_OF_A_COMPARISON = frozenset({"compare_with", "window", "confidence", "tolerance", "minimum", "no_data"})
_NEEDED = {
    "metric": "success, failure or compare",
    "probe": "status, contains, success or failure",
    "command": "success or failure",
    "prometheus": "success or failure",
}


def check_mistakes(gate: GateTable, service: str) -> Iterator[Mistake]:
    """Yield every broken rule of the checks of a service."""
    seen: set[str] = set(BUILT_IN)
    for table in gate.checks():
        for position, check in enumerate(table):
            path = ("gate", check.kind, position)
            if check.name in seen:
                taken = "that of a check that every gate has" if check.name in BUILT_IN else "used a second time"
                yield Mistake((*path, "name"), f"is {quoted(check.name)}, {taken}; expected a name of its own")
            seen.add(check.name)
            yield from _conditions(path, check)
            yield from _of_service(path, check, service)
            yield from _times(path, check, gate)


def _conditions(path: tuple[str | int, ...], check: CheckTable) -> Iterator[Mistake]:
    """Refuse a check that nothing can fail: it would pass whatever happens (and does, in Argo Rollouts)."""
    if not check.check().has_condition:
        text = f"has no condition, so that nothing could ever fail it; expected {_NEEDED[check.kind]}"
        yield Mistake(path, text, blocks=True)
    if check.kind != "metric":
        return
    compares = getattr(check, "compare", None) is not None
    if compares and (check.success is not None or check.failure is not None):
        yield Mistake((*path, "compare"), "stands beside a condition; expected the one or the other")
    for name in sorted(check.model_fields_set & _OF_A_COMPARISON):
        if not compares:
            yield Mistake((*path, name), "says how to compare, and there is no compare; expected both or none")


def _of_service(path: tuple[str | int, ...], check: CheckTable, service: str) -> Iterator[Mistake]:
    dimensions = getattr(check, "dimensions", {})
    if getattr(check, "compare_with", "") == "service" and service not in dimensions.values():
        text = f'is "service", and no dimension names it; expected one of them to be {quoted(service)}'
        yield Mistake((*path, "compare_with"), text)


def _times(path: tuple[str | int, ...], check: CheckTable, gate: GateTable) -> Iterator[Mistake]:
    for name in ("interval", "timeout", "window"):
        duration = getattr(check, name, None)
        if duration is not None and duration <= timedelta(0):
            yield Mistake((*path, name), f'is "{format_duration(duration)}"; expected more than 0')
    if check.interval is not None and timedelta(0) < check.interval < gate.interval:
        text = (
            f'is "{format_duration(check.interval)}", and the gate measures every {format_duration(gate.interval)} only'
        )
        yield Mistake((*path, "interval"), f"{text}; expected as much or more")
    period = getattr(check, "period", None)
    seconds = 0 if period is None else int(period.total_seconds())
    if period is not None and seconds not in _SHORT_PERIODS and (seconds == 0 or seconds % _MINUTE):
        text = f'is "{format_duration(period)}"; expected 1, 5, 10, 20 or 30 seconds, or whole minutes'
        yield Mistake((*path, "period"), text)
    needed = check.initial_delay + (check.count - 1) * (check.interval or gate.interval)
    if needed >= gate.deadline:
        yield Mistake(
            (*path, "count" if check.count > 1 else "initial_delay"),
            f"asks for measurements until {format_duration(needed)} after the beginning; expected less than "
            f"gate.deadline, which is {format_duration(gate.deadline)}",
        )
