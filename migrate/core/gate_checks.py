"""The checks that an operator adds to a gate: what is asked, how often, and what counts as good.

The limits are those of Argo Rollouts' metrics (analysis.md: interval, count, initialDelay, successCondition,
failureCondition, failureLimit, inconclusiveLimit, consecutiveErrorLimit).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

from migrate.core.conditions import Condition

BUILT_IN = (
    "deployment",
    "tasks",
    "capacity",
    "stopped tasks",
    "starting tasks",
    "targets",
    "alarms",
    "twin",
    "image",
)
"""The checks that every gate has; no check of an operator may bear one of these names."""


class Direction(StrEnum):
    """Which change against the baseline is bad."""

    INCREASE = "increase"
    DECREASE = "decrease"
    EITHER = "either"


class CommandValue(StrEnum):
    """What a command's number is: its exit code, or the JSON number that it printed."""

    EXIT_CODE = "exit-code"
    STDOUT = "stdout"


@dataclass(frozen=True, slots=True)
class BaselineComparison:
    """How a metric is held against the time before the stage (Mann-Whitney U, as Kayenta's judge).

    ``window`` is how much time before the deployment counts as baseline. ``tolerance`` is the relative change of the
    mean that is accepted however sure it is. ``no_data_fails``: no data at all is a failure, not a doubt.
    ``with_service``: where a twin is judged, its metric is held against that of the service at the same time.
    """

    direction: Direction
    window: timedelta = timedelta(hours=1)
    confidence: float = 0.98
    tolerance: float = 0.1
    minimum: int = 5
    no_data_fails: bool = False
    with_service: bool = False


@dataclass(frozen=True, slots=True)
class MetricSource:
    """A CloudWatch metric. Without ``baseline`` its newest value is held against the check's conditions."""

    namespace: str
    metric: str
    statistic: str
    dimensions: tuple[tuple[str, str], ...] = ()
    period: timedelta = timedelta(minutes=1)
    baseline: BaselineComparison | None = None

    def of(self, service: str, twin: str) -> MetricSource:
        """Return the metric of a service's twin: the dimensions that name the service name the twin."""
        named = tuple((name, twin if value == service else value) for name, value in self.dimensions)
        return replace(self, dimensions=named)


@dataclass(frozen=True, slots=True)
class ProbeSource:
    """HTTP requests, ``samples`` of them at each measurement; all have to be good.

    ``status`` are the answers that are good, ``contains`` a text that the body must hold. ``headers`` are names of
    headers and of the environment variables that hold their values: a secret never stands in the settings.
    """

    url: str
    method: str = "GET"
    status: tuple[int, ...] = ()
    contains: str = ""
    timeout: timedelta = timedelta(seconds=5)
    samples: int = 3
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CommandSource:
    """A program and its arguments, started without a shell in the directory of the settings file."""

    arguments: tuple[str, ...]
    value: CommandValue = CommandValue.EXIT_CODE
    timeout: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class WebhookSource:
    """A URL that gets the facts of the gate as JSON and answers with a verdict, a value, or both."""

    url: str
    timeout: timedelta = timedelta(seconds=10)
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PrometheusSource:
    """An instant query to a Prometheus server, or to what speaks like one."""

    url: str
    query: str
    timeout: timedelta = timedelta(seconds=10)
    headers: tuple[tuple[str, str], ...] = ()


CheckSource: TypeAlias = MetricSource | ProbeSource | CommandSource | WebhookSource | PrometheusSource


@dataclass(frozen=True, slots=True)
class GateCheck:
    """One check of an operator. What is None is as the gate has it; ``stages`` empty means all of them.

    ``count`` is how many measurements have to pass, after everything passes for the first time, before the gate may;
    ``initial_delay`` how long after the gate's beginning the first one is taken. It is measured until the gate ends.
    """

    name: str
    source: CheckSource
    success: Condition | None = None
    failure: Condition | None = None
    interval: timedelta | None = None
    count: int = 1
    initial_delay: timedelta = timedelta(0)
    failure_limit: int | None = None
    inconclusive_limit: int | None = None
    error_limit: int | None = None
    stages: tuple[int, ...] = ()

    @property
    def kind(self) -> str:
        """The name of its table in migrate.toml."""
        return KINDS[type(self.source)]

    @property
    def has_condition(self) -> bool:
        """Whether anything could ever fail it; one that nothing can fail proves nothing and is refused."""
        match self.source:
            case MetricSource(baseline=BaselineComparison()) | WebhookSource():
                # A comparison has its direction; the answer of a webhook is a verdict.
                return True
            case ProbeSource(status=status, contains=contains) if status or contains:
                return True
            case _:
                return self.success is not None or self.failure is not None


KINDS: dict[type[CheckSource], str] = {
    MetricSource: "metric",
    ProbeSource: "probe",
    CommandSource: "command",
    WebhookSource: "webhook",
    PrometheusSource: "prometheus",
}
