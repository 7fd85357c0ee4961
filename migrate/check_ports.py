"""What the operator's own checks in a gate need from the outside; adapters and fakes implement them.

Every method may raise a MigrateError: the check could then not be measured, which is never a pass. The checks of one
sample are measured at the same time, each in a thread of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from migrate.core.gate.answers import CommandEnd, ProbeAnswer, Series, StageFacts, WebhookAnswer
from migrate.core.gate_checks import CommandSource, MetricSource, ProbeSource, PrometheusSource, WebhookSource


class MetricReader(Protocol):
    """Reads CloudWatch metrics."""

    def series(self, metrics: Sequence[MetricSource], start: datetime, end: datetime) -> tuple[Series, ...]:
        """Return the values of each metric in the order asked; one without data is empty."""
        ...


class ProbeSender(Protocol):
    """Sends HTTP requests."""

    def answers(self, probe: ProbeSource) -> tuple[ProbeAnswer, ...]:
        """Send the samples of a probe one after the other; that no answer comes is an answer, not an error."""
        ...


class CommandRunner(Protocol):
    """Runs the operator's commands."""

    def run(self, command: CommandSource, facts: StageFacts) -> CommandEnd:
        """Run a command to its end; AccessError when there is no such program, or it does not end in time."""
        ...

    def stop(self) -> None:
        """End what still runs, from any thread, and start nothing any more."""
        ...


class WebhookCaller(Protocol):
    """Asks the operator's webhooks."""

    def ask(self, webhook: WebhookSource, facts: StageFacts) -> WebhookAnswer:
        """Tell a webhook the facts and return its answer; AccessError when there is none that can be read."""
        ...


class PrometheusReader(Protocol):
    """Asks a Prometheus server."""

    def values(self, query: PrometheusSource) -> tuple[float, ...]:
        """Return the values of an instant query, NaN among them; AccessError when the server refuses it."""
        ...


@dataclass(frozen=True, slots=True)
class CheckSources:
    """One reader for each kind of check."""

    metrics: MetricReader
    probes: ProbeSender
    commands: CommandRunner
    webhooks: WebhookCaller
    prometheus: PrometheusReader
