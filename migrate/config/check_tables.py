"""The shape of the operator's own checks, ``[[gate.metric]]`` and its siblings, and the records they stand for."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from migrate.config.table import Duration, Limit, Number, Table, Text
from migrate.core.conditions import Condition, parse_condition
from migrate.core.gate_checks import (
    BaselineComparison,
    CheckSource,
    CommandSource,
    CommandValue,
    Direction,
    GateCheck,
    MetricSource,
    ProbeSource,
    PrometheusSource,
    WebhookSource,
)

_STATISTIC = re.compile(
    r"SampleCount|Average|Sum|Minimum|Maximum|IQM|(?:p|tm|wm|tc|ts)(?:100|\d{1,2}(?:\.\d{1,10})?)"
    r"|(?:PR|TM|WM|TC|TS)\([^()]*\)"
)
"""CloudWatch user guide, "CloudWatch statistics definitions"."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)


def _condition(value: Any) -> Condition:
    condition = parse_condition(value) if isinstance(value, str) else None
    if condition is None:
        raise ValueError
    return condition


def _url(value: str) -> str:
    parts = urlsplit(value)
    # A name and password in a URL would stand in every report.
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise ValueError
    return value


def _variable(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        raise ValueError
    return value


def _statistic(value: str) -> str:
    if not _STATISTIC.fullmatch(value):
        raise ValueError
    return value


def _headers(value: dict[str, str]) -> dict[str, str]:
    if not all(_HEADER.fullmatch(name) and _VARIABLE.fullmatch(variable) for name, variable in value.items()):
        raise ValueError
    return value


Wanted = Annotated[Condition, BeforeValidator(_condition)]
Url = Annotated[Text, AfterValidator(_url)]
Variable = Annotated[str, AfterValidator(_variable)]
Headers = Annotated[dict[str, str], AfterValidator(_headers)]
Positive = Annotated[int, Field(ge=1)]


class CheckTable(Table, ABC):
    """What all checks have."""

    kind: ClassVar[str]

    name: Text
    success: Wanted | None = None
    failure: Wanted | None = None
    interval: Duration | None = None
    count: Positive = 1
    initial_delay: Duration = GateCheck("", CommandSource(())).initial_delay
    failure_limit: Limit | None = None
    inconclusive_limit: Limit | None = None
    error_limit: Limit | None = None
    stages: list[Literal[0, 1, 2, 3]] = Field(default_factory=list)

    @abstractmethod
    def source(self) -> CheckSource:
        """Return what is asked."""

    def check(self) -> GateCheck:
        """Return the check that the table stands for."""
        return GateCheck(
            name=self.name,
            source=self.source(),
            success=self.success,
            failure=self.failure,
            interval=self.interval,
            count=self.count,
            initial_delay=self.initial_delay,
            failure_limit=self.failure_limit,
            inconclusive_limit=self.inconclusive_limit,
            error_limit=self.error_limit,
            stages=tuple(self.stages),
        )


_METRIC = MetricSource("", "", "")
_BASELINE = BaselineComparison(Direction.EITHER)


class MetricTable(CheckTable):
    """[[gate.metric]]."""

    kind: ClassVar[str] = "metric"

    namespace: Text
    metric: Text
    statistic: Annotated[Text, AfterValidator(_statistic)]
    dimensions: dict[str, Text] = Field(default_factory=dict)
    period: Duration = _METRIC.period
    compare: Literal["increase", "decrease", "either"] | None = None
    compare_with: Literal["before", "service"] = "before"
    window: Duration = _BASELINE.window
    confidence: Annotated[Number, Field(gt=0, lt=1)] = Field(default=_BASELINE.confidence, validate_default=False)  # type: ignore[assignment] # the core's own
    tolerance: Annotated[Number, Field(ge=0)] = Field(default=_BASELINE.tolerance, validate_default=False)  # type: ignore[assignment] # the core's own
    minimum: Positive = _BASELINE.minimum
    no_data: Literal["inconclusive", "fail"] = "inconclusive"

    def source(self) -> MetricSource:
        """Return the metric, with its comparison where one is asked for."""
        baseline = None
        if self.compare is not None:
            baseline = BaselineComparison(
                direction=Direction(self.compare),
                window=self.window,
                confidence=float(self.confidence),
                tolerance=float(self.tolerance),
                minimum=self.minimum,
                no_data_fails=self.no_data == "fail",
                with_service=self.compare_with == "service",
            )
        dimensions = tuple(self.dimensions.items())
        return MetricSource(self.namespace, self.metric, self.statistic, dimensions, self.period, baseline)


class ProbeTable(CheckTable):
    """[[gate.probe]]."""

    kind: ClassVar[str] = "probe"

    url: Url
    method: Literal["GET", "HEAD", "POST", "OPTIONS"] = "GET"
    status: list[Annotated[int, Field(ge=100, le=599)]] = Field(default_factory=list)
    contains: Text | None = None
    timeout: Duration = ProbeSource("").timeout
    samples: Annotated[int, Field(ge=1, le=100)] = ProbeSource("").samples
    headers: Headers = Field(default_factory=dict)

    def source(self) -> ProbeSource:
        """Return the requests."""
        return ProbeSource(
            url=self.url,
            method=self.method,
            status=tuple(self.status),
            contains=self.contains or "",
            timeout=self.timeout,
            samples=self.samples,
            headers=tuple(self.headers.items()),
        )


class CommandTable(CheckTable):
    """[[gate.command]]."""

    kind: ClassVar[str] = "command"

    command: Annotated[list[Text], Field(min_length=1)]
    value: Literal["exit-code", "stdout"] = "exit-code"
    timeout: Duration = CommandSource(()).timeout

    def source(self) -> CommandSource:
        """Return the command."""
        return CommandSource(tuple(self.command), CommandValue(self.value), self.timeout)


class WebhookTable(CheckTable):
    """[[gate.webhook]]."""

    kind: ClassVar[str] = "webhook"

    url: Url
    timeout: Duration = WebhookSource("").timeout
    headers: Headers = Field(default_factory=dict)

    def source(self) -> WebhookSource:
        """Return the webhook."""
        return WebhookSource(self.url, self.timeout, tuple(self.headers.items()))


class PrometheusTable(CheckTable):
    """[[gate.prometheus]]."""

    kind: ClassVar[str] = "prometheus"

    url: Url
    query: Text
    timeout: Duration = PrometheusSource("", "").timeout
    headers: Headers = Field(default_factory=dict)

    def source(self) -> PrometheusSource:
        """Return the query."""
        return PrometheusSource(self.url, self.query, self.timeout, tuple(self.headers.items()))
