"""Why a task stopped, from its stop code, its reason, and what its containers left.

Texts: Amazon ECS developer guide, "Stopped tasks error codes", "CannotPullContainer task errors" and "Viewing stopped
task errors"; facts F27 and F28. ECS wrote other texts in other years, so that codes come before texts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from migrate.core.facts import ServiceDeployment, Task


class StopCause(StrEnum):
    """What made a task stop, in the words that an operator reads."""

    MISMATCH = "architecture mismatch"
    EXEC_FORMAT = "exec format error"
    PULL = "image pull failed"
    OUT_OF_MEMORY = "out of memory"
    HEALTH_CHECK = "health check failed"
    INTERRUPTED = "Spot interruption"
    CAPACITY = "no capacity"
    SCALED_IN = "replaced or scaled in"
    PERSON = "stopped by a person"
    EXITED = "essential container exited"
    NOT_STARTED = "could not be started"
    UNKNOWN = "unknown"


NEVER_STARTS = frozenset({StopCause.MISMATCH, StopCause.EXEC_FORMAT})
"""No second try of the same image on the same machine can end otherwise."""

FAILURES = NEVER_STARTS | {
    StopCause.PULL,
    StopCause.OUT_OF_MEMORY,
    StopCause.HEALTH_CHECK,
    StopCause.EXITED,
    StopCause.NOT_STARTED,
    StopCause.UNKNOWN,
}
"""What speaks against the program or its image; the others do not."""

_CODES = {
    "SpotInterruption": StopCause.INTERRUPTED,
    "TerminationNotice": StopCause.INTERRUPTED,
    "UserInitiated": StopCause.PERSON,
}
_NO_PLATFORM = (
    r"does not contain descriptor matching platform|no matching manifest for|no match for platform in manifest"
    r"|failed to find a descriptor for platform"
)
_NO_START = (
    r"ResourceInitializationError|CannotStart\w*Error|CannotCreate\w*Error|\w+TimeoutError|InternalError"
    r"|Timeout waiting for"
)
_TEXTS = (
    (StopCause.MISMATCH, _NO_PLATFORM),
    (StopCause.EXEC_FORMAT, r"exec format error"),
    (StopCause.INTERRUPTED, r"Spot (?:Task|instance) was interrupted|spot interruption"),
    (StopCause.PULL, r"CannotPull\w*Error|CannotPull(?:Container|Image)|pull image manifest has been retried"),
    (StopCause.OUT_OF_MEMORY, r"OutOfMemory|OOM|out of memory"),
    (StopCause.HEALTH_CHECK, r"failed (?:ELB|container|\w+ )?\s*health checks?|health checks? failed"),
    (StopCause.CAPACITY, r"Capacity is unavailable|insufficient capacity|RESOURCE:|no container instance"),
    (StopCause.SCALED_IN, r"Scaling activity initiated|Service scaling|scaled? in"),
    (StopCause.NOT_STARTED, _NO_START),
)
_PATTERNS = tuple((cause, re.compile(text, re.IGNORECASE)) for cause, text in _TEXTS)
_KILLED, _NOT_EXECUTABLE = 137, 255


def stop_cause(task: Task) -> StopCause:
    """Return why a task stopped."""
    said = " ".join([task.stopped_reason, *(container.reason for container in task.containers)])
    told = next((cause for cause, pattern in _PATTERNS if pattern.search(said)), None)
    if task.stop_code in _CODES and told not in NEVER_STARTS:
        return _CODES[task.stop_code]
    if told is not None:
        return told
    if task.stop_code == "ServiceSchedulerInitiated":
        return StopCause.SCALED_IN
    exits = [container.exit_code for container in task.containers]
    if task.stop_code == "EssentialContainerExited" or any(code not in (None, 0) for code in exits):
        return StopCause.EXITED
    return StopCause.NOT_STARTED if task.stop_code == "TaskFailedToStart" else StopCause.UNKNOWN


def told_of(task: Task) -> str:
    """Return a stopped task in words: cause, what ECS said, and how its containers ended."""
    ends = [
        f"{item.name} exit {item.exit_code}{_MEANINGS.get(item.exit_code, '')}"
        for item in task.containers
        if item.exit_code is not None
    ]
    reasons = [item.reason for item in task.containers if item.reason and item.reason != task.stopped_reason]
    told = "; ".join(text for text in (task.stopped_reason, *dict.fromkeys(reasons), *ends) if text)
    return f"{stop_cause(task)}: {told}" if told else str(stop_cause(task))


def ended_by(stopped: Sequence[Task], deployments: Collection[str], revision: str = "") -> str:
    """Return how the tasks of deployments failed, as the end of a sentence; empty where ECS remembers no failure.

    ``revision`` is one that the service does not run: what stopped of it counts, whichever deployment started it. ECS
    remembers stopped tasks for about an hour (facts F27).
    """
    theirs = [task for task in stopped if task.started_by in deployments or task.task_definition_arn == revision]
    failed = [task for task in theirs if stop_cause(task) in FAILURES]
    if not failed:
        return ""
    last = max(failed, key=lambda task: task.stopped_at or task.created_at or datetime.min.replace(tzinfo=UTC))
    return f"; {len(failed)} of its tasks stopped by themselves, the last one: {told_of(last)}"


def deployment_behind(told: ServiceDeployment) -> str:
    """Return the id of the deployment that a service deployment stands for: both end in the number of its revision."""
    return f"ecs-svc/{told.target_service_revision_arn.rpartition('/')[2]}"


_MEANINGS = {
    _KILLED: " (killed, often out of memory)",
    _NOT_EXECUTABLE: " (what a binary for another architecture ends with)",
}
