"""Reads runbooks/*.md with a Markdown parser into what the core knows of runbooks.

A step is a line of a fenced block with the language ``sh`` below Diagnosis or Mitigation; a line that ends in a
backslash goes on in the next one. A paragraph behind the block that begins with ``Expected:`` belongs to its last line:
the numbers after the word ``exit`` are the codes, and every text in backquotes has to be in the output.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from migrate.core.runbook.runbooks import Expected, Passage, Runbook, Section, Step
from migrate.errors import NotFoundError

_EXPECTED = "Expected:"
_EXIT = re.compile(r"\bexit (\d+(?:(?:, | or )\d+)*)")
_PUNCTUATION = re.compile(r"[^\w\- ]")


class RunbookFiles:
    """Implements RunbookReader on the files that come with the package, or lie beside it in a clone."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory or _home()

    def runbooks(self) -> tuple[Runbook, ...]:
        """Return all runbooks, the index first. Raises NotFoundError where they were not installed."""
        files = sorted(self._directory.glob("*.md"), key=lambda path: (path.stem != "index", path.stem))
        if not files:
            raise NotFoundError(
                "The runbooks were not found.",
                why=f"There is none in {self._directory}.",
                then="Install migrate again; the runbooks are in its repository as well, in runbooks/.",
            )
        return tuple(parsed(path.stem, path.read_text(encoding="utf-8")) for path in files)


def _home() -> Path:
    package = Path(__file__).parents[1]
    inside = package / "runbooks"
    return inside if inside.is_dir() else package.parent / "runbooks"


def anchor(title: str) -> str:
    """Return the anchor that GitHub gives a heading: lower case, no punctuation, dashes for spaces."""
    return _PUNCTUATION.sub("", title.strip().lower()).replace(" ", "-")


def parsed(name: str, text: str) -> Runbook:
    """Return the runbook that a Markdown text is."""
    source = _Source(text)
    title = next(iter(source.headings("h1")), ("", 0))[0]
    marks = [*source.headings("h2"), ("", len(source.lines))]
    sections = tuple(_section(source, heading, first, behind) for (heading, first), (_, behind) in pairwise(marks))
    return Runbook(name, title, Passage(text, source.shell(0, len(source.lines))), sections)


@dataclass(frozen=True, slots=True)
class _Block:
    """A fenced block of commands: its lines in the source, its content, and what is said to be expected of it."""

    first: int
    behind: int
    content: str
    expectation: Token | None
    resumed_at: int
    """The line where the text goes on: behind the block, and behind the paragraph of what is expected."""


class _Source:
    """A Markdown text and what a parser found in it."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self._tokens = MarkdownIt("commonmark").enable("table").parse(text)

    def headings(self, level: str) -> list[tuple[str, int]]:
        """Return the headings of a level (``h2``), each with its line."""
        return [
            (inline.content, token.map[0])
            for token, inline in pairwise(self._tokens)
            if token.type == "heading_open" and token.tag == level and token.map
        ]

    @cached_property
    def blocks(self) -> tuple[_Block, ...]:
        """The blocks of commands, in order."""
        return tuple(self._blocks())

    def _blocks(self) -> Iterator[_Block]:
        for index, token in enumerate(self._tokens):
            if token.type != "fence" or token.info.strip() != "sh" or not token.map:
                continue
            after = self._tokens[index + 1 : index + 3]
            expectation = _expectation(after)
            end = after[0].map[1] if expectation and after[0].map else token.map[1]
            yield _Block(token.map[0], token.map[1], token.content, expectation, end)

    def shell(self, first: int, behind: int) -> tuple[tuple[int, int], ...]:
        """Return the lines between the fences of blocks in a part of the text, counted from its beginning."""
        return tuple((block.first + 1 - first, block.behind - 1 - first) for block in self.blocks_in(first, behind))

    def blocks_in(self, first: int, behind: int) -> list[_Block]:
        """Return the blocks in a part of the text."""
        return [block for block in self.blocks if first <= block.first < behind]

    def text(self, first: int, behind: int) -> str:
        """Return lines of the text."""
        return "\n".join(self.lines[first:behind]).strip("\n")


def _expectation(after: Sequence[Token]) -> Token | None:
    paragraph = len(after) > 1 and after[0].type == "paragraph_open" and after[1].type == "inline"
    return after[1] if paragraph and after[1].content.startswith(_EXPECTED) else None


def _section(source: _Source, title: str, first: int, behind: int) -> Section:
    steps, at = [], first
    for block in source.blocks_in(first, behind):
        commands = list(_commands(block.content))
        for number, command in enumerate(commands, start=1):
            told = source.text(at, block.first) if number == 1 else ""
            last = number == len(commands) and block.expectation is not None
            expected = _expected(block.expectation) if last else Expected()
            sentence = " ".join(block.expectation.content.split()) if last and block.expectation else ""
            steps.append(Step(command, told, expected, sentence))
        at = block.resumed_at
    passage = Passage(source.text(first, behind) + "\n", source.shell(first, behind))
    return Section(anchor(title), title, passage, tuple(steps), source.text(at, behind))


def _commands(content: str) -> Iterator[str]:
    """Yield the commands of a block; comments and empty lines are none."""
    held = ""
    for line in content.splitlines():
        held += line
        if held.endswith("\\"):
            held = held.removesuffix("\\").rstrip() + " "
            continue
        if held.strip() and not held.lstrip().startswith("#"):
            yield held.strip()
        held = ""


def _expected(inline: Token | None) -> Expected:
    children = (inline.children or []) if inline else []
    words = " ".join(child.content for child in children if child.type == "text")
    codes = tuple(int(code) for match in _EXIT.finditer(words) for code in re.findall(r"\d+", match[1]))
    shows = tuple(child.content for child in children if child.type == "code_inline")
    return Expected(codes or Expected().codes, shows)
