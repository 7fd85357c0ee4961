"""`migrate apply`."""

from __future__ import annotations

import click

from migrate.cli.options import current, plain_option, settings_of


@click.command("apply", short_help="Bring the service to a stage and prove it.")
@click.option(
    "--stage", type=click.IntRange(0, 3), required=True, help="0 baseline, 1 image, 2 architecture, 3 capacity."
)
@click.option(
    "--rebaseline", is_flag=True, help="With --stage 0: go on from what somebody else deployed; their revision stays."
)
@click.option(
    "--stop-on-failure",
    is_flag=True,
    help="Where other code owns the service: stop its deployment when it does not prove itself.",
)
@click.option("--yes", is_flag=True, help="Do not ask; for programs.")
@plain_option
@settings_of
def command(stage: int, rebaseline: bool, stop_on_failure: bool, yes: bool, plain: bool) -> int:
    """Apply one stage: preview, act, and watch its gate; a gate that fails rolls the stage back by itself.

    Where other code owns the service (owner = "external"), its owner deploys: this waits for it, and proves it.

    Stages go in order, and one that is not proven blocks the next. A stage that is done already changes nothing.

    \b
    Examples:
      migrate apply --stage 0
      migrate apply --stage 1 --yes --output json
      migrate apply --stage 0 --rebaseline
      migrate apply --stage 2 --stop-on-failure
    """
    from migrate import wiring
    from migrate.cli.owner import may_stop, tell_owner
    from migrate.cli.runs import carried_out, confirmed, ended, rebaseline_confirmed
    from migrate.core.stages import Stage

    if rebaseline and stage:
        raise click.UsageError("--rebaseline records a new baseline: it goes with --stage 0.")
    options = current()
    attendant = options.attendant(plain=plain)
    with wiring.writing(options.place, "apply", stage, attendant) as work:
        stops = may_stop(work.runtime.settings, stop_on_failure=stop_on_failure)
        if rebaseline:
            rebaseline_confirmed(options, work.runtime, yes=yes)
        else:
            confirmed(options, work.runtime, stage, yes=yes)
            tell_owner(options, work.runtime, Stage(stage))
        title = f"{Stage(stage).named} of {work.run.service.partition('service/')[2]}"
        outcome = carried_out(
            attendant, work, title, "rebaseline" if rebaseline else "apply", *(() if rebaseline else stops)
        )
    return ended(options, outcome)
