"""The way back: the desired state of a smaller stage, brought about from wherever the service is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from migrate.core.desired_state import DesiredState, adoption, desired_state, expected_digests
from migrate.core.evidence import Run
from migrate.core.gate.checks import Expectation
from migrate.core.gate.gate import Assessment, Verdict
from migrate.core.others import undone_by_going_back
from migrate.core.outcome import RunOutcome
from migrate.core.settings import GateSettings
from migrate.core.stack.preview import TASK_DEFINITION, Act
from migrate.core.stages import Stage, rollback_target
from migrate.errors import (
    BlockedError,
    ExitCode,
    InterruptedRunError,
    MigrateError,
    NotFoundError,
    WorldChangedError,
)
from migrate.workflows.begin import at_work, claimed, failed, finished, refuse_another_owner
from migrate.workflows.durable import Durable
from migrate.workflows.gate import watch
from migrate.workflows.lost_twin import find_again_to_let_go
from migrate.workflows.observe import observe
from migrate.workflows.running import told_running
from migrate.workflows.runtime import Runtime
from migrate.workflows.way_back import (
    images_are_there,
    index_is_there,
    lowered,
    refuse_without_index,
    restore_tag,
    unpublish,
)
from migrate.workflows.work import Deployed, Work

_IN_FLIGHT = frozenset({"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})


def roll_back(runtime: Runtime, durable: Durable, run: Run, to: Stage | None) -> RunOutcome:
    """Bring the service back to a stage (None: one below the highest touched) and return how it ended."""
    with claimed(runtime, run, durable) as journal:
        try:
            record = journal.look("read record", lambda: runtime.store.record(run.service))
            if record is None or record.over:
                raise BlockedError(
                    "There is nothing to roll back: no stage was ever applied to this service.",
                    why="Its migration was finished, and the way back given up." if record else "",
                    then="`migrate plan` shows what would be done.",
                )
            refuse_another_owner(record, runtime.settings)
            target = rollback_target(record.position, to)
            work = Work(runtime, journal, record)
            if record.position.entered is None and target == record.position.proven:
                return finished(journal, _there_already(work, target))
            _refuse_to_go_behind_others(work, target)
            images_are_there(work, target)
            at_work(journal)
        except MigrateError as error:
            failed(journal, error)
            raise
        return finished(journal, go_back(work, target))


def _there_already(work: Work, target: Stage) -> RunOutcome:
    if target is Stage.ORIGINAL:
        # Whoever is back at the original is on his own: what was deployed since is not this migration's business.
        text = "No stage is applied to the service: nothing was changed."
    else:
        _refuse_to_go_behind_others(work, target)
        text = f"The service is at {target.named} already: nothing was changed."
    return RunOutcome(work.journal.run.id, ExitCode.DONE, target, text)


def go_back(work: Work, target: Stage) -> RunOutcome:
    """Go back to ``target``; never raises: a way back that fails is an outcome, the loudest one there is.

    It ends at stage 0 where ``target`` has lost what it stands on: the outcome's stage tells.
    """
    work.journal.orders.turn_back()
    try:
        target = lowered(work, target)
        assessment = _brought_back(work, target)
    except (InterruptedRunError, KeyboardInterrupt):
        return stopped_on_the_way_back(work, target)
    except MigrateError as error:
        return _incomplete(work, target, (error.what, error.why), error.then)
    if assessment.verdict is not Verdict.PASS:
        return _incomplete(work, target, assessment.reasons, "")
    text = f"The service is back at {target.named}, proven on its running tasks."
    return RunOutcome(work.journal.run.id, ExitCode.DONE, target, text, assessment.reasons)


def _brought_back(work: Work, target: Stage) -> Assessment:
    images_are_there(work, target)
    if work.record.owned:
        return _brought_back_by_its_owner(work, target)
    stop_what_runs(work)
    leaving = target < Stage.IMAGE
    arm64 = leaving and work.journal.look("arm64 in use", lambda: _runs_arm64(work) and index_is_there(work))
    if leaving and not arm64:
        # First of all: a tag without amd64 keeps the tasks that run from being replaced (case C04).
        restore_tag(work)
    work.journal.act("refresh", "read what runs into the service stack", work.runtime.stacks.refresh)
    _keep_a_revision_to_go_back_to(work)
    find_again_to_let_go(work)
    if arm64:
        # ARM64 tasks must not lose their index while they run: amd64 tasks take over from the index first.
        between = _gate(work, "back to 1", work.expectation(_deployed(work, Stage.IMAGE)))
        if between.verdict is not Verdict.PASS:
            return between
        restore_tag(work)
    # A launch type can only be given back to a service that runs on a strategy: the baseline comes first (facts F2).
    expected = _reached(work, max(target, Stage.BASELINE))
    if target is Stage.ORIGINAL and work.record.adopted and work.record.baseline.service.launch_type is not None:
        expected = _launch_type_given_back(work)
    assessment = _gate(work, f"back to {target.value}", expected)
    if assessment.verdict is Verdict.PASS:
        work.remember(work.record.reached(target, expected.deployment_id))
    return assessment


def _brought_back_by_its_owner(work: Work, target: Stage) -> Assessment:
    """Wait until the service is at ``target`` again, by its owner's hand or by ECS's, and judge it."""
    # Whatever its count is by now: a way back must not fail for it.
    work.remember(replace(work.record, known_count=None))
    expected = work.expectation(_deployed(work, target))
    assessment = _gate(work, f"back to {target.value}", expected)
    if assessment.verdict is Verdict.PASS:
        work.remember(
            replace(work.record.reached(target, expected.deployment_id), known_count=work.service().desired_count)
        )
    return assessment


def _runs_arm64(work: Work) -> bool:
    arm64 = {work.record.arm64_task_definition_arn, *work.record.superseded_revisions}
    if _arm64_unknown(work) or work.record.twin is not None:
        return True
    return any(deployment.task_definition_arn in arm64 for deployment in work.service().deployments)


def _reached(work: Work, stage: Stage) -> Expectation:
    if not work.record.adopted:
        service = work.service()
        return _as_found(work, service.primary.id if service.primary else "")
    if stage < Stage.IMAGE and work.record.published:
        unpublish(work, stage)
    return work.expectation(_deployed(work, stage))


def _deployed(work: Work, stage: Stage) -> Deployed:
    step = f"back to {stage.value} service stack"
    work.follow_cluster(step)
    desired = desired_state(work.record, work.settings, stage)
    if (
        not work.record.owned
        and _arm64_unknown(work)
        and work.journal.look(f"{step}: arm64 in the state", lambda: _would_drop(work, desired))
    ):
        # An empty ARN stands for the revision that the stack holds and the record does not name.
        work.remember(replace(work.record, arm64_task_definition_arn=""))
        desired = desired_state(work.record, work.settings, stage)
    return work.up_service(step, desired, Act.SERVICE)


def _arm64_unknown(work: Work) -> bool:
    """Tell whether stage 2 was interrupted before the record knew which revision it registered, if any."""
    record = work.record
    begun = record.position.entered is not None and record.position.entered >= Stage.ARCHITECTURE
    return begun and not record.arm64_task_definition_arn and not record.arm64_from_the_start


def _would_drop(work: Work, desired: DesiredState) -> bool:
    preview = work.runtime.stacks.preview_service(desired.service)
    return any(item.type == TASK_DEFINITION and item.operation == "delete" for item in preview.changes)


def _launch_type_given_back(work: Work) -> Expectation:
    """Give the launch type back outside Pulumi, which could only replace the service, and let the state follow."""
    service = work.journal.look("read service", work.service)
    text = f"give launch type {work.record.baseline.service.launch_type} back"
    safety = work.runtime.safety
    deployment = work.journal.act("launch type", text, lambda: safety.return_to_launch_type(service))
    work.journal.act("refresh original", "read what runs into the service stack", work.runtime.stacks.refresh)
    work.follow_cluster("original service stack")
    desired = desired_state(work.record, work.settings, Stage.ORIGINAL)
    work.up_service("original service stack", desired, Act.ORIGINAL)
    return _as_found(work, deployment)


def _as_found(work: Work, deployment: str) -> Expectation:
    # What was not adopted yet stands where it was found, after a new baseline on a strategy of ours (case C43).
    original = desired_state(work.record, work.settings, Stage.ORIGINAL)
    desired = original if work.record.adopted else adoption(work.record, work.settings)
    copy = work.record.replacement_task_definition_arn
    return Expectation(
        deployment_id=deployment,
        task_definition_arn=copy or work.record.baseline.task_definition.arn,
        architecture=desired.architecture,
        container=work.settings.image.container,
        digests=expected_digests(work.record, work.settings, Stage.ORIGINAL, desired.architecture),
        strategy=desired.strategy,
        launch_type=desired.launch_type,
    )


def _gate(work: Work, name: str, expected: Expectation) -> Assessment:
    # The way back is judged by what runs, without a soak, alarms and checks of the operator: they may still ring for
    # what it undoes.
    gate: GateSettings = replace(work.gate, soak=timedelta(0), checks=())
    # Its images were looked at before the first step, and a registry that is silent now changes nothing that runs.
    return watch(work.runtime, work.journal, f"gate {name}", replace(expected, alarms=(), images=None), gate)


def stop_what_runs(work: Work) -> bool:
    """Stop every deployment that is under way, with rollback; tell whether there was one."""
    stopped = False
    deployments = work.journal.look(
        "deployments in flight", lambda: work.runtime.services.service_deployments(work.service())
    )
    for deployment in deployments or ():
        if deployment.status in _IN_FLIGHT:
            arn = deployment.arn
            stop = partial(work.runtime.safety.stop_deployment, arn)
            work.journal.act(f"stop {arn}", f"stop {arn}", stop)
            stopped = True
    return stopped


def _keep_a_revision_to_go_back_to(work: Work) -> None:
    """Have a copy of the original revision registered where the original is INACTIVE and cannot be used (case C32).

    Whatever the target is: the refresh has dropped the original from the state, and the program would make it anew.
    """
    original = work.record.baseline.task_definition.arn
    if work.record.replacement_task_definition_arn is not None:
        return
    try:
        status = work.journal.look(
            "revision to go back to", lambda: work.runtime.services.task_definition(original)
        ).status
    except NotFoundError:
        status = "DELETED"
    if status != "ACTIVE":
        work.journal.note("copy revision", f"{original} is {status}: a copy of it is registered to go back to")
        work.remember(replace(work.record, replacement_task_definition_arn=""))


def _refuse_to_go_behind_others(work: Work, target: Stage) -> None:
    observation = work.journal.look("observe", lambda: observe(work.runtime, readiness=False, guarding=False))
    image = observation.image(work.settings.image.container)
    if image and image.facts:
        refuse_without_index(work, target, image.facts.digest)
    found = undone_by_going_back(work.record, work.settings, observation)
    if found:
        why = "; ".join(found)
        raise WorldChangedError(
            "Somebody else changed the service since this migration did.",
            why=f"{why[0].upper()}{why[1:]}.",
            then="Nothing was changed: going back would undo their change too. To keep it and go on from it: "
            "`migrate apply --stage 0 --rebaseline`. To lose it: put back what was there before, then roll back.",
            runbook="rollback#somebody-else",
        )


def stopped_on_the_way_back(work: Work, target: Stage, reasons: tuple[str, ...] = ()) -> RunOutcome:
    """Return the end of a rollback that the operator stopped: resumable, and loud about what runs meanwhile."""
    command = "migrate rollback --to original" if target is Stage.ORIGINAL else f"migrate rollback --to-stage {target}"
    return RunOutcome(
        run_id=work.journal.run.id,
        exit_code=ExitCode.INTERRUPTED,
        stage=target,
        text=f"ROLLBACK INTERRUPTED: the way back to {target.named} is not complete, and nobody is watching it. "
        f"Running now: {told_running(work)}.",
        reasons=reasons,
        then=f"Go on with `{command}`: it looks before it acts, and repeats nothing that is done.",
        runbook="rollback#interrupted",
    )


def _incomplete(work: Work, target: Stage, reasons: tuple[str, ...], then: str) -> RunOutcome:
    text = f"ROLLBACK NOT COMPLETE: the way back to {target.named} failed. Running now: {told_running(work)}."
    return RunOutcome(
        run_id=work.journal.run.id,
        exit_code=ExitCode.ROLLBACK_INCOMPLETE,
        stage=target,
        text=text,
        reasons=tuple(reason for reason in reasons if reason),
        then=then or "Page somebody who knows the service; the runbook section says what to look at first.",
        runbook="incident#rollback-incomplete",
    )
