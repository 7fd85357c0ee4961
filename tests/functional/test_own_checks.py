"""The operator's own checks in whole stages: each kind rolls a stage back, and none passes without data."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from migrate.core.conditions import parse_condition
from migrate.core.evidence import EventKind
from migrate.core.gate.answers import CommandEnd, ProbeAnswer, WebhookAnswer
from migrate.core.gate.gate import Verdict
from migrate.core.gate_checks import (
    BUILT_IN,
    BaselineComparison,
    CheckSource,
    CommandSource,
    Direction,
    GateCheck,
    MetricSource,
    ProbeSource,
    PrometheusSource,
    WebhookSource,
)
from migrate.core.settings import ArchitectureMode
from migrate.core.stages import Position, Stage
from migrate.errors import AccessError, ExitCode
from tests.fakes.check_sources import FakeProbes
from tests.fakes.migration import Operator

MINUTE = timedelta(minutes=1)
FEW = parse_condition("<= 1")
METRIC = MetricSource("Shop", "Errors", "Sum")
COMPARED = MetricSource("Shop", "Latency", "Average", baseline=BaselineComparison(Direction.INCREASE))
SOURCES: dict[str, CheckSource] = {
    "metric": METRIC,
    "comparison": COMPARED,
    "probe": ProbeSource("http://localhost/", status=(200,)),
    "command": CommandSource(("smoke",)),
    "webhook": WebhookSource("http://localhost/"),
    "prometheus": PrometheusSource("http://localhost", "up"),
}


def checked(kind: str, **more: object) -> GateCheck:
    plain = kind in {"comparison", "probe", "webhook"}
    return GateCheck("of mine", SOURCES[kind], None if plain else FEW, **more)  # type: ignore[arg-type] # by name


def operator_with(*checks: GateCheck, reached: int = 1) -> Operator:
    """Return an operator at a stage, with metrics that are well since an hour and go on being well for one."""
    operator = Operator.of().reach(reached)
    operator.gate(checks=checks)
    now = operator.world.clock.now().replace(second=0)
    for minute in range(-120, 120):
        wave = (minute % 7) / 100
        operator.sources.metrics.values.setdefault("Errors", []).append((now + minute * MINUTE, 0.0))
        operator.sources.metrics.values.setdefault("Latency", []).append((now + minute * MINUTE, 0.2 + wave))
    return operator


def metrics_turn_bad(operator: Operator) -> None:
    now = operator.world.clock.now()
    for series in operator.sources.metrics.values.values():
        series[:] = [(at, value + 5 if at > now else value) for at, value in series]


def probe_fails(operator: Operator) -> None:
    operator.sources.probes.answer = ProbeAnswer(503, 0.02)


def command_fails(operator: Operator) -> None:
    operator.sources.commands.end = CommandEnd(2, stderr="no route")


def webhook_says_no(operator: Operator) -> None:
    operator.sources.webhooks.answer = WebhookAnswer("fail", text="the desk says no")


def query_is_high(operator: Operator) -> None:
    operator.sources.prometheus.result = (0.5, 7.0)


FAILURES: dict[str, Callable[[Operator], None]] = {
    "metric": metrics_turn_bad,
    "comparison": metrics_turn_bad,
    "probe": probe_fails,
    "command": command_fails,
    "webhook": webhook_says_no,
    "prometheus": query_is_high,
}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_stage_passes_with_a_check_that_is_well(kind: str) -> None:
    operator = operator_with(checked(kind))
    assert operator.apply(2).exit_code is ExitCode.DONE


@pytest.mark.parametrize("stage", [1, 2, 3])
@pytest.mark.parametrize("kind", SOURCES)
def test_a_check_that_fails_in_the_soak_rolls_its_stage_back_and_is_told(kind: str, stage: int) -> None:
    operator = operator_with(checked(kind), reached=stage - 1)
    operator.gate(soak=timedelta(minutes=12))
    before = operator.status()
    operator.world.clock.after(timedelta(minutes=4), partial(FAILURES[kind], operator))
    outcome = operator.apply(stage)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert any(reason.startswith("of mine: ") for reason in outcome.reasons)
    assert operator.verdicts() == [Verdict.FAIL, Verdict.PASS], "a way back is not judged by it"
    after = operator.status()
    assert (after.revision, after.split, after.architectures) == (before.revision, before.split, before.architectures)


@pytest.mark.parametrize("kind", ["metric", "comparison", "prometheus"])
def test_no_data_never_passes_and_undoes_nothing(kind: str) -> None:
    operator = operator_with(checked(kind))
    operator.sources.metrics.values.clear()
    operator.sources.prometheus.result = ()
    outcome = operator.apply(2)
    assert (outcome.exit_code, operator.verdicts()) == (ExitCode.HELD, [Verdict.INCONCLUSIVE])
    assert operator.record.position == Position(Stage.IMAGE, entered=Stage.ARCHITECTURE)


def test_what_was_measured_while_the_rollout_ran_is_no_data_for_the_soak() -> None:
    operator = operator_with(checked("metric"))
    operator.world.demo.pace.start = timedelta(minutes=6)
    silence = operator.world.clock.now() + 6 * MINUTE
    series = operator.sources.metrics.values["Errors"]
    series[:] = [(at, value) for at, value in series if at < silence]
    assert operator.apply(2).exit_code is ExitCode.HELD
    assert operator.verdicts() == [Verdict.INCONCLUSIVE]


def test_a_check_that_cannot_be_measured_for_long_holds_the_stage() -> None:
    operator = operator_with(checked("command", error_limit=1))
    operator.sources.commands.refusal = AccessError("It did not end.", then="Look.", runbook="gates#commands")
    outcome = operator.apply(2)
    assert (outcome.exit_code, operator.verdicts()) == (ExitCode.HELD, [Verdict.ERROR])


def test_a_check_of_other_stages_is_not_asked() -> None:
    operator = operator_with(checked("command", stages=(3,)))
    operator.sources.commands.end = CommandEnd(2)
    assert operator.apply(2).exit_code is ExitCode.DONE
    assert operator.sources.commands.told == []
    assert operator.apply(3).exit_code is ExitCode.ROLLED_BACK


def test_commands_and_webhooks_are_told_what_is_judged() -> None:
    operator = operator_with(checked("command"))
    operator.apply(2)
    facts = dict(operator.sources.commands.told[0].pairs)
    assert facts["cluster"] == "demo"
    assert (facts["service"], facts["stage"], facts["architecture"]) == ("web", "2", "ARM64")
    assert operator.service.primary is not None
    assert facts["deployment"] == operator.service.primary.id
    assert facts["task_definition"] == operator.service.task_definition_arn


def test_a_slow_check_is_asked_at_its_own_interval() -> None:
    operator = operator_with(checked("command", interval=MINUTE, initial_delay=MINUTE))
    assert operator.apply(2).exit_code is ExitCode.DONE
    samples = [event for event in operator.events() if event.kind is EventKind.MEASUREMENT]
    assert 2 <= len(operator.sources.commands.told) <= len(samples) / 3
    told = [item["text"] for event in samples for item in json.loads(event.data)["measurements"][-1:]]
    assert told[0] == "begins 60 s after the gate"
    assert all(text.startswith(("begins", "exit code 0")) for text in told)
    assert any(text.endswith("(45 s ago)") for text in told)


def test_checks_of_one_sample_are_measured_at_the_same_time_and_told_in_their_order() -> None:
    met = threading.Barrier(2, timeout=60)

    class Meeting(FakeProbes):
        def answers(self, probe: ProbeSource) -> tuple[ProbeAnswer, ...]:
            met.wait()
            return super().answers(probe)

    names = ["b", "a"]
    operator = operator_with(*(GateCheck(name, SOURCES["probe"]) for name in names))
    operator.sources.probes = Meeting()
    assert operator.apply(2).exit_code is ExitCode.DONE
    samples = [event for event in operator.events() if event.kind is EventKind.MEASUREMENT]
    told = {tuple(item["check"] for item in json.loads(event.data)["measurements"][-2:]) for event in samples}
    assert told == {tuple(names)}


def test_a_second_ctrl_c_waits_for_no_check_and_ends_the_commands() -> None:
    never = threading.Event()

    class Stuck(FakeProbes):
        def answers(self, probe: ProbeSource) -> tuple[ProbeAnswer, ...]:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            never.wait()
            return super().answers(probe)

    operator = operator_with(checked("probe"), GateCheck("smoke", SOURCES["command"], FEW))
    operator.sources.probes = Stuck()
    with pytest.raises(KeyboardInterrupt):
        operator.apply(2)
    never.set()
    assert operator.sources.commands.stopped
    assert operator.record.position == Position(Stage.IMAGE, entered=Stage.ARCHITECTURE)


def test_all_metrics_are_asked_in_one_call_that_reaches_back_to_the_baseline() -> None:
    other = GateCheck("other", METRIC, FEW)
    operator = operator_with(checked("comparison"), other)
    begun = operator.world.clock.now()
    operator.apply(2)
    assert {count for count, _, _ in operator.sources.metrics.asked} == {2}
    assert begun - operator.sources.metrics.asked[0][1] >= timedelta(minutes=59)


def test_no_check_that_every_gate_has_bears_a_name_that_an_operator_may_use() -> None:
    operator = operator_with()
    operator.apply(2)
    measured = {
        item["check"]
        for event in operator.events()
        if event.kind is EventKind.MEASUREMENT
        for item in json.loads(event.data)["measurements"]
    }
    assert measured == set(BUILT_IN) - {"image", "twin"}, "an image is looked at last, and a twin where there is one"


@pytest.mark.parametrize(
    ("twin", "exit_code"),
    [(0.2, ExitCode.DONE), (0.9, ExitCode.ROLLED_BACK), (None, ExitCode.HELD)],
    ids=["alike", "slower", "no data"],
)
def test_a_metric_of_a_twin_is_held_against_that_of_the_service_at_the_same_time(
    twin: float | None, exit_code: ExitCode
) -> None:
    rule = BaselineComparison(Direction.INCREASE, with_service=True)
    source = MetricSource("Shop", "Latency", "Average", (("ServiceName", "web"),), baseline=rule)
    operator = operator_with(GateCheck("latency", source))
    operator.settings = replace(operator.settings, architecture=ArchitectureMode.MIXED)
    operator.gate(soak=timedelta(minutes=10), deadline=timedelta(minutes=30))
    main = operator.service.primary
    values = operator.sources.metrics.values
    values["Latency web"] = [(at, value) for at, value in values["Latency"]]
    values["Latency web-migrate-arm64"] = [(at, twin + value / 9) for at, value in values["Latency"]] if twin else []
    outcome = operator.apply(2)
    assert outcome.exit_code is exit_code, outcome
    told = [*outcome.reasons, *(event.text for event in operator.events() if event.kind is EventKind.VERDICT)]
    words = {0.2: "not worse than the service", 0.9: "latency: worse than the service: mean 0.92"}
    assert any(words.get(twin or 0, "latency: 0 values of the twin and") in text for text in told), told
    assert operator.service.primary == main
