"""A run as it is now, for a terminal that is redrawn: pure, from the state of its events and the time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from rich.console import Group, RenderableType
from rich.text import Text

from migrate.core.gate.gate import Outcome
from migrate.core.run.view import CheckSeen, GateSeen, RunView, running_now
from migrate.core.task_groups import TaskGroup
from migrate.render.printable import printable

_STYLES = {
    Outcome.PASS: ("ok  ", "green"),
    Outcome.WAITING: ("wait", "yellow"),
    Outcome.FAIL: ("FAIL", "bold red"),
    Outcome.INCONCLUSIVE: ("?   ", "yellow"),
    Outcome.ERROR: ("ERR ", "red"),
}
_BAR = 24
_ROOM_FOR_A_BAR = 60
_SMALL = 2
_LABEL = 9


def live(view: RunView, now: datetime, *, width: int, height: int) -> RenderableType:
    """Return the view, at most ``height`` lines of ``width`` columns; what matters least goes first."""
    head = [_cut(Text.assemble((view.title, "bold"), f"  {lasted(now - view.started_at)}"))] if height > _SMALL else []
    foot = [_foot(view)] if height > 1 else []
    room = max(0, height - len(head) - 1 - len(foot))
    gate = _gate(view, now, width, room)
    newest = view.resources[max(0, len(view.resources) - (room - len(gate))) :] if room > len(gate) else ()
    return Group(*head, _doing(view, now), *(_row("pulumi", text) for _, text in newest), *gate, *foot)


def question(view: RunView, seconds: int) -> RenderableType:
    """Return what Ctrl-C asks; on the way back it says what leaving means and what runs (design: nothing is lost)."""
    if not view.going_back:
        return Text.assemble(
            ("\nThe run goes on until you answer.", "bold"),
            "\n  k  keep going",
            "\n  h  hold: stop here, nothing is undone; the same command goes on later (exit 130)",
            "\n  r  roll back this stage now (exit 4 when it is back)",
            f"\nNo answer within {seconds} s means hold. Ctrl-C again stops at once.",
        )
    runs = running_now(view) or "`migrate status` tells"
    return Text.assemble(
        ("\nTHE WAY BACK IS NOT COMPLETE. Leaving now leaves the service between two stages.", "bold red"),
        f"\n  running now: {runs}",
        f"\n  being done:  {view.doing or 'waiting for the tasks to prove themselves'}",
        "\n  k      keep going back",
        "\n  leave  leave it half-way, with nobody watching; type the whole word (exit 130)",
        f"\nNo answer within {seconds} s means keep going back. Ctrl-C again stops at once.",
    )


def _doing(view: RunView, now: datetime) -> Text:
    if view.verdict:
        return _row("gate", view.verdict)
    if view.doing:
        since = f"  {lasted(now - view.doing_since)}" if view.doing_since else ""
        return _row("doing", f"{view.doing}{since}")
    if view.ended:
        return _row("end", view.ended)
    return _row("doing", "watching the tasks" if view.gate else "looking")


def _gate(view: RunView, now: datetime, width: int, room: int) -> list[Text]:
    """Return tasks, checks and clocks; where there is no room for all, the checks that pass are left out."""
    gate = view.gate
    if gate is None:
        return []
    passed = (now - gate.at).total_seconds()
    tasks, clocks = _tasks(gate.tasks, gate.desired), _countdowns(gate, max(0.0, passed), width)
    checks = gate.checks
    if len(tasks) + len(checks) + len(clocks) > room:
        checks = tuple(item for item in checks if item.outcome != Outcome.PASS)
    shown = [_check(item, first=not index) for index, item in enumerate(checks)]
    return [*tasks, *shown, *clocks][:room]


def _tasks(groups: Iterable[TaskGroup], desired: int | None) -> list[Text]:
    rows = []
    for index, group in enumerate(groups):
        age, style = ("new", "bold") if group.new else ("old", "dim")
        counts = [f"{group.running} running"]
        counts += [f"{group.pending} pending"] if group.pending else []
        counts += [f"{group.stopping} stopping"] if group.stopping else []
        text = Text.assemble((f"{age} ", style), f"{group.architecture:<7}{', '.join(counts)} on {group.provider}")
        if not index and desired is not None:
            text.append(f"; {desired} desired", "dim")
        rows.append(_row("tasks" if not index else "", text))
    return rows


def _check(item: CheckSeen, *, first: bool) -> Text:
    mark, style = _STYLES[Outcome(item.outcome)]
    return _row("checks" if first else "", Text.assemble((mark, style), f" {item.check}: {printable(item.text)}"))


def _countdowns(gate: GateSeen, passed: float, width: int) -> list[Text]:
    rows = []
    if gate.soak_left is not None:
        left = max(0.0, gate.soak_left - passed)
        told = f"{lasted(timedelta(seconds=left))} left of {lasted(timedelta(seconds=gate.soak))}"
        if width >= _ROOM_FOR_A_BAR:
            told = f"{_bar(1 - left / gate.soak if gate.soak else 1.0)} {told}"
        rows.append(_row("soak", told))
    else:
        rows.append(_row("soak", "begins when every check passes"))
    if gate.deadline_left is not None:
        rows.append(_row("deadline", f"{lasted(timedelta(seconds=max(0.0, gate.deadline_left - passed)))} left"))
    return rows


def _foot(view: RunView) -> Text:
    if view.going_back:
        return _cut(Text("going back; Ctrl-C asks before it leaves anything half-way", "dim"))
    return _cut(Text("Ctrl-C asks: keep going, hold, or roll back", "dim"))


def _bar(share: float) -> str:
    full = round(min(1.0, max(0.0, share)) * _BAR)
    return f"[{'#' * full}{'.' * (_BAR - full)}]"


def _row(label: str, text: str | Text) -> Text:
    return _cut(Text.assemble((f"{label:<{_LABEL}}", "dim"), Text(printable(text)) if isinstance(text, str) else text))


def _cut(text: Text) -> Text:
    """Keep a line one line, however narrow the terminal: the height of the view has to be known."""
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def lasted(duration: timedelta) -> str:
    """Return a duration as a clock shows it: ``1:05``, ``1:02:03``."""
    seconds = max(0, int(duration.total_seconds()))
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"
