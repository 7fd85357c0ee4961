"""What a settings file must obey beyond the type of each key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from migrate.config.check_rules import check_mistakes
from migrate.config.durations import format_duration
from migrate.config.mistakes import Mistake, quoted
from migrate.config.notification_tables import notification_mistakes
from migrate.core.cost.cost import ON_DEMAND, SPOT

if TYPE_CHECKING:
    from migrate.config.model import CapacityTable, GateTable, SettingsFile, StrategyTable

FARGATE_PROVIDERS = (ON_DEMAND, SPOT)
MOST_ITEMS = 20
_RESERVED = ("aws", "ecs", "fargate")
_STRATEGY = ("capacity", "strategy")


def mistakes_in(file: SettingsFile) -> tuple[Mistake, ...]:
    """Return every broken rule, in the order of the file."""
    found = [*_owner(file), *_program(file), *_image(file)]
    if file.capacity.strategy is not None:
        found += _strategy(file.capacity.strategy)
    found += [*_steps(file.capacity, file.gate), *_gate(file.gate)]
    return (*found, *check_mistakes(file.gate, file.service.name), *notification_mistakes(file.notifications))


def _owner(file: SettingsFile) -> Iterator[Mistake]:
    """Refuse what needs this tool's own stacks where another tool owns the service."""
    if file.service.owner != "external":
        return
    if file.image.mode != "external":
        yield Mistake(
            ("image", "mode"),
            f'is {quoted(file.image.mode)}; expected "external" beside service.owner = "external": the image is pushed '
            "by its owner too",
        )
    if file.architecture.mode != "rolling":
        yield Mistake(
            ("architecture", "mode"),
            f'is {quoted(file.architecture.mode)}; expected "rolling" beside service.owner = "external": this tool '
            "makes no twin there",
        )
    if file.service.owner_deadline <= timedelta(0):
        yield Mistake(("service", "owner_deadline"), f"is {_shown(file.service.owner_deadline)}; expected more than 0")


def _program(file: SettingsFile) -> Iterator[Mistake]:
    """Hold a program of the team's, and what only it or only our own stacks can do, to service.owner."""
    owner, mode, program = file.service.owner, file.image.mode, file.program
    if owner != "pulumi":
        if program is not None:
            yield Mistake(("program",), f'stands beside service.owner = {quoted(owner)}; expected "pulumi" there')
        return
    if program is None:
        yield Mistake(
            ("program",),
            'is missing; service.owner = "pulumi" needs a table [program] with directory and stack: the team\'s own',
        )
    if program is not None and program.image and mode == "external":
        yield Mistake(
            ("image", "mode"),
            'is "external" beside program.image = true; expected "extend" or "rebuild": what the program\'s image does',
        )
    if file.architecture.mode != "rolling":
        yield Mistake(
            ("architecture", "mode"),
            f'is {quoted(file.architecture.mode)}; expected "rolling" beside service.owner = "pulumi": this tool makes '
            "no twin in a program of the team's",
        )


def _image(file: SettingsFile) -> Iterator[Mistake]:
    if file.image.mode != "external" and file.image.context is None:
        yield Mistake(
            ("image", "context"),
            f"is missing; mode {quoted(file.image.mode)} builds an image and needs the path of the build context",
        )


def _strategy(items: list[StrategyTable]) -> Iterator[Mistake]:
    """Facts F13: at most 20 items, base on one only, a weight above 0, Fargate never beside other providers."""
    if not 1 <= len(items) <= MOST_ITEMS:
        yield Mistake(_STRATEGY, f"has {len(items)} items; expected 1 to {MOST_ITEMS}")
        return
    if not any(item.weight for item in items):
        yield Mistake(_STRATEGY, "has no weight above 0; expected at least one, or no task could be placed")
    names = [item.provider for item in items]
    for position, name in enumerate(names):
        yield from _provider((*_STRATEGY, position, "provider"), name, names[:position])
    for position in [position for position, item in enumerate(items) if item.base][1:]:
        yield Mistake(
            (*_STRATEGY, position, "base"),
            f"is {items[position].base}, but another item has a base too; expected a base on one item only",
        )


def _steps(capacity: CapacityTable, gate: GateTable) -> Iterator[Mistake]:
    if any(one >= other for one, other in pairwise(capacity.steps)):
        shown = ", ".join(map(str, capacity.steps))
        yield Mistake(("capacity", "steps"), f"is [{shown}]; expected every step to be more than the one before")
    if capacity.step_soak is not None and capacity.step_soak >= gate.deadline:
        yield Mistake(
            ("capacity", "step_soak"),
            f"is {_shown(capacity.step_soak)}; expected less than gate.deadline, which is {_shown(gate.deadline)}",
        )


def _provider(path: tuple[str | int, ...], name: str, before: list[str]) -> Iterator[Mistake]:
    if name in before:
        yield Mistake(path, f"is {quoted(name)} a second time; expected each provider once")
    elif name not in FARGATE_PROVIDERS and name.casefold().startswith(_RESERVED):
        # ECS API, CreateCapacityProvider: a name cannot begin with aws, ecs or fargate.
        yield Mistake(
            path,
            f"is {quoted(name)}; expected {quoted(ON_DEMAND)}, {quoted(SPOT)} or the name of an Auto Scaling group "
            "provider, which cannot begin with aws, ecs or fargate",
        )
    elif before and (name in FARGATE_PROVIDERS) != (before[0] in FARGATE_PROVIDERS):
        yield Mistake(
            path,
            f"is {quoted(name)} beside {quoted(before[0])}; expected Fargate providers only, or Auto Scaling group "
            "providers only",
        )


def _gate(gate: GateTable) -> Iterator[Mistake]:
    if gate.interval <= timedelta(0):
        yield Mistake(("gate", "interval"), f"is {_shown(gate.interval)}; expected more than 0")
    if gate.progress_deadline <= timedelta(0):
        yield Mistake(("gate", "progress_deadline"), f"is {_shown(gate.progress_deadline)}; expected more than 0")
    for name, other in (("soak", gate.soak), ("interval", gate.interval)):
        if gate.deadline <= other:
            yield Mistake(
                ("gate", "deadline"),
                f"is {_shown(gate.deadline)}; expected more than {name}, which is {_shown(other)}",
            )
            return


def _shown(duration: timedelta) -> str:
    return quoted(format_duration(duration))
