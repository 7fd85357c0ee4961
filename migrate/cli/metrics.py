"""`migrate metrics`."""

from __future__ import annotations

from pathlib import Path

import click

from migrate.cli.options import current, settings_of


@click.command("metrics", short_help="Print where the service stands as Prometheus metrics.")
@click.option(
    "-o",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write them to this file instead, whole or not at all: for the node exporter's textfile collector.",
)
@click.option("--all", "every", is_flag=True, help="All services that the database knows, not that of migrate.toml.")
@settings_of
def command(file: Path | None, every: bool) -> int:
    """Print stage, runs, gate and tasks of the service in Prometheus' text format.

    Only the database is asked, not AWS, so that it may be called every minute; tasks and checks are those that the last
    gate saw.

    \b
    Examples:
      migrate metrics
      migrate metrics -o /var/lib/node_exporter/migrate.prom
      migrate metrics --all
    """
    from migrate import machine_wiring, wiring
    from migrate.cli.files import put
    from migrate.core.run.history import of_service
    from migrate.errors import ExitCode
    from migrate.render.prometheus import exposition
    from migrate.workflows.metrics import read_metrics

    place = current().place
    if every:
        with machine_wiring.database(place) as store:
            found = [read_metrics(store, service) for service in store.services()]
    else:
        with wiring.remembering(place) as (store, settings, region):
            services = of_service(settings.service, region, store.services())
            found = [read_metrics(store, service) for service in services]
    told = exposition(found)
    if file is None:
        click.echo(told, nl=False)
    else:
        put(file, told)
    return ExitCode.DONE
