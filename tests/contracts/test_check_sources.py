"""One suite over the scripted check sources and over the real ones: an endpoint and programs of this machine."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from migrate.adapters.aws.metrics import AwsMetricReader
from migrate.adapters.checks.sources import check_sources
from migrate.check_ports import CheckSources, MetricReader
from migrate.core.gate.answers import CommandEnd, ProbeAnswer, StageFacts, WebhookAnswer
from migrate.core.gate_checks import CommandSource, MetricSource, ProbeSource, PrometheusSource, WebhookSource
from migrate.errors import AccessError
from tests.contracts.aws_scenes import endpoint_of, front_session
from tests.fakes.check_sources import FakeMetrics, FakeSources
from tests.fakes.web_endpoint import WebEndpoint, web_endpoint

FACTS = StageFacts("demo", "web", 2, "ecs-svc/1", "web:2", "ARM64")


class Scene(Protocol):
    url: str

    @property
    def sources(self) -> CheckSources: ...

    def answers(self, status: int, text: str) -> None: ...
    def decides(self, verdict: str, value: float | None) -> None: ...
    def yields(self, *values: float) -> None: ...
    def command(self, exit_code: int, stdout: str) -> CommandSource: ...
    def no_such_command(self) -> CommandSource: ...


class FakeScene:
    url = "http://127.0.0.1:1"

    def __init__(self) -> None:
        self.fake = FakeSources()

    @property
    def sources(self) -> CheckSources:
        return self.fake.ports

    def answers(self, status: int, text: str) -> None:
        self.fake.probes.answer = ProbeAnswer(status, 0.01, contains="well" in text)

    def decides(self, verdict: str, value: float | None) -> None:
        self.fake.webhooks.answer = WebhookAnswer(verdict, value)

    def yields(self, *values: float) -> None:
        self.fake.prometheus.result = values

    def command(self, exit_code: int, stdout: str) -> CommandSource:
        self.fake.commands.end = CommandEnd(exit_code, stdout)
        return CommandSource(("x",))

    def no_such_command(self) -> CommandSource:
        self.fake.commands.refusal = AccessError("There is none.", then="Look.", runbook="gates#commands")
        return CommandSource(("x",))


class RealScene:
    def __init__(self, endpoint: WebEndpoint, directory: Path) -> None:
        self._endpoint = endpoint
        self.url = endpoint.url
        self.sources: CheckSources = check_sources({"PATH": "/usr/bin:/bin"}, directory, FakeMetrics())

    def answers(self, status: int, text: str) -> None:
        self._endpoint.status, self._endpoint.body = status, text.encode()

    def decides(self, verdict: str, value: float | None) -> None:
        said: Mapping[str, Any] = {"verdict": verdict or None, "value": value}
        self.answers(200, json.dumps({name: item for name, item in said.items() if item is not None}))

    def yields(self, *values: float) -> None:
        result = [{"metric": {}, "value": [1.0, "NaN" if math.isnan(value) else f"{value}"]} for value in values]
        self.answers(200, json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}))

    def command(self, exit_code: int, stdout: str) -> CommandSource:
        program = f"import sys; sys.stdout.write({stdout!r}); sys.exit({exit_code})"
        return CommandSource((sys.executable, "-c", program))

    def no_such_command(self) -> CommandSource:
        return CommandSource(("./no-such-program",))


@pytest.fixture(params=["fake", "real"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    if request.param == "fake":
        yield FakeScene()
        return
    with web_endpoint() as endpoint:
        yield RealScene(endpoint, tmp_path)


def test_a_probe_gives_an_answer_for_each_sample(scene: Scene) -> None:
    probe = ProbeSource(f"{scene.url}/", contains="well", samples=2)
    scene.answers(200, "all is well")
    assert [(item.status, item.contains) for item in scene.sources.probes.answers(probe)] == [(200, True)] * 2
    scene.answers(503, "out of order")
    assert [(item.status, item.contains) for item in scene.sources.probes.answers(probe)] == [(503, False)] * 2


def test_a_command_ends_with_a_code_and_what_it_printed(scene: Scene) -> None:
    command = scene.command(3, "0.25\n")
    assert scene.sources.commands.run(command, FACTS) == CommandEnd(3, "0.25\n")


def test_a_command_that_is_not_there_measures_nothing(scene: Scene) -> None:
    command = scene.no_such_command()
    with pytest.raises(AccessError) as refused:
        scene.sources.commands.run(command, FACTS)
    assert refused.value.runbook == "gates#commands"


def test_no_command_starts_once_they_were_stopped(scene: Scene) -> None:
    command, sources = scene.command(0, ""), scene.sources
    sources.commands.stop()
    with pytest.raises(AccessError) as refused:
        sources.commands.run(command, FACTS)
    assert refused.value.runbook == "gates#commands"


@pytest.mark.parametrize(("verdict", "value"), [("pass", None), ("fail", 2.5), ("", 1.0)])
def test_a_webhook_answers_with_verdict_or_value_or_both(scene: Scene, verdict: str, value: float | None) -> None:
    scene.decides(verdict, value)
    assert scene.sources.webhooks.ask(WebhookSource(scene.url), FACTS) == WebhookAnswer(verdict, value)


def test_a_query_has_as_many_values_as_elements(scene: Scene) -> None:
    query = PrometheusSource(scene.url, "up")
    scene.yields()
    assert scene.sources.prometheus.values(query) == ()
    scene.yields(0.5, math.nan)
    first, second = scene.sources.prometheus.values(query)
    assert first == 0.5
    assert math.isnan(second)


NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
POINTS = {"Errors": [1.0, 0.0, 3.0], "Latency": [0.5]}


@pytest.fixture(params=["fake", pytest.param("live front", marks=pytest.mark.e2e)])
def metrics(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> MetricReader:
    if request.param == "fake":
        made = {name: [(_minute(n), value) for n, value in enumerate(values)] for name, values in POINTS.items()}
        return FakeMetrics(made)
    host = request.getfixturevalue("live_front")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint_of(host))
    client = host.client("cloudwatch")
    for name, values in POINTS.items():
        data = [{"MetricName": name, "Timestamp": _minute(n), "Value": value} for n, value in enumerate(values)]
        client.put_metric_data(Namespace="Shop", MetricData=data)
    return AwsMetricReader(front_session(host))


def _minute(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def test_series_come_in_the_order_asked_oldest_first_and_one_without_data_is_empty(metrics: MetricReader) -> None:
    asked = [MetricSource("Shop", name, "Average") for name in ("Latency", "Nothing", "Errors")]
    latency, nothing, errors = metrics.series(asked, NOON, NOON + timedelta(minutes=5))
    assert latency == ((NOON, 0.5),)
    assert nothing == ()
    assert errors == ((NOON, 1.0), (_minute(1), 0.0), (_minute(2), 3.0))


def test_only_the_time_that_was_asked_for_is_told(metrics: MetricReader) -> None:
    (errors,) = metrics.series([MetricSource("Shop", "Errors", "Average")], _minute(1), _minute(2))
    assert errors == ((_minute(1), 0.0),)
