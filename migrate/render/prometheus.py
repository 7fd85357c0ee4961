"""Metrics in Prometheus' text format, by Prometheus' own client library: names, types and escaping are its business.

Times are Unix times and durations are seconds, as Prometheus' naming rules ask. What is not known is left out: a
number that stands for nothing would be taken for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from migrate.core.gate.gate import Outcome, Verdict
from migrate.core.run.metrics import ServiceMetrics
from migrate.core.run.unfinished import RUNNING, SUPERSEDED
from migrate.errors import ExitCode

STATUSES = (RUNNING, *(code.name.lower() for code in ExitCode), SUPERSEDED)
"""What a run may be or have come to (core/evidence.py, Run.status)."""
_PLACE = ("service", "cluster", "region", "account")


def exposition(services: Iterable[ServiceMetrics]) -> str:
    """Return the metrics of some services; each family stands once, whatever their number."""
    registry = CollectorRegistry()
    registry.register(_Families(tuple(services)))
    return generate_latest(registry).decode()


class _Families(Collector):
    def __init__(self, services: Sequence[ServiceMetrics]) -> None:
        self._services = services

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from _position(self._services)
        yield from _runs(self._services)
        yield from _gates(self._services)


def _position(services: Sequence[ServiceMetrics]) -> Iterator[GaugeMetricFamily]:
    proven = _family("stage_proven", "Highest stage that is proven: 0 to 3, or -1 for the original.")
    entered = _family("stage_entered", "Stage that was begun and is not proven; absent where there is none.")
    for item in services:
        proven.add_metric(_place(item), item.position.proven.value)
        if item.position.entered is not None:
            entered.add_metric(_place(item), item.position.entered.value)
    yield from (proven, entered)


def _runs(services: Sequence[ServiceMetrics]) -> Iterator[GaugeMetricFamily]:
    counted = _family("runs", "Runs of the service on record, by verb and status.", "verb", "status")
    last = _family("last_run", "Always 1: the run that began last.", "run", "verb", "stage")
    status = _family("last_run_status", "1 for the status of the last run, 0 for every other one.", "status")
    started = _family("last_run_start_timestamp_seconds", "When the last run began.")
    took = _family("last_run_duration_seconds", "How long the last run took; absent while it works.")
    for item in services:
        place, run, duration = _place(item), item.last_run, item.last_took
        for words, number in item.runs:
            counted.add_metric([*place, *words], number)
        if run is None:
            continue
        last.add_metric([*place, run.id, run.verb, str(run.stage)], 1)
        for word in dict.fromkeys((*STATUSES, run.status)):
            status.add_metric([*place, word], int(word == run.status))
        started.add_metric(place, run.started_at.timestamp())
        if duration is not None:
            took.add_metric(place, duration.total_seconds())
    yield from (counted, last, status, started, took)


def _gates(services: Sequence[ServiceMetrics]) -> Iterator[GaugeMetricFamily]:
    verdict = _family("gate_verdict", "1 for the verdict of the last gate, 0 for the others; all 0 before.", "verdict")
    sampled = _family("gate_sample_timestamp_seconds", "When the gate looked last: what else it says is as old.")
    soak = _family("gate_soak_left_seconds", "What is left of the soak; absent while something does not pass.")
    deadline = _family("gate_deadline_left_seconds", "How long the gate waits at most.")
    check = _family("gate_check", "1 for the last outcome of a check, 0 for the others.", "check", "outcome")
    desired = _family("tasks_desired", "Tasks that the service is to run.")
    tasks = _family("tasks", "Tasks that the gate saw.", "architecture", "provider", "deployment", "state")
    for item in services:
        gate = item.gate
        if gate is None:
            continue
        place = _place(item)
        sampled.add_metric(place, gate.at.timestamp())
        for word in Verdict:
            verdict.add_metric([*place, word], int(word == item.verdict))
        for family, value in ((soak, gate.soak_left), (deadline, gate.deadline_left), (desired, gate.desired)):
            if value is not None:
                family.add_metric(place, value)
        for one in gate.checks:
            for outcome in Outcome:
                check.add_metric([*place, one.check, outcome], int(outcome == one.outcome))
        for group in gate.tasks:
            kind = [*place, group.architecture, group.provider, "new" if group.new else "old"]
            for state in ("running", "pending", "stopping"):
                tasks.add_metric([*kind, state], getattr(group, state))
    yield from (verdict, sampled, soak, deadline, check, desired, tasks)


def _family(name: str, help_text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"migrate_{name}", help_text, labels=[*_PLACE, *labels])


def _place(item: ServiceMetrics) -> list[str]:
    """Return the labels that say which service; an ARN of the old form has no cluster in it."""
    parts = item.service.split(":", 5)
    region, account, path = (parts[3], parts[4], parts[5]) if len(parts) > len(("arn", "aws", "ecs")) + 2 else ("",) * 3
    names = path.split("/")
    return [names[-1] or item.service, names[1] if len(names) > len(("service", "web")) else "", region, account]
