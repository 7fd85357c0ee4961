"""Engine events of a team's stack become steps that can be judged: with what the state holds and what is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi.automation import EngineEvent
from pulumi.automation.events import StepEventMetadata

from migrate.adapters.pulumi.events import ChangeListener, EventCollector, change_of, ignore_changes
from migrate.core.owner.program_guard import ProgramStep
from migrate.core.stack.preview import ResourceChange


class ProgramEvents(EventCollector):
    """Keeps the steps of one operation, and what each resource was at its end."""

    def __init__(self, listener: ChangeListener = ignore_changes) -> None:
        super().__init__(listener)
        self._steps: list[ProgramStep] = []
        self._ended: dict[str, ProgramStep] = {}

    def __call__(self, event: EngineEvent) -> None:
        """Take one event."""
        super().__call__(event)
        if event.resource_pre_event is not None:
            self._steps.append(_step(event.resource_pre_event.metadata))
        elif event.res_outputs_event is not None:
            found = _step(event.res_outputs_event.metadata)
            self._ended[found.change.urn] = found

    @property
    def steps(self) -> tuple[ProgramStep, ...]:
        """One entry a step, in the engine's order."""
        return tuple(self._steps)

    @property
    def ended(self) -> tuple[ProgramStep, ...]:
        """The last step of each resource, with what it is by then."""
        return tuple(self._ended.values())


def held_resources(deployment: Mapping[str, Any]) -> tuple[ProgramStep, ...]:
    """Return what a stack's state holds (``pulumi stack export``), each as a step that changes nothing."""
    found = []
    for resource in deployment.get("resources") or ():
        urn, kind = resource["urn"], resource["type"]
        change = ResourceChange(urn, kind, urn.rpartition("::")[2], "same")
        inputs = resource.get("inputs") or {}
        found.append(ProgramStep(change, bool(resource.get("custom")), resource.get("id") or "", inputs, inputs))
    return tuple(found)


def _step(metadata: StepEventMetadata) -> ProgramStep:
    old, new = metadata.old, metadata.new
    held = dict(old.inputs or {}) if old else {}
    outputs = dict(old.outputs or {}) if old else {}
    known = new or old
    return ProgramStep(
        change_of(metadata),
        custom=bool(known.custom) if known else True,
        id=(old.id if old else "") or (new.id if new else "") or "",
        held=held,
        wanted=dict(new.inputs or {}) if new else {},
        kept=bool((old and old.retain_on_delete) or held.get("skipDestroy") or outputs.get("skipDestroy")),
        outputs=dict(new.outputs or {}) if new else {},
    )
