"""`migrate apply`."""

from __future__ import annotations

from pathlib import Path

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
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The plan that was signed, of `migrate plan --output json -o FILE`: exit 8 where it is no longer true.",
)
@click.option("--yes", is_flag=True, help="Do not ask; for programs.")
@plain_option
@settings_of
def command(stage: int, rebaseline: bool, stop_on_failure: bool, plan_file: Path | None, yes: bool, plain: bool) -> int:
    """Apply one stage: preview, act, and watch its gate; a gate that fails rolls the stage back by itself.

    Where other code owns the service (owner = "external"), its owner deploys: this waits for it, and proves it.

    Stages go in order, and one that is not proven blocks the next. A stage that is done already changes nothing.

    \b
    Examples:
      migrate apply --stage 0
      migrate apply --stage 1 --yes --output json
      migrate apply --stage 1 --plan plan.json --yes
      migrate apply --stage 0 --rebaseline
      migrate apply --stage 2 --stop-on-failure
    """
    from migrate import wiring
    from migrate.cli.files import read
    from migrate.cli.owner import may_stop, tell_owner
    from migrate.cli.runs import carried_out, confirmed, ended, rebaseline_confirmed
    from migrate.core.stages import Stage
    from migrate.workflows.plan import hold_to

    if rebaseline and stage:
        raise click.UsageError("--rebaseline records a new baseline: it goes with --stage 0.")
    if rebaseline and plan_file:
        raise click.UsageError("--plan is of the recorded baseline, which --rebaseline replaces.")
    options = current()
    attendant = options.attendant(plain=plain)
    with wiring.writing(options.place, "apply", stage, attendant) as work:
        stops = may_stop(work.runtime.settings, stop_on_failure=stop_on_failure)
        if plan_file is not None:
            hold_to(work.runtime, read(plan_file), work.run.service)
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
