"""A run as a report tells it: what it did, what its gates saw over time, what ECS said, and what decided it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from migrate.core.documents import fields
from migrate.core.evidence import Event, EventKind, Run
from migrate.core.facts import ServiceEvent
from migrate.core.gate.gate import Outcome
from migrate.core.gate.readings import Limit
from migrate.core.run.audit import Audit, AuditEntry, EntryKind, audit
from migrate.core.run.news import StoppedTask
from migrate.core.run.preflight_evidence import Preflight, preflight_of
from migrate.core.task_groups import TaskGroup

T = TypeVar("T")

MOST_POINTS = 400
"""How many points of one series a report holds: more than a chart of that width can show apart."""

_AGE = re.compile(r" \(\d+ s ago\)$")
_DECISIONS = frozenset({"operator", "roll back", "copy revision"})
_WORST = (Outcome.PASS, Outcome.WAITING, Outcome.INCONCLUSIVE, Outcome.ERROR, Outcome.FAIL)


@dataclass(frozen=True, slots=True)
class CheckPoint:
    """What one check said at one time; ``value`` is None where nothing was measured in numbers."""

    at: datetime
    outcome: str
    text: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class CheckSeries:
    """One check of one gate over time, thinned to what differs; ``limits`` are those of its last sample."""

    gate: str
    check: str
    points: tuple[CheckPoint, ...]
    limits: tuple[Limit, ...] = ()

    @property
    def numeric(self) -> bool:
        """Whether there is a number to draw."""
        return any(point.value is not None for point in self.points)


@dataclass(frozen=True, slots=True)
class TaskPoint:
    """The tasks of the service as a gate saw them; ``desired`` is None where the service could not be read."""

    at: datetime
    gate: str
    groups: tuple[TaskGroup, ...]
    desired: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """One run whole. ``runs`` are all of the service, newest first; ``preflight`` is None where the run had none."""

    audit: Audit
    runs: tuple[Run, ...]
    decisions: tuple[AuditEntry, ...]
    tasks: tuple[TaskPoint, ...]
    checks: tuple[CheckSeries, ...]
    events: tuple[ServiceEvent, ...]
    stopped: tuple[StoppedTask, ...]
    preflight: Preflight | None

    @property
    def run(self) -> Run:
        """The run that the report is about."""
        return self.audit.run

    @property
    def end(self) -> datetime:
        """When the last thing happened that the report tells."""
        times = [entry.until or entry.at for entry in self.audit.entries]
        return max([self.run.started_at, *times, *([self.run.finished_at] if self.run.finished_at else [])])


def report(run: Run, events: Sequence[Event], runs: Sequence[Run]) -> Report:
    """Return the report of a run from its evidence, oldest first; evidence of an older version has less to tell."""
    told = audit(run, events)
    samples = [(event, fields(event.data)) for event in events if event.kind is EventKind.MEASUREMENT]
    found = [fields(event.data) for event in events if event.kind is EventKind.PREFLIGHT]
    heard = [data for _, data in samples]
    return Report(
        audit=told,
        runs=tuple(runs),
        decisions=tuple(entry for entry in told.entries if _decides(entry)),
        tasks=_changes([_tasks(event, data) for event, data in samples if "desired" in data], _counted),
        checks=_series(samples),
        events=_once(heard, "events", lambda item: ServiceEvent(**_dated(item)), lambda event: event.id),
        stopped=_once(heard, "stopped", lambda item: StoppedTask(**_dated(item)), lambda task: task.arn),
        preflight=preflight_of(found[-1]) if found else None,
    )


def _decides(entry: AuditEntry) -> bool:
    return entry.kind in (EntryKind.VERDICT, EntryKind.END) or entry.step in _DECISIONS


def _tasks(event: Event, data: dict[str, Any]) -> TaskPoint:
    groups = tuple(TaskGroup(**item) for item in data.get("tasks", ()))
    return TaskPoint(event.at, event.step, groups, data.get("desired"))


def _counted(point: TaskPoint) -> object:
    return point.gate, point.groups, point.desired


def _series(samples: Iterable[tuple[Event, dict[str, Any]]]) -> tuple[CheckSeries, ...]:
    points: dict[tuple[str, str], list[CheckPoint]] = {}
    limits: dict[tuple[str, str], tuple[Limit, ...]] = {}
    for event, data in samples:
        for item in data.get("measurements", ()):
            name, read = (event.step, item["check"]), item.get("reading")
            text = _AGE.sub("", item["text"])
            value = read["value"] if read else None
            points.setdefault(name, []).append(CheckPoint(event.at, item["outcome"], text, value))
            if read:
                limits[name] = tuple(Limit(**limit) for limit in read["limits"])
    return tuple(CheckSeries(*name, thinned(found), limits.get(name, ())) for name, found in points.items())


def thinned(points: Sequence[CheckPoint]) -> tuple[CheckPoint, ...]:
    """Return what differs from the point before or after, thinned where there are too many.

    Of each stretch the lowest, the highest and the worst are kept.
    """
    kept = _changes(points, lambda point: (point.outcome, point.value))
    if len(kept) <= MOST_POINTS:
        return kept
    stretches = MOST_POINTS // 4
    wanted = {0, len(kept) - 1}
    for number in range(stretches):
        within = range(number * len(kept) // stretches, (number + 1) * len(kept) // stretches)
        valued = [index for index in within if kept[index].value is not None]
        wanted |= {max(within, key=lambda index: badness(kept[index].outcome))} if within else set()
        wanted |= {pick(valued, key=lambda index: kept[index].value or 0.0) for pick in (min, max)} if valued else set()
    return tuple(kept[index] for index in sorted(wanted))


def badness(outcome: str) -> int:
    """Return how bad an outcome is, the worst highest; one that is not known here is worse than all."""
    return next((rank for rank, known in enumerate(_WORST) if known.value == outcome), len(_WORST))


def _changes(found: Sequence[T], content: Callable[[T], object]) -> tuple[T, ...]:
    """Return the first and the last of each stretch that says the same."""
    last = len(found) - 1
    return tuple(
        item
        for index, item in enumerate(found)
        if index in (0, last)
        or content(item) != content(found[index - 1])
        or content(item) != content(found[index + 1])
    )


def _once(
    samples: Iterable[dict[str, Any]], key: str, made: Callable[[dict[str, Any]], T], name: Callable[[T], str]
) -> tuple[T, ...]:
    """Return what the samples tell, each once: a process that took the run up told again what was told before it."""
    found = (made(item) for data in samples for item in data.get(key, ()))
    return tuple({name(item): item for item in found}.values())


def _dated(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "at": datetime.fromisoformat(item["at"]) if item["at"] else None}
