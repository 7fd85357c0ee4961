"""`migrate init`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrate.cli.options import current, settings_of
from migrate.errors import SettingsError

if TYPE_CHECKING:
    from migrate.ports import ServiceReader


@click.command("init", short_help="Look at a live service and write migrate.toml.")
@click.option("--cluster", help="Name or ARN of the cluster; asked for, or taken when there is only one.")
@click.option("--service", help="Name of the service; asked for, or taken when there is only one.")
@click.option("--container", help="The container whose image moves; taken when there is only one.")
@click.option("--context", default=".", show_default=True, help="Build context of the image.")
@click.option("--builder", help="buildx builder to build with.")
@click.option("--force", is_flag=True, help="Write over an existing migrate.toml.")
@settings_of
def command(
    cluster: str | None, service: str | None, container: str | None, context: str, builder: str | None, force: bool
) -> int:
    """Look at a live service and write migrate.toml, with every setting explained. Nothing else is changed.

    \b
    Examples:
      migrate init --cluster shop --service web
      migrate init --cluster shop --service web --context ./app --force
    """
    from migrate import wiring
    from migrate.config import render_settings
    from migrate.core.settings import ImageSettings, ServiceSettings, Settings
    from migrate.core.task_definition import containers
    from migrate.errors import ExitCode

    with wiring.looking_around(current().place) as (reader, environment):
        _refuse_to_overwrite(environment.config, force=force)
        account = reader.account()
        found_cluster = cluster or _chosen("cluster", reader.clusters, "--cluster")
        found = reader.service(found_cluster, service or _chosen_service(reader, found_cluster))
        definition = reader.task_definition(found.task_definition_arn)
    names = [str(item["name"]) for item in containers(definition.document)]
    main = container or _chosen("container", lambda: names, "--container")
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
    click.echo(f"Wrote {os.path.relpath(environment.config)}. Look through it, then run `migrate plan`.")
    return ExitCode.DONE


def _chosen_service(reader: ServiceReader, cluster: str) -> str:
    return _chosen("service", lambda: reader.services(cluster), "--service")


def _chosen(what: str, names_of: Callable[[], Sequence[str]], option: str) -> str:
    """Return the only one there is, or ask; without a terminal say what there is to choose from."""
    names = sorted(names_of())
    if len(names) == 1:
        return names[0]
    if names and sys.stdin.isatty():
        chosen: str = click.prompt(f"Which {what}?", type=click.Choice(names), err=True)
        return chosen
    raise SettingsError(
        f"Which {what} is meant?",
        why=f"There are: {', '.join(names[:20])}." if names else f"There is no {what} in this account and region.",
        then=f"Name one with {option}." if names else "Check region and account: --region, --profile, AWS_PROFILE.",
    )


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
