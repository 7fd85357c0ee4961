"""What the operator's own checks answered, and what it comes to."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from migrate.core.conditions import parse_condition
from migrate.core.gate.answers import CommandEnd, ProbeAnswer, Series, WebhookAnswer
from migrate.core.gate.gate import Measurement, Outcome
from migrate.core.gate.own_checks import (
    MetricTimes,
    command_check,
    judged,
    metric_check,
    probe_check,
    prometheus_check,
    webhook_check,
)
from migrate.core.gate_checks import (
    BaselineComparison,
    CommandSource,
    CommandValue,
    Direction,
    GateCheck,
    MetricSource,
    ProbeSource,
    WebhookSource,
)
from tests.fakes.records import NOON

PASS, FAIL, WAITING = Outcome.PASS, Outcome.FAIL, Outcome.WAITING
INCONCLUSIVE, ERROR = Outcome.INCONCLUSIVE, Outcome.ERROR
MINUTE = timedelta(minutes=1)


def check(success: str | None = None, failure: str | None = None) -> GateCheck:
    return GateCheck(
        "of mine",
        CommandSource(("x",)),
        None if success is None else parse_condition(success),
        None if failure is None else parse_condition(failure),
    )


@pytest.mark.parametrize(
    ("success", "failure", "value", "outcome"),
    [
        ("< 5", None, 4, PASS),
        ("< 5", None, 5, FAIL),
        (None, "> 9", 9, PASS),
        (None, "> 9", 10, FAIL),
        ("< 5", "> 9", 7, INCONCLUSIVE),
        ("< 5", "> 9", 10, FAIL),
        ("> 1", "> 9", 10, FAIL),
        ("< 5", None, None, INCONCLUSIVE),
        (None, "> 9", math.nan, INCONCLUSIVE),
        (None, None, 1, INCONCLUSIVE),
    ],
)
def test_conditions_decide_as_in_argo_rollouts_and_no_data_never_passes(
    success: str | None, failure: str | None, value: float | None, outcome: Outcome
) -> None:
    assert judged(check(success, failure), value) is outcome


METRIC = MetricSource("Shop", "Errors", "Sum")
TIMES = MetricTimes(NOON - MINUTE, NOON, NOON + 20 * MINUTE, complete=True)


def series(values: dict[int, float]) -> Series:
    return tuple((NOON + minute * MINUTE, value) for minute, value in sorted(values.items()))


def measured(values: dict[int, float], times: MetricTimes = TIMES) -> Measurement:
    return metric_check(check("<= 1"), METRIC, series(values), times)


def test_the_newest_whole_value_since_the_rollout_counts() -> None:
    assert measured({1: 9, 2: 0}).outcome is PASS
    assert measured({1: 0, 2: 9}).outcome is FAIL
    assert measured({1: 0, 20: 9}).outcome is PASS, "the period that is not over yet may still grow"


def test_what_was_before_the_rollout_is_no_data() -> None:
    early = replace(TIMES, now=NOON + 2 * MINUTE)
    assert measured({-1: 0}, early).outcome is WAITING
    assert measured({-1: 0}).outcome is INCONCLUSIVE
    assert measured({2: math.nan}).outcome is INCONCLUSIVE


COMPARED = replace(METRIC, baseline=BaselineComparison(Direction.INCREASE))
BEFORE = {minute: 1 + (minute % 3) / 10 for minute in range(-30, -1)}


def compared(since: dict[int, float], source: MetricSource = COMPARED, times: MetricTimes = TIMES) -> Measurement:
    return metric_check(GateCheck("of mine", source), source, series(BEFORE | since), times)


def around(value: float, count: int = 10) -> dict[int, float]:
    return {minute: value + (minute % 3) / 10 for minute in range(1, count + 1)}


def test_a_metric_is_held_against_the_time_before_our_deployment() -> None:
    assert compared(around(1)).outcome is PASS
    worse = compared(around(2))
    assert worse.outcome is FAIL
    assert dict(worse.evidence)["effect"] == "1.000"
    assert "mean 2.1 since, 1.09655 before" in worse.text


def test_a_comparison_does_not_pass_while_old_and_new_tasks_run_together() -> None:
    rolling = replace(TIMES, complete=False)
    assert compared(around(1), times=rolling).outcome is WAITING
    assert compared(around(2), times=rolling).outcome is FAIL


def test_too_few_values_prove_nothing() -> None:
    early = replace(TIMES, now=NOON + 4 * MINUTE)
    assert compared(around(9, 3), times=early).outcome is WAITING
    assert compared(around(9, 4)).outcome is INCONCLUSIVE
    no_baseline = metric_check(GateCheck("of mine", COMPARED), COMPARED, series(around(1)), TIMES)
    assert no_baseline.outcome is INCONCLUSIVE


def test_no_data_fails_only_where_the_operator_says_so() -> None:
    critical = replace(METRIC, baseline=BaselineComparison(Direction.INCREASE, no_data_fails=True))
    assert compared({}).outcome is INCONCLUSIVE
    assert compared({}, critical).outcome is FAIL
    assert compared(around(1, 2), critical).outcome is INCONCLUSIVE


PROBE = ProbeSource("http://localhost/x?token=secret", status=(200, 204), contains="ok")


@pytest.mark.parametrize(
    ("answers", "outcome", "told"),
    [
        ((ProbeAnswer(200, 0.1), ProbeAnswer(204, 0.2)), PASS, "2 of 2 requests good, the slowest 0.200 s"),
        ((ProbeAnswer(200, 0.1), ProbeAnswer(503, 0.2)), FAIL, "1 of 2 requests"),
        ((ProbeAnswer(200, 0.1, contains=False),), FAIL, "the body does not contain 'ok'"),
        ((ProbeAnswer(None, 5, problem="no answer within 5 s"),), FAIL, "no answer within 5 s"),
        ((), INCONCLUSIVE, "nobody was asked"),
    ],
)
def test_every_request_of_a_probe_has_to_be_good(answers: tuple[ProbeAnswer, ...], outcome: Outcome, told: str) -> None:
    seen = probe_check(GateCheck("of mine", PROBE), PROBE, answers)
    assert seen.outcome is outcome
    assert told in seen.text
    assert "secret" not in seen.text


def test_a_probe_may_be_too_slow() -> None:
    assert probe_check(check("< 0.5"), PROBE, (ProbeAnswer(200, 0.1), ProbeAnswer(200, 0.6))).outcome is FAIL


@pytest.mark.parametrize(
    ("value", "end", "outcome"),
    [
        (CommandValue.EXIT_CODE, CommandEnd(0), PASS),
        (CommandValue.EXIT_CODE, CommandEnd(2), FAIL),
        (CommandValue.STDOUT, CommandEnd(0, " 1 \n"), PASS),
        (CommandValue.STDOUT, CommandEnd(0, '{"value": 2.5, "unit": "s"}'), FAIL),
        (CommandValue.STDOUT, CommandEnd(3, "0"), ERROR),
        (CommandValue.STDOUT, CommandEnd(0, "fine"), ERROR),
        (CommandValue.STDOUT, CommandEnd(0, "true"), ERROR),
        (CommandValue.STDOUT, CommandEnd(0, "NaN"), INCONCLUSIVE),
        (CommandValue.STDOUT, CommandEnd(0, ""), ERROR),
    ],
)
def test_a_command_is_judged_by_its_number(value: CommandValue, end: CommandEnd, outcome: Outcome) -> None:
    assert command_check(check("<= 1"), value, end).outcome is outcome


@pytest.mark.parametrize(
    ("success", "answer", "outcome"),
    [
        (None, WebhookAnswer("pass"), PASS),
        (None, WebhookAnswer("fail", text="no"), FAIL),
        (None, WebhookAnswer("inconclusive"), INCONCLUSIVE),
        (None, WebhookAnswer("error"), ERROR),
        (None, WebhookAnswer("sure"), ERROR),
        (None, WebhookAnswer("", 1.0), ERROR),
        ("< 1", WebhookAnswer("", 0.5), PASS),
        ("< 1", WebhookAnswer("pass", 1.5), FAIL),
        ("< 1", WebhookAnswer("pass"), INCONCLUSIVE),
        ("< 1", WebhookAnswer("fail", 0.5), FAIL),
    ],
)
def test_the_worse_of_verdict_and_value_counts(success: str | None, answer: WebhookAnswer, outcome: Outcome) -> None:
    asked = replace(check(success), source=WebhookSource("http://localhost"))
    assert webhook_check(asked, answer).outcome is outcome


@pytest.mark.parametrize(
    ("values", "outcome"),
    [((0.5,), PASS), ((0.5, 2.0), FAIL), ((), INCONCLUSIVE), ((math.nan,), INCONCLUSIVE), ((math.nan, 2.0), FAIL)],
)
def test_the_worst_element_of_a_query_counts(values: tuple[float, ...], outcome: Outcome) -> None:
    assert prometheus_check(check("< 1"), values).outcome is outcome
