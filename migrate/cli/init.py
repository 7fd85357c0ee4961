"""`migrate init`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from migrate.cli.options import current, settings_of
from migrate.errors import SettingsError


@click.command("init", short_help="Look at a live service and write migrate.toml.")
@click.option("--cluster", help="Name or ARN of the cluster; without it all of them are looked through.")
@click.option("--service", help="Name or ARN of the service; asked for, or taken when there is only one.")
@click.option("--container", help="The container whose image moves; taken when there is only one.")
@click.option("--context", default=".", show_default=True, help="Build context of the image.")
@click.option("--builder", help="buildx builder to build with.")
@click.option("--force", is_flag=True, help="Write over an existing migrate.toml.")
@settings_of
def command(
    cluster: str | None, service: str | None, container: str | None, context: str, builder: str | None, force: bool
) -> int:
    """Look at a live service and write migrate.toml, with every setting explained. Nothing else is changed.

    Without --cluster and --service it lists the services of the region and asks which one is meant.

    \b
    Examples:
      migrate init
      migrate init --cluster shop --service web
      migrate init --cluster shop --service web --context ./app --force
    """
    from migrate import wiring
    from migrate.cli.service_choice import asked_at_the_terminal, one_of, service_meant
    from migrate.config import render_settings
    from migrate.core.settings import ImageSettings, ServiceSettings, Settings
    from migrate.core.task_definition import containers
    from migrate.errors import ExitCode

    with wiring.looking_around(current().place) as (reader, environment):
        _refuse_to_overwrite(environment.config, force=force)
        account = reader.account()
        ask = asked_at_the_terminal if sys.stdin.isatty() else None
        found_cluster, found_service = service_meant(reader, cluster, service, ask)
        found = reader.service(found_cluster, found_service)
        definition = reader.task_definition(found.task_definition_arn)
    names = [str(item["name"]) for item in containers(definition.document)]
    main = container or one_of(names, "container", "--container", ask)
    settings = Settings(
        service=ServiceSettings(cluster=found_cluster, name=found.name, region=account.region),
        image=ImageSettings(container=main, context=context, builder=builder),
    )
    where = f"launch type {found.launch_type}" if found.launch_type else "a capacity provider strategy"
    revision = found.task_definition_arn.rsplit("/", 1)[-1]
    remarks = (
        f"Written by `migrate init` for {found.arn}.",
        f"It ran {revision} with {found.desired_count} tasks on {where}.",
    )
    _write(environment.config, render_settings(settings, remarks=remarks))
    click.echo(f"Found {found_cluster}/{found.name}: {found.desired_count} tasks on {where}.", err=True)
    click.echo(f"Wrote {os.path.relpath(environment.config)}. Look through it, then run `migrate plan`.")
    return ExitCode.DONE


def _refuse_to_overwrite(path: Path, *, force: bool) -> None:
    if path.exists() and not force:
        raise SettingsError(
            f"{os.path.relpath(path)} exists already.",
            then="Edit it, give --config another name, or write over it with --force.",
        )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written.", why=f"{error.strerror}.", then="Choose another place with --config."
        ) from error
