"""Tells what happens while it happens, on stderr: stdout is for the result."""

from __future__ import annotations

import click

from migrate.core.evidence import Event, EventKind
from migrate.render import structured, text


class LineNarrator:
    """One line an event for people; what has nothing new to say is left out."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self._last = ""

    def tell(self, event: Event) -> None:
        """Write the event, unless it repeats the one before."""
        if event.kind is EventKind.FINISHED:
            return
        line = text.event(event)
        if event.text == self._last:
            return
        self._last = event.text
        click.echo(click.style(line, dim=event.kind is EventKind.RESOURCE) if self._colour else line, err=True)


class JsonNarrator:
    """One JSON object a line for programs."""

    def tell(self, event: Event) -> None:
        """Write the event."""
        click.echo(structured.event_line(event), err=True)
