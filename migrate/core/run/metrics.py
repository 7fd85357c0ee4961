"""What a monitoring system may know of a service's migration: where it stands, its runs, and what its gate last saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from migrate.core.documents import fields
from migrate.core.evidence import Event, EventKind, Run
from migrate.core.record import Record
from migrate.core.run.audit import took
from migrate.core.run.view import GateSeen, RunView, seen
from migrate.core.stages import Position


@dataclass(frozen=True, slots=True)
class ServiceMetrics:
    """One service, by what is on record alone. ``runs`` counts by verb and status; ``verdict`` is the last gate's.

    ``gate`` is the last sample of the last run that had a gate, and what it says is as old as it is.
    """

    service: str
    position: Position
    last_run: Run | None = None
    runs: tuple[tuple[tuple[str, str], int], ...] = ()
    gate: GateSeen | None = None
    verdict: str = ""

    @property
    def last_took(self) -> timedelta | None:
        """How long the last run took; None where there is none, or it has not ended."""
        return None if self.last_run is None else took(self.last_run)


def service_metrics(
    service: str, record: Record | None, runs: Sequence[Run], gate: GateSeen | None, verdict: str
) -> ServiceMetrics:
    """Return the metrics of a service from its record and its runs, newest first."""
    counted = Counter((run.verb, run.status) for run in runs)
    position = record.position if record is not None and not record.over else Position()
    return ServiceMetrics(service, position, runs[0] if runs else None, tuple(sorted(counted.items())), gate, verdict)


def gate_seen(started_at: datetime, events: Iterable[Event]) -> tuple[GateSeen | None, str]:
    """Return the last sample of a run and the verdict on it, empty while there is none; ``events`` oldest first."""
    view, gate, verdict = RunView("", started_at), None, ""
    for event in events:
        view = seen(view, event)
        if event.kind is EventKind.MEASUREMENT:
            gate, verdict = view.gate, ""
        elif event.kind is EventKind.VERDICT:
            verdict = str(fields(event.data).get("verdict", ""))
    return gate, verdict
