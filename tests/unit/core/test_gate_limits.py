"""The operator's own checks in a gate, excused waits, and a rollout that stands still."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from migrate.core.gate.gate import (
    Assessment,
    GateState,
    Measurement,
    Outcome,
    Progress,
    Sample,
    Verdict,
    assess,
    due,
)
from migrate.core.gate_checks import GateCheck, PrometheusSource
from migrate.core.settings import GateSettings
from tests.fakes.records import NOON

PASS, WAITING, FAIL = Outcome.PASS, Outcome.WAITING, Outcome.FAIL
ERROR, INCONCLUSIVE = Outcome.ERROR, Outcome.INCONCLUSIVE
MINUTE = timedelta(minutes=1)


def gate(*, soak: int = 60, **check: Any) -> GateSettings:
    checks = (GateCheck("errors", PrometheusSource("http://localhost", "up"), **check),)
    return GateSettings(soak=timedelta(seconds=soak), deadline=timedelta(minutes=10), checks=checks)


def measured(name: str, outcome: Outcome, **more: Any) -> Measurement:
    return Measurement(name, outcome, f"{outcome} text", "gates#x", **more)


def run(settings: GateSettings, script: Mapping[int, tuple[Outcome, Outcome]]) -> list[Assessment]:
    """Play what tasks and the operator's check say at each second; the check is measured only when it is due."""
    state, seen = GateState(NOON), []
    for seconds, (tasks, own) in script.items():
        at = NOON + timedelta(seconds=seconds)
        checks = (measured("tasks", tasks), *(measured(check.name, own) for check in due(state, settings, at)))
        seen.append(assess(state, Sample(at, checks), settings))
        state = seen[-1].state
    return seen


def verdicts(settings: GateSettings, script: Mapping[int, tuple[Outcome, Outcome]]) -> list[Verdict | None]:
    return [item.verdict for item in run(settings, script)]


def always(outcome: Outcome, *seconds: int) -> dict[int, tuple[Outcome, Outcome]]:
    return dict.fromkeys(seconds, (PASS, outcome))


def test_a_gate_waits_for_a_check_that_has_not_begun() -> None:
    delayed = gate(initial_delay=2 * MINUTE)
    assert verdicts(delayed, always(PASS, 0, 60, 119, 120, 180)) == [None, None, None, None, Verdict.PASS]


def test_a_check_is_measured_at_its_own_interval_and_stands_in_between() -> None:
    slow = gate(interval=MINUTE)
    script = {0: (PASS, PASS), 30: (PASS, FAIL), 60: (PASS, PASS)}
    assert verdicts(slow, script) == [None, None, Verdict.PASS], "at second 30 nobody asked"
    assert verdicts(slow, {0: (PASS, WAITING), 30: (PASS, PASS), 60: (PASS, PASS), 120: (PASS, PASS)}) == [
        None,
        None,
        None,
        Verdict.PASS,
    ]


def test_as_many_measurements_as_asked_for_have_to_pass_since_the_soak_began() -> None:
    often = gate(count=3, soak=0)
    script = {0: (WAITING, PASS), 10: (WAITING, PASS), 20: (PASS, PASS), 30: (PASS, PASS), 40: (PASS, PASS)}
    assert verdicts(often, script) == [None] * 4 + [Verdict.PASS], "those of the old tasks do not count"
    broken = {0: (PASS, PASS), 10: (PASS, PASS), 20: (WAITING, PASS), 30: (PASS, PASS)}
    assert verdicts(often, broken) == [None] * 4, "those of a soak that was broken do not count either"


def test_a_deadline_that_comes_before_the_count_says_so() -> None:
    often = gate(count=9, interval=timedelta(minutes=5))
    last = run(often, always(PASS, 0, 600))[-1]
    assert (last.verdict, last.reasons[0]) == (
        Verdict.INCONCLUSIVE,
        "errors: it did not pass as often as it has to",
    )


def test_a_check_has_limits_of_its_own() -> None:
    assert verdicts(gate(), always(FAIL, 0)) == [Verdict.FAIL]
    assert verdicts(gate(failure_limit=1), always(FAIL, 0, 10)) == [None, Verdict.FAIL]
    assert verdicts(gate(error_limit=1), always(ERROR, 0, 10)) == [None, Verdict.ERROR]
    assert verdicts(gate(), always(INCONCLUSIVE, 0, 10)) == [None, None]
    assert verdicts(gate(inconclusive_limit=1), always(INCONCLUSIVE, 0, 10)) == [None, Verdict.INCONCLUSIVE]


def test_a_failure_that_is_allowed_starts_the_soak_again() -> None:
    script = {0: (PASS, PASS), 50: (PASS, FAIL), 60: (PASS, PASS), 119: (PASS, PASS), 120: (PASS, PASS)}
    assert verdicts(gate(failure_limit=1), script) == [None] * 4 + [Verdict.PASS]


SIMPLE = GateSettings(soak=MINUTE, deadline=timedelta(minutes=30), progress_deadline=timedelta(minutes=5))


def test_an_excused_wait_neither_passes_nor_breaks_the_soak() -> None:
    state, seen = GateState(NOON), []
    for seconds, outcome in ((0, PASS), (30, WAITING), (60, WAITING), (70, PASS)):
        wait = measured("tasks", outcome, excused=outcome is WAITING)
        seen.append(assess(state, Sample(NOON + timedelta(seconds=seconds), (wait,)), SIMPLE))
        state = seen[-1].state
    assert [item.verdict for item in seen] == [None, None, None, Verdict.PASS]


def test_an_excuse_of_one_check_excuses_no_other() -> None:
    both = (measured("tasks", WAITING, excused=True), measured("targets", WAITING))
    first = assess(GateState(NOON), Sample(NOON, (measured("tasks", PASS),)), SIMPLE)
    assert assess(first.state, Sample(NOON + MINUTE / 2, both), SIMPLE).state.passing_since is None


def rollout(*steps: tuple[int, Progress]) -> Assessment:
    state = GateState(NOON)
    assessment = Assessment(state, None)
    for minutes, progress in steps:
        sample = Sample(NOON + minutes * MINUTE, (measured("deployment", WAITING),), progress)
        assessment = assess(assessment.state, sample, SIMPLE)
    return assessment


def progress(ours: int, others: int = 4, desired: int = 4, *, complete: bool = False) -> Progress:
    return Progress(ours, others, desired, complete)


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        (((0, progress(1)), (5, progress(1))), Verdict.INCONCLUSIVE),
        (((0, progress(1)), (4, progress(2)), (8, progress(2))), None),
        (((0, progress(1)), (4, progress(1, others=3)), (8, progress(1, others=3))), None),
        (
            ((0, progress(0)), (2, progress(1)), (4, progress(0)), (6, progress(1)), (7, progress(1))),
            Verdict.INCONCLUSIVE,
        ),
        (
            ((0, progress(2)), (2, progress(1, others=3)), (4, progress(2, others=3)), (7, progress(2, others=3))),
            Verdict.INCONCLUSIVE,
        ),
        (((0, progress(1)), (4, progress(1, desired=8)), (8, progress(1, desired=8))), None),
        (((0, progress(4, 0, complete=True)), (9, progress(4, 0, complete=True))), None),
    ],
    ids=[
        "still",
        "a new task",
        "an old one gone",
        "crash and start again",
        "back to where it was",
        "scaled",
        "complete",
    ],
)
def test_a_rollout_that_stands_still_is_given_up(
    steps: tuple[tuple[int, Progress], ...], verdict: Verdict | None
) -> None:
    assert rollout(*steps).verdict is verdict


def test_standing_still_says_what_runs() -> None:
    told = rollout((0, progress(1, others=3)), (5, progress(1, others=3))).reasons[0]
    assert "no progress for 300 s: 1 of 4 tasks of our deployment run, 3 of others" in told
