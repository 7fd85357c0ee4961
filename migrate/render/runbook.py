"""Runbooks for people: in a terminal as rich shows Markdown, but for commands, which stay whole and can be copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markdown import CodeBlock, ListItem, Markdown, MarkdownElement
from rich.segment import Segment
from rich.text import Text

from migrate.core.runbook.runbooks import Expected, Passage, Runbook, Section
from migrate.render.lines import Paragraph, Rows
from migrate.render.structured import head


class _Command(CodeBlock):
    """Commands in lines as long as they are: a line that the program broke would be pasted as two commands."""

    def __rich_console__(self, _console: Console, _options: ConsoleOptions) -> RenderResult:
        for line in str(self.text).rstrip().splitlines():
            yield Text(f"  {line}", "bold cyan", no_wrap=True, overflow="ignore")


class _Item(ListItem):
    """An item of a list that does not cut the commands in it off at the edge."""

    def render_bullet(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the item behind a bullet."""
        yield from self._behind(" \N{BULLET} ", console, options)

    def render_number(self, console: Console, options: ConsoleOptions, number: int, last_number: int) -> RenderResult:
        """Yield the item behind its number."""
        yield from self._behind(f"{number}".rjust(len(str(last_number)) + 1) + " ", console, options)

    def _behind(self, mark: str, console: Console, options: ConsoleOptions) -> RenderResult:
        inside = options.update(width=options.max_width - len(mark))
        for number, line in enumerate(Segment.split_lines(console.render(self.elements, inside))):
            yield Segment(" " * len(mark) if number else mark)
            yield from line
            yield Segment.line()


class _Document(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "fence": _Command,
        "list_item_open": _Item,
    }


def markdown(text: str) -> RenderableType:
    """Return Markdown as a terminal shows it; a link to a runbook says the command that shows that one."""
    document = _Document(text, hyperlinks=False)
    for token in document.parsed:
        for child in token.children or ():
            target = str(child.attrs.get("href", ""))
            file, _, section = target.partition("#")
            if child.type == "link_open" and (file.endswith(".md") or not file) and "/" not in file:
                name = f"{file.removesuffix('.md')}#{section}".strip("#")
                child.attrs["href"] = f"migrate runbook {name}"
    return document


def listed(runbooks: Sequence[Runbook]) -> RenderableType:
    """Return which runbooks there are."""
    table = Rows(style="bold")
    for book in runbooks:
        table.add(book.name, f"{book.title}. {book.summary}")
    return Group(
        table,
        Paragraph("\nmigrate runbook NAME, NAME#SECTION, an exit code, or the code of a finding shows one.", "dim"),
        Paragraph("migrate runbook NAME --guided goes through its commands one by one.", "dim"),
    )


def runbooks_document(runbooks: Sequence[Runbook]) -> dict[str, Any]:
    """Return for programs which runbooks there are, with their sections."""
    return {
        **head("runbooks"),
        "runbooks": [
            {
                "name": book.name,
                "title": book.title,
                "sections": [{"anchor": section.anchor, "title": section.title} for section in book.sections],
            }
            for book in runbooks
        ],
    }


def runbook_document(book: Runbook, section: Section | None, values: dict[str, str]) -> dict[str, Any]:
    """Return one runbook, or one section of it, for programs: the text and the commands, values put in."""
    shown: Passage = section.passage if section else book.passage
    steps = [step for item in ([section] if section else book.sections) for step in item.steps]
    return {
        **head("runbook"),
        "name": book.name,
        "section": section.anchor if section else None,
        "title": section.title if section else book.title,
        "markdown": shown.with_values(values),
        "values": values,
        "steps": [
            {
                "command": step.with_values(values).command,
                "needs": sorted(step.needs - set(values)),
                "expected": _expected(step.expected),
            }
            for step in steps
        ],
    }


def _expected(value: Expected) -> dict[str, Any]:
    return {"codes": [int(code) for code in value.codes], "shows": list(value.shows)}
