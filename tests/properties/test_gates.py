"""Whatever is measured, in whatever order: a gate passes only on an unbroken soak of passes."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from migrate.core.gate.gate import Assessment, GateState, Measurement, Outcome, Sample, Verdict, assess, due
from migrate.core.gate_checks import GateCheck, PrometheusSource
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


# The operator's own checks: measured when they are due, each with limits of its own.

LIMITS = st.none() | st.integers(0, 2)
CHECKS = st.lists(
    st.builds(
        GateCheck,
        name=st.sampled_from(["errors", "latency"]),
        source=st.just(PrometheusSource("http://localhost", "up")),
        interval=st.none() | st.integers(1, 120).map(lambda seconds: timedelta(seconds=seconds)),
        count=st.integers(1, 3),
        initial_delay=st.integers(0, 60).map(lambda seconds: timedelta(seconds=seconds)),
        failure_limit=LIMITS,
        inconclusive_limit=LIMITS,
        error_limit=LIMITS,
    ),
    max_size=2,
    unique_by=lambda check: check.name,
)
GATES_WITH_CHECKS = st.builds(
    GateSettings,
    soak=st.integers(0, 120).map(lambda seconds: timedelta(seconds=seconds)),
    deadline=st.integers(1, 600).map(lambda seconds: timedelta(seconds=seconds)),
    failure_limit=st.integers(0, 2),
    error_limit=st.integers(0, 2),
    inconclusive_limit=LIMITS,
    checks=CHECKS.map(tuple),
)
WEIGHTED = st.sampled_from([*[Outcome.PASS] * 6, *Outcome])


def measured(name: str, outcome: Outcome, *, excused: bool = False) -> Measurement:
    return Measurement(name, outcome, "seen", "gates#x", excused=excused and outcome is Outcome.WAITING)


@st.composite
def runs(draw: st.DrawFn) -> tuple[GateSettings, list[Sample], list[Assessment]]:
    """Let a gate measure what is due, whatever comes, to its verdict."""
    gate, state, at = draw(GATES_WITH_CHECKS), GateState(NOON), NOON
    samples_seen, assessments = [], []
    for _ in range(draw(st.integers(1, 40))):
        own = tuple(measured(check.name, draw(WEIGHTED)) for check in due(state, gate, at))
        sample = Sample(at, (measured("tasks", draw(WEIGHTED), excused=draw(st.booleans())), *own))
        samples_seen.append(sample)
        assessments.append(assess(state, sample, gate))
        state = assessments[-1].state
        if assessments[-1].verdict is not None:
            break
        at += timedelta(seconds=draw(st.integers(1, 60)))
    return gate, samples_seen, assessments


@given(runs())
def test_no_gate_passes_with_a_check_that_is_unmet_or_did_not_pass_last(
    run: tuple[GateSettings, list[Sample], list[Assessment]],
) -> None:
    gate, seen, assessments = run
    if assessments[-1].verdict is not Verdict.PASS:
        return
    since = assessments[-1].state.passing_since
    assert since is not None
    assert seen[-1].at - since >= gate.soak
    soaked = [item for sample in seen if sample.at >= since for item in sample.measurements]
    assert all(item.outcome is Outcome.PASS or item.excused for item in soaked)
    for check in gate.checks:
        said = [item.outcome for item in soaked if item.check == check.name]
        assert said.count(Outcome.PASS) >= check.count
        assert set(said) == {Outcome.PASS}


@given(runs())
def test_limits_decide_at_once_and_only_when_they_are_exceeded(
    run: tuple[GateSettings, list[Sample], list[Assessment]],
) -> None:
    gate, seen, assessments = run
    for number, assessment in enumerate(assessments, 1):
        said = [item for sample in seen[:number] for item in sample.measurements]
        exceeded = False
        for name in {item.check for item in said}:
            own = next((check for check in gate.checks if check.name == name), None)
            limit = gate.failure_limit if own is None or own.failure_limit is None else own.failure_limit
            exceeded |= sum(item.check == name and item.outcome is Outcome.FAIL for item in said) > limit
        assert (assessment.verdict is Verdict.FAIL) == exceeded


@given(runs(), st.data())
def test_a_worse_measurement_never_turns_a_gate_to_a_pass(
    run: tuple[GateSettings, list[Sample], list[Assessment]], data: st.DataObject
) -> None:
    gate, seen, assessments = run
    before = assessments[-2].state if len(assessments) > 1 else GateState(NOON)
    which = data.draw(st.integers(0, len(seen[-1].measurements) - 1))
    worse = data.draw(st.sampled_from([item for item in Outcome if item is not Outcome.PASS]))
    changed = tuple(
        measured(item.check, worse) if number == which else item for number, item in enumerate(seen[-1].measurements)
    )
    assert assess(before, Sample(seen[-1].at, changed), gate).verdict is not Verdict.PASS
