"""Text for people: status, outcomes and errors, at any width, with or without colour."""

from __future__ import annotations

from io import StringIO
from typing import Literal

from rich.console import Console, Group, RenderableType
from rich.text import Text

from migrate.core.capacity import shown_strategy
from migrate.core.cost.cost import Price, PriceEstimate
from migrate.core.evidence import Event, EventKind, failed
from migrate.core.outcome import RunOutcome
from migrate.core.run.unfinished import INTERRUPTED, RUNNING
from migrate.core.stages import Stage
from migrate.core.status import Status
from migrate.errors import ExitCode, MigrateError
from migrate.render.colours import readable
from migrate.render.lines import Paragraph, Rows
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

_BESIDE_THE_MARK = len("12:00:00  verdict  ")


def shown(renderable: RenderableType, *, width: int, colour: bool, many_colours: bool = False) -> str:
    """Return what a terminal of ``width`` columns would show; with ``many_colours`` it has 256 of them."""
    out = StringIO()
    system: Literal["256", "standard"] = "256" if many_colours else "standard"
    console = readable(Console(file=out, width=width, force_terminal=colour, color_system=system if colour else None))
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
    table = Rows()
    proven = value.position.proven
    position = "the original: no stage is proven" if proven is Stage.ORIGINAL else f"{proven.named} proven"
    if value.position.entered is not None:
        position += f"; {value.position.entered.named} begun and not proven"
    if value.capacity_step:
        position += f", at the step {shown_strategy(value.capacity_step)}"
    table.add("service", value.service)
    table.add("position", position)
    table.add("image", value.image)
    table.add("digest", value.digest or "could not be read")
    table.add("media type", value.media_type)
    table.add("platforms", ", ".join(value.platforms))
    table.add("revision", value.revision)
    table.add("deployment", value.deployment)
    table.add("tasks", f"{sum(count for _, count in value.architectures)} of {value.desired_count} running")
    table.add("architecture", counted(value.architectures))
    table.add("capacity", f"launch type {value.launch_type}" if value.launch_type else counted(value.split))
    if value.twin:
        twin = value.twin
        table.add("twin", twin.service)
        table.add("", f"{counted(twin.architectures)} of {twin.desired_count}, {twin.revision}, {twin.deployment}")
    table.add("price", f"{price(value.price)} a month")
    if value.last_run:
        run = value.last_run
        goes_on = {
            RUNNING: " (if its process is gone, `migrate resume` goes on with it)",
            INTERRUPTED: " (`migrate resume` goes on)",
        }
        told = f"{run.verb} {run.stage} by {run.operator} at {run.started_at:%Y-%m-%d %H:%M}: {run.status}"
        table.add("last run", told + goes_on.get(run.status, ""))
    for line in value.drift:
        table.add(Text("changed by others", "bold red"), line)
    return table


def counted(pairs: tuple[tuple[str, int], ...]) -> str:
    """Return counts in words: ``FARGATE 1, FARGATE_SPOT 3``."""
    return ", ".join(f"{name or 'none'} {count}" for name, count in pairs) or "none"


def outcome(value: RunOutcome) -> RenderableType:
    """Return how a run ended and what to do next."""
    style = {ExitCode.DONE: "bold green", ExitCode.ROLLBACK_INCOMPLETE: "bold white on red"}.get(
        value.exit_code, "bold yellow"
    )
    lines = [Paragraph(value.text, style)]
    lines += [Paragraph(f"  {reason}") for reason in value.reasons]
    if value.then:
        lines.append(Paragraph(value.then))
    if value.runbook:
        lines.append(Paragraph(f"Runbook: {value.runbook}", "dim"))
    lines.append(Paragraph(f"Run: {value.run_id}", "dim"))
    return Group(*lines)


def error(value: MigrateError) -> RenderableType:
    """Return what happened, why, what to do next, and the runbook section."""
    lines = [Paragraph(value.what, "bold red")]
    if value.why:
        lines.append(Paragraph(value.why))
    lines += [Paragraph(value.then), Paragraph(f"Runbook: {value.runbook}", "dim")]
    return Group(*lines)


def event(value: Event) -> str:
    """Return one line about what happens now; control characters of other people's texts are taken out."""
    mark, told = _MARKS[value.kind], printable(value.text)
    if value.kind is EventKind.OUTCOME:
        if failed(value):
            mark, told = "failed ", told.replace(": failed: ", ": ", 1)
        else:
            told = told.removesuffix(": done")
    return f"{value.at:%H:%M:%S}  {mark}  {told}"


def told(line: str, style: str = "") -> Paragraph:
    """Return what ``event`` returned for a window: what follows its first line stands below its words."""
    return Paragraph(line, style, hang=_BESIDE_THE_MARK)
