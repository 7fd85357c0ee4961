"""The machines behind a capacity provider, seen with the eyes of ARM64 tasks that are to run there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil

from migrate.core.capacity import expected_split
from migrate.core.facts import Architecture
from migrate.core.observation import Observation
from migrate.core.placement.machines import UNLIMITED, MachineRoom, TaskNeeds, new_machine_room, room_now, task_needs
from migrate.core.settings import Settings
from migrate.core.stages import Stage
from migrate.core.surroundings import (
    AutoScalingGroup,
    CapacityProvider,
    ContainerInstance,
    InstanceType,
    Launch,
    Surroundings,
    own_providers,
)


@dataclass(frozen=True, slots=True)
class ProviderUse:
    """A capacity provider that ARM64 tasks run on from ``stage`` on, and how many of them, rounded up."""

    name: str
    stage: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A launch of the group and its instance type, None where the type was not read or is none of the region's."""

    launch: Launch
    kind: InstanceType | None

    @property
    def name(self) -> str:
        """The launch in words: type and image."""
        image = self.launch.image_parameter or self.launch.image_id
        machine = self.launch.instance_type or "any type that meets the requirements"
        return f"{machine} with {image}" if image else machine

    @property
    def broken(self) -> bool:
        """Whether the image is for another architecture than the machine: such an instance never starts."""
        image, kind = self.launch.image_architecture, self.kind
        return image is not None and kind is not None and image not in kind.architectures

    @property
    def arm64(self) -> bool | None:
        """Whether a machine started so takes ARM64 tasks; None where neither type nor image tells."""
        if self.broken:
            return False
        if self.kind is not None:
            return Architecture.ARM64 in self.kind.architectures
        # A type that EC2 picks by requirements has the architecture of the image.
        image = self.launch.image_architecture
        return None if image is None else image is Architecture.ARM64


@dataclass(frozen=True)
class ProviderMachines:
    """What a provider's group may start and what it has registered; rooms are tasks of this service."""

    use: ProviderUse
    provider: CapacityProvider
    group: AutoScalingGroup | None
    needs: TaskNeeds
    candidates: tuple[Candidate, ...]
    registered: tuple[ContainerInstance, ...] | None
    around: Surroundings

    @property
    def arm64_candidates(self) -> tuple[Candidate, ...]:
        """The launches that are known to take ARM64 tasks."""
        return tuple(item for item in self.candidates if item.arm64)

    @property
    def arm64_instances(self) -> tuple[ContainerInstance, ...]:
        """The registered instances that are arm64."""
        return tuple(item for item in self.registered or () if item.architecture is Architecture.ARM64)

    @property
    def trunked(self) -> bool:
        """Whether new instances get, or may get, a trunk network interface, so that the usual limit does not hold."""
        return bool(self.around.trunking) or any(item.trunked for item in self.registered or ())

    @cached_property
    def room_now(self) -> int:
        """How many tasks the registered arm64 instances take now, by cpu, memory and interfaces."""
        return sum(self._room_of(item).tasks for item in self.arm64_instances)

    def _room_of(self, instance: ContainerInstance) -> MachineRoom:
        return room_now(instance, self.around.instance_type(instance.instance_type), self.needs)

    def new_room(self, candidate: Candidate) -> MachineRoom | None:
        """Return what an empty machine of this launch takes at most; None where its type is not known."""
        if candidate.kind is None:
            return None
        same = [item for item in self.arm64_instances if item.instance_type == candidate.kind.name]
        memory = max((item.registered_memory for item in same), default=0)
        return new_machine_room(candidate.kind, self.needs, trunked=self.trunked, registered_memory=memory)

    @cached_property
    def largest(self) -> MachineRoom | None:
        """The room of the arm64 launch that takes most tasks; None where one of them cannot be told."""
        rooms = [self.new_room(item) for item in self.arm64_candidates]
        known = [room for room in rooms if room is not None]
        if len(known) < len(rooms):
            return None
        return max(known, key=lambda room: room.tasks, default=None)

    @property
    def may_grow(self) -> int:
        """How many machines may still be registered, running ones included that are not yet; none without scaling."""
        if self.group is None or not self.provider.managed_scaling:
            return 0
        return max(self.group.maximum - sum(item.status == "ACTIVE" for item in self.registered or ()), 0)

    @property
    def room_in_sight(self) -> int:
        """The room now and that of every machine which the group may still start."""
        return self.room_now + self.may_grow * (self.largest.tasks if self.largest else UNLIMITED)


def provider_uses(observation: Observation, settings: Settings) -> tuple[ProviderUse, ...]:
    """Return the providers, Fargate's apart, that ARM64 tasks are to run on, each from its first stage on.

    Stage 2 keeps the service's own strategy, stage 3 has the one of the settings.
    """
    service, found = observation.service, dict[str, ProviderUse]()
    for stage, strategy in ((Stage.ARCHITECTURE, service.strategy), (Stage.CAPACITY, settings.capacity)):
        split = expected_split(strategy, max(service.desired_count, 1))
        for name in own_providers(item.provider for item in strategy if item.weight or item.base):
            tasks = ceil(split[name])
            earlier = found.get(name)
            first = earlier.stage if earlier else stage.value
            found[name] = ProviderUse(name, first, max(tasks, earlier.tasks if earlier else 0))
    return tuple(found.values())


def provider_machines(observation: Observation, use: ProviderUse) -> ProviderMachines | None:
    """Return the machines behind a provider; None where it was not read or has no Auto Scaling group."""
    around = observation.surroundings
    provider = around.provider(use.name)
    if provider is None or not provider.group_arn:
        return None
    group, instances = around.group_of(use.name), around.container_instances
    return ProviderMachines(
        use=use,
        provider=provider,
        group=group,
        needs=task_needs(observation.task_definition, observation.service),
        candidates=tuple(
            Candidate(launch, around.instance_type(launch.instance_type))
            for launch in dict.fromkeys(group.launches if group else ())
        ),
        registered=None if instances is None else tuple(item for item in instances if item.provider == use.name),
        around=around,
    )
