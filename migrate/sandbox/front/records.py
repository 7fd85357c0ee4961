"""ECS services, deployments and tasks as the front keeps them; times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate.sandbox.front.faults import Fault
    from migrate.sandbox.front.http import Json, Scope
    from migrate.sandbox.front.images import Pull

FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")


class Rollout(StrEnum):
    """``rolloutState`` of a deployment."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class Status(StrEnum):
    """``status`` of a service deployment (facts F17), as far as rolling deployments here reach them."""

    IN_PROGRESS = "IN_PROGRESS"
    ROLLBACK_IN_PROGRESS = "ROLLBACK_IN_PROGRESS"
    SUCCESSFUL = "SUCCESSFUL"
    STOPPED = "STOPPED"
    ROLLBACK_SUCCESSFUL = "ROLLBACK_SUCCESSFUL"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"

    @property
    def running(self) -> bool:
        """Whether it can still be stopped or rolled back."""
        return self in (Status.IN_PROGRESS, Status.ROLLBACK_IN_PROGRESS)


class TargetState(StrEnum):
    """``State`` of a target's health."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"


@dataclass(slots=True)
class Target:
    """A task's place in one target group; ``in_flight`` is the number of requests that it is answering."""

    port: int
    state: TargetState = TargetState.INITIAL
    reason: str = "Elb.RegistrationInProgress"
    failures: int = 0
    in_flight: int = 0

    def checked(self, failure: str, enough: int) -> None:
        """Take in one health check: ``failure`` is empty when it passed; ``enough`` in a row make it unhealthy."""
        if self.state is TargetState.DRAINING:
            return
        if not failure:
            self.state, self.reason, self.failures = TargetState.HEALTHY, "", 0
            return
        self.failures += 1
        if self.failures >= enough:
            self.state, self.reason = TargetState.UNHEALTHY, failure


@dataclass(slots=True)
class LiveContainer:
    """A container in the engine; ``child`` is the digest of the manifest that it runs, where the engine says so."""

    id: str
    child: str
    exit_code: int | None = None
    reason: str = ""


@dataclass(slots=True)
class Live:
    """What really runs of a task. ``outcome`` is the stop code and reason, once it has ended by itself."""

    status: str = "PENDING"
    architecture: str = ""
    containers: dict[str, LiveContainer] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)
    outcome: tuple[str, str] | None = None
    ended: float | None = None


@dataclass(slots=True)
class Task:
    """One task, of a service or by itself."""

    arn: str
    cluster: str
    group: str
    started_by: str
    definition: Json
    provider: str | None
    launch_type: str
    created: float
    ready: float
    address: str
    pulls: dict[str, Pull]
    platform_version: str | None = None
    failure: str = ""
    exit_code: int | None = None
    status: str = "PROVISIONING"
    started: float | None = None
    stopped: float | None = None
    stop_code: str = ""
    stopped_reason: str = ""
    execute_command: bool = False
    overrides: Json = field(default_factory=dict)
    live: Live | None = None

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def alive(self) -> bool:
        """Whether it counts against the desired count."""
        return self.stopped is None

    @property
    def running(self) -> bool:
        """Whether it has started and not stopped."""
        return self.alive and self.started is not None

    @property
    def serving(self) -> bool:
        """Whether it runs and is healthy in all its target groups; a pretended task is."""
        if self.live is None:
            return self.running
        return self.running and all(target.state is TargetState.HEALTHY for target in self.live.targets.values())

    def stop(self, now: float, code: str, reason: str) -> None:
        """Stop it at once."""
        if self.alive:
            self.status, self.stopped, self.stop_code, self.stopped_reason = "STOPPED", now, code, reason


@dataclass(slots=True)
class Deployment:
    """One entry of a service's ``deployments``, with what it pinned when it began (facts F14)."""

    id: str
    definition: Json
    desired: int
    created: float
    updated: float
    launch_type: str | None
    strategy: list[Json]
    platform_version: str | None
    network: Json
    pulls: dict[str, Pull]
    primary: bool = True
    state: Rollout = Rollout.IN_PROGRESS
    reason: str = ""
    failed: int = 0
    retry_at: float = 0.0
    completes_at: float = 0.0
    failing: Fault | None = None
    exiting: Fault | None = None
    stuck_told: bool = False

    @property
    def number(self) -> str:
        """The part of the id that the revision's ARN shares."""
        return self.id.partition("/")[2]


@dataclass(slots=True)
class ServiceDeployment:
    """One entry of ListServiceDeployments."""

    arn: str
    deployment: Deployment
    source: Deployment | None
    created: float
    updated: float
    status: Status = Status.IN_PROGRESS
    reason: str = ""
    finished: float | None = None
    stopped: float | None = None
    rolled_back_to: Deployment | None = None
    rollback_reason: str = ""
    rollback_started: float | None = None

    def finish(self, status: Status, now: float, reason: str) -> None:
        """Reach a terminal status."""
        self.status, self.reason, self.updated, self.finished = status, reason, now, now
        if status is Status.STOPPED:
            self.stopped = now


@dataclass(slots=True)
class Service:
    """One service; ``settings`` holds what the API takes and gives back unchanged."""

    scope: Scope
    cluster: str
    name: str
    definition: Json
    desired: int
    launch_type: str | None
    original_launch_type: str
    strategy: list[Json]
    platform_version: str | None
    created: float
    settings: Json
    tags: list[Json]
    status: str = "ACTIVE"
    deployments: list[Deployment] = field(default_factory=list)
    history: list[ServiceDeployment] = field(default_factory=list)
    past: list[Deployment] = field(default_factory=list)
    last_completed: Deployment | None = None
    events: list[Json] = field(default_factory=list)
    steady: bool = False

    @property
    def arn(self) -> str:
        """The service's ARN in the long format."""
        return self.scope.arn("ecs", f"service/{self.cluster}/{self.name}")

    @property
    def cluster_arn(self) -> str:
        """The ARN of its cluster."""
        return self.scope.arn("ecs", f"cluster/{self.cluster}")

    @property
    def primary(self) -> Deployment:
        """The deployment that the service wants to run."""
        return next(deployment for deployment in self.deployments if deployment.primary)

    def percent(self, key: str, default: int) -> int:
        """``maximumPercent`` or ``minimumHealthyPercent``."""
        return int(self.settings["deploymentConfiguration"].get(key, default))

    @property
    def breaker(self) -> Json:
        """The circuit breaker's settings."""
        found: Json = self.settings["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}
        return found

    def target_groups(self) -> list[tuple[str, int]]:
        """ARN and container port of every target group of the service."""
        balancers = self.settings.get("loadBalancers") or []
        return [(item["targetGroupArn"], item["containerPort"]) for item in balancers if item.get("targetGroupArn")]
