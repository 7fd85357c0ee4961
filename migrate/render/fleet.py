"""A run over a fleet as text: a table, a summary, and lines for what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from migrate.core.fleet.report import FleetReport
from migrate.core.fleet.run import Entry, FleetState, FleetVerb, MemberState
from migrate.core.stages import Stage
from migrate.errors import ExitCode
from migrate.render.live import lasted

_ROOM_AROUND = 4
_WIDEST = 32
_ENDS = {
    ExitCode.DONE: ("done", "green"),
    ExitCode.BLOCKED: ("blocked", "yellow"),
    ExitCode.ROLLED_BACK: ("rolled back", "red"),
    ExitCode.ROLLBACK_INCOMPLETE: ("ROLLBACK INCOMPLETE", "bold red"),
    ExitCode.HELD: ("held", "yellow"),
    ExitCode.LOCKED: ("locked", "yellow"),
    ExitCode.WORLD_CHANGED: ("world changed", "yellow"),
    ExitCode.INTERRUPTED: ("interrupted", "yellow"),
}
_ORDER = {MemberState.RUNNING: 0, MemberState.ENDED: 1, MemberState.WAITING: 2}


def fleet_table(
    report: FleetReport, workers: Mapping[str, str], now: datetime, height: int | None = None
) -> RenderableType:
    """Return the run: a line about the whole, and one for each member, those first that a person has to see.

    With a ``height`` only as many members are shown as there is room for; the rest are counted.
    """
    entries = sorted(report.entries, key=_weight)
    shown = entries if height is None else entries[: max(1, height - _ROOM_AROUND)]
    rows = [
        (
            Text(entry.member.name),
            Text(report.run.waves[entry.wave]),
            Text(*state_of(entry)),
            Text(_lasted(entry, now)),
            Text(workers.get(entry.worker, "") if entry.state is MemberState.RUNNING else ""),
            Text(entry.text),
        )
        for entry in shown
    ]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=True, header_style="dim")
    for place, column in enumerate(("service", "wave", "state", "time")):
        longest = max([len(column), *(len(row[place]) for row in rows)])
        table.add_column(column, no_wrap=True, min_width=min(_WIDEST, longest))
    table.add_column("worker", no_wrap=True)
    table.add_column("what", ratio=1, no_wrap=height is not None, overflow="ellipsis" if height else "fold")
    for row in rows:
        table.add_row(*row)
    rest = [Text(f"... and {len(entries) - len(shown)} more", "dim")] if len(shown) < len(entries) else []
    return Group(_headline(report), table, *rest)


def fleet_end(report: FleetReport, workers: Mapping[str, str], now: datetime) -> RenderableType:
    """Return how a run stands, and what to do next."""
    parts: list[RenderableType] = [fleet_table(report, workers, now), Text("")]
    seen: set[str] = set()
    for entry in report.entries:
        if entry.standing.failed and entry.then and entry.then not in seen:
            seen.add(entry.then)
            parts.append(Text(f"{entry.member.name}: {entry.then}" + (f" ({entry.runbook})" if entry.runbook else "")))
    parts.append(Text(next_step(report), "bold"))
    return Group(*parts)


def next_step(report: FleetReport) -> str:
    """Return what a person does next."""
    stage = report.run.stage
    match report.decision.state:
        case FleetState.RUNNING:
            return "Workers go on with it; `migrate fleet resume` joins them."
        case FleetState.HELD:
            return f"Held: {report.decision.why}. `migrate fleet resume` goes on, `migrate fleet rollback` goes back."
        case FleetState.STOPPED:
            return (
                f"Stopped: {report.decision.why}. Mend the cause, then `migrate fleet resume` goes on with the rest, "
                "`migrate fleet resume --retry` with those that failed as well."
            )
        case FleetState.DONE if report.exit_code is not ExitCode.DONE:
            return "All have ended, not all well: `migrate fleet resume --retry` tries those again."
        case FleetState.DONE if stage is not None and report.run.verb is FleetVerb.APPLY and stage < Stage.CAPACITY:
            return f"Done. Next: `migrate fleet apply --stage {stage + 1}`."
    return "Done."


def fleet_waves(run_title: str, waves: Iterable[tuple[str, Sequence[str]]]) -> RenderableType:
    """Return who goes in which wave, to be seen before anybody says yes."""
    lines = [Text(run_title, "bold")]
    for name, members in waves:
        lines.append(Text(f"  {name}: {len(members)} service{'s' if len(members) != 1 else ''}"))
        lines += [Text(f"    {member}") for member in members]
    return Group(*lines)


def news(before: FleetReport | None, after: FleetReport) -> Iterator[str]:
    """Yield a line for each member that stands elsewhere than before, and for the run itself."""
    known = {entry.member.arn: entry for entry in before.entries} if before else {}
    for entry in after.entries:
        was = known.get(entry.member.arn)
        if was is None:
            if entry.state is MemberState.RUNNING:
                yield f"{entry.member.name}: running"
        elif (was.state, was.attempt) != (entry.state, entry.attempt):
            text = f": {entry.text}" if entry.state is MemberState.ENDED and entry.text else ""
            yield f"{entry.member.name}: {state_of(entry)[0]}{text}"
        elif entry.state is MemberState.RUNNING and was.text != entry.text:
            yield f"{entry.member.name}: {entry.text}"
    decision = after.decision
    if before is None or (before.decision.state, before.decision.wave) != (decision.state, decision.wave):
        yield _headline(after).plain


def state_of(entry: Entry) -> tuple[str, str]:
    """Return where a member stands in a word, and its style."""
    if entry.state is MemberState.RUNNING:
        return "running", "cyan"
    if entry.state is MemberState.WAITING:
        return "waiting", "dim"
    code = entry.exit_code if entry.exit_code in set(ExitCode) else ExitCode.FAULT
    return _ENDS.get(ExitCode(code or 0), (f"failed (exit {entry.exit_code})", "bold red"))


def counts(entries: Iterable[Entry]) -> dict[str, int]:
    """Return how many members stand where, in words."""
    return dict(Counter(state_of(entry)[0] for entry in entries))


def _headline(report: FleetReport) -> Text:
    counted = ", ".join(f"{number} {name}" for name, number in sorted(counts(report.entries).items()))
    wave = f", wave {report.run.waves[report.decision.wave]}" if report.decision.state is not FleetState.DONE else ""
    why = f" ({report.decision.why})" if report.decision.why else ""
    return Text.assemble((report.run.title, "bold"), f": {report.decision.state.value}{wave}{why}; {counted}")


def _weight(entry: Entry) -> tuple[int, int, int, str]:
    failed = 0 if entry.standing.failed else 1
    return failed, _ORDER[entry.state], entry.wave, entry.member.name


def _lasted(entry: Entry, now: datetime) -> str:
    if entry.started_at is None or entry.state is MemberState.WAITING:
        return ""
    return lasted((entry.finished_at or now) - entry.started_at)
