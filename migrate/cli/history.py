"""`migrate history`."""

from __future__ import annotations

import click

from migrate.cli.options import current, settings_of


@click.command("history", short_help="List the runs of the service, newest first.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many runs to show.")
@settings_of
def command(limit: int) -> int:
    """List the runs of the service, newest first: when, who, what, how it ended, and how long it took.

    Only the database is asked, not AWS.

    \b
    Examples:
      migrate history
      migrate history --limit 100 --output json
    """
    from migrate import wiring
    from migrate.core.run.history import of_service
    from migrate.errors import ExitCode
    from migrate.render import history, structured

    options = current()
    with wiring.remembering(options.place) as (store, settings, region):
        services = of_service(settings.service, region, store.services())
        told = [(service, store.runs(service)) for service in services]
    if options.output == "json":
        runs = [run for _, found in told for run in found[:limit]]
        click.echo(structured.to_json(structured.history_document(settings.service.name, runs)))
        return ExitCode.DONE
    for service, found in told or [(settings.service.name, ())]:
        shown = history.history(service, found[:limit], left_out=len(found[limit:]))
        click.echo(options.rendered(shown), nl=False)
    return ExitCode.DONE
