"""Runs and their events: what was intended, done, measured and decided, in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from migrate.core.documents import Document, fields

NOTHING = Document("{}")


class EventKind(StrEnum):
    """What an event tells. An INTENT without a later OUTCOME of the same step means: look first (design rule 4)."""

    STARTED = "started"
    PREFLIGHT = "preflight"
    INTENT = "intent"
    OUTCOME = "outcome"
    RESOURCE = "resource"
    MEASUREMENT = "measurement"
    VERDICT = "verdict"
    NOTE = "note"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of evidence. ``data`` is a canonical JSON object with whatever proves the text."""

    run_id: str
    at: datetime
    kind: EventKind
    step: str
    text: str
    data: Document = NOTHING


def failed(outcome: Event) -> bool:
    """Tell whether an act ended with an error."""
    return "error" in fields(outcome.data)


@dataclass(frozen=True, slots=True)
class Worker:
    """Who works on a run now, on which host, and in which process."""

    operator: str
    host: str
    process: int


@dataclass(frozen=True, slots=True)
class Run:
    """One apply or rollback: who did it, where, and how it ended (``status`` is running, or an outcome in a word)."""

    id: str
    service: str
    verb: str
    stage: int
    started_at: datetime
    operator: str
    host: str
    process: int
    status: str = "running"
    finished_at: datetime | None = None

    def taken_by(self, worker: Worker) -> Run:
        """Return the run as ``worker`` goes on with it."""
        return replace(
            self,
            operator=worker.operator,
            host=worker.host,
            process=worker.process,
            status="running",
            finished_at=None,
        )
