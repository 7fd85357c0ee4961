"""A stage that is done already: no Pulumi change, no deployment, exit 0."""

from __future__ import annotations

from migrate.core.desired_state import DesiredState, desired_state
from migrate.core.observation import Observation
from migrate.core.outcome import RunOutcome
from migrate.core.settings import ArchitectureMode
from migrate.core.stack.preview import ResourceChange
from migrate.core.stages import Stage
from migrate.errors import ExitCode
from migrate.workflows.work import Work


def nothing_to_do(work: Work, stage: Stage, observation: Observation) -> RunOutcome | None:
    """Return the outcome for a stage that is proven and still in place; None when there is something to apply.

    The highest proven stage is previewed again: settings that changed since (a new target strategy) make it new.
    """
    position = work.record.position
    if stage > position.proven:
        return None
    if stage is Stage.ARCHITECTURE and work.record.twin and work.settings.architecture is not ArchitectureMode.MIXED:
        # Proven in mode mixed, and the settings say now that the service itself is to follow its twin.
        return None
    if stage == position.proven:
        desired = desired_state(work.record, work.settings, stage)
        if work.journal.look("preview what is there", lambda: _changes(work, desired)):
            return None
    text = f"{stage.named.capitalize()} is proven already and still in place: nothing was changed."
    seen = (f"the service runs {observation.service.task_definition_arn.rsplit('/', 1)[-1]}",)
    return RunOutcome(work.journal.run.id, ExitCode.DONE, stage, text, seen)


def _changes(work: Work, desired: DesiredState) -> tuple[ResourceChange, ...]:
    stacks = work.runtime.stacks
    image = stacks.preview_image(desired.image).changes if desired.stage >= Stage.IMAGE else ()
    return (*image, *stacks.preview_service(desired.service).changes)
