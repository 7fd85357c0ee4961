"""Reading what a monitoring system wants to know: from the database alone, so that it may be asked every minute."""

from __future__ import annotations

from migrate.core.run.metrics import ServiceMetrics, gate_seen, service_metrics
from migrate.store_port import RecordStore

_RUNS_BACK = 5
"""How many runs are looked through for the newest gate: one that only looked, or was refused, has none."""


def read_metrics(store: RecordStore, service: str) -> ServiceMetrics:
    """Return the metrics of one service."""
    runs = store.runs(service)
    gate, verdict = None, ""
    for run in runs[:_RUNS_BACK]:
        gate, verdict = gate_seen(run.started_at, store.events(run.id))
        if gate is not None:
            break
    return service_metrics(service, store.record(service), runs, gate, verdict)
