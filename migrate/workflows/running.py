"""What runs now, in one line: what whoever is paged has to know first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from migrate.core.facts import Service, Task
from migrate.errors import MigrateError
from migrate.workflows.work import Work


def told_running(work: Work) -> str:
    """Return revision, architectures, providers and healthy targets; what could not be read is said to be so."""
    try:
        service = work.service()
    except MigrateError as error:
        return f"it could not be read ({error})"
    told = f"{service.running_count} of {service.desired_count} tasks of {service.task_definition_arn}"
    try:
        return f"{told} ({_tasks(work.runtime.services.tasks(service))}; {_targets(work, service)})"
    except MigrateError as error:
        return f"{told} (more could not be read: {error.what})"


def _tasks(tasks: Iterable[Task]) -> str:
    running = [task for task in tasks if task.last_status == "RUNNING"]
    architectures = _counted(task.architecture or "architecture not reported" for task in running)
    return f"{architectures}; {_counted(task.provider or task.launch_type or 'no provider' for task in running)}"


def _targets(work: Work, service: Service) -> str:
    if not service.target_group_arns:
        return "no target group"
    found = work.runtime.health.target_health(service.target_group_arns)
    return f"{sum(target.state == 'healthy' for target in found)} of {len(found)} targets healthy"


def _counted(names: Iterable[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(Counter(names).items())) or "no task"
