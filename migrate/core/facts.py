"""What was seen: the parts of an ECS service that a migration decides on, as AWS reported them.

Nothing here is interpreted. Times are aware datetimes in UTC, counts are tasks, digests are ``sha256:...``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from migrate.core.documents import Document


class Architecture(StrEnum):
    """CPU architecture in the spelling of ``runtimePlatform.cpuArchitecture`` (ECS API, RuntimePlatform)."""

    X86_64 = "X86_64"
    ARM64 = "ARM64"

    @property
    def oci(self) -> str:
        """The same architecture in the spelling of image indexes (OCI image index, platform.architecture)."""
        return "amd64" if self is Architecture.X86_64 else "arm64"


@dataclass(frozen=True, slots=True)
class StrategyItem:
    """One capacity provider strategy item (facts F13): weight 0-1000, base 0-100000 on one item only."""

    provider: str
    weight: int = 0
    base: int = 0


Strategy = tuple[StrategyItem, ...]


@dataclass(frozen=True, slots=True)
class RuntimePlatform:
    """``runtimePlatform`` of a task definition; None where the definition says nothing (facts F25)."""

    cpu_architecture: str | None = None
    operating_system_family: str | None = None


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """A registered revision. ``document`` holds the whole DescribeTaskDefinition answer, tags apart."""

    arn: str
    family: str
    revision: int
    status: str
    runtime_platform: RuntimePlatform
    document: Document
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Deployment:
    """An entry of ``deployments`` in DescribeServices; ``status`` is PRIMARY, ACTIVE or INACTIVE."""

    id: str
    status: str
    task_definition_arn: str
    rollout_state: str | None
    rollout_state_reason: str
    desired_count: int
    running_count: int
    pending_count: int
    failed_tasks: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """One line that ECS wrote about the service."""

    id: str
    at: datetime
    message: str


@dataclass(frozen=True, slots=True)
class Service:
    """A service as DescribeServices shows it.

    ``launch_type`` is None where a strategy decides. ``document`` holds the settings part of the answer (no counts,
    deployments or events): what an adoption has to carry over.
    """

    arn: str
    name: str
    cluster_arn: str
    status: str
    task_definition_arn: str
    desired_count: int
    running_count: int
    pending_count: int
    launch_type: str | None
    strategy: Strategy
    platform_version: str | None
    scheduling_strategy: str
    deployment_controller: str
    target_group_arns: tuple[str, ...]
    alarm_names: tuple[str, ...]
    deployments: tuple[Deployment, ...]
    events: tuple[ServiceEvent, ...]
    document: Document

    @property
    def primary(self) -> Deployment | None:
        """The PRIMARY deployment, None for controllers that have none (CODE_DEPLOY)."""
        return next((deployment for deployment in self.deployments if deployment.status == "PRIMARY"), None)


@dataclass(frozen=True, slots=True)
class ServiceDeployment:
    """A service deployment (ListServiceDeployments, facts F17), newest first in every list of them."""

    arn: str
    status: str
    status_reason: str
    target_service_revision_arn: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    """None while it is under way."""


@dataclass(frozen=True, slots=True)
class TaskContainer:
    """A container of a task; the digest may be the index's or the child manifest's (facts F14)."""

    name: str
    image: str
    image_digest: str | None
    last_status: str
    exit_code: int | None = None
    reason: str = ""
    health_status: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A task of the service; ``architecture`` is the attribute ``ecs.cpu-architecture``, None where none came.

    Times are None where ECS tells none: a task that never started has no ``started_at``.
    """

    arn: str
    task_definition_arn: str
    last_status: str
    health_status: str
    architecture: str | None
    provider: str | None
    launch_type: str | None
    platform_version: str | None
    started_by: str
    containers: tuple[TaskContainer, ...]
    stop_code: str = ""
    stopped_reason: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    addresses: tuple[str, ...] = ()
    """Private addresses of its network interface (awsvpc): what target groups of type ip know it by."""


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """Health of one target of a target group (ELBv2 DescribeTargetHealth)."""

    target_group_arn: str
    target: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A CloudWatch alarm; ``state`` is OK, ALARM or INSUFFICIENT_DATA."""

    name: str
    state: str
    reason: str
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster with the capacity providers associated with it (facts F12)."""

    arn: str
    name: str
    capacity_providers: tuple[str, ...]
    default_strategy: Strategy


@dataclass(frozen=True, slots=True)
class Repository:
    """An ECR repository. ``exclusion_filters`` are the wildcard filters of the *_WITH_EXCLUSION modes (facts F30)."""

    name: str
    uri: str
    registry_id: str
    tag_mutability: str
    exclusion_filters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """Whose account and which region answered."""

    account_id: str
    region: str
    caller_arn: str
