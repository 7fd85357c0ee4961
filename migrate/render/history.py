"""Runs looked back at, for people: the runs of a service, and one of them whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.text import Text

from migrate.core.documents import fields
from migrate.core.evidence import Run
from migrate.core.run.audit import ActEnd, Audit, AuditEntry, EntryKind, measurements, took
from migrate.render.lines import Rows
from migrate.render.printable import printable

_SHORT_ID = 8
_SHORTEST_WHO = 12
_STYLES = {"done": "green", "running": "bold", "rolled_back": "yellow", "held": "yellow", "superseded": "yellow"}


def history(service: str, runs: Sequence[Run], *, left_out: int = 0) -> RenderableType:
    """Return the runs of a service, newest first; ``left_out`` older ones are not among them."""
    if not runs:
        return Text(f"No run has touched {service}.")
    table = Rows(labels=5, style="", room=_SHORTEST_WHO)
    table.add(*(Text(name, "dim") for name in ("run", "started (UTC)", "took", "what", "how it ended", "who")))
    for run in runs:
        table.add(
            run.id[:_SHORT_ID],
            f"{run.started_at:%Y-%m-%d %H:%M}",
            duration(took(run)),
            what(run),
            Text(said(run.status), _STYLES.get(run.status, "red")),
            f"{run.operator} on {run.host}",
        )
    more = [Text(f"{left_out} older; `migrate history --limit {len(runs) + left_out}` shows all.", "dim")]
    return Group(Text(service, "bold"), table, *(more if left_out else []))


def audit(value: Audit) -> RenderableType:
    """Return one run: who, when, where, and everything that it did and decided, with the evidence."""
    run = value.run
    head = Rows()
    head.add("run", run.id)
    head.add("service", run.service)
    head.add("what", what(run))
    head.add("who", f"{run.operator} on {run.host}, process {run.process}")
    head.add("started", f"{run.started_at:%Y-%m-%d %H:%M:%S} UTC")
    ended = f"{run.finished_at:%Y-%m-%d %H:%M:%S} UTC, after {duration(took(run))}" if run.finished_at else "not yet"
    head.add("ended", ended)
    head.add("status", Text(said(run.status), _STYLES.get(run.status, "red")))
    table = Rows(labels=2)
    for entry in value.entries:
        table.add(f"{entry.at:%m-%d %H:%M:%S}", entry.kind.value, _line(entry))
        for line in _evidence(entry):
            table.add("", "", Text(f"  {line}", "dim"))
    return Group(head, Text(), table)


def duration(value: timedelta | None) -> str:
    """Return a duration in the two largest units; a dash for one that is not known."""
    if value is None:
        return "-"
    seconds = round(value.total_seconds())
    for unit, size, next_unit, next_size in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= size:
            rest = seconds % size // next_size
            return f"{seconds // size} {unit}" + (f" {rest} {next_unit}" if rest else "")
    return f"{seconds} s"


def what(run: Run) -> str:
    """Return what a run was to do."""
    if run.verb == "rollback":
        return "rollback" if run.stage < 0 else f"rollback to stage {run.stage}"
    return f"{run.verb} stage {run.stage}" if run.verb == "apply" else run.verb


def said(status: str) -> str:
    """Return the status of a run in words."""
    return status.replace("_", " ")


def _line(entry: AuditEntry) -> Text:
    text = printable(entry.text)
    if entry.kind is EntryKind.SAMPLES:
        over = f" in {duration(timedelta(seconds=entry.seconds or 0))}" if entry.count > 1 else ""
        return Text(f"{entry.step}: {entry.count} sample{'s' * (entry.count > 1)}{over}: {text}")
    if entry.ended is ActEnd.UNKNOWN:
        return Text(f"{text}: no outcome is known", "bold red")
    if entry.ended is ActEnd.FAILED:
        return Text(text, "red")
    if entry.ended is ActEnd.DONE:
        return Text(f"{text}: done after {duration(timedelta(seconds=entry.seconds or 0))}")
    return Text(text, "bold" if entry.kind in (EntryKind.VERDICT, EntryKind.END) else "")


def _evidence(entry: AuditEntry) -> Iterator[str]:
    if entry.kind is EntryKind.SAMPLES:
        yield from (printable(f"{check} {outcome}: {text}") for check, outcome, text in measurements(entry))
    elif entry.kind in (EntryKind.ACT, EntryKind.END):
        # What a verdict or a note says stands in its text already.
        for name, value in fields(entry.data).items():
            told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            if told not in ("", "[]", "{}") and name != "status":
                yield printable(f"{name}: {told}")
