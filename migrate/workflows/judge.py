"""Judging what runs now as a stage would, for whoever deployed it: nothing is changed and nothing is proven by it."""

from __future__ import annotations

from dataclasses import replace

from migrate.core.desired_state import DesiredState, desired_state, expected_digests
from migrate.core.evidence import Run
from migrate.core.first_record import children_of, first_record
from migrate.core.gate.checks import Expectation
from migrate.core.gate.gate import Measurement, Outcome, Verdict
from migrate.core.image.evidence import ExpectedIndex, proves, stage_one_evidence
from migrate.core.judgement import Judgement
from migrate.core.observation import Observation
from migrate.core.outcome import RunOutcome
from migrate.core.owner.arrival import Seen, arrival, shown_change
from migrate.core.record import BuiltIndex, Record, still_open
from migrate.core.service_settings import watched_alarms
from migrate.core.stages import Stage
from migrate.errors import ExitCode, MigrateError
from migrate.workflows.begin import claimed, failed, finished
from migrate.workflows.durable import InMemory
from migrate.workflows.gate import watch
from migrate.workflows.journal import Journal
from migrate.workflows.observe import observe
from migrate.workflows.runtime import Runtime
from migrate.workflows.work import Work

_CHANGE = "change"
_ENDS = {Verdict.PASS: "passes", Verdict.FAIL: "fails"}


def judge_now(runtime: Runtime, run: Run) -> Judgement:
    """Judge the deployment that is there by the gate of ``run.stage``, and keep the evidence."""
    with claimed(runtime, run, InMemory()) as journal:
        try:
            return _judged(runtime, journal, Stage(run.stage))
        except MigrateError as error:
            failed(journal, error)
            raise


def _judged(runtime: Runtime, journal: Journal, stage: Stage) -> Judgement:
    known = still_open(journal.look("read record", lambda: runtime.store.record(journal.run.service)))
    observation = journal.look("observe", lambda: observe(runtime, readiness=False, guarding=False))
    record = _with_index(known or first_record(observation, runtime.settings), runtime, observation)
    desired = desired_state(record, runtime.settings, stage)
    first = (_change(record, runtime, desired, observation), *_image(record, runtime, stage, observation))
    wrong = tuple(f"{item.check}: {item.text}" for item in first if item.outcome is not Outcome.PASS)
    if wrong:
        journal.note("planned change", "; ".join(wrong))
        return _ended(journal, stage, (Verdict.FAIL, wrong), first)
    expected = _expectation(record, runtime, desired, observation)
    work = Work(runtime, journal, record)
    assessment = watch(runtime, journal, f"gate {stage.value}", expected, work.gate)
    checks = (*first, *(tally.last for _, tally in assessment.state.tallies))
    return _ended(journal, stage, (assessment.verdict or Verdict.INCONCLUSIVE, assessment.reasons), checks)


def _ended(
    journal: Journal, stage: Stage, judged: tuple[Verdict, tuple[str, ...]], checks: tuple[Measurement, ...]
) -> Judgement:
    verdict, reasons = judged
    text = f"What runs now {_ENDS.get(verdict, 'leaves a doubt at')} the gate of {stage.named}."
    changed = any(item.check == _CHANGE and item.outcome is not Outcome.PASS for item in checks)
    code = ExitCode.DONE if verdict is Verdict.PASS else ExitCode.WORLD_CHANGED if changed else ExitCode.HELD
    then = "" if verdict is Verdict.PASS else "Nothing was changed: `migrate plan` shows what the stage changes."
    runbook = "" if verdict is Verdict.PASS else "errors#gate-now"
    outcome = RunOutcome(journal.run.id, code, stage, text, reasons, then, runbook)
    return Judgement(finished(journal, outcome), verdict, checks)


def _with_index(record: Record, runtime: Runtime, observation: Observation) -> Record:
    """Return the record with the index that the tag holds, where no stage of this record has proven one yet."""
    image = observation.image(runtime.settings.image.container)
    if record.index is not None or image is None or image.facts is None or not image.facts.is_index:
        return record
    facts = image.facts
    return replace(record, index=BuiltIndex(facts.digest, facts.media_type, children_of(facts)))


def _change(record: Record, runtime: Runtime, desired: DesiredState, observation: Observation) -> Measurement:
    """Measure whether what runs is what the stage plans, and only that."""
    counted = replace(record, known_count=None)
    seen = Seen(observation.service, observation.task_definition, observation.cluster, scaled=False)
    found = arrival(counted, runtime.settings, desired.service, seen)
    wrong = list(found.strange)
    missing = replace(found.missing, deployment="")
    if not missing.is_empty:
        wrong.append(f"still to come: {shown_change(missing)}")
    outcome = Outcome.FAIL if wrong else Outcome.PASS
    return Measurement(_CHANGE, outcome, "; ".join(wrong) or "it is the planned one, and only that", "errors#gate-now")


def _image(record: Record, runtime: Runtime, stage: Stage, observation: Observation) -> tuple[Measurement, ...]:
    """Measure, from stage 1 on, whether the tag holds an index for both platforms."""
    if stage < Stage.IMAGE or record.arm64_from_the_start:
        return ()
    image = observation.image(runtime.settings.image.container)
    if image is None or image.facts is None:
        why = image.problem if image is not None else "the task definition has no such container"
        return (Measurement("image", Outcome.ERROR, f"could not be read: {why}", "gates#image"),)
    problems = stage_one_evidence(ExpectedIndex(digest=None, amd64_digest=None), image.facts)
    if proves(problems):
        return (Measurement("image", Outcome.PASS, f"{image.reference} is for both platforms", "gates#image"),)
    told = "; ".join(problem.text for problem in problems if not proves((problem,)))
    return (Measurement("image", Outcome.FAIL, told, "gates#image"),)


def _expectation(record: Record, runtime: Runtime, desired: DesiredState, observation: Observation) -> Expectation:
    service, settings = observation.service, runtime.settings
    return Expectation(
        deployment_id=service.primary.id if service.primary else "",
        task_definition_arn=service.task_definition_arn,
        architecture=desired.architecture,
        container=settings.image.container,
        digests=expected_digests(record, settings, desired.stage, desired.architecture),
        strategy=desired.strategy,
        launch_type=desired.launch_type,
        alarms=watched_alarms(service, settings.gate.alarms),
        only_capacity=desired.stage is Stage.CAPACITY,
        stage=desired.stage,
    )
