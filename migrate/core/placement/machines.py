"""How many tasks the machines behind a capacity provider can take: upper bounds, so that none means none.

Source: ECS developer guide, "Amazon ECS container instance" resources, "Reserving container instance memory" and
"Elastic network interface trunking": a task takes its cpu units and memory, in awsvpc mode also a network interface,
of which the instance itself uses one; with a trunk that limit falls away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from migrate.core.documents import Json, fields
from migrate.core.facts import Service, TaskDefinition
from migrate.core.service_settings import children
from migrate.core.surroundings import ContainerInstance, InstanceType
from migrate.core.task_definition import containers

UNITS = 1024
"""Cpu units of one vCPU, and MiB of one GiB."""

UNLIMITED = 1_000_000
"""Stands for a limit that does not bind."""

REGISTERED_SHARE = 0.9
"""What surely remains of a machine's memory: kernel and agent take the rest, which the agent does not register."""

_AMOUNT = re.compile(r"(\d+|\d*\.\d+) *(vcpu|gb)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TaskNeeds:
    """What one task takes of a machine: cpu units, MiB, a network interface of its own, or the machine to itself.

    ``alone`` is set by fixed host ports and by the constraint distinctInstance: one task of the service a machine.
    """

    cpu: int
    memory: int
    own_interface: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True)
class MachineRoom:
    """How many tasks a machine takes by each limit, ``UNLIMITED`` where one does not bind."""

    cpu: int
    memory: int
    interfaces: int
    alone: int

    @property
    def by_size(self) -> int:
        """How many tasks cpu and memory allow."""
        return min(self.cpu, self.memory, self.alone)

    @property
    def tasks(self) -> int:
        """How many tasks all limits allow."""
        return min(self.by_size, self.interfaces)


def task_needs(definition: TaskDefinition, service: Service) -> TaskNeeds:
    """Return what one task needs: the task's own size, or the sum of its containers' where it states none.

    A container reserves ``memoryReservation`` where it has one, else ``memory`` (ECS API, ContainerDefinition).
    """
    values = fields(definition.document)
    made = containers(definition.document)
    mode = values.get("networkMode") or "bridge"
    return TaskNeeds(
        cpu=amount(values.get("cpu")) or sum(amount(item.get("cpu")) for item in made),
        memory=amount(values.get("memory"))
        or sum(amount(item.get("memoryReservation") or item.get("memory")) for item in made),
        own_interface=mode == "awsvpc",
        alone=_fixed_ports(str(mode), made) or _distinct(service),
    )


def amount(value: Json) -> int:
    """Return cpu units or MiB of ``256``, ``"256"``, ``".5 vCPU"`` or ``"2 GB"``; 0 where nothing can be read."""
    match = _AMOUNT.fullmatch(str(value).strip()) if isinstance(value, int | float | str) else None
    if match is None:
        return 0
    number, unit = match.groups()
    return round(float(number) * (UNITS if unit else 1))


def _fixed_ports(mode: str, made: Iterable[dict[str, Json]]) -> bool:
    ports = [port for item in made for port in children(item, "portMappings")]
    return bool(ports) and (mode == "host" or (mode == "bridge" and any(port.get("hostPort") for port in ports)))


def _distinct(service: Service) -> bool:
    constraints = children(fields(service.document), "placementConstraints")
    return any(item.get("type") == "distinctInstance" for item in constraints)


def new_machine_room(kind: InstanceType, needs: TaskNeeds, *, trunked: bool, registered_memory: int = 0) -> MachineRoom:
    """Return what an empty machine takes at most; ``registered_memory`` is what one of its type registered, in MiB."""
    return MachineRoom(
        cpu=_times(kind.vcpus * UNITS, needs.cpu),
        memory=_times(registered_memory or kind.memory_mib, needs.memory),
        interfaces=_interfaces(kind, needs, 0, trunked=trunked),
        alone=1 if needs.alone else UNLIMITED,
    )


def surely_fits(kind: InstanceType, needs: TaskNeeds) -> bool:
    """Tell whether the memory suffices also after kernel and agent took theirs."""
    return needs.memory <= kind.memory_mib * REGISTERED_SHARE


def room_now(instance: ContainerInstance, kind: InstanceType | None, needs: TaskNeeds) -> MachineRoom:
    """Return what a registered instance takes now; none where it drains or its agent is not connected.

    Every running task is taken for one with an interface of its own, which errs on the side of too little room.
    """
    usable = instance.status == "ACTIVE" and instance.agent_connected
    if not usable:
        return MachineRoom(0, 0, 0, 0)
    used = instance.running_tasks
    interfaces = UNLIMITED if kind is None else _interfaces(kind, needs, used, trunked=instance.trunked)
    return MachineRoom(
        cpu=_times(instance.remaining_cpu, needs.cpu),
        memory=_times(instance.remaining_memory, needs.memory),
        interfaces=interfaces,
        alone=1 if needs.alone else UNLIMITED,
    )


def _times(there: int, needed: int) -> int:
    return there // needed if needed else UNLIMITED


def _interfaces(kind: InstanceType, needs: TaskNeeds, used: int, *, trunked: bool) -> int:
    if not needs.own_interface or trunked or not kind.network_interfaces:
        return UNLIMITED
    return max(kind.network_interfaces - 1 - used, 0)
