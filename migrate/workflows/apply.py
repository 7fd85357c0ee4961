"""Apply one stage: act, prove it on running tasks, and take it back when it does not prove itself."""

from __future__ import annotations

from dataclasses import replace

from migrate.core.evidence import Run
from migrate.core.gate.checks import Expectation
from migrate.core.gate.gate import Assessment, Verdict
from migrate.core.observation import foreign_changes
from migrate.core.others import undone_by_going_back
from migrate.core.outcome import RunOutcome
from migrate.core.rebaseline import keeps_image
from migrate.core.record import Record
from migrate.core.stages import Stage
from migrate.errors import (
    AccessError,
    ExitCode,
    HeldError,
    InterruptedRunError,
    LockedError,
    MigrateError,
    RollBackAskedError,
    WorldChangedError,
)
from migrate.workflows.begin import at_work, claimed, failed, finished, ready_to_apply, ready_to_rebase
from migrate.workflows.durable import Durable
from migrate.workflows.gate import watch
from migrate.workflows.journal import Journal
from migrate.workflows.observe import observe
from migrate.workflows.owner_failure import entered_by_its_owner, failed_at_its_owner, strange_change
from migrate.workflows.rollback import go_back, stopped_on_the_way_back
from migrate.workflows.runtime import Runtime
from migrate.workflows.settled import nothing_to_do
from migrate.workflows.stages import STAGES
from migrate.workflows.work import Work

_NOT_OURS_TO_UNDO = (AccessError, InterruptedRunError, LockedError, WorldChangedError)
"""After these nobody knows what the world is like, or may write to it: the stage stays entered, to be taken up."""

_NOT_PROVEN, _GIVEN_UP = "did not prove itself", "was given up, as you asked,"


def apply_stage(runtime: Runtime, durable: Durable, run: Run, *, stop_on_failure: bool = False) -> RunOutcome:
    """Bring the service to ``run.stage`` and return how it ended; refusals before anything changed are raised.

    ``stop_on_failure`` stops a deployment of the service's owner that does not prove itself.
    """
    stage = Stage(run.stage)
    with claimed(runtime, run, durable) as journal:
        try:
            record, observation = ready_to_apply(runtime, journal, stage)
            work = Work(runtime, journal, record)
            done = nothing_to_do(work, stage, observation)
            if done is not None:
                return finished(journal, done)
            at_work(journal)
            work.remember(entered_by_its_owner(work, stage, observation) if record.owned else record.entered(stage))
            return finished(journal, _carried_out(work, stage, record, stop_on_failure=stop_on_failure))
        except RollBackAskedError as asked:
            # Before this run had begun: what an earlier one began is there to be taken back all the same.
            begun = runtime.store.record(run.service)
            if begun is None or begun.position.entered is not stage:
                failed(journal, asked)
                raise
            back = Work(runtime, journal, begun)
            return finished(journal, _taken_back(back, stage, (asked.what, asked.why), asked.runbook, _GIVEN_UP))
        except MigrateError as error:
            failed(journal, error)
            raise


def rebaseline(runtime: Runtime, durable: Durable, run: Run) -> RunOutcome:
    """Record a new baseline from what runs now, keep the former one as history, and apply stage 0 to it (case C43)."""
    stage = Stage.BASELINE
    with claimed(runtime, run, durable) as journal:
        try:
            before, after, observation = ready_to_rebase(runtime, journal)
            work = Work(runtime, journal, before)
            at_work(journal)
            image = not keeps_image(before, runtime.settings, observation)
            mark = f"until-{before.baseline.recorded_at:%Y%m%dT%H%M%S}"
            told = f"new baseline from {observation.service.task_definition_arn}: set the former stacks aside"
            journal.act("set stacks aside", told, lambda: runtime.stacks.set_aside(mark, image=image), stays=True)
            # Begun from here on, whatever comes: the old stacks are empty, and only stage 0 fills the new ones.
            entered = after.entered(stage)
            work.remember(entered)
            return finished(journal, _carried_out(work, stage, entered))
        except MigrateError as error:
            failed(journal, error)
            raise


def _carried_out(work: Work, stage: Stage, before: Record, *, stop_on_failure: bool = False) -> RunOutcome:
    try:
        judged = STAGES[stage](work)
        expected, gate = judged.expectation, work.gate
        assessment = judged.assessment or watch(work.runtime, work.journal, f"gate {stage.value}", expected, gate)
    except MigrateError as error:
        asked = isinstance(error, RollBackAskedError)
        if work.record.owned and isinstance(error, WorldChangedError):
            return strange_change(work, stage, before, error, stop=stop_on_failure)
        if work.record.owned and isinstance(error, HeldError):
            return _held(work.journal, stage, (str(error),), error.then, error.runbook)
        if not work.journal.acted and not (asked and before.position.entered is stage):
            # Refused before the first act: nothing has to be taken back, and the service stands where it stood.
            work.remember(replace(work.record, position=before.position))
            raise
        if isinstance(error, _NOT_OURS_TO_UNDO):
            return _held(work.journal, stage, (str(error),), error.then, error.runbook, _left_by(error))
        return _taken_back(work, stage, (error.what, error.why), error.runbook, _GIVEN_UP if asked else _NOT_PROVEN)
    if work.record.owned and assessment.verdict is Verdict.FAIL:
        return failed_at_its_owner(work, stage, assessment.reasons, stop=stop_on_failure)
    return _judged(work, stage, assessment, judged.expectation)


def _judged(work: Work, stage: Stage, assessment: Assessment, expected: Expectation) -> RunOutcome:
    if assessment.verdict is Verdict.PASS:
        applied = expected.strategy if stage is Stage.CAPACITY else work.record.applied_capacity
        reached = replace(work.record.reached(stage, expected.deployment_id), applied_capacity=applied)
        work.remember(replace(reached, known_count=work.service().desired_count) if reached.owned else reached)
        text = f"{stage.named.capitalize()} is proven."
        then = f"Next: `migrate apply --stage {stage + 1}`." if stage < Stage.CAPACITY else "The migration is complete."
        return RunOutcome(work.journal.run.id, ExitCode.DONE, stage, text, assessment.reasons, then)
    if assessment.verdict is not Verdict.FAIL:
        # Without a failure nobody knows that the stage is bad, and a way back would be measured no better.
        then = f"Look at the reasons, then `migrate apply --stage {stage.value}` to go on, or `migrate rollback`."
        return _held(work.journal, stage, assessment.reasons, then, "errors#held")
    return _taken_back(work, stage, assessment.reasons, "rollback#rolled-back")


def _left_by(error: MigrateError) -> ExitCode:
    return ExitCode.INTERRUPTED if isinstance(error, InterruptedRunError) else ExitCode.HELD


def _held(
    journal: Journal,
    stage: Stage,
    reasons: tuple[str, ...],
    then: str,
    runbook: str,
    exit_code: ExitCode = ExitCode.HELD,
) -> RunOutcome:
    text = f"{stage.named.capitalize()} is held: nothing is undone, and it is not proven."
    return RunOutcome(journal.run.id, exit_code, stage, text, reasons, then, runbook)


def _done_by_others(work: Work) -> tuple[str, ...]:
    try:
        observation = work.journal.look(
            "observe before going back", lambda: observe(work.runtime, readiness=False, guarding=False)
        )
    except MigrateError:
        # A way back that cannot look either says so itself, and louder.
        return ()
    changed = foreign_changes(work.record, work.settings, observation)
    return changed or undone_by_going_back(work.record, work.settings, observation)


def _taken_back(
    work: Work, stage: Stage, reasons: tuple[str, ...], runbook: str, what: str = _NOT_PROVEN
) -> RunOutcome:
    work.journal.orders.turn_back()
    said = tuple(reason for reason in reasons if reason)
    try:
        others = _done_by_others(work)
        if not others:
            told = f"stage {stage.value} {what}: {'; '.join(reason.rstrip('.') for reason in said)}; going back"
            work.journal.note("roll back", told)
    except KeyboardInterrupt:
        return stopped_on_the_way_back(work, stage.before, said)
    if others:
        then = (
            "Somebody else changed the service, and going back would undo that: decide together what is to run. "
            "To keep what they deployed and go on from it: `migrate apply --stage 0 --rebaseline`."
        )
        return _held(work.journal, stage, (*others, *said), then, "errors#world-changed")
    back = go_back(work, stage.before)
    if back.exit_code is not ExitCode.DONE:
        return RunOutcome(
            back.run_id, back.exit_code, back.stage, back.text, (*said, *back.reasons), back.then, back.runbook
        )
    text = f"{stage.named.capitalize()} {what} and was rolled back to {back.stage.named}."
    then = "Mend the cause, then apply the stage again; `migrate status` shows where the service is."
    return RunOutcome(work.journal.run.id, ExitCode.ROLLED_BACK, back.stage, text, said, then, runbook)
