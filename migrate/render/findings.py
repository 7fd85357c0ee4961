"""Findings and the answer of a check as text for people."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.text import Text

from migrate.core.check import CheckReport, Readiness, Subject, counted, group_of, grouped
from migrate.core.findings import Finding, Grade
from migrate.core.stages import Stage
from migrate.render.lines import Rows

GRADES = {Grade.BLOCK: "bold red", Grade.WARN: "yellow", Grade.INFO: "cyan", Grade.UNKNOWN: "magenta"}

_SUBJECTS = {
    Subject.SERVICE: "service",
    Subject.TASK_DEFINITION: "task definition",
    Subject.IMAGES: "images",
    Subject.DOCKERFILE: "Dockerfile",
}
_ANSWERS = {
    Readiness.READY: ("ready", "bold green"),
    Readiness.ALREADY: ("it is there already", "bold green"),
    Readiness.BLOCKED: ("not yet", "bold red"),
    Readiness.UNDECIDED: ("undecided", "bold magenta"),
}
_OPEN = (Readiness.BLOCKED, Readiness.UNDECIDED)
_NOTHING_ELSE = ("nothing else is in the way", "green")
_MOST_REASONS = 5


def check(value: CheckReport) -> RenderableType:
    """Return a check: the answers on top, what was found by what it is about, and the answer in one line at the end."""
    head = Text.assemble(("Check of ", "bold"), (f"{_SUBJECTS[value.subject]} ", "bold"), (value.name, "bold"))
    head.append("\nnothing was changed")
    parts: list[RenderableType] = [head, Text(), _answers(value)]
    parts += [_group(name, items) for name, items in grouped(value.findings)]
    return Group(*parts, Text(), Text(f"{value.summary}.", "bold"))


def _answers(value: CheckReport) -> RenderableType:
    table = Rows()
    questions = (("ARM64", value.arm64, Stage.ARCHITECTURE), ("Spot", value.spot, Stage.CAPACITY))
    for name, readiness, stage in questions:
        if readiness is Readiness.NOT_ASKED:
            continue
        waits = stage is Stage.CAPACITY and readiness is Readiness.READY and value.arm64 in _OPEN
        told = Text(*(_NOTHING_ELSE if waits else _ANSWERS[readiness]))
        reasons = value.in_the_way(stage) if readiness in _OPEN else ()
        for reason in reasons[:_MOST_REASONS]:
            told.append(f"\n{_named(reason)}", "not bold")
        if len(reasons) > _MOST_REASONS:
            told.append(f"\nand {len(reasons) - _MOST_REASONS} more", "not bold")
        table.add(name, told)
    return table


def _named(reason: Finding) -> str:
    """Return what a finding says, below what it is about where the text does not name that itself."""
    name = group_of(reason).partition(" ")[2]
    told = bool(name) and name in reason.text
    return reason.text if told else f"{group_of(reason)}: {reason.text}"


def findings(items: tuple[Finding, ...]) -> RenderableType:
    """Return findings by what they are about, below a line that counts them."""
    return Group(Text.assemble(("\nFindings", "bold"), f"  {counted(items)}"), *map(_of_group, grouped(items)))


def _of_group(group: tuple[str, tuple[Finding, ...]]) -> RenderableType:
    return _group(*group)


def _group(name: str, items: Iterable[Finding]) -> RenderableType:
    return Group(Text(f"\n{name}", "bold"), *(finding(item) for item in items))


def finding(value: Finding) -> RenderableType:
    """Return one finding: grade, code, what was seen, what to do, evidence and runbook section."""
    table = Rows(indent=2, narrowest=7)
    body = Text.assemble((value.code, "bold"), f" (stage {value.stage})\n{value.text}\n", (value.advice, "italic"))
    table.add(Text(value.grade.value, GRADES[value.grade]), body)
    for name, item in (*value.evidence, ("runbook", value.runbook)):
        table.add("", Text(f"{name}: {item}", "dim"), hang=2)
    return table
