"""What becomes of a stage that the service's owner deployed and that is not what it must be.

Nothing is written but, where the operator wished it, the stop of the deployment that is under way: what goes on running
is the owner's to decide, and the way back is told in the language of his code.
"""

from __future__ import annotations

from dataclasses import replace

from migrate.core.desired_state import desired_state
from migrate.core.observation import Observation
from migrate.core.outcome import RunOutcome
from migrate.core.owner.arrival import Seen, arrival
from migrate.core.owner.change import owner_language, stage_changes
from migrate.core.owner.language import told, written
from migrate.core.record import Record
from migrate.core.stages import Stage
from migrate.errors import ExitCode, WorldChangedError
from migrate.workflows.rollback import go_back, stop_what_runs
from migrate.workflows.work import Work


def entered_by_its_owner(work: Work, stage: Stage, observation: Observation) -> Record:
    """Return the record with a stage begun.

    While nothing of the stage has arrived, the count is what its owner, or anybody, has made it since the last proof;
    once it has, another count came with it.
    """
    record = work.record.entered(stage)
    if work.record.position.entered is stage:
        return record
    wanted = desired_state(record, work.settings, stage).service
    seen = Seen(observation.service, observation.task_definition, observation.cluster, scaled=False)
    if arrival(replace(record, known_count=None), work.settings, wanted, seen).missing.is_empty:
        return record
    return replace(record, known_count=observation.service.desired_count)


def strange_change(work: Work, stage: Stage, before: Record, error: WorldChangedError, *, stop: bool) -> RunOutcome:
    """Return the end of a stage in whose place something else was deployed."""
    acted = work.journal.acted
    stopped = stop and stop_what_runs(work)
    if not acted:
        # Refused at the first look: the stage was not begun.
        work.remember(replace(work.record, position=before.position, known_count=before.known_count))
    reasons = (
        (error.why, "The deployment was stopped, and ECS brings back what ran before.") if stopped else (error.why,)
    )
    text = f"{stage.named.capitalize()} is held: {error.what[0].lower()}{error.what[1:]}"
    code = ExitCode.WORLD_CHANGED
    return RunOutcome(work.journal.run.id, code, stage, text, reasons, error.then, error.runbook)


def failed_at_its_owner(work: Work, stage: Stage, reasons: tuple[str, ...], *, stop: bool) -> RunOutcome:
    """Return the end of a stage that failed its gate, and how its owner goes back."""
    run, back = work.journal.run.id, _way_back(work, stage)
    if stop and stop_what_runs(work):
        returned = go_back(work, stage.before)
        if returned.exit_code is not ExitCode.DONE:
            return replace(returned, reasons=(*reasons, *returned.reasons))
        text = f"{stage.named.capitalize()} did not prove itself: its deployment was stopped, and ECS brought the "
        text += f"service back to {stage.before.named}."
        then = f"Take the change out of the owner's code, or its next run brings it again. {back}"
        return RunOutcome(run, ExitCode.ROLLED_BACK, stage.before, text, reasons, then, "rollback#owner")
    text = f"{stage.named.capitalize()} failed its gate, and it is not this tool's to take back."
    then = f"{back}\nThen `migrate rollback --to-stage {stage.before.value}` waits for it and proves it."
    if stage is Stage.BASELINE:
        then = f"{back}\nThen `migrate rollback --to original` waits for it and proves it."
    return RunOutcome(run, ExitCode.HELD, stage, text, reasons, then, "rollback#owner")


def _way_back(work: Work, stage: Stage) -> str:
    record, service = work.record, work.record.baseline.service
    language = owner_language(work.settings, service, record.baseline.task_definition)
    back = stage_changes(record, work.settings, stage).back
    if back.is_empty:
        return f"The service itself has nothing to change back to be at {stage.before.named}."
    return f"The way back, for {language}:\n{told(written(back, language, service))}"
