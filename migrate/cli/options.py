"""Options that every verb takes, before or after its name."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from migrate.cli.attendant import Attendant
    from migrate.core.run.view import RunView
    from migrate.wiring import Place

Function = TypeVar("Function", bound=Callable[..., Any])


_NOT_REDRAWN = frozenset({"", "dumb", "unknown"})
"""Kinds of terminal (TERM) that only take lines."""

_COLUMNS_OF_A_FILE = 100
_FEWEST = 60


@dataclass(slots=True)
class Options:
    """What the operator said about where and how; the last one said wins."""

    config: Path | None = None
    region: str | None = None
    profile: str | None = None
    output: str = "text"

    @property
    def place(self) -> Place:
        """Where the operator pointed."""
        from migrate.wiring import Place

        return Place(self.config, self.region, self.profile)

    @property
    def redrawn(self) -> bool:
        """Whether stderr is a terminal that can be redrawn."""
        return _redrawn(sys.stderr)

    def attendant(self, *, plain: bool) -> Attendant:
        """Who tells what happens and hears Ctrl-C; ``plain`` asks for lines where a live view could be."""
        from migrate.cli.attendant import Attendant
        from migrate.cli.narrator import JsonNarrator, LineNarrator
        from migrate.cli.question import TerminalQuestion
        from migrate.render.live import question

        if self.output == "json":
            return Attendant(JsonNarrator(), None)
        answerable = sys.stdin.isatty() and sys.stderr.isatty()

        def asked(view: RunView, seconds: int) -> str:
            return self.rendered(question(view, seconds), error_stream=True)

        ask = TerminalQuestion(asked) if answerable else None
        if plain or not self.redrawn:
            return Attendant(LineNarrator(colour=_colour(sys.stderr), width=lambda: _columns(sys.stderr)), ask)
        from rich.console import Console

        from migrate.cli.live_view import LiveNarrator
        from migrate.render.colours import readable

        return Attendant(LiveNarrator(readable(Console(stderr=True, highlight=False))), ask)

    def rendered(self, renderable: RenderableType, *, error_stream: bool = False) -> str:
        """Return the text for the terminal that is there; no colour where there is none or NO_COLOR is set."""
        from migrate.render.colours import has_many_colours
        from migrate.render.text import shown

        stream = sys.stderr if error_stream else sys.stdout
        width = _columns(stream) or _columns_wanted() or _COLUMNS_OF_A_FILE
        many = has_many_colours(os.environ)
        return shown(renderable, width=max(width, _FEWEST), colour=_colour(stream), many_colours=many)


def _colour(stream: TextIO) -> bool:
    return _redrawn(stream) and not os.environ.get("NO_COLOR")


def _columns(stream: TextIO) -> int | None:
    """Return how many columns a terminal has, COLUMNS before all; None for a file or a pipe."""
    if not stream.isatty():
        return None
    try:
        return _columns_wanted() or os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def _columns_wanted() -> int | None:
    wanted = os.environ.get("COLUMNS", "")
    return int(wanted) if wanted.isdecimal() else None


def _redrawn(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal that knows more than lines."""
    return stream.isatty() and os.environ.get("TERM", "dumb") not in _NOT_REDRAWN


def settings_of(function: Function) -> Function:
    """Give a command the options that say which settings, account and output are meant."""
    return _settings_of(function, click.option("--output", type=click.Choice(["text", "json"]), help=_OUTPUT))


def settings_and_markdown_of(function: Function) -> Function:
    """Give a command these options, and Markdown as an output."""
    formats, told = ["text", "json", "markdown"], f"{_OUTPUT[:-1]}, markdown for a pull request."
    return _settings_of(function, click.option("--output", type=click.Choice(formats), help=told))


_OUTPUT = "text for people, json for programs."


def _settings_of(function: Function, output_option: Callable[[Any], Any]) -> Function:

    @click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="MIGRATE_CONFIG",
        help="migrate.toml to use.",
    )
    @click.option("--region", help="AWS region; otherwise migrate.toml, AWS_REGION, AWS_DEFAULT_REGION, the profile.")
    @click.option("--profile", help="AWS profile; otherwise the standard AWS environment.")
    @output_option
    @wraps(function)
    def with_options(
        *arguments: Any,
        config: Path | None,
        region: str | None,
        profile: str | None,
        output: str | None,
        **named: Any,
    ) -> Any:
        context = click.get_current_context()
        options = context.ensure_object(Options)
        options.config = config or options.config
        options.region = region or options.region
        options.profile = profile or options.profile
        options.output = output or options.output
        return context.invoke(function, *arguments, **named)

    return with_options  # type: ignore[no-any-return] # click commands keep no signature


plain_option = click.option(
    "--plain", is_flag=True, envvar="MIGRATE_PLAIN", help="Tell it in lines, without the live view."
)
"""The option of the verbs that have a live view."""

fail_on_option = click.option(
    "--fail-on",
    type=click.Choice(["block", "warn", "unknown", "never"]),
    help="Exit with 3 when there is a finding of this grade or a heavier one; block without it.",
)
"""The option that says which findings end a command that looks with exit code 3."""


def current() -> Options:
    """Return the options of the command that is running."""
    options: Options = click.get_current_context().ensure_object(Options)
    return options
