"""`migrate status`."""

from __future__ import annotations

import click

from migrate.cli.options import current, settings_of


@click.command("status", short_help="Show where the service is, by what runs.")
@settings_of
def command() -> int:
    """Show the stage that is proven, what is behind the tag, which revision and architecture run, where and for what.

    \b
    Examples:
      migrate status
      migrate status --output json
    """
    from migrate import wiring
    from migrate.errors import ExitCode
    from migrate.render import structured, text
    from migrate.workflows.status import read_status

    options = current()
    with wiring.reading(options.place) as readers:
        status = read_status(readers)
    if options.output == "json":
        click.echo(structured.to_json(structured.status_document(status)))
    else:
        click.echo(options.rendered(text.status(status)), nl=False)
    return ExitCode.DONE
