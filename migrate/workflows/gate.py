"""Watching a gate: measure, assess, wait, until there is a verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_fixed

from migrate.core.evidence import EventKind
from migrate.core.gate.checks import Expectation
from migrate.core.gate.gate import (
    Assessment,
    GateState,
    Outcome,
    Sample,
    Verdict,
    assess,
    deadline_left,
    soak_left,
    standing,
    unmet,
)
from migrate.core.gate.kept_images import KeptImages, judge_gone
from migrate.core.gate.unseen import after_gap
from migrate.core.gate_checks import GateCheck
from migrate.core.image.index import ImageReference
from migrate.core.settings import GateSettings
from migrate.errors import MigrateError, NotFoundError
from migrate.workflows.journal import Journal, Remaining
from migrate.workflows.measure import measure
from migrate.workflows.runtime import Runtime


@dataclass(frozen=True, slots=True)
class _Looking:
    """What one look of a gate starts from: what it remembers, when it looked last, and how long it waits first."""

    state: GateState
    gate: GateSettings
    seen_at: datetime
    pause: timedelta


def watch(runtime: Runtime, journal: Journal, step: str, expected: Expectation, gate: GateSettings) -> Assessment:
    """Measure all checks every interval until the gate has a verdict; the deadline bounds it (core/gate/gate.py).

    Every sample is a durable step: a resumed run goes on with the soak it had.
    """
    gate = replace(gate, checks=_of_stage(gate, expected))
    begun = journal.look(f"{step}: begin", runtime.clock.now)
    state, seen_at, pause = GateState(started_at=begun), begun, timedelta(0)
    while True:
        look = partial(_measured, runtime, journal, step, expected, _Looking(state, gate, seen_at, pause))
        sample = journal.look(f"{step}: sample", look)
        state, gate = after_gap(state, gate, seen_at, sample.at)
        assessment = assess(state, sample, gate)
        state, seen_at, pause = assessment.state, sample.at, gate.interval
        if assessment.verdict is not None:
            break
    if assessment.verdict is Verdict.PASS and expected.images is not None:
        passed, images = assessment, expected.images
        last_looks = Retrying(
            retry=retry_if_result(lambda looked: looked.verdict is Verdict.ERROR),
            wait=wait_fixed(gate.interval),
            stop=stop_after_attempt(gate.error_limit + 1),
            sleep=lambda seconds: runtime.clock.sleep(timedelta(seconds=seconds)),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else passed,
        )
        assessment = journal.look(f"{step}: images", lambda: last_looks(_kept, runtime, images, passed))
    journal.durable.step(f"{step}: verdict", lambda: _tell(journal, step, assessment))
    return assessment


def _of_stage(gate: GateSettings, expected: Expectation) -> tuple[GateCheck, ...]:
    return tuple(check for check in gate.checks if not check.stages or expected.stage in check.stages)


def missing_images(runtime: Runtime, kept: KeptImages) -> tuple[str, ...]:
    """Return the digests that the registry no longer holds (cases C20, C30)."""
    return tuple(digest for digest in kept.digests if not _holds(runtime, kept.at(digest)))


def _holds(runtime: Runtime, reference: ImageReference) -> bool:
    try:
        runtime.registry.manifest(reference)
    except NotFoundError:
        return False
    return True


def _kept(runtime: Runtime, kept: KeptImages, passed: Assessment) -> Assessment:
    """Look once more at the end: an ``up``, or anybody, may have taken an image away (case C30)."""
    try:
        verdict, reasons = judge_gone(kept, missing_images(runtime, kept))
    except MigrateError as error:
        return replace(passed, verdict=Verdict.ERROR, reasons=(f"image: could not be read: {error}",))
    return passed if verdict is Verdict.PASS else replace(passed, verdict=verdict, reasons=reasons)


def _measured(runtime: Runtime, journal: Journal, step: str, expected: Expectation, looking: _Looking) -> Sample:
    """Wait for the interval after the last sample, and take one: a sample that is on record is not waited for again."""
    if looking.pause:
        runtime.clock.sleep(looking.pause)
    state, gate = after_gap(looking.state, looking.gate, looking.seen_at, runtime.clock.now())
    sample, heard = measure(runtime, expected, gate, state, journal.told)
    assessment = assess(state, sample, gate)
    soak = soak_left(assessment.state, sample.at, gate)
    left = Remaining(gate.soak.total_seconds(), soak, deadline_left(state, sample.at, gate))
    shown = replace(sample, measurements=standing(state, sample, gate))
    journal.sampled(step, shown, _line(shown, assessment, gate), left, heard)
    return sample


def _line(sample: Sample, assessment: Assessment, gate: GateSettings) -> str:
    left = soak_left(assessment.state, sample.at, gate)
    open_checks = [item for item in sample.measurements if item.outcome is not Outcome.PASS]
    if open_checks:
        return "; ".join(f"{item.check} {item.outcome}: {item.text}" for item in open_checks)
    if left is None:
        return f"{len(sample.measurements)} checks pass; waiting for {', '.join(unmet(assessment.state, gate))}"
    return f"all {len(sample.measurements)} checks pass; {left:.0f} s of soak left"


def _tell(journal: Journal, step: str, assessment: Assessment) -> None:
    text = f"{assessment.verdict}: {'; '.join(assessment.reasons)}"
    journal.write(EventKind.VERDICT, step, text, {"verdict": str(assessment.verdict), "reasons": assessment.reasons})
