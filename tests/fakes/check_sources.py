"""The check ports from scripts: what is put down is answered, and what was asked can be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from migrate.check_ports import CheckSources
from migrate.core.gate.answers import CommandEnd, ProbeAnswer, Series, StageFacts, WebhookAnswer
from migrate.core.gate_checks import CommandSource, MetricSource, ProbeSource, PrometheusSource, WebhookSource
from migrate.errors import AccessError, MigrateError

_WELL = ProbeAnswer(200, 0.01)
_DONE = CommandEnd(0)
_AGREED = WebhookAnswer("pass")


@dataclass
class FakeMetrics:
    """The port MetricReader: series by name of the metric, or by that and the service that it is of."""

    values: dict[str, list[tuple[datetime, float]]] = field(default_factory=dict)
    asked: list[tuple[int, datetime, datetime]] = field(default_factory=list)
    refusal: MigrateError | None = None

    def series(self, metrics: Sequence[MetricSource], start: datetime, end: datetime) -> tuple[Series, ...]:
        self.asked.append((len(metrics), start, end))
        if self.refusal is not None:
            raise self.refusal
        return tuple(
            tuple((at, value) for at, value in sorted(self._of(metric)) if start <= at < end) for metric in metrics
        )

    def _of(self, metric: MetricSource) -> list[tuple[datetime, float]]:
        service = dict(metric.dimensions).get("ServiceName", "")
        return self.values.get(f"{metric.metric} {service}", self.values.get(metric.metric, []))


@dataclass
class FakeProbes:
    """The port ProbeSender: the same answer for every sample."""

    answer: ProbeAnswer = _WELL

    def answers(self, probe: ProbeSource) -> tuple[ProbeAnswer, ...]:
        return (self.answer,) * probe.samples


@dataclass
class FakeCommands:
    """The port CommandRunner."""

    end: CommandEnd = _DONE
    told: list[StageFacts] = field(default_factory=list)
    refusal: MigrateError | None = None
    stopped: bool = False

    def run(self, command: CommandSource, facts: StageFacts) -> CommandEnd:  # noqa: ARG002 - every command ends alike
        if self.stopped:
            raise AccessError("The run was stopped.", then="Take it up again.", runbook="gates#commands")
        self.told.append(facts)
        if self.refusal is not None:
            raise self.refusal
        return self.end

    def stop(self) -> None:
        self.stopped = True


@dataclass
class FakeWebhooks:
    """The port WebhookCaller."""

    answer: WebhookAnswer = _AGREED
    told: list[StageFacts] = field(default_factory=list)

    def ask(self, webhook: WebhookSource, facts: StageFacts) -> WebhookAnswer:  # noqa: ARG002 - all answer alike
        self.told.append(facts)
        return self.answer


@dataclass
class FakePrometheus:
    """The port PrometheusReader."""

    result: tuple[float, ...] = (0.0,)

    def values(self, query: PrometheusSource) -> tuple[float, ...]:  # noqa: ARG002 - every query answers alike
        return self.result


@dataclass
class FakeSources:
    """All of them; everything is well until somebody says otherwise."""

    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    probes: FakeProbes = field(default_factory=FakeProbes)
    commands: FakeCommands = field(default_factory=FakeCommands)
    webhooks: FakeWebhooks = field(default_factory=FakeWebhooks)
    prometheus: FakePrometheus = field(default_factory=FakePrometheus)

    @property
    def ports(self) -> CheckSources:
        return CheckSources(self.metrics, self.probes, self.commands, self.webhooks, self.prometheus)
