"""The checks on tasks that stopped, and on tasks that never come to run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from migrate.core.facts import Service, Task, TaskDefinition
from migrate.core.gate.gate import Measurement, Outcome
from migrate.core.gate.stopped_tasks import FAILURES, NEVER_STARTS, StopCause, stop_cause, told_of
from migrate.core.task_definition import containers

SLOW = timedelta(minutes=5)
"""A task that takes longer than this to run is looked into; large images take minutes to pull."""
RECENT = timedelta(minutes=10)
"""How long after an interruption, or a change of the desired count, ECS may still be at work on it."""
_FEWEST, _MOST = 3, 200
_FEWEST_INTERRUPTIONS = 2


@dataclass(frozen=True, slots=True)
class Watched:
    """What the checks on tasks have to know beside the tasks.

    ``deployment_id`` and ``deployed``: our deployment, and whether it is complete; ``soaking`` says that an earlier
    sample found it complete, so that what stops now stops after the rollout. ``began`` is when the gate did;
    ``known`` are the stopped tasks that an earlier sample saw: ECS may show a stop long after its time.
    ``interruption_limit`` is a percentage of the tasks, None where Spot is not judged.
    """

    deployment_id: str
    deployed: bool
    now: datetime
    began: datetime
    soaking: bool = False
    known: frozenset[str] = frozenset()
    scaled_at: datetime | None = None
    interruption_limit: int | None = None


def stopped_check(service: Service, stopped: Sequence[Task], watched: Watched) -> Measurement:
    """Judge why tasks of our deployment stopped.

    One that can never start decides at once. Others are what ECS tries again: as many as its circuit breaker counts
    (facts F15) decide; after the rollout a single new one is a failure. Interruptions, scaling and people are not.
    """
    ours = [task for task in stopped if task.started_by == watched.deployment_id and _has_ended(task)]
    causes = {task.arn: stop_cause(task) for task in ours}
    evidence = tuple((_short(task.arn), told_of(task)) for task in ours)
    never = [task for task in ours if causes[task.arn] in NEVER_STARTS]
    if never:
        text = f"{len(never)} tasks can never start; {_short(never[0].arn)}: {told_of(never[0])}"
        return _stopped(Outcome.FAIL, text, evidence, final=True)
    # What stopped before the gate began was judged then, or belongs to a time before it.
    failed = [task for task in ours if causes[task.arn] in FAILURES and _after(task, watched.began)]
    most = min(_MOST, max(_FEWEST, math.ceil(service.desired_count / 2)))
    if not watched.deployed and len(failed) >= most:
        text = f"{len(failed)} tasks of our deployment stopped by themselves; {_short(failed[-1].arn)}: "
        return _stopped(Outcome.FAIL, text + told_of(failed[-1]), evidence, final=True)
    new = [task for task in failed if _short(task.arn) not in watched.known]
    if new:
        text = f"{len(new)} tasks stopped by themselves; {_short(new[0].arn)}: {told_of(new[0])}"
        return _stopped(Outcome.FAIL if watched.soaking else Outcome.WAITING, text, evidence)
    interrupted = _since_gate(ours, causes, watched)
    if _too_many(interrupted, service, watched):
        text = (
            f"Spot took {interrupted} tasks away since the gate began, of {service.desired_count} desired: more than "
            f"the {watched.interruption_limit} % that gate.interruption_limit allows"
        )
        return Measurement("stopped tasks", Outcome.FAIL, text, "gates#spot-interruptions", evidence, final=True)
    return _stopped(Outcome.PASS, _counted(causes, interrupted), evidence)


def seen_by_stopped_check(task: Task, deployment_id: str, began: datetime) -> bool:
    """Tell whether a stopped task has a part in the check of stopped tasks of a gate that began at a time."""
    return task.started_by == deployment_id and (stop_cause(task) in NEVER_STARTS or _after(task, began))


def _has_ended(task: Task) -> bool:
    """Tell a task that stopped from one that still stops, of which ECS may not say why yet."""
    return task.last_status == "STOPPED" or bool(task.stop_code)


def _after(task: Task, time: datetime) -> bool:
    return task.stopped_at is None or task.stopped_at >= time


def _since_gate(ours: Sequence[Task], causes: dict[str, StopCause], watched: Watched) -> int:
    return sum(causes[task.arn] is StopCause.INTERRUPTED and _after(task, watched.began) for task in ours)


def _too_many(interrupted: int, service: Service, watched: Watched) -> bool:
    if watched.interruption_limit is None or interrupted < _FEWEST_INTERRUPTIONS:
        return False
    return interrupted * 100 > watched.interruption_limit * service.desired_count


def _counted(causes: dict[str, StopCause], interrupted: int) -> str:
    if not causes:
        return "no task of our deployment stopped"
    counts = ", ".join(f"{cause} {count}" for cause, count in sorted(Counter(causes.values()).items()))
    rate = f"; {interrupted} Spot interruptions since the gate began" if interrupted else ""
    return f"tasks of our deployment that stopped: {counts}{rate}"


def starting_check(tasks: Sequence[Task], definition: TaskDefinition | None, watched: Watched) -> Measurement:
    """Find the tasks of our deployment that neither run nor fail, and say which container waits for which.

    ``definition`` is the revision that they run, None where nobody looked it up.
    """
    slow = slow_tasks(tasks, watched)
    if not slow:
        return Measurement("starting tasks", Outcome.PASS, "no task is stuck on its way", "gates#starting-tasks")
    first = slow[0]
    minutes = (watched.now - (first.created_at or watched.began)).total_seconds() / 60
    text = f"{len(slow)} tasks neither run nor fail; {_short(first.arn)} is {first.last_status} for {minutes:.0f} min"
    waits = _waits(first, definition)
    if waits:
        text += ": " + "; ".join(waits)
    evidence = tuple((_short(task.arn), _statuses(task)) for task in slow)
    return Measurement("starting tasks", Outcome.WAITING, text, "gates#starting-tasks", evidence)


def slow_tasks(tasks: Sequence[Task], watched: Watched) -> list[Task]:
    """Return the tasks of our deployment that should run by now and do not."""
    return [
        task
        for task in tasks
        if task.started_by == watched.deployment_id
        and task.last_status in {"PROVISIONING", "PENDING", "ACTIVATING"}
        and watched.now - (task.created_at or watched.began) >= SLOW
    ]


def excused(
    measurements: Sequence[Measurement], service: Service, running: int, stopped: Sequence[Task], watched: Watched
) -> tuple[Measurement, ...]:
    """Excuse the waits that auto scaling or a Spot interruption explains: they come to services that are well, too.

    Nothing passes meanwhile, and a wait that goes on longer than ECS needs is no longer excused.
    """
    missing = service.desired_count - running
    scaled = watched.scaled_at is not None and watched.now - watched.scaled_at < RECENT
    gone = sum(
        stop_cause(task) in {StopCause.INTERRUPTED, StopCause.SCALED_IN}
        and task.stopped_at is not None
        and watched.now - task.stopped_at < RECENT
        for task in stopped
        if task.started_by == watched.deployment_id
    )
    if not watched.deployed or not (scaled or (gone and gone >= missing)):
        return tuple(measurements)
    return tuple(
        replace(item, excused=True)
        if item.outcome is Outcome.WAITING and item.check in {"tasks", "capacity", "targets"}
        else item
        for item in measurements
    )


def _waits(task: Task, definition: TaskDefinition | None) -> list[str]:
    """Return which containers wait for which, by ``dependsOn`` (ECS API, ContainerDependency)."""
    if definition is None:
        return []
    found = {item.name: item for item in task.containers}
    told = []
    for container in containers(definition.document):
        name = str(container.get("name"))
        if name in found and found[name].last_status not in {"PENDING", ""}:
            continue
        dependencies = container.get("dependsOn")
        for item in dependencies if isinstance(dependencies, list) else []:
            other = found.get(str(item.get("containerName"))) if isinstance(item, dict) else None
            if other is not None and isinstance(item, dict):
                health = f", health {other.health_status}" if other.health_status else ""
                told.append(
                    f"{name} waits for {other.name} to be {item.get('condition')}, which is {other.last_status}{health}"
                )
    return told


def _statuses(task: Task) -> str:
    shown = ", ".join(f"{item.name} {item.last_status} {item.reason}".strip() for item in task.containers)
    return f"{task.last_status}: {shown}"


def _stopped(outcome: Outcome, text: str, evidence: tuple[tuple[str, str], ...], *, final: bool = False) -> Measurement:
    return Measurement("stopped tasks", outcome, text, "gates#stopped-tasks", evidence, final=final)


def _short(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
