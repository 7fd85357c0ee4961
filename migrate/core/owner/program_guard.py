"""Which resources of a team's stack are the service's own, and what no stage may do to any of them (design rule 3).

Everything else in that stack is foreign and has to stay as it is, a second service and the capacity providers of the
cluster among it. Ids are those of the aws provider: a service's is its ARN, a task definition's its family (pulumi-aws
7, provider.md sections 2 and 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from migrate.core.record import Record
from migrate.core.stack.preview import IMAGE, INDEX, SERVICE, TASK_DEFINITION, ResourceChange

_PROVIDER = "pulumi:providers:"
_REPLACING = frozenset({"replace", "create-replacement"})
_WITH_A_STAGE = frozenset({"runtimePlatform"})
_IN_THE_STATE_ALONE = frozenset({"skipDestroy", "trackLatest", "__defaults"})
_NOT_COMPARED = _WITH_A_STAGE | _IN_THE_STATE_ALONE


@dataclass(frozen=True, slots=True)
class ProgramStep:
    """One step of the engine on a team's stack.

    ``custom`` is False for a component, which is an entry in the state and nothing in the world. ``id``, ``held`` and
    ``kept`` are what the state holds before the step: id, inputs, and whether a deletion would leave the resource in
    the world; ``wanted`` are the inputs after it, and ``outputs`` what the resource is by then, as far as it is known.
    """

    change: ResourceChange
    custom: bool = True
    id: str = ""
    held: Mapping[str, Any] = field(default_factory=dict)
    wanted: Mapping[str, Any] = field(default_factory=dict)
    kept: bool = False
    outputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OwnResources:
    """What tells the service's resources from the others: ARN of the service, family, and the image's repository.

    ``repository`` is empty where the image is not the program's.
    """

    service: str
    family: str
    repository: str = ""

    def holds(self, step: ProgramStep) -> bool:
        """Tell whether a step is about a resource of the service."""
        kind = step.change.type
        if kind == SERVICE:
            return step.id == self.service
        if kind == TASK_DEFINITION:
            return self.family in {step.id, step.held.get("family"), step.wanted.get("family")}
        if kind in {IMAGE, INDEX} and self.repository:
            return any(self._names(inputs) for inputs in (step.held, step.wanted))
        return False

    def _names(self, inputs: Mapping[str, Any]) -> bool:
        exports = [item.get("registry") or {} for item in inputs.get("exports") or () if isinstance(item, Mapping)]
        names = [name for item in exports for name in item.get("names") or ()]
        told = [inputs.get("tag"), *(inputs.get("tags") or ()), *names]
        return any(_repository(str(name)) == self.repository for name in told if name)


def own_resources(record: Record, *, image: bool) -> OwnResources:
    """Return what the resources of a recorded service are known by."""
    reference = record.baseline.image.reference
    return OwnResources(
        service=record.baseline.service.arn,
        family=record.baseline.task_definition.family,
        repository=f"{reference.registry}/{reference.repository}" if image else "",
    )


def judged(steps: Sequence[ProgramStep], own: OwnResources) -> tuple[ResourceChange, ...]:
    """Return the changes of a preview, each that no stage may make with the reason why.

    What remains is the business of the act that the preview is for (preview.violations).
    """
    known = [step.held for step in steps if step.change.type == TASK_DEFINITION and step.held and own.holds(step)]
    return tuple(_judged(step, own, known) for step in steps)


def _judged(step: ProgramStep, own: OwnResources, known: Sequence[Mapping[str, Any]]) -> ResourceChange:
    change = step.change
    if not change.changes:
        return change
    if not step.custom and change.operation == "create":
        return replace(change, entry=True)
    if change.type.startswith(_PROVIDER) and (change.operation == "create" or change.name.startswith("default")):
        # The engine's own record of which plugin it asks; what it would do to a resource is a step of that resource.
        return change
    if not own.holds(step):
        return replace(change, refused=f"it is none of the service's, and would not stay as it is ({change.operation})")
    if change.type == TASK_DEFINITION:
        return replace(change, refused=_loss(step, known))
    return change


def _loss(step: ProgramStep, known: Sequence[Mapping[str, Any]]) -> str:
    """Return what a step would lose of the service's task definition; empty where it keeps all."""
    change = step.change
    if change.operation in {*_REPLACING, "delete-replaced"} and not step.kept:
        return (
            "its revision would be de-registered, and with it the way back: the program has to keep it (retainOnDelete "
            "or skipDestroy), and one `pulumi up` has to have written that"
        )
    strange = set(change.properties) - _NOT_COMPARED if change.operation in _REPLACING else set()
    if change.operation == "create":
        differences = [_differing(held, step.wanted) for held in known]
        strange = min(differences, key=len, default=set())
    if strange:
        return f"the new revision would differ in {', '.join(sorted(strange))}, and a stage changes only its platform"
    return ""


def _differing(held: Mapping[str, Any], wanted: Mapping[str, Any]) -> set[str]:
    return {name for name in {*held, *wanted} - _NOT_COMPARED if held.get(name) != wanted.get(name)}


def _repository(name: str) -> str:
    """Return an image's name without tag and digest; a port in it is no tag."""
    bare = name.partition("@")[0]
    head, _, tail = bare.rpartition(":")
    return head if head and "/" not in tail else bare
