"""Shows a run over a fleet while it goes on: as a table that is redrawn, as lines, or as JSON, on stderr."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import click
from rich.console import Console
from rich.live import Live

from migrate.core.fleet.report import FleetReport
from migrate.render import structured
from migrate.render.colours import readable
from migrate.render.fleet import fleet_table, news

if TYPE_CHECKING:
    from migrate.cli.options import Options


class FleetScreen(Protocol):
    """Where a run is shown."""

    def show(self, report: FleetReport, workers: Mapping[str, str]) -> None:
        """Show how it stands; ``workers`` are names by id."""
        ...

    def say(self, line: str) -> None:
        """Tell something that is no member's."""
        ...

    def close(self) -> None:
        """Leave the terminal to others."""
        ...


class FleetLines:
    """A line for each change."""

    def __init__(self) -> None:
        self._before: FleetReport | None = None

    def show(self, report: FleetReport, workers: Mapping[str, str]) -> None:
        """Write what changed."""
        del workers
        for line in news(self._before, report):
            click.echo(f"{_now():%H:%M:%S} {line}", err=True)
        self._before = report

    def say(self, line: str) -> None:
        """Write the line."""
        click.echo(f"{_now():%H:%M:%S} {line}", err=True)

    def close(self) -> None:
        """Leave nothing behind."""


class FleetJson:
    """A line of JSON for each change of a member."""

    def __init__(self) -> None:
        self._before: FleetReport | None = None

    def show(self, report: FleetReport, workers: Mapping[str, str]) -> None:
        """Write what changed."""
        del workers
        known = {entry.member.arn: entry for entry in self._before.entries} if self._before else {}
        for entry in report.entries:
            if known.get(entry.member.arn) != entry:
                click.echo(structured.fleet_event_line(report.run, entry), err=True)
        self._before = report

    def say(self, line: str) -> None:
        """Say nothing: members tell for themselves."""

    def close(self) -> None:
        """Leave nothing behind."""


class FleetTable:
    """A table that is redrawn; what is said scrolls by above it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None

    def show(self, report: FleetReport, workers: Mapping[str, str]) -> None:
        """Redraw the table."""
        if self._live is None:
            self._live = Live(
                console=self._console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
            )
            self._live.start()
        self._live.update(fleet_table(report, workers, _now(), self._console.size.height - 1), refresh=True)

    def say(self, line: str) -> None:
        """Let the line scroll by."""
        self._console.print(line, soft_wrap=True, highlight=False)

    def close(self) -> None:
        """Take the table off the terminal."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def fleet_screen(options: Options, *, plain: bool) -> FleetScreen:
    """Return the screen for the terminal that is there."""
    if options.output == "json":
        return FleetJson()
    if plain or not options.redrawn:
        return FleetLines()
    return FleetTable(readable(Console(stderr=True, highlight=False)))


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - only for what the terminal shows
