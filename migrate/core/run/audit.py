"""A run looked back at: who, when, what was done and decided, on which evidence; a long gate in a few lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from migrate.core.documents import Document, Json, fields
from migrate.core.evidence import Event, EventKind, Run, failed


class EntryKind(StrEnum):
    """What one entry of an audit is about."""

    ACT = "act"
    SAMPLES = "samples"
    VERDICT = "verdict"
    NOTE = "note"
    END = "end"


class ActEnd(StrEnum):
    """How an act ended; UNKNOWN has an intent and no outcome, so that whoever came next had to look."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act from its intent to its outcome, samples of a gate that say the same, or one event.

    ``until`` is None for an act whose outcome is not known; ``ended`` is None for all but acts. ``count`` is the number
    of samples, and ``data`` the evidence of the last one.
    """

    at: datetime
    until: datetime | None
    kind: EntryKind
    step: str
    text: str
    data: Document
    ended: ActEnd | None = None
    count: int = 1

    @property
    def seconds(self) -> float | None:
        """How long it took; None where that is not known."""
        return None if self.until is None else (self.until - self.at).total_seconds()


@dataclass(frozen=True, slots=True)
class Audit:
    """One run and all its entries, oldest first; ``verdicts`` are those of its gates."""

    run: Run
    entries: tuple[AuditEntry, ...]

    @property
    def verdicts(self) -> tuple[AuditEntry, ...]:
        """What its gates decided."""
        return tuple(entry for entry in self.entries if entry.kind is EntryKind.VERDICT)


def audit(run: Run, events: Iterable[Event]) -> Audit:
    """Return what a run did and decided, from its events, oldest first."""
    entries: list[AuditEntry] = []
    for event in events:
        if event.kind is EventKind.OUTCOME and _closed(entries, event):
            continue
        made = _entry(event)
        if made.kind is EntryKind.SAMPLES and entries and _says_the_same(entries[-1], made):
            entries[-1] = replace(made, at=entries[-1].at, count=entries[-1].count + 1)
        else:
            entries.append(made)
    return Audit(run, tuple(entries))


def took(run: Run) -> timedelta | None:
    """Return how long a run took; None for one that has not ended."""
    return None if run.finished_at is None else run.finished_at - run.started_at


def measurements(entry: AuditEntry) -> tuple[tuple[str, str, str], ...]:
    """Return check, outcome and words of every check in the last of some samples."""
    found = fields(entry.data).get("measurements")
    told: list[Json] = found if isinstance(found, list) else []
    return tuple(
        (str(item.get("check", "")), str(item.get("outcome", "")), str(item.get("text", "")))
        for item in told
        if isinstance(item, dict)
    )


_KINDS = {
    EventKind.INTENT: EntryKind.ACT,
    EventKind.OUTCOME: EntryKind.ACT,
    EventKind.MEASUREMENT: EntryKind.SAMPLES,
    EventKind.VERDICT: EntryKind.VERDICT,
    EventKind.FINISHED: EntryKind.END,
}


def _entry(event: Event) -> AuditEntry:
    kind = _KINDS.get(event.kind, EntryKind.NOTE)
    if event.kind is EventKind.INTENT:
        return AuditEntry(event.at, None, kind, event.step, event.text, event.data, ActEnd.UNKNOWN)
    ended = _ended(event) if event.kind is EventKind.OUTCOME else None
    return AuditEntry(event.at, event.at, kind, event.step, event.text, event.data, ended)


def _closed(entries: list[AuditEntry], outcome: Event) -> bool:
    """Give the outcome to the newest act of its step that has none, and tell whether there was one."""
    for index in range(len(entries) - 1, -1, -1):
        entry = entries[index]
        if (entry.step, entry.ended) == (outcome.step, ActEnd.UNKNOWN):
            ended = _ended(outcome)
            text = entry.text if ended is ActEnd.DONE else outcome.text
            entries[index] = replace(entry, until=outcome.at, text=text, data=outcome.data, ended=ended)
            return True
    return False


def _ended(outcome: Event) -> ActEnd:
    return ActEnd.FAILED if failed(outcome) else ActEnd.DONE


def _says_the_same(former: AuditEntry, later: AuditEntry) -> bool:
    outcomes = [tuple(part[:2] for part in measurements(entry)) for entry in (former, later)]
    return (former.kind, former.step) == (later.kind, later.step) and outcomes[0] == outcomes[1]
