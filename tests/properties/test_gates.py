"""Whatever is measured, in whatever order: a gate passes only on an unbroken soak of passes."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from migrate.core.gates import Assessment, GateState, Measurement, Outcome, Sample, Verdict, assess
from migrate.core.settings import GateSettings
from tests.fakes.records import NOON

MEASUREMENTS = st.builds(
    Measurement,
    check=st.sampled_from(["deployment", "tasks", "alarms"]),
    outcome=st.sampled_from(Outcome),
    text=st.just("seen"),
    runbook=st.just("gates#x"),
    final=st.booleans(),
)
GATES = st.builds(
    GateSettings,
    soak=st.integers(0, 120).map(lambda seconds: timedelta(seconds=seconds)),
    deadline=st.integers(1, 600).map(lambda seconds: timedelta(seconds=seconds)),
    failure_limit=st.integers(0, 2),
    error_limit=st.integers(0, 2),
)


@st.composite
def samples(draw: st.DrawFn) -> list[Sample]:
    at, made = NOON, []
    for _ in range(draw(st.integers(1, 30))):
        at += timedelta(seconds=draw(st.integers(1, 60)))
        checks = draw(st.lists(MEASUREMENTS, max_size=3, unique_by=lambda item: item.check))
        made.append(Sample(at, tuple(checks)))
    return made


def watched(seen: list[Sample], gate: GateSettings) -> list[Assessment]:
    state, assessments = GateState(NOON), []
    for sample in seen:
        assessments.append(assess(state, sample, gate))
        state = assessments[-1].state
        if assessments[-1].verdict is not None:
            break
    return assessments


@given(samples(), GATES)
def test_a_pass_is_an_unbroken_soak_with_data(seen: list[Sample], gate: GateSettings) -> None:
    assessments = watched(seen, gate)
    if assessments[-1].verdict is not Verdict.PASS:
        return
    last = seen[len(assessments) - 1]
    soaked = [sample for sample in seen[: len(assessments)] if last.at - sample.at <= gate.soak]
    assert all(sample.measurements for sample in soaked)
    assert all(item.outcome is Outcome.PASS for sample in soaked for item in sample.measurements)


@given(samples(), GATES)
def test_a_gate_that_goes_on_is_never_past_its_deadline(seen: list[Sample], gate: GateSettings) -> None:
    for sample, assessment in zip(seen, watched(seen, gate), strict=False):
        if assessment.verdict is None:
            assert sample.at - NOON < gate.deadline


@given(samples(), GATES)
def test_a_failure_needs_a_failing_measurement_and_an_error_an_unread_one(
    seen: list[Sample], gate: GateSettings
) -> None:
    assessments = watched(seen, gate)
    outcomes = {item.outcome for sample in seen[: len(assessments)] for item in sample.measurements}
    needed = {Verdict.FAIL: Outcome.FAIL, Verdict.ERROR: Outcome.ERROR}
    verdict = assessments[-1].verdict
    assert verdict not in needed or needed[verdict] in outcomes


@given(samples(), GATES)
def test_the_order_of_checks_within_a_sample_does_not_matter(seen: list[Sample], gate: GateSettings) -> None:
    shuffled = [Sample(sample.at, tuple(reversed(sample.measurements))) for sample in seen]
    assert [item.verdict for item in watched(seen, gate)] == [item.verdict for item in watched(shuffled, gate)]
