"""Text for people: status, outcomes and errors, at any width, with or without colour."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from textwrap import fill

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from migrate.core.capacity import shown_strategy
from migrate.core.cost import Price, PriceEstimate
from migrate.core.evidence import Event, EventKind
from migrate.core.outcome import RunOutcome
from migrate.core.stages import Stage
from migrate.core.status import Status
from migrate.core.unfinished import INTERRUPTED, RUNNING
from migrate.errors import ExitCode, MigrateError
from migrate.render.printable import printable

_MARKS = {
    EventKind.STARTED: "start  ",
    EventKind.PREFLIGHT: "look   ",
    EventKind.INTENT: "doing  ",
    EventKind.OUTCOME: "done   ",
    EventKind.RESOURCE: "  pulumi",
    EventKind.MEASUREMENT: "gate   ",
    EventKind.VERDICT: "verdict",
    EventKind.NOTE: "note   ",
    EventKind.FINISHED: "end    ",
}


def shown(renderable: RenderableType, *, width: int, colour: bool) -> str:
    """Return what a terminal of ``width`` columns would show."""
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=colour, color_system="standard" if colour else None)
    console.print(renderable, crop=False)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def price(value: Price) -> str:
    """Return a price for a month in words; a range where Spot is used, the reason where it is not known."""
    if not isinstance(value, PriceEstimate):
        return "unknown"
    if value.low == value.high:
        return f"{value.high} {value.currency}"
    return f"{value.low} to {value.high} {value.currency}"


def status(value: Status) -> RenderableType:
    """Return where the service is, on one screen."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    proven = value.position.proven
    position = "the original: no stage is proven" if proven is Stage.ORIGINAL else f"{proven.named} proven"
    if value.position.entered is not None:
        position += f"; {value.position.entered.named} begun and not proven"
    if value.capacity_step:
        position += f", at the step {shown_strategy(value.capacity_step)}"
    table.add_row("service", value.service)
    table.add_row("position", position)
    table.add_row("image", value.image)
    table.add_row("digest", value.digest or "could not be read")
    table.add_row("media type", value.media_type)
    table.add_row("platforms", ", ".join(value.platforms))
    table.add_row("revision", value.revision)
    table.add_row("deployment", value.deployment)
    table.add_row("tasks", f"{sum(count for _, count in value.architectures)} of {value.desired_count} running")
    table.add_row("architecture", counted(value.architectures))
    table.add_row("capacity", f"launch type {value.launch_type}" if value.launch_type else counted(value.split))
    if value.twin:
        twin = value.twin
        table.add_row("twin", twin.service)
        table.add_row("", f"{counted(twin.architectures)} of {twin.desired_count}, {twin.revision}, {twin.deployment}")
    table.add_row("price", f"{price(value.price)} a month")
    if value.last_run:
        run = value.last_run
        goes_on = {
            RUNNING: " (if its process is gone, `migrate resume` goes on with it)",
            INTERRUPTED: " (`migrate resume` goes on)",
        }
        told = f"{run.verb} {run.stage} by {run.operator} at {run.started_at:%Y-%m-%d %H:%M}: {run.status}"
        table.add_row("last run", told + goes_on.get(run.status, ""))
    for line in value.drift:
        table.add_row(Text("changed by others", "bold red"), line)
    return table


def counted(pairs: tuple[tuple[str, int], ...]) -> str:
    """Return counts in words: ``FARGATE 1, FARGATE_SPOT 3``."""
    return ", ".join(f"{name or 'none'} {count}" for name, count in pairs) or "none"


def outcome(value: RunOutcome) -> RenderableType:
    """Return how a run ended and what to do next."""
    style = {ExitCode.DONE: "bold green", ExitCode.ROLLBACK_INCOMPLETE: "bold white on red"}.get(
        value.exit_code, "bold yellow"
    )
    lines = [Text(value.text, style)]
    lines += [Text(f"  {reason}") for reason in value.reasons]
    if value.then:
        lines.append(Text(value.then))
    if value.runbook:
        lines.append(Text(f"Runbook: {value.runbook}", "dim"))
    lines.append(Text(f"Run: {value.run_id}", "dim"))
    return Group(*lines)


def error(value: MigrateError) -> RenderableType:
    """Return what happened, why, what to do next, and the runbook section."""
    lines = [Paragraph(value.what, "bold red")]
    if value.why:
        lines.append(Paragraph(value.why))
    lines += [Paragraph(value.then), Paragraph(f"Runbook: {value.runbook}", "dim")]
    return Group(*lines)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words in lines of the width that there is; a path or an ARN that is longer stays whole, so it can be copied."""

    words: str
    style: str = ""

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Wrap between words only: rich itself would fold long ones."""
        for line in self.words.splitlines() or [""]:
            filled = fill(line, options.max_width, break_long_words=False, break_on_hyphens=False)
            yield Text(filled, self.style, no_wrap=True, overflow="ignore")


def event(value: Event) -> str:
    """Return one line about what happens now; control characters of other people's texts are taken out."""
    return f"{value.at:%H:%M:%S}  {_MARKS[value.kind]}  {printable(value.text)}"
