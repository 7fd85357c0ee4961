"""One ECS service in virtual time: deployments that roll out, fail, are rolled back, or never end.

Time moves in ticks that do not depend on who looks and when, so a script always plays the same way.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address

from migrate.core.facts import ServiceEvent, Strategy

TICK = timedelta(seconds=5)


class Fate(StrEnum):
    """What becomes of the tasks of a deployment."""

    HEALTHY = "healthy"
    NO_PLATFORM = "no platform"
    EXEC_FORMAT = "exec format"
    UNHEALTHY = "unhealthy"
    STUCK = "stuck"
    NO_ROOM = "no room"


FAILURES = {
    Fate.NO_PLATFORM: (
        "TaskFailedToStart",
        "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'",
        None,
    ),
    Fate.EXEC_FORMAT: ("EssentialContainerExited", "Essential container in task exited", 255),
    Fate.UNHEALTHY: ("ServiceSchedulerInitiated", "Task failed ELB health checks in the target group", None),
}


@dataclass
class Pace:
    """How long a task takes until it runs, until it is healthy, and until it has drained."""

    start: timedelta = timedelta(seconds=30)
    health: timedelta = timedelta(seconds=20)
    drain: timedelta = timedelta(seconds=30)


@dataclass
class SimulatedTask:
    id: str
    deployment: SimulatedDeployment
    provider: str | None
    created_at: datetime
    running_since: datetime | None = None
    leaving_since: datetime | None = None
    stopped_at: datetime | None = None
    stop_code: str = ""
    reason: str = ""
    exit_code: int | None = None

    @property
    def address(self) -> str:
        """Return an address that the task always has, and no other one."""
        return str(IPv4Address((10 << 24) | (zlib.crc32(self.id.encode()) & 0xFFFFFF)))

    def stop(self, at: datetime, code: str, reason: str, exit_code: int | None = None) -> None:
        self.stopped_at, self.stop_code, self.reason, self.exit_code = at, code, reason, exit_code


@dataclass
class SimulatedDeployment:
    id: str
    task_definition_arn: str
    digest: str
    strategy: Strategy
    launch_type: str | None
    fate: Fate
    created_at: datetime
    status: str = "PRIMARY"
    rollout_state: str = "IN_PROGRESS"
    rollout_reason: str = "ECS deployment in progress."
    failed: int = 0
    service_status: str = "IN_PROGRESS"
    undoes: SimulatedDeployment | None = None
    finished_at: datetime | None = None


@dataclass
class SimulatedService:
    """``breaker`` is the deployment circuit breaker, ``breaker_rolls_back`` its rollback.

    ``lacking`` are the providers that have no capacity at this time (case C60).
    """

    name: str
    desired: int
    deployments: list[SimulatedDeployment]
    history: list[SimulatedDeployment] = field(default_factory=list)
    tasks: list[SimulatedTask] = field(default_factory=list)
    events: list[ServiceEvent] = field(default_factory=list)
    pace: Pace = field(default_factory=Pace)
    breaker: bool = True
    breaker_rolls_back: bool = True
    lacking: set[str] = field(default_factory=set)

    @property
    def primary(self) -> SimulatedDeployment:
        return self.deployments[0]

    @property
    def completed(self) -> SimulatedDeployment:
        """The deployment that a rollback goes back to."""
        return next(item for item in reversed(self.history) if item.rollout_state == "COMPLETED")

    def living(self, deployment: SimulatedDeployment | None = None) -> list[SimulatedTask]:
        """Return the tasks that ECS wants running."""
        return [
            task
            for task in self.tasks
            if task.stopped_at is None
            and task.leaving_since is None
            and (deployment is None or task.deployment is deployment)
        ]

    def begin(self, deployment: SimulatedDeployment) -> None:
        """Make a deployment PRIMARY; the one before it ends or is superseded."""
        before = self.primary
        before.status = "ACTIVE"
        if before.service_status in {"IN_PROGRESS", "ROLLBACK_IN_PROGRESS"} and deployment.undoes is None:
            before.service_status = "STOPPED"
        self.deployments.insert(0, deployment)
        self.history.append(deployment)
        self.say(deployment.created_at, f"has started a deployment: {deployment.id}.")

    def roll_back(self, at: datetime, reason: str) -> None:
        """Do what the circuit breaker and StopServiceDeployment do: go back to the last completed deployment."""
        failed, good = self.primary, self.completed
        failed.rollout_state, failed.rollout_reason = "FAILED", reason
        failed.service_status = "ROLLBACK_IN_PROGRESS"
        self.begin(
            SimulatedDeployment(
                id=f"{failed.id}-rollback",
                task_definition_arn=good.task_definition_arn,
                digest=good.digest,
                strategy=good.strategy,
                launch_type=good.launch_type,
                fate=good.fate,
                created_at=at,
                undoes=failed,
            )
        )
        for task in self.living(failed):
            task.leaving_since = at

    def tick(self, at: datetime) -> None:
        """Let one tick pass."""
        for task in self.tasks:
            self._grow(task, at)
        self._place(at)
        self._break(at)
        self._replace(at)

    def _grow(self, task: SimulatedTask, at: datetime) -> None:
        if task.stopped_at is not None:
            return
        fate = task.deployment.fate
        if task.leaving_since is not None:
            if at - task.leaving_since >= self.pace.drain:
                task.stop(at, task.stop_code or "ServiceSchedulerInitiated", task.reason or _SCALED)
        elif task.running_since is None:
            if at - task.created_at >= self.pace.start:
                if fate in {Fate.NO_PLATFORM, Fate.EXEC_FORMAT}:
                    self._fail(task, at)
                else:
                    task.running_since = at
        elif fate is Fate.UNHEALTHY and at - task.running_since >= 2 * self.pace.health:
            self._fail(task, at)

    def _fail(self, task: SimulatedTask, at: datetime) -> None:
        code, reason, exit_code = FAILURES[task.deployment.fate]
        task.stop(at, code, reason, exit_code)
        task.deployment.failed += 1
        self.say(at, f"(task {task.id}) failed: {reason}")
        if task.deployment.fate is Fate.UNHEALTHY:
            group = f"arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/{self.name}/0123456789abcdef"
            self.say(at, f"(port 8080) is unhealthy in (target-group {group}) due to (reason Target.Timeout).")

    def _place(self, at: datetime) -> None:
        primary = self.primary
        living = self.living(primary)
        if primary.rollout_state == "FAILED":
            return
        if primary.fate is Fate.STUCK:
            self._lacks(at)
            return
        if primary.fate is Fate.NO_ROOM:
            self.say(at, f"was unable {_NO_ROOM}", once=True)
            return
        for task in living[self.desired :]:
            task.leaving_since = at
        for provider in next_providers(primary.strategy, [task.provider for task in living], self.desired):
            if provider in self.lacking:
                self._lacks(at)
                continue
            number = sum(task.deployment is primary for task in self.tasks)
            self.tasks.append(SimulatedTask(f"{primary.id.rpartition('/')[2]}-{number}", primary, provider, at))

    def _lacks(self, at: datetime) -> None:
        reason = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
        self.say(at, f"was unable to place a task. Reason: {reason}.", once=True)

    def _break(self, at: datetime) -> None:
        primary = self.primary
        threshold = min(200, max(3, math.ceil(self.desired / 2)))
        if primary.rollout_state != "IN_PROGRESS" or not self.breaker or primary.failed < threshold:
            return
        reason = "ECS deployment circuit breaker: tasks failed to start."
        if self.breaker_rolls_back and any(item.rollout_state == "COMPLETED" for item in self.history):
            self.roll_back(at, reason)
        else:
            primary.rollout_state, primary.rollout_reason = "FAILED", reason

    def _replace(self, at: datetime) -> None:
        """Retire the former tasks once enough new ones are healthy, and end the deployment when they are gone."""
        primary = self.primary
        healthy = [task for task in self.living(primary) if self.is_healthy(task, at)]
        if len(healthy) < self.desired or primary.rollout_state == "FAILED":
            return
        for task in self.living():
            if task.deployment is not primary:
                task.leaving_since = at
        if any(task.stopped_at is None and task.deployment is not primary for task in self.tasks):
            return
        if primary.rollout_state == "IN_PROGRESS":
            primary.rollout_state, primary.rollout_reason = "COMPLETED", "ECS deployment completed."
            primary.service_status, primary.finished_at = "SUCCESSFUL", at
            if primary.undoes is not None:
                primary.undoes.service_status = "ROLLBACK_SUCCESSFUL"
            self.say(at, "has reached a steady state.")
        self.deployments = [primary]

    def is_healthy(self, task: SimulatedTask, at: datetime) -> bool:
        """Tell whether the load balancer counts the task in."""
        since = task.running_since
        return since is not None and task.deployment.fate is Fate.HEALTHY and at - since >= self.pace.health

    def say(self, at: datetime, text: str, *, once: bool = False) -> None:
        """Write a service event; ECS shows the newest first and keeps 100."""
        message = f"(service {self.name}) {text}"
        if once and any(event.message == message and event.at >= self.primary.created_at for event in self.events):
            return
        self.events.insert(0, ServiceEvent(f"event-{len(self.events)}", at, message))


_NO_ROOM = (
    "to stop or start tasks during a deployment because of the service deployment configuration. Update the "
    "minimumHealthyPercent or maximumPercent value and try again."
)
_SCALED = "Scaling activity initiated by deployment"


def next_providers(strategy: Strategy, there: Sequence[str | None], desired: int) -> list[str | None]:
    """Return the providers of the tasks that are missing: base first, then by weight (facts F13)."""
    count, added = Counter(there), list[str | None]()
    while len(there) + len(added) < desired:
        provider = _next_provider(strategy, count) if strategy else None
        count[provider] += 1
        added.append(provider)
    return added


def _next_provider(strategy: Strategy, count: Counter[str | None]) -> str:
    short = [item for item in strategy if count[item.provider] < item.base]
    if short:
        return short[0].provider
    weighted = [item for item in strategy if item.weight]
    return min(weighted, key=lambda item: ((count[item.provider] - item.base + 1) / item.weight, -item.weight)).provider
