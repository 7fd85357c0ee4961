"""The operator's own checks -> tables of migrate.toml."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from migrate.config.check_keys import CHECK_EXAMPLES
from migrate.config.durations import format_duration
from migrate.config.key import Key
from migrate.config.mistakes import quoted
from migrate.core.gate_checks import (
    CommandSource,
    GateCheck,
    MetricSource,
    ProbeSource,
    PrometheusSource,
    WebhookSource,
)


def check_lines(key: Key, checks: Sequence[GateCheck]) -> Iterator[str]:
    """Return the tables of one kind with what it means, or an example that is commented out."""
    yield ""
    yield from (f"# {line}" for line in key.explanation.split("\n"))
    found = [check for check in checks if check.kind == key.name]
    if not found:
        yield f"# [[gate.{key.name}]]"
        yield from (f"# {line}" for line in CHECK_EXAMPLES[key.name])
    for position, check in enumerate(found):
        yield from [""] if position else []
        yield f"[[gate.{key.name}]]"
        yield from (f"{name} = {value}" for name, value in _values(check) if value is not None)


def _values(check: GateCheck) -> Iterator[tuple[str, str | None]]:
    yield "name", quoted(check.name)
    yield from _source(check)
    yield "success", _text(check.success.text if check.success else None)
    yield "failure", _text(check.failure.text if check.failure else None)
    yield "interval", None if check.interval is None else _duration(check.interval)
    yield "count", str(check.count)
    yield "initial_delay", _duration(check.initial_delay)
    for name in ("failure_limit", "inconclusive_limit", "error_limit"):
        limit = getattr(check, name)
        yield name, None if limit is None else str(limit)
    yield "stages", f"[{', '.join(map(str, check.stages))}]"


def _source(check: GateCheck) -> Iterator[tuple[str, str | None]]:
    match check.source:
        case MetricSource() as metric:
            yield from _metric(metric)
        case ProbeSource() as probe:
            yield "url", quoted(probe.url)
            yield "method", quoted(probe.method)
            yield "status", f"[{', '.join(map(str, probe.status))}]"
            yield "contains", _text(probe.contains or None)
            yield "timeout", _duration(probe.timeout)
            yield "samples", str(probe.samples)
            yield "headers", pairs(probe.headers)
        case CommandSource() as command:
            yield "command", f"[{', '.join(map(quoted, command.arguments))}]"
            yield "value", quoted(command.value)
            yield "timeout", _duration(command.timeout)
        case WebhookSource() as webhook:
            yield "url", quoted(webhook.url)
            yield "timeout", _duration(webhook.timeout)
            yield "headers", pairs(webhook.headers)
        case PrometheusSource() as prometheus:
            yield "url", quoted(prometheus.url)
            yield "query", quoted(prometheus.query)
            yield "timeout", _duration(prometheus.timeout)
            yield "headers", pairs(prometheus.headers)


def _metric(metric: MetricSource) -> Iterator[tuple[str, str | None]]:
    yield "namespace", quoted(metric.namespace)
    yield "metric", quoted(metric.metric)
    yield "statistic", quoted(metric.statistic)
    yield "dimensions", pairs(metric.dimensions)
    yield "period", _duration(metric.period)
    if metric.baseline is not None:
        rule = metric.baseline
        yield "compare", quoted(rule.direction)
        yield "compare_with", quoted("service" if rule.with_service else "before")
        yield "window", _duration(rule.window)
        yield "confidence", _number(rule.confidence)
        yield "tolerance", _number(rule.tolerance)
        yield "minimum", str(rule.minimum)
        yield "no_data", quoted("fail" if rule.no_data_fails else "inconclusive")


def pairs(pairs: tuple[tuple[str, str], ...]) -> str:
    """Return names and values as an inline table of TOML."""
    inside = ", ".join(f"{quoted(name)} = {quoted(value)}" for name, value in pairs)
    return f"{{ {inside} }}" if inside else "{}"


def _duration(duration: timedelta) -> str:
    return quoted(format_duration(duration))


def _number(value: float) -> str:
    return repr(value)


def _text(value: str | None) -> str | None:
    return None if value is None else quoted(value)
