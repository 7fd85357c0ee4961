"""Preflight of the room behind an Auto Scaling group provider: interfaces, group limits, instances that are missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from migrate.core.findings import Finding, Grade
from migrate.core.placement.provider_machines import ProviderMachines
from migrate.core.preflight.finding import finding
from migrate.core.surroundings import AutoScalingGroup

SCALING_FROM_ZERO = timedelta(minutes=15)
"""What a first instance may take: the metric of managed scaling, the group, the boot and the agent's registration."""


def room_findings(machines: ProviderMachines, deadline: timedelta) -> Iterator[Finding]:
    """Yield what limits the number of ARM64 tasks on a provider whose group is there."""
    group = machines.group
    if group is None:
        return
    if group.maximum == 0:
        yield _maximum_zero(machines, group)
        return
    yield from _managed_scaling(machines, group)
    if machines.arm64_candidates:
        yield from _at_most(machines, group)
        yield from _in_sight(machines, group)
    yield from _registered(machines, group, deadline)


def _maximum_zero(machines: ProviderMachines, group: AutoScalingGroup) -> Finding:
    return finding(
        "instances.group-maximum",
        Grade.BLOCK,
        machines.use.stage,
        f"The Auto Scaling group {group.name} behind {machines.use.name} has a maximum size of 0: no machine starts.",
        "Raise the group's maximum size to what the tasks need.",
        _limits(group),
    )


def _managed_scaling(machines: ProviderMachines, group: AutoScalingGroup) -> Iterator[Finding]:
    if machines.provider.managed_scaling:
        if "Launch" in group.suspended_processes:
            yield finding(
                "instances.launch-suspended",
                Grade.WARN if machines.room_now >= machines.use.tasks else Grade.BLOCK,
                machines.use.stage,
                f"The process Launch of the Auto Scaling group {group.name} is suspended: it starts no machine.",
                "Resume the process.",
                (("suspended processes", ", ".join(group.suspended_processes)),),
            )
        return
    room, coming = machines.room_now, group.desired > len(machines.registered or ())
    yield finding(
        "instances.managed-scaling-off",
        Grade.WARN if room or coming or machines.registered is None else Grade.BLOCK,
        machines.use.stage,
        f"Managed scaling of {machines.use.name} is off: no machine starts for tasks that wait. {machines.use.tasks} "
        f"are wanted there, and the arm64 machines registered now take {room}.",
        "Turn managed scaling on, or set the group's desired capacity before the stage.",
        _limits(group),
    )


def _at_most(machines: ProviderMachines, group: AutoScalingGroup) -> Iterator[Finding]:
    """Yield that even a full group of empty machines is too small, and by which limit."""
    room, wanted = machines.largest, machines.use.tasks
    if room is None or room.by_size == 0:
        return
    evidence = (
        *_limits(group),
        ("tasks a machine by size", _number(room.by_size)),
        ("tasks a machine by network interfaces", _number(room.interfaces)),
    )
    if room.by_size * group.maximum < wanted:
        yield finding(
            "instances.group-too-small",
            Grade.BLOCK,
            machines.use.stage,
            f"{wanted} tasks are wanted on {machines.use.name}; its group of at most {group.maximum} machines takes "
            f"{room.by_size * group.maximum} at best.",
            "Raise the group's maximum size, or use larger instance types.",
            evidence,
        )
    elif room.interfaces < room.by_size:
        enough = room.tasks * group.maximum >= wanted
        yield finding(
            "instances.network-interfaces",
            Grade.INFO if enough else Grade.BLOCK,
            machines.use.stage,
            f"Each awsvpc task takes a network interface: a machine of {machines.use.name} takes {room.interfaces} "
            f"tasks, where cpu and memory would take {_number(room.by_size)}; the whole group takes "
            f"{room.tasks * group.maximum}, and {wanted} are wanted.",
            "Count machines by interfaces, or turn the account setting awsvpcTrunking on for types that support it.",
            evidence,
        )


def _in_sight(machines: ProviderMachines, group: AutoScalingGroup) -> Iterator[Finding]:
    """Yield that the group is at its maximum, or so near that what may still start does not suffice."""
    wanted, room, largest = machines.use.tasks, machines.room_in_sight, machines.largest
    full = largest is None or largest.tasks * group.maximum >= wanted
    if machines.registered is None or not machines.provider.managed_scaling or room >= wanted or not full:
        return
    yield finding(
        "instances.group-at-maximum",
        Grade.WARN if room or _busy(machines) else Grade.BLOCK,
        machines.use.stage,
        f"{wanted} tasks are wanted on {machines.use.name}; its machines take {machines.room_now} now, and the group "
        f"may start {machines.may_grow} more.",
        "Raise the group's maximum size, or free machines before the stage.",
        _limits(group),
    )


def _busy(machines: ProviderMachines) -> bool:
    """Tell whether tasks run on the arm64 machines, which may end and leave room."""
    return any(item.running_tasks for item in machines.arm64_instances)


def _registered(machines: ProviderMachines, group: AutoScalingGroup, deadline: timedelta) -> Iterator[Finding]:
    if machines.registered is None or machines.registered:
        return
    if group.instances:
        yield finding(
            "instances.not-registered",
            Grade.WARN,
            machines.use.stage,
            f"The group of {machines.use.name} has {group.instances} machines in service, and none is registered with "
            "the cluster.",
            "Look at the agent's log on one: the cluster's name in ECS_CLUSTER, the instance role, the network.",
            _limits(group),
        )
    elif machines.provider.managed_scaling:
        short = deadline < SCALING_FROM_ZERO
        minutes = int(SCALING_FROM_ZERO.total_seconds() // 60)
        yield finding(
            "instances.none-registered",
            Grade.WARN if short else Grade.INFO,
            machines.use.stage,
            f"No machine of {machines.use.name} is registered yet: the first tasks wait in PROVISIONING until managed "
            f"scaling has started one, which takes up to {minutes} minutes; the event that no container instances "
            "were found in the capacity provider is normal until then.",
            f"Set gate.deadline to more than {minutes} minutes, or start a machine before the stage."
            if short
            else "Nothing to do; a time-out of the stage after that has another cause.",
            _limits(group),
        )


def _limits(group: AutoScalingGroup) -> tuple[tuple[str, str], ...]:
    return (
        ("group", group.name),
        ("minimum, desired, maximum", f"{group.minimum}, {group.desired}, {group.maximum}"),
        ("in service", str(group.instances)),
    )


def _number(value: int) -> str:
    # UNLIMITED is no number of tasks that anybody runs.
    return str(value) if value < _ANY else "any number"


_ANY = 100_000
