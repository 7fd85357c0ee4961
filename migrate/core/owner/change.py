"""What the owner of a service has to change for one stage, and for its way back: exactly that and no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from migrate.core.capacity_steps import way_in_steps
from migrate.core.desired_state import ClusterInputs, DesiredState, desired_state
from migrate.core.documents import fields
from migrate.core.facts import Architecture, Service, Strategy, TaskDefinition
from migrate.core.owner.marks import Owner, certain_owner, owner_marks
from migrate.core.record import Record
from migrate.core.service_settings import child
from migrate.core.settings import OwnerLanguage, Settings
from migrate.core.stages import Stage

_LANGUAGES = {
    Owner.TERRAFORM: OwnerLanguage.TERRAFORM,
    Owner.CLOUDFORMATION: OwnerLanguage.CLOUDFORMATION,
    Owner.PROTON: OwnerLanguage.CLOUDFORMATION,
    Owner.CDK: OwnerLanguage.CDK,
    Owner.COPILOT: OwnerLanguage.COPILOT,
    Owner.ECSPRESSO: OwnerLanguage.ECSPRESSO,
}
_NEW_DEPLOYMENT = "multi-platform-index"
"""What a forced deployment is told apart by while nobody knows the digest of the index."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """Where the tasks run: on a strategy, or, where that is empty, on a launch type."""

    launch_type: str | None
    strategy: Strategy


@dataclass(frozen=True, slots=True)
class OwnerChange:
    """One change to a service by its owner; what is None or empty stays as it is.

    ``deployment`` tells a forced deployment apart from the one before; ``cluster`` has to get capacity providers.
    ``leaves_launch_type`` says that a strategy takes the place of a launch type.
    """

    title: str
    architecture: Architecture | None = None
    system: str = "LINUX"
    capacity: Capacity | None = None
    leaves_launch_type: bool = False
    deployment: str = ""
    cluster: ClusterInputs | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to change."""
        return self.architecture is None and self.capacity is None and not self.deployment and self.cluster is None


@dataclass(frozen=True, slots=True)
class StageChanges:
    """What the owner changes for one stage, one deployment after the other, and for its way back."""

    stage: Stage
    forward: tuple[OwnerChange, ...]
    back: OwnerChange


def stage_changes(record: Record, settings: Settings, stage: Stage) -> StageChanges:
    """Return the changes of a stage from the one before it; stage 3 goes in steps."""
    whole = replace(record, capacity_way=())
    before, after = desired_state(whole, settings, stage.before), desired_state(whole, settings, stage)
    forward = tuple(_forward(whole, settings, before, after))
    return StageChanges(stage, forward, _between(record, f"back to {stage.before.named}", after, before))


def _forward(record: Record, settings: Settings, before: DesiredState, after: DesiredState) -> Iterator[OwnerChange]:
    stage = after.stage
    if stage is Stage.IMAGE and not record.arm64_from_the_start:
        yield OwnerChange(stage.named, deployment=record.index.digest if record.index else _NEW_DEPLOYMENT)
        return
    if stage is not Stage.CAPACITY:
        change = _between(record, stage.named, before, after)
        if not change.is_empty:
            yield change
        return
    steps = way_in_steps(before.strategy, settings, record.baseline.service.desired_count)
    ways = [before, *(replace(after, launch_type=None, strategy=step) for step in steps)]
    for number, (one, other) in enumerate(pairwise(ways), 1):
        title = stage.named if len(steps) == 1 else f"{stage.named}, step {number} of {len(steps)}"
        change = _between(record, title, one, other)
        if not change.is_empty:
            yield change


def _between(record: Record, title: str, before: DesiredState, after: DesiredState) -> OwnerChange:
    same_place = (before.launch_type, set(before.strategy)) == (after.launch_type, set(after.strategy))
    adds = after.service.cluster if after.stage is Stage.BASELINE and before.stage < after.stage else None
    return OwnerChange(
        title,
        architecture=None if before.architecture is after.architecture else after.architecture,
        system=operating_system(record.baseline.task_definition),
        capacity=None if same_place else Capacity(after.launch_type, after.strategy),
        leaves_launch_type=before.launch_type is not None and after.launch_type is None,
        cluster=adds,
    )


def operating_system(definition: TaskDefinition) -> str:
    """Return the operating system family of a revision (facts F25: LINUX where it says nothing)."""
    return str(child(fields(definition.document), "runtimePlatform").get("operatingSystemFamily") or "LINUX")


def owner_language(settings: Settings, service: Service, definition: TaskDefinition) -> OwnerLanguage:
    """Return the language of the owner's code: as the settings say, else by marks, else that of the ECS API."""
    if settings.service.owner_tool is not None:
        return settings.service.owner_tool
    marks = owner_marks(service, definition)
    found = certain_owner(marks)
    owners = [found] if found is not None else [mark.owner for mark in marks]
    return next((_LANGUAGES[owner] for owner in owners if owner in _LANGUAGES), OwnerLanguage.ECSPRESSO)
