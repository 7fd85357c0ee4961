from __future__ import annotations

from datetime import timedelta

import pytest

from migrate.core.gate.gate import Assessment, GateState, Measurement, Outcome, Sample, Verdict, assess, soak_left
from migrate.core.settings import GateSettings
from tests.fakes.records import NOON

GATE = GateSettings(
    interval=timedelta(seconds=15), soak=timedelta(minutes=1), deadline=timedelta(minutes=10), error_limit=2
)


def sample(seconds: float, *outcomes: Outcome, final: bool = False) -> Sample:
    made = (Measurement(f"check-{n}", item, f"{item} text", "gates#x", final=final) for n, item in enumerate(outcomes))
    return Sample(NOON + timedelta(seconds=seconds), tuple(made))


def watched(*samples: Sample, gate: GateSettings = GATE) -> list[Assessment]:
    state, seen = GateState(NOON), []
    for item in samples:
        seen.append(assess(state, item, gate))
        state = seen[-1].state
    return seen


def verdicts(*samples: Sample, gate: GateSettings = GATE) -> list[Verdict | None]:
    return [item.verdict for item in watched(*samples, gate=gate)]


PASS, WAITING, FAIL = Outcome.PASS, Outcome.WAITING, Outcome.FAIL
ERROR, INCONCLUSIVE = Outcome.ERROR, Outcome.INCONCLUSIVE


def test_c57_waiting_that_is_overdue_fails_only_where_the_way_back_keeps_what_is_good() -> None:
    lacking = Measurement("capacity", WAITING, "no capacity", "gates#no-capacity", overdue=Verdict.FAIL)
    late = NOON + GATE.deadline
    assert assess(GateState(NOON), Sample(late, (lacking,)), GATE).verdict is Verdict.FAIL
    assert assess(GateState(NOON), Sample(late - GATE.interval, (lacking,)), GATE).verdict is None
    assert verdicts(sample(GATE.deadline.total_seconds(), WAITING)) == [Verdict.INCONCLUSIVE]


def test_a_gate_passes_only_after_the_whole_soak() -> None:
    assert verdicts(sample(0, PASS), sample(59, PASS), sample(60, PASS)) == [None, None, Verdict.PASS]


def test_a_check_that_stops_passing_starts_the_soak_again() -> None:
    seen = verdicts(sample(0, PASS), sample(50, WAITING), sample(60, PASS), sample(119, PASS), sample(120, PASS))
    assert seen == [None, None, None, None, Verdict.PASS]


def test_without_a_soak_one_good_sample_passes() -> None:
    assert verdicts(sample(0, PASS), gate=GateSettings(soak=timedelta(0))) == [Verdict.PASS]


def test_no_measurement_at_all_is_no_data_and_never_passes() -> None:
    quick = GateSettings(soak=timedelta(0), deadline=timedelta(minutes=1))
    assert verdicts(sample(0), sample(60), gate=quick) == [None, Verdict.INCONCLUSIVE]


@pytest.mark.parametrize("outcome", [item for item in Outcome if item is not PASS])
def test_nothing_but_a_pass_counts_as_one(outcome: Outcome) -> None:
    seen = verdicts(sample(0, PASS, outcome), gate=GateSettings(soak=timedelta(0), failure_limit=9))
    assert Verdict.PASS not in seen


def test_one_failure_fails_a_gate_without_a_limit() -> None:
    assert verdicts(sample(0, PASS, FAIL)) == [Verdict.FAIL]


def test_failures_are_counted_by_check_and_over_the_whole_gate() -> None:
    lenient = GateSettings(failure_limit=1, soak=timedelta(hours=1), deadline=timedelta(hours=2))
    apart = verdicts(sample(0, FAIL, PASS), sample(15, PASS, FAIL), gate=lenient)
    assert apart == [None, None]
    again = verdicts(sample(0, FAIL), sample(15, PASS), sample(30, FAIL), gate=lenient)
    assert again == [None, None, Verdict.FAIL]


def test_a_final_failure_does_not_wait_for_the_limit() -> None:
    assert verdicts(sample(0, FAIL, final=True), gate=GateSettings(failure_limit=9)) == [Verdict.FAIL]


def test_errors_count_only_in_a_row() -> None:
    broken = [sample(0, ERROR), sample(15, ERROR), sample(30, PASS), sample(45, ERROR), sample(60, ERROR)]
    assert verdicts(*broken) == [None] * 5
    assert verdicts(*broken, sample(75, ERROR))[-1] is Verdict.ERROR


def test_a_failure_outweighs_errors_and_what_cannot_be_decided() -> None:
    assert verdicts(sample(0, FAIL, INCONCLUSIVE), gate=GateSettings(error_limit=0)) == [Verdict.FAIL]
    assert verdicts(sample(0, FAIL, ERROR), gate=GateSettings(error_limit=0)) == [Verdict.FAIL]


def test_what_waiting_cannot_decide_ends_the_gate_at_once() -> None:
    assert verdicts(sample(0, INCONCLUSIVE, final=True)) == [Verdict.INCONCLUSIVE]
    assert verdicts(sample(0, INCONCLUSIVE)) == [None]


def test_c57_the_deadline_leaves_a_rollout_undecided_not_failed() -> None:
    last = watched(sample(0, WAITING), sample(599, WAITING), sample(600, WAITING))
    assert [item.verdict for item in last] == [None, None, Verdict.INCONCLUSIVE]
    assert last[-1].reasons == ("check-0: waiting text",)


def test_a_deadline_within_the_soak_says_so() -> None:
    short = GateSettings(soak=timedelta(minutes=5), deadline=timedelta(minutes=1))
    last = watched(sample(0, PASS), sample(60, PASS), gate=short)[-1]
    assert (last.verdict, last.reasons) == (Verdict.INCONCLUSIVE, ("the deadline came before the soak was over",))


def test_a_soak_that_ends_at_the_deadline_passes() -> None:
    exact = GateSettings(soak=timedelta(minutes=1), deadline=timedelta(minutes=1))
    assert verdicts(sample(0, PASS), sample(60, PASS), gate=exact) == [None, Verdict.PASS]


def test_the_reasons_name_what_decided() -> None:
    assert watched(sample(0, PASS, FAIL))[0].reasons == ("check-1: fail text",)


def test_the_soak_that_is_left_is_told_only_while_everything_passes() -> None:
    first, second = watched(sample(0, PASS), sample(45, WAITING))
    assert soak_left(first.state, NOON + timedelta(seconds=45), GATE) == 15
    assert soak_left(first.state, NOON + timedelta(hours=1), GATE) == 0
    assert soak_left(second.state, NOON + timedelta(seconds=45), GATE) is None
