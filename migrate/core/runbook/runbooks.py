"""Runbooks as values: their sections, the commands in them, and which one a word means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from migrate.core.shell_text import filled, names_in
from migrate.errors import ExitCode, SettingsError

EXIT_SECTIONS = {
    ExitCode.FAULT: "errors#fault",
    ExitCode.USAGE: "errors#settings",
    ExitCode.BLOCKED: "errors#blocked",
    ExitCode.ROLLED_BACK: "rollback#rolled-back",
    ExitCode.ROLLBACK_INCOMPLETE: "incident#rollback-incomplete",
    ExitCode.HELD: "errors#held",
    ExitCode.LOCKED: "errors#locked",
    ExitCode.WORLD_CHANGED: "errors#world-changed",
    ExitCode.INTERRUPTED: "errors#interrupted",
}
"""The section that treats each exit code; the same as in runbooks/index.md."""


@dataclass(frozen=True, slots=True)
class Expected:
    """How a command should end: one of these exit codes, and each of these texts in what it prints."""

    codes: tuple[int, ...] = (ExitCode.DONE,)
    shows: tuple[str, ...] = ()

    def unmet(self, code: int, output: str) -> tuple[str, ...]:
        """Return in words what did not come true; where lines break makes no difference."""
        found = []
        if code not in self.codes:
            found.append(f"It ended with {code}; expected was {' or '.join(str(item) for item in self.codes)}.")
        printed = " ".join(output.split())
        missing = (text for text in self.shows if " ".join(text.split()) not in printed)
        return (*found, *(f"`{text}` is not in what it printed." for text in missing))


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a section, and ``told``: the Markdown between the command before and this one."""

    command: str
    told: str = ""
    expected: Expected = Expected()
    expectation: str = ""
    """The sentence that says what is expected, as it stands in the runbook; empty where exit 0 is all."""

    @property
    def sets(self) -> str | None:
        """The variable that the command gives a value, as in ``NAME=$(command)``; None where it gives none."""
        name, equals, _ = self.command.partition("=")
        return name if equals and name.isidentifier() and name.isupper() else None

    @property
    def needs(self) -> frozenset[str]:
        """The variables that the command uses."""
        return names_in(self.command)

    def with_values(self, values: Mapping[str, str]) -> Step:
        """Return the step with what is known put in, quoted as its place asks for."""
        return replace(self, command=filled(self.command, values))


@dataclass(frozen=True, slots=True)
class Passage:
    """Markdown; ``shell`` are the lines in it that hold commands, as first and behind the last, counted from 0."""

    text: str
    shell: tuple[tuple[int, int], ...] = ()

    def with_values(self, values: Mapping[str, str]) -> str:
        """Return the text with what is known put into its commands."""
        lines = self.text.splitlines(keepends=True)
        for first, behind in reversed(self.shell):
            lines[first:behind] = filled("".join(lines[first:behind]), values).splitlines(keepends=True)
        return "".join(lines)


@dataclass(frozen=True, slots=True)
class Section:
    """A second-level section; ``rest`` is the Markdown behind its last command."""

    anchor: str
    title: str
    passage: Passage
    steps: tuple[Step, ...] = ()
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Runbook:
    """A file of runbooks/; ``name`` is the file's without its ending."""

    name: str
    title: str
    passage: Passage
    sections: tuple[Section, ...] = ()

    def section(self, anchor: str) -> Section | None:
        """Return the section of that anchor, None where there is none."""
        return next((section for section in self.sections if section.anchor == anchor), None)

    @property
    def summary(self) -> str:
        """What it is about: its sections where they are few, and how many there are."""
        if len(self.sections) <= _FEW:
            return "; ".join(section.title for section in self.sections)
        return f"{len(self.sections)} sections, one for each code"


_FEW = 9


def meant(word: str, runbooks: Sequence[Runbook]) -> tuple[Runbook, Section | None]:
    """Return the runbook, or the section of one, that a word means.

    ``stage-2`` is a runbook, ``errors#locked`` a section of one, ``5`` the section of an exit code, and
    ``image.wrong-binary`` or ``locked`` a section anywhere. Raises SettingsError where it means none, or several.
    """
    wanted = EXIT_SECTIONS[ExitCode(int(word))] if word.isdigit() and int(word) in set(EXIT_SECTIONS) else word
    name, _, anchor = wanted.lower().removesuffix(".md").partition("#")
    book = next((item for item in runbooks if item.name == name.removesuffix(".md")), None)
    if book is not None and not anchor:
        return book, None
    if book is not None:
        section = book.section(anchor)
        found = [(book, section)] if section else []
    else:
        heading = name.replace(".", "-").replace(" ", "-")
        found = [(item, section) for item in runbooks if (section := item.section(heading))]
    if len(found) == 1:
        return found[0]
    if found:
        named = ", ".join(f"{book.name}#{section.anchor}" for book, section in found)
        raise SettingsError(
            f"{word} is the name of several sections.", why=f"{named}.", then="Write it as one of these."
        )
    raise SettingsError(
        f"No runbook, section or code is called {word}.",
        why=_like(wanted, runbooks),
        then="`migrate runbook` lists them.",
    )


def _like(word: str, runbooks: Sequence[Runbook]) -> str:
    names = [book.name for book in runbooks]
    anchors = [section.anchor for book in runbooks for section in book.sections]
    sections = [f"{book.name}#{section.anchor}" for book in runbooks for section in book.sections]
    close = get_close_matches(word.lower().replace(".", "-"), [*names, *anchors, *sections], n=3)
    return f"Much like it: {', '.join(close)}." if close else ""


def to_be_walked(word: str, runbooks: Sequence[Runbook]) -> tuple[Runbook, Section]:
    """Return the section that is walked through: the one that a word means, or the first one of a runbook.

    Raises SettingsError as ``meant`` does, and where there is no command in it.
    """
    book, section = meant(word, runbooks)
    first = section or next((item for item in book.sections if item.steps), None)
    if first is None or not first.steps:
        raise SettingsError(
            f"There is no command in {word}.",
            why="A walk goes from command to command.",
            then=f"Read it with `migrate runbook {book.name}`.",
        )
    return book, first
