"""Stage 2 with a twin: it takes a share of the work first; in mode canary the service follows and the twin goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from migrate.core.desired_state import desired_state, expected_digests
from migrate.core.facts import Architecture, Service
from migrate.core.gate.checks import Expectation
from migrate.core.gate.gate import Assessment, Verdict
from migrate.core.settings import ArchitectureMode
from migrate.core.stack.preview import Act
from migrate.core.stages import Stage
from migrate.core.twin import Twin, TwinPhase, twin_count, twin_name
from migrate.errors import NotFoundError
from migrate.workflows.gate import watch
from migrate.workflows.judged import Judged, deployed
from migrate.workflows.lost_twin import find_again, named, taken
from migrate.workflows.work import Deployed, Work


def by_twin(work: Work) -> Judged:
    """Go on from the phase that is on record: each is written down before its step is taken."""
    service = work.journal.look("read service", work.service)
    if work.record.twin is None:
        if service.task_definition_arn == work.record.arm64_task_definition_arn:
            # The service has moved, and its twin is gone again: only the proof is left.
            return deployed(work, Stage.ARCHITECTURE)
        _put_on_record(work, service)
    else:
        find_again(work)
    if _phase(work) is TwinPhase.ALONE:
        judged = _twin_proven(work)
        if judged is not None:
            return judged
        if work.settings.architecture is ArchitectureMode.MIXED:
            return deployed(work, Stage.ARCHITECTURE, step=", the service beside its twin")
        _enter(work, TwinPhase.BESIDE)
    if _phase(work) is TwinPhase.BESIDE:
        judged = deployed(work, Stage.ARCHITECTURE, step=", the service follows")
        assessment = _watched(work, "gate 2, the service", judged.expectation)
        if assessment.verdict is not Verdict.PASS:
            return replace(judged, assessment=assessment)
        _enter(work, TwinPhase.LEAVING)
    judged = deployed(work, Stage.ARCHITECTURE, step=", the twin goes")
    # What ran beside the twin for a whole soak now takes the twin's share: one more look at everything.
    return replace(judged, assessment=_watched(work, "gate 2, without the twin", judged.expectation, timedelta(0)))


def _phase(work: Work) -> TwinPhase:
    return work.record.twin.phase if work.record.twin is not None else TwinPhase.LEAVING


def _enter(work: Work, phase: TwinPhase) -> None:
    if work.record.twin is not None:
        work.remember(replace(work.record, twin=replace(work.record.twin, phase=phase)))


def _put_on_record(work: Work, service: Service) -> None:
    """Write down which twin is to be made. Raises BlockedError where its name is taken."""
    twin = Twin(twin_name(service.name), twin_count(service.desired_count, work.settings.canary_share))
    namesake = work.journal.look("twin's name", lambda: named(work, twin.name))
    if namesake is not None:
        raise taken(twin, namesake)
    work.remember(replace(work.record, twin=twin))


def _twin_proven(work: Work) -> Judged | None:
    """Make the twin and judge it; return None once it is proven, and how the stage ends where it is not."""
    desired = desired_state(work.record, work.settings, Stage.ARCHITECTURE)
    done = work.up_service("stage 2 service stack, twin", desired, Act.SERVICE)
    expected = _expectation(work, done)
    assessment = _watched(work, "gate 2, twin", expected)
    if assessment.verdict is Verdict.PASS:
        return None
    twin = work.record.twin
    told = f"the twin {twin.name if twin else ''} did not prove itself; the service itself was not touched"
    return Judged(expected, replace(assessment, reasons=(told, *assessment.reasons)))


def _expectation(work: Work, done: Deployed) -> Expectation:
    twin, settings = work.record.twin, work.settings
    arn = twin.arn if twin is not None else None
    revision = work.record.arm64_task_definition_arn
    if arn is None or revision is None:
        raise NotFoundError(
            "The service stack does not tell which twin it made.",
            why="It has no output twin_arn.",
            then="Run `migrate stack service -- stack output` and look for twin_arn.",
        )
    service = work.journal.look("read twin", lambda: work.runtime.services.service(settings.service.cluster, arn))
    return replace(
        work.expectation(done),
        service=arn,
        beside=work.record.baseline.service.arn,
        deployment_id=service.primary.id if service.primary else "",
        task_definition_arn=revision,
        architecture=Architecture.ARM64,
        digests=expected_digests(work.record, settings, Stage.ARCHITECTURE, Architecture.ARM64),
    )


def _watched(work: Work, step: str, expected: Expectation, soak: timedelta | None = None) -> Assessment:
    gate = work.gate if soak is None else replace(work.gate, soak=soak)
    return watch(work.runtime, work.journal, step, expected, gate)
