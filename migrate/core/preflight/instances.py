"""Preflight of the machines behind an Auto Scaling group provider: architecture, image and size (case C52)."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.facts import Architecture
from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.placement.machines import surely_fits
from migrate.core.placement.provider_machines import Candidate, ProviderMachines, provider_machines, provider_uses
from migrate.core.preflight.finding import finding
from migrate.core.preflight.paths import Evidence
from migrate.core.preflight.room import room_findings
from migrate.core.settings import Settings


def instance_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield what the machines of each Auto Scaling group provider say against the ARM64 tasks meant for it."""
    for use in provider_uses(observation, settings):
        machines = provider_machines(observation, use)
        if machines is None:
            continue
        if machines.group is None:
            yield from _no_group(machines)
            continue
        yield from _images(machines)
        yield from _images_gone(machines)
        yield from _architecture(machines)
        yield from _size(machines)
        yield from room_findings(machines, settings.gate.deadline)


def _no_group(machines: ProviderMachines) -> Iterator[Finding]:
    if any("autoscaling" in item.permission for item in machines.around.unread):
        return
    yield finding(
        "instances.group-missing",
        Grade.BLOCK,
        machines.use.stage,
        f"The Auto Scaling group behind {machines.use.name} does not exist any more.",
        "Create the group and a capacity provider for it, or name another provider in capacity.strategy.",
        (("group", machines.provider.group_arn),),
    )


def _images(machines: ProviderMachines) -> Iterator[Finding]:
    """Yield launches whose image is for another architecture than the machine (t4g with an x86 AMI)."""
    broken = [item for item in machines.candidates if item.broken]
    if not broken:
        return
    rest = any(item.arm64 for item in machines.candidates) or machines.arm64_instances
    yield finding(
        "instances.image-architecture",
        Grade.WARN if rest else Grade.BLOCK,
        machines.use.stage,
        f"The group behind {machines.use.name} cannot start {', '.join(item.name for item in broken)}: the machine "
        "image is for another architecture than the machine.",
        "Name the image of the machine's architecture in the launch template; for Graviton the arm64 variant of the "
        "ECS-optimized AMI.",
        _launches(machines),
    )


def _images_gone(machines: ProviderMachines) -> Iterator[Finding]:
    """Yield launches whose image EC2 does not show: deregistered, or no longer shared with the account."""
    if any(item.permission == "ec2:DescribeImages" for item in machines.around.unread):
        return
    gone = [item for item in machines.candidates if item.launch.image_id and item.launch.image_architecture is None]
    if gone:
        yield finding(
            "instances.image-missing",
            Grade.WARN,
            machines.use.stage,
            f"EC2 shows no Linux image for {', '.join(item.name for item in gone)}: no new machine starts from an "
            "image that was deregistered or is not shared any more.",
            "Name an image that is there in the launch template.",
            _launches(machines),
        )


def _architecture(machines: ProviderMachines) -> Iterator[Finding]:
    candidates = [item for item in machines.candidates if not item.broken]
    undecided = [item for item in candidates if item.arm64 is None]
    others = [item for item in candidates if item.arm64 is False]
    foreign = [item for item in machines.registered or () if item.architecture is Architecture.X86_64]
    arm64 = bool(machines.arm64_candidates or machines.arm64_instances)
    if undecided:
        yield _undecided(machines, undecided)
    elif not arm64 and others:
        yield finding(
            "instances.no-arm64",
            Grade.BLOCK,
            machines.use.stage,
            f"{machines.use.name} starts no arm64 machine ({', '.join(item.name for item in others)}): an ARM64 task "
            "is never placed there.",
            "Give the move a capacity provider of its own with Graviton instance types and an arm64 image.",
            _launches(machines),
        )
    # Registered x86 machines of a group that starts arm64 only are on their way out.
    if arm64 and (others or (foreign and not machines.arm64_candidates)):
        yield _mixed(machines)


def _undecided(machines: ProviderMachines, undecided: list[Candidate]) -> Finding:
    return finding(
        "instances.architecture-undecided",
        Grade.UNKNOWN,
        machines.use.stage,
        f"Whether {machines.use.name} starts arm64 machines could not be told: "
        f"{', '.join(item.name for item in undecided)}.",
        "Look that its instance types and its image are arm64.",
        (*_launches(machines), *_registered(machines)),
    )


def _mixed(machines: ProviderMachines) -> Finding:
    """Return that machines of both architectures stand behind one provider: only those there now can be counted on."""
    wanted, room = machines.use.tasks, machines.room_now
    grade = Grade.INFO if room >= wanted else Grade.WARN if room else Grade.BLOCK
    return finding(
        "instances.mixed-architectures",
        grade,
        machines.use.stage,
        f"{machines.use.name} has machines of both architectures. ARM64 tasks wait for an arm64 one, which managed "
        f"scaling does not ask for: {wanted} are wanted there, and the arm64 machines registered now take {room}.",
        "Nothing to do while they have room."
        if grade is Grade.INFO
        else "Give ARM64 a capacity provider of its own, or start enough arm64 machines before the stage.",
        (*_launches(machines), *_registered(machines)),
    )


def _size(machines: ProviderMachines) -> Iterator[Finding]:
    """Yield arm64 launches that no task fits on, or only just."""
    known = [(item, room) for item in machines.arm64_candidates if (room := machines.new_room(item)) is not None]
    small = [item for item, room in known if room.by_size == 0]
    tight = [
        item
        for item, room in known
        if room.by_size and item.kind and not surely_fits(item.kind, machines.needs) and not _seen(machines, item)
    ]
    if small:
        every = len(small) == len(known) == len(machines.arm64_candidates) and not machines.room_now
        yield finding(
            "instances.too-small",
            Grade.BLOCK if every else Grade.WARN,
            machines.use.stage,
            f"A task of {_needs(machines)} does not fit on {', '.join(item.name for item in small)}.",
            "Use larger instance types in the launch template, or make the task smaller.",
            _sizes(machines),
        )
    if tight:
        yield finding(
            "instances.tight",
            Grade.WARN,
            machines.use.stage,
            f"A task of {_needs(machines)} leaves {', '.join(item.name for item in tight)} no memory for kernel and "
            "agent, which take about a tenth before the agent registers the rest.",
            "Use larger instance types in the launch template, or make the task smaller.",
            _sizes(machines),
        )


def _seen(machines: ProviderMachines, candidate: Candidate) -> bool:
    """Tell whether one of the type is registered: what it has is then known exactly."""
    return any(item.instance_type == candidate.launch.instance_type for item in machines.arm64_instances)


def _needs(machines: ProviderMachines) -> str:
    return f"{machines.needs.cpu} cpu units and {machines.needs.memory} MiB"


def _sizes(machines: ProviderMachines) -> Evidence:
    kinds = [item.kind for item in machines.arm64_candidates if item.kind]
    shown = tuple((kind.name, f"{kind.vcpus} vCPU, {kind.memory_mib} MiB") for kind in kinds)
    return (("task", _needs(machines)), *shown)


def _launches(machines: ProviderMachines) -> Evidence:
    return tuple(
        (
            item.name,
            f"machine {_architectures(item)}, image {item.launch.image_architecture or 'unknown'}",
        )
        for item in machines.candidates
    )


def _architectures(candidate: Candidate) -> str:
    return "/".join(candidate.kind.architectures) if candidate.kind else "unknown"


def _registered(machines: ProviderMachines) -> Evidence:
    return tuple(
        (item.instance_id or item.arn, f"{item.instance_type} {item.architecture or 'unknown'}, {item.status}")
        for item in machines.registered or ()
    )
