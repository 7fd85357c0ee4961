"""Judges the checks that an operator added to a gate: from what they answered to measurements."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from migrate.core.gate.answers import CommandEnd, ProbeAnswer, Series, WebhookAnswer
from migrate.core.gate.gate import Measurement, Outcome
from migrate.core.gate.metric_judge import Comparison, compare
from migrate.core.gate.readings import Limit, Reading, reading
from migrate.core.gate_checks import BaselineComparison, CommandValue, Direction, GateCheck, MetricSource, ProbeSource

_WORST = (Outcome.ERROR, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WAITING, Outcome.PASS)
_PERIODS_UNTIL_DATA = 5
"""How many periods CloudWatch may take until a metric shows up (CloudWatch user guide, "Metrics concepts")."""
_SHOWN = 500


@dataclass(frozen=True, slots=True)
class MetricTimes:
    """Times that split a series: ``deployed`` when our deployment was made, ``since`` what counts as after it.

    ``complete`` says that the rollout is over: before that the values are those of old and new tasks together.
    """

    deployed: datetime
    since: datetime
    now: datetime
    complete: bool


@dataclass(frozen=True, slots=True)
class _Sides:
    """The words for what is compared; ``grows`` where both sides get new values while the gate waits."""

    base: str
    now: str
    worse: str
    not_worse: str
    grows: bool = False


_BEFORE = _Sides("before", "since", "changed for the worse", "not worse than before")
_SERVICE = _Sides("of the service", "of the twin", "worse than the service", "not worse than the service", grows=True)


def judged(check: GateCheck, value: float | None) -> Outcome:
    """Judge a value by the conditions; no value, or none that is a number, is a doubt and never a pass.

    As in Argo Rollouts: the failure condition comes first; with both, a value that fulfils neither is inconclusive.
    """
    if value is None or math.isnan(value):
        return Outcome.INCONCLUSIVE
    if check.failure is not None and check.failure.holds(value):
        return Outcome.FAIL
    if check.success is None:
        return Outcome.PASS if check.failure is not None else Outcome.INCONCLUSIVE
    if check.success.holds(value):
        return Outcome.PASS
    return Outcome.FAIL if check.failure is None else Outcome.INCONCLUSIVE


def metric_check(
    check: GateCheck, source: MetricSource, series: Series, times: MetricTimes, beside: Series | None = None
) -> Measurement:
    """Judge a metric: its newest value against the conditions, or all since the rollout against the time before.

    ``beside`` is the same metric of the service that a twin is compared with, which then takes the place of the former.
    """
    current = _since(series, source, times)
    if isinstance(source.baseline, BaselineComparison):
        if beside is not None:
            there = [value for _, value in _since(beside, source, times)]
            return _compared(check, source, there, [value for _, value in current], times, _SERVICE)
        before = _baseline(series, source.baseline, times)
        return _compared(check, source, before, [value for _, value in current], times)
    if not current:
        return _no_data(check, source, times)
    at, value = current[-1]
    text = f"{source.metric} {source.statistic} is {value:g} at {at:%H:%M:%S}{_wanted(check)}"
    return Measurement(
        check.name,
        judged(check, value),
        text,
        "gates#metrics",
        (("value", f"{value:g}"),),
        reading=_read(check, value),
    )


def _since(series: Series, source: MetricSource, times: MetricTimes) -> Series:
    return tuple(
        (at, value) for at, value in series if at >= times.since and at + source.period <= times.now and _number(value)
    )


def _baseline(series: Series, rule: BaselineComparison, times: MetricTimes) -> list[float]:
    begin = times.deployed - rule.window
    return [value for at, value in series if begin <= at < times.deployed and _number(value)]


def _compared(
    check: GateCheck,
    source: MetricSource,
    before: list[float],
    now: list[float],
    times: MetricTimes,
    sides: _Sides = _BEFORE,
) -> Measurement:
    rule = source.baseline or BaselineComparison(Direction.EITHER)
    evidence: tuple[tuple[str, str], ...] = (
        (f"values {sides.base}", str(len(before))),
        (f"values {sides.now}", str(len(now))),
    )
    if min(len(before), len(now)) < rule.minimum:
        text = f"{len(now)} values {sides.now} and {len(before)} {sides.base}; {rule.minimum} of each are needed"
        patience = (rule.minimum + _PERIODS_UNTIL_DATA) * source.period
        waits = (sides.grows or len(before) >= rule.minimum) and times.now - times.since < patience
        missing = Outcome.FAIL if rule.no_data_fails and not now else Outcome.INCONCLUSIVE
        outcome = Outcome.WAITING if waits else missing
        return Measurement(check.name, outcome, text, "gates#metrics", evidence)
    result = compare(before, now, rule)
    evidence += (
        (f"mean {sides.base}", f"{result.baseline_mean:g}"),
        (f"mean {sides.now}", f"{result.current_mean:g}"),
        ("U", f"{result.test.statistic:g}"),
        ("p", f"{result.test.p_value:.4g}"),
        ("effect", f"{result.test.effect:.3f}"),
    )
    means = f"mean {result.current_mean:g} {sides.now}, {result.baseline_mean:g} {sides.base}"
    detail = f"{means} (Mann-Whitney p {result.test.p_value:.2g}, effect {result.test.effect:.2f})"
    outcome, text = Outcome.PASS, f"{sides.not_worse}: {detail}"
    if result.is_worse:
        outcome, text = Outcome.FAIL, f"{sides.worse}: {detail}"
    elif not times.complete:
        outcome, text = Outcome.WAITING, f"not worse yet, and the rollout is under way: {detail}"
    measured = Reading(result.current_mean, _tolerated(rule, result))
    return Measurement(check.name, outcome, text, "gates#metrics", evidence, reading=measured)


def _tolerated(rule: BaselineComparison, result: Comparison) -> tuple[Limit, ...]:
    """Return how far the mean may go; beyond it, only a difference that is sure counts as worse."""
    most = rule.tolerance * abs(result.baseline_mean)
    above = Limit("<=", result.baseline_mean + most)
    below = Limit(">=", result.baseline_mean - most)
    return {Direction.INCREASE: (above,), Direction.DECREASE: (below,), Direction.EITHER: (below, above)}[
        rule.direction
    ]


def _no_data(check: GateCheck, source: MetricSource, times: MetricTimes) -> Measurement:
    text = f"{source.namespace} {source.metric} has no value since {times.since:%H:%M:%S}"
    early = times.now - times.since < _PERIODS_UNTIL_DATA * source.period
    outcome = Outcome.WAITING if early else Outcome.INCONCLUSIVE
    return Measurement(check.name, outcome, text, "gates#metrics")


def probe_check(check: GateCheck, source: ProbeSource, answers: Sequence[ProbeAnswer]) -> Measurement:
    """Judge HTTP answers: every one has to be good; with conditions, the slowest one's seconds as well."""
    if not answers:
        return Measurement(check.name, Outcome.INCONCLUSIVE, "nobody was asked", "gates#probes")
    wrong = [told for told in (_wrong(source, answer) for answer in answers) if told]
    slowest = max(answer.seconds for answer in answers)
    evidence = tuple(
        (f"answer {number}", f"{item.status or item.problem} in {item.seconds:.3f} s")
        for number, item in enumerate(answers, 1)
    )
    if wrong:
        # The query of a URL may hold what is not to be shown.
        shown = source.url.partition("?")[0]
        text = f"{len(wrong)} of {len(answers)} requests to {shown} were not good: {wrong[0]}"
        return Measurement(check.name, Outcome.FAIL, text, "gates#probes", evidence)
    timed = check.success is not None or check.failure is not None
    outcome = judged(check, slowest) if timed else Outcome.PASS
    text = f"{len(answers)} of {len(answers)} requests good, the slowest {slowest:.3f} s{_wanted(check)}"
    return Measurement(check.name, outcome, text, "gates#probes", evidence, reading=_read(check, slowest))


def _wrong(source: ProbeSource, answer: ProbeAnswer) -> str:
    if answer.status is None:
        return answer.problem or "no answer"
    if source.status and answer.status not in source.status:
        return f"status {answer.status}, expected {' or '.join(map(str, source.status))}"
    return "" if answer.contains else f"the body does not contain {source.contains!r}"


def command_check(check: GateCheck, value: CommandValue, end: CommandEnd) -> Measurement:
    """Judge a command by its exit code, or by the number that it printed; then any other exit than 0 is an error."""
    evidence = (
        ("exit code", str(end.exit_code)),
        ("stdout", end.stdout[:_SHOWN].strip()),
        ("stderr", end.stderr[:_SHOWN].strip()),
    )
    if value is CommandValue.EXIT_CODE:
        text = f"exit code {end.exit_code}{_wanted(check)}"
        outcome, measured = judged(check, end.exit_code), _read(check, end.exit_code)
        return Measurement(check.name, outcome, text, "gates#commands", evidence, reading=measured)
    if end.exit_code:
        text = f"it ended with exit code {end.exit_code} and measured nothing"
        return Measurement(check.name, Outcome.ERROR, text, "gates#commands", evidence)
    number = printed_number(end.stdout)
    if number is None:
        text = "it printed no JSON number"
        return Measurement(check.name, Outcome.ERROR, text, "gates#commands", evidence)
    text = f"value {number:g}{_wanted(check)}"
    outcome, measured = judged(check, number), _read(check, number)
    return Measurement(check.name, outcome, text, "gates#commands", evidence, reading=measured)


def printed_number(text: str) -> float | None:
    """Return the number of a JSON text: a number itself, or an object's ``value``; None where it is neither."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    value = found.get("value") if isinstance(found, dict) else found
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def webhook_check(check: GateCheck, answer: WebhookAnswer) -> Measurement:
    """Judge a webhook by its verdict and, where there are conditions, by its value; the worse of both counts."""
    evidence = (("verdict", answer.verdict or "none"), ("value", _shown(answer.value)))
    outcomes = []
    if answer.verdict:
        outcomes.append(_VERDICTS.get(answer.verdict, Outcome.ERROR))
    if check.success is not None or check.failure is not None:
        outcomes.append(judged(check, answer.value))
    if not outcomes:
        text = "it answered with no verdict, and there is no condition for a value"
        return Measurement(check.name, Outcome.ERROR, text, "gates#webhooks", evidence)
    said = f"verdict {answer.verdict}" if answer.verdict else f"value {_shown(answer.value)}"
    text = f"{said}{_wanted(check)}{f': {answer.text[:_SHOWN]}' if answer.text else ''}"
    return Measurement(
        check.name, _worst(outcomes), text, "gates#webhooks", evidence, reading=_read(check, answer.value)
    )


_VERDICTS = {
    "pass": Outcome.PASS,
    "fail": Outcome.FAIL,
    "inconclusive": Outcome.INCONCLUSIVE,
}


def prometheus_check(check: GateCheck, values: Sequence[float]) -> Measurement:
    """Judge every element of the answer; the worst one counts, and an empty answer is no data."""
    if not values:
        return Measurement(check.name, Outcome.INCONCLUSIVE, "the query has no result: no data", "gates#prometheus")
    outcomes = [judged(check, value) for value in values]
    outcome = _worst(outcomes)
    shown = ", ".join(_shown(value) for value in values[:5])
    text = f"value {shown}{_wanted(check)}"
    evidence = (("values", shown), ("count", str(len(values))))
    worst = values[outcomes.index(outcome)]
    return Measurement(check.name, outcome, text, "gates#prometheus", evidence, reading=_read(check, worst))


def _read(check: GateCheck, value: float | None) -> Reading | None:
    return reading(value, check.success, check.failure)


def _worst(outcomes: Sequence[Outcome]) -> Outcome:
    return min(outcomes, key=_WORST.index)


def _shown(value: float | None) -> str:
    return "no data" if value is None or math.isnan(value) else f"{value:g}"


def _wanted(check: GateCheck) -> str:
    told = [f"good is {check.success.text}"] if check.success else []
    told += [f"bad is {check.failure.text}"] if check.failure else []
    return f" ({', '.join(told)})" if told else ""


def _number(value: float) -> bool:
    return math.isfinite(value)
