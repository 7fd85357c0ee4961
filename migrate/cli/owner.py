"""What the verbs that act say to the owner of a service that other code deploys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from migrate.cli.options import Options
    from migrate.core.settings import Settings
    from migrate.core.stages import Stage
    from migrate.workflows.runtime import Readers


def may_stop(settings: Settings, *, stop_on_failure: bool) -> tuple[int, ...]:
    """Return what a run is told beside its stage. Raises UsageError where there is nobody else's deployment to stop."""
    if not stop_on_failure:
        return ()
    if not settings.service.is_external:
        raise click.UsageError(
            '--stop-on-failure goes with owner = "external": a stage of our own is rolled back by itself.'
        )
    return (1,)


def tell_owner(options: Options, readers: Readers, stage: Stage) -> None:
    """Tell, on stderr, what the owner of a service has to deploy for a stage; nothing where we deploy ourselves."""
    if not readers.settings.service.is_external or options.output == "json":
        return
    from migrate.render.owner import owner_stage
    from migrate.workflows.plan import known_or_first

    record = known_or_first(readers)
    click.echo(options.rendered(owner_stage(record, readers.settings, stage), error_stream=True), err=True, nl=False)
