"""Tells what happens while it happens, on stderr: stdout is for the result."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import click

from migrate.core.evidence import Event, EventKind
from migrate.core.run.view import RunView, Telling
from migrate.render import structured, text


class Screen(Protocol):
    """Where a run is told; used from one thread at a time."""

    def begin(self, view: RunView) -> None:
        """Start with a run of which nothing was told yet."""
        ...

    def tell(self, event: Event) -> None:
        """Take one event."""
        ...

    def say(self, line: str) -> None:
        """Tell the operator something that is no event."""
        ...

    def draw(self, now: datetime) -> float | None:
        """Bring what is shown up to date; return in how many seconds to do so again, None where nothing changes."""
        ...

    def suspend(self) -> None:
        """Leave the terminal to a question; the next ``draw`` takes it back."""
        ...


class LineNarrator:
    """One line a change for people; what says nothing new is told once a minute.

    ``width`` says how many columns the terminal has now, None where there is none: a file keeps its lines whole.
    """

    def __init__(self, *, colour: bool, width: Callable[[], int | None] = lambda: None) -> None:
        self._colour = colour
        self._width = width
        self._telling = Telling()

    def begin(self, view: RunView) -> None:
        """Need nothing."""

    def tell(self, event: Event) -> None:
        """Write the event, unless it says nothing new."""
        if self._telling.worth(event):
            self._show(text.event(event), "dim" if event.kind is EventKind.RESOURCE else "")

    def say(self, line: str) -> None:
        """Write the line."""
        self._show(line)

    def draw(self, now: datetime) -> float | None:
        """Draw nothing: lines stay."""
        del now
        return None

    def suspend(self) -> None:
        """Leave nothing behind."""

    def _show(self, line: str, style: str = "") -> None:
        width = self._width()
        if width is None:
            click.echo(line, err=True)
        else:
            click.echo(text.shown(text.told(line, style), width=width, colour=self._colour), err=True, nl=False)


class JsonNarrator:
    """One JSON object a line for programs: every event, and nothing else."""

    def begin(self, view: RunView) -> None:
        """Need nothing."""

    def tell(self, event: Event) -> None:
        """Write the event."""
        click.echo(structured.event_line(event), err=True)

    def say(self, line: str) -> None:
        """Say nothing: the evidence tells it as an event."""

    def draw(self, now: datetime) -> float | None:
        """Draw nothing."""
        del now
        return None

    def suspend(self) -> None:
        """Leave nothing behind."""
