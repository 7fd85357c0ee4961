"""What a service depends on beyond its own description: network, scaling, capacity providers and the machines of EC2.

As in facts: nothing is interpreted, counts are tasks or instances, memory is MiB, and an empty field means that AWS
said nothing. What was not asked for, because this service does not depend on it, is empty too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from migrate.core.documents import fields
from migrate.core.facts import Architecture, Service

FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
"""The capacity providers that every account has (ECS developer guide, "Fargate capacity providers")."""

MISSING = "MISSING"
"""Status, in our words, of a capacity provider that DescribeCapacityProviders names among its failures."""


class ProviderKind(StrEnum):
    """What stands behind a capacity provider (ECS API, CapacityProvider: one of two structures, or neither)."""

    FARGATE = "Fargate"
    AUTO_SCALING_GROUP = "Auto Scaling group"
    MANAGED_INSTANCES = "ECS Managed Instances"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet of the service. The zone *id* names the same place in every account, the zone's name does not."""

    id: str
    zone: str = ""
    zone_id: str = ""
    free_addresses: int | None = None


@dataclass(frozen=True, slots=True)
class ScalableTarget:
    """The service as Application Auto Scaling sees it; the suspended kinds are those of ``SuspendedState``."""

    minimum: int
    maximum: int
    scale_in_suspended: bool = False
    scale_out_suspended: bool = False
    scheduled_suspended: bool = False


@dataclass(frozen=True, slots=True)
class ScheduledAction:
    """A scheduled scaling action. ``schedule`` is ``cron(...)``, ``rate(...)`` or ``at(...)`` in ``timezone``.

    Minimum and maximum are None where the action leaves them (PutScheduledAction reference).
    """

    name: str
    schedule: str
    timezone: str = "UTC"
    minimum: int | None = None
    maximum: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """A scaling policy; ``kind`` is TargetTrackingScaling, StepScaling or PredictiveScaling."""

    name: str
    kind: str
    scale_in_disabled: bool = False


@dataclass(frozen=True, slots=True)
class CapacityProvider:
    """A capacity provider; the fields after ``kind`` have a meaning for Auto Scaling groups only.

    ``status`` is PROVISIONING, ACTIVE, DEPROVISIONING, INACTIVE, or MISSING; ``update_status`` is UPDATE_* and
    DELETE_* of the API. ``target_capacity`` is a percentage, 1-100.
    """

    name: str
    status: str = "ACTIVE"
    kind: ProviderKind = ProviderKind.UNKNOWN
    update_status: str = ""
    update_reason: str = ""
    group_arn: str = ""
    managed_scaling: bool = False
    target_capacity: int | None = None
    managed_termination_protection: bool = False
    managed_draining: bool = False


@dataclass(frozen=True, slots=True)
class Launch:
    """One kind of machine that a group may start: an instance type and the image it would boot.

    ``image_parameter`` is the name behind ``resolve:ssm:`` where the launch template names a parameter instead of an
    image; ``image_architecture`` is None where neither image nor parameter tells it. ``instance_type`` is empty where
    EC2 picks the type by attributes (``InstanceRequirements``).
    """

    instance_type: str
    image_id: str = ""
    image_parameter: str = ""
    image_architecture: Architecture | None = None


@dataclass(frozen=True, slots=True)
class AutoScalingGroup:
    """An Auto Scaling group behind a capacity provider; ``instances`` are those InService."""

    arn: str
    name: str
    minimum: int = 0
    maximum: int = 0
    desired: int = 0
    instances: int = 0
    launches: tuple[Launch, ...] = ()
    suspended_processes: tuple[str, ...] = ()
    protects_new_instances: bool = False


@dataclass(frozen=True, slots=True)
class InstanceType:
    """An EC2 instance type (DescribeInstanceTypes); ``architectures`` holds those that ECS runs Linux on."""

    name: str
    architectures: tuple[Architecture, ...] = ()
    vcpus: int = 0
    memory_mib: int = 0
    network_interfaces: int = 0


@dataclass(frozen=True, slots=True)
class ContainerInstance:
    """A container instance of the cluster; cpu in units (1024 to a vCPU), memory in MiB.

    ``attributes`` hold all of them, as placement expressions see them, sorted; the value is empty where there is none.
    """

    arn: str
    status: str = "ACTIVE"
    agent_connected: bool = True
    instance_id: str = ""
    provider: str | None = None
    agent_version: str = ""
    docker_version: str = ""
    registered_cpu: int = 0
    registered_memory: int = 0
    remaining_cpu: int = 0
    remaining_memory: int = 0
    running_tasks: int = 0
    attributes: tuple[tuple[str, str], ...] = ()

    def attribute(self, name: str) -> str | None:
        """Return the value of an attribute, None where the instance has no such attribute."""
        return dict(self.attributes).get(name)

    @property
    def architecture(self) -> Architecture | None:
        """What the agent registered as ``ecs.cpu-architecture`` (facts F24)."""
        return architecture_of(self.attribute("ecs.cpu-architecture"))

    @property
    def instance_type(self) -> str:
        """What the agent registered as ``ecs.instance-type``."""
        return self.attribute("ecs.instance-type") or ""

    @property
    def trunked(self) -> bool:
        """Whether the instance has a trunk network interface (attribute ``ecs.awsvpc-trunk-id``)."""
        return self.attribute("ecs.awsvpc-trunk-id") is not None


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that could not be read: what, which IAM permission the read needs, and what AWS answered."""

    what: str
    permission: str
    why: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything around one service that a move to ARM64 or to Spot depends on.

    ``container_instances`` is None where the cluster's instances do not matter or could not be read, and empty where
    it has none. ``trunking`` is the account's setting awsvpcTrunking, None where it was not asked for.
    ``deregistration_delays`` are seconds by target group, asked where tasks behind one are to run on Spot.
    """

    subnets: tuple[Subnet, ...] = ()
    scalable_target: ScalableTarget | None = None
    scheduled_actions: tuple[ScheduledAction, ...] = ()
    scaling_policies: tuple[ScalingPolicy, ...] = ()
    capacity_providers: tuple[CapacityProvider, ...] = ()
    groups: tuple[AutoScalingGroup, ...] = ()
    instance_types: tuple[InstanceType, ...] = ()
    container_instances: tuple[ContainerInstance, ...] | None = None
    trunking: bool | None = None
    deregistration_delays: tuple[tuple[str, int], ...] = ()
    unread: tuple[Unread, ...] = ()

    def provider(self, name: str) -> CapacityProvider | None:
        """Return a capacity provider that was read."""
        return next((item for item in self.capacity_providers if item.name == name), None)

    def group_of(self, provider: str) -> AutoScalingGroup | None:
        """Return the Auto Scaling group behind a capacity provider."""
        found = self.provider(provider)
        return next((group for group in self.groups if found and group.name == group_name(found.group_arn)), None)

    def instance_type(self, name: str) -> InstanceType | None:
        """Return an instance type that was read."""
        return next((item for item in self.instance_types if item.name == name), None)

    @property
    def oldest_docker_version(self) -> str | None:
        """The oldest Docker that an instance of the cluster runs, as ``20.10.25``; None where no instance tells.

        What a host can unpack depends on it (case C12: zstd layers need a newer one than 20.10).
        """
        versions = [item.docker_version for item in self.container_instances or () if item.docker_version]
        return min(versions, key=version_numbers, default=None)

    @property
    def instances_that_are_not_arm64(self) -> tuple[ContainerInstance, ...]:
        """The cluster's instances that have, or may have, another architecture (case C48: a DAEMON runs on each)."""
        return tuple(item for item in self.container_instances or () if item.architecture is not Architecture.ARM64)

    @property
    def every_instance_is_arm64(self) -> bool | None:
        """Whether each instance of the cluster is known to be arm64; None where there is none or it was not read."""
        if not self.container_instances:
            return None
        return not self.instances_that_are_not_arm64


NOTHING_READ = Surroundings()


def architecture_of(text: str | None) -> Architecture | None:
    """Return the architecture that EC2 and ECS spell ``x86_64`` and ``arm64``, compared without case (facts F24)."""
    return next((item for item in Architecture if text and item.value == text.upper()), None)


def version_numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version, so that versions compare; agents write ``DockerVersion: 20.10.25``."""
    numbers = []
    for part in version.rpartition(" ")[2].removeprefix("v").split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)


def group_name(text: str) -> str:
    """Return the name of an Auto Scaling group given by ARN or by name (ECS API, AutoScalingGroupProvider)."""
    return text.rpartition("autoScalingGroupName/")[2]


def subnet_ids(service: Service) -> tuple[str, ...]:
    """Return the subnets of the service's awsvpc configuration; none for other network modes."""
    network = fields(service.document).get("networkConfiguration")
    configuration = network.get("awsvpcConfiguration") if isinstance(network, dict) else None
    subnets = configuration.get("subnets") if isinstance(configuration, dict) else None
    return tuple(str(item) for item in subnets) if isinstance(subnets, list) else ()


def kind_of(name: str) -> ProviderKind:
    """Return what the name alone tells about a capacity provider: the Fargate ones have reserved names."""
    return ProviderKind.FARGATE if name in FARGATE_PROVIDERS else ProviderKind.UNKNOWN


def own_providers(names: Iterable[str]) -> tuple[str, ...]:
    """Return the capacity providers that are not Fargate's, each once, in order."""
    return tuple(name for name in dict.fromkeys(names) if name and name not in FARGATE_PROVIDERS)
