"""The tasks of a service as people count them: new and old, by architecture and capacity provider."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from migrate.core.facts import Task

_STOPPING = frozenset({"DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED", "DELETED"})
"""States on the way out; the others but RUNNING are on the way in (ECS task lifecycle)."""


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Tasks that are alike. ``new`` are those of the deployment that is being judged."""

    new: bool
    architecture: str
    provider: str
    running: int
    pending: int
    stopping: int


def task_groups(tasks: Iterable[Task], deployment_id: str) -> tuple[TaskGroup, ...]:
    """Count tasks, the old ones first; ``startedBy`` is the id of a task's deployment (ECS API, Task)."""
    counted: Counter[tuple[bool, str, str, str]] = Counter()
    for task in tasks:
        last = task.last_status
        state = "running" if last == "RUNNING" else "stopping" if last in _STOPPING else "pending"
        architecture = task.architecture or "not reported"
        counted[task.started_by == deployment_id, architecture, provider_of(task), state] += 1
    kinds = sorted({(new, architecture, provider) for new, architecture, provider, _ in counted})
    return tuple(
        TaskGroup(*kind, *(counted[*kind, state] for state in ("running", "pending", "stopping"))) for kind in kinds
    )


def provider_of(task: Task) -> str:
    """Return what a task runs on: its capacity provider, or the launch type of one that has none."""
    return task.provider or task.launch_type or "no provider"
