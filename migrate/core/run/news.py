"""What ECS said of a service while a run was on it: its events, and the tasks that stopped, each told once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from migrate.core.facts import Service, ServiceEvent, Task
from migrate.core.gate.stopped_tasks import FAILURES, stop_cause, told_of
from migrate.core.task_groups import provider_of

_LONGEST = 500
"""Characters that are kept of a text: ECS repeats whole answers of other services in it."""
_MOST = 50
"""How many stopped tasks one look keeps: a program that cannot start leaves hundreds that say the same."""


@dataclass(frozen=True, slots=True)
class StoppedTask:
    """A task that stopped, and why; ``failure`` says that it speaks against the program or its image."""

    arn: str
    at: datetime | None
    cause: str
    failure: bool
    text: str
    revision: str
    architecture: str
    provider: str


@dataclass(frozen=True, slots=True)
class News:
    """What one look at a service showed that the look before it had not, oldest first."""

    events: tuple[ServiceEvent, ...] = ()
    stopped: tuple[StoppedTask, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The ids of the events and the ARNs of the tasks."""
        return frozenset((*(event.id for event in self.events), *(task.arn for task in self.stopped)))


def news(service: Service, stopped: Iterable[Task], since: datetime, told: Collection[str]) -> News:
    """Return what happened since a time and is not among what was ``told``, by ids and ARNs."""
    events = [event for event in service.events if event.at >= since and event.id not in told]
    tasks = [task for task in stopped if _ended(task, since) and task.arn not in told]
    tasks.sort(key=lambda task: (task.stopped_at or since, task.arn))
    return News(
        tuple(
            ServiceEvent(item.id, item.at, item.message[:_LONGEST])
            for item in sorted(events, key=lambda item: (item.at, item.id))
        ),
        tuple(_stopped(task) for task in tasks[:_MOST]),
    )


def _ended(task: Task, since: datetime) -> bool:
    """Leave a task out that only begins to stop: ECS may not say why yet, and it is told once."""
    return task.last_status == "STOPPED" and (task.stopped_at is None or task.stopped_at >= since)


def _stopped(task: Task) -> StoppedTask:
    cause = stop_cause(task)
    return StoppedTask(
        arn=task.arn,
        at=task.stopped_at,
        cause=cause.value,
        failure=cause in FAILURES,
        text=told_of(task)[:_LONGEST],
        revision=task.task_definition_arn,
        architecture=task.architecture or "not reported",
        provider=provider_of(task),
    )
