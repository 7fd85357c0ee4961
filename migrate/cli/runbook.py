"""`migrate runbook`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from migrate.cli.options import current, settings_of
from migrate.errors import InterruptedRunError, SettingsError

if TYPE_CHECKING:
    from migrate.cli.options import Options
    from migrate.core.runbook.runbooks import Runbook


@click.command("runbook", short_help="Show a runbook, or walk through one, with this service's values put in.")
@click.argument("name", required=False)
@click.option("--guided", is_flag=True, help="Go through its commands one by one: show, ask, run, check.")
@settings_of
def command(name: str | None, guided: bool) -> int:
    """Show a runbook with this service's own values put in; without NAME list them.

    NAME is a runbook (stage-2), a section (errors#locked), an exit code (5), or the code of a finding
    (image.wrong-binary). AWS is not asked: values come from migrate.toml and the record.

    --guided goes through the commands of one section, the first of a runbook: it shows each, runs it on yes, checks how
    it ended, and remembers where it was, so that the same command goes on from there.

    \b
    Examples:
      migrate runbook
      migrate runbook stage-2
      migrate runbook image.wrong-binary
      migrate runbook incident --guided
    """
    from migrate import runbook_wiring
    from migrate.errors import ExitCode

    options = current()
    runbooks = runbook_wiring.runbooks()
    if guided:
        _walked(options, name, runbooks)
    elif name is None:
        _listed(options, runbooks)
    else:
        _shown(options, name, runbooks)
    return ExitCode.DONE


def _listed(options: Options, runbooks: tuple[Runbook, ...]) -> None:
    from migrate.render import runbook, structured

    if options.output == "json":
        click.echo(structured.to_json(runbook.runbooks_document(runbooks)))
    else:
        click.echo(options.rendered(runbook.listed(runbooks)), nl=False)


def _shown(options: Options, name: str, runbooks: tuple[Runbook, ...]) -> None:
    from migrate import runbook_wiring
    from migrate.core.runbook.runbooks import meant
    from migrate.render import runbook, structured

    book, section = meant(name, runbooks)
    known = runbook_wiring.known(options.place)
    if options.output == "json":
        click.echo(structured.to_json(runbook.runbook_document(book, section, known.values)))
        return
    text = (section.passage if section else book.passage).with_values(known.values)
    if sys.stdout.isatty():
        click.echo(options.rendered(runbook.markdown(text)), nl=False)
    else:
        # As it is written: Markdown is the plain form.
        click.echo(text, nl=False)
    if known.gap:
        click.echo(f"Note: {known.gap}", err=True)


def _walked(options: Options, name: str | None, runbooks: tuple[Runbook, ...]) -> None:
    from migrate import runbook_wiring
    from migrate.cli.companion import TerminalCompanion
    from migrate.core.runbook.runbooks import to_be_walked

    if name is None:
        raise SettingsError("Nothing is named to walk through.", then="Try `migrate runbook stage-2 --guided`.")
    if options.output == "json" or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise SettingsError(
            "A guided walk needs a terminal.",
            why="It asks before every command." if options.output != "json" else "It is a talk, and no JSON document.",
            then=f"Run it in a terminal, or read `migrate runbook {name}`.",
        )
    walked = to_be_walked(name, runbooks)
    companion = TerminalCompanion(lambda renderable: options.rendered(renderable, error_stream=True))
    walk = runbook_wiring.guided(options.place, name, walked, companion, _write)
    try:
        walk.go()
    except (KeyboardInterrupt, click.Abort) as stopped:
        click.echo(err=True)
        raise InterruptedRunError(
            "Stopped. Where you were is remembered.", then=f"`migrate runbook {name} --guided` goes on from there."
        ) from stopped


def _write(text: str) -> None:
    click.echo(text, nl=False)
