"""The operator in front of a terminal, as a guided walk sees him."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

import click
from rich.console import Group, RenderableType
from rich.text import Text

from migrate.cli.answers import answered, said_yes
from migrate.core.runbook.walk import AfterStep, BeforeStep, Shown, Walk

Choice = TypeVar("Choice", bound=StrEnum)

_BEFORE = {
    "y": BeforeStep.RUN,
    "yes": BeforeStep.RUN,
    "s": BeforeStep.SKIP,
    "skip": BeforeStep.SKIP,
    "q": BeforeStep.STOP,
    "quit": BeforeStep.STOP,
}
_AFTER = {
    "a": AfterStep.AGAIN,
    "again": AfterStep.AGAIN,
    "g": AfterStep.GO_ON,
    "go on": AfterStep.GO_ON,
    "q": AfterStep.STOP,
    "quit": AfterStep.STOP,
}


class TerminalCompanion:
    """Implements Companion: asks on stderr, and takes only a whole answer for one. Ctrl-C raises KeyboardInterrupt."""

    def __init__(self, rendered: Callable[[RenderableType], str]) -> None:
        self._rendered = rendered

    def tell(self, markdown: str) -> None:
        """Show what stands between two commands."""
        from migrate.render.runbook import markdown as as_shown

        if markdown.strip():
            self._show(as_shown(markdown))

    def go_on(self, walk: Walk, count: int) -> bool:
        """Ask whether to go on where an earlier walk stopped."""
        where = f"step {walk.step + 1} of {count}"
        if walk.under_way:
            said = f"{where} was begun at {walk.at:%Y-%m-%d %H:%M} UTC and its end was not seen: it may have run."
        else:
            said = f"You stopped before {where} at {walk.at:%Y-%m-%d %H:%M} UTC."
        click.echo(said[0].upper() + said[1:], err=True)
        return said_yes(f"Go on from {where}?", default=True)

    def value(self, name: str) -> str:
        """Ask for the value of a variable."""
        return answered(f"{name} =")

    def before(self, shown: Shown) -> BeforeStep:
        """Show a command and ask what to do with it."""
        lines = [
            Text(f"\nStep {shown.number} of {shown.count}", "bold"),
            Text(f"  {shown.command}", "bold cyan", no_wrap=True, overflow="ignore"),
        ]
        if shown.expectation:
            lines.append(Text(shown.expectation, "dim"))
        self._show(Group(*lines))
        return _answered("Run it? [y]es, [s]kip, [q]uit", _BEFORE)

    def after(self, unmet: tuple[str, ...]) -> AfterStep:
        """Say what did not come true and ask what to do about it."""
        self._show(Group(*(Text(line, "bold red") for line in unmet)))
        return _answered("[a]gain, [g]o on all the same, [q]uit", _AFTER)

    def met(self) -> None:
        """Say that a command ended as expected."""
        self._show(Text("As expected.", "green"))

    def _show(self, renderable: RenderableType) -> None:
        click.echo(self._rendered(renderable), err=True, nl=False)


def _answered(question: str, answers: Mapping[str, Choice]) -> Choice:
    while True:
        said = answered(question).lower()
        if said in answers:
            return answers[said]
