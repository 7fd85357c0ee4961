"""`migrate rollback`."""

from __future__ import annotations

import click

from migrate.cli.options import current, plain_option, settings_of


@click.command("rollback", short_help="Bring the service back.")
@click.option("--to-stage", type=click.IntRange(0, 2), help="The stage to go back to; without it, one stage back.")
@click.option(
    "--to", "to_original", type=click.Choice(["original"]), help="As it was found: tag bytes, revision and launch type."
)
@click.option("--yes", is_flag=True, help="Do not ask; for programs.")
@plain_option
@settings_of
def command(to_stage: int | None, to_original: str | None, yes: bool, plain: bool) -> int:
    """Bring the service back to a smaller stage, and prove that on its running tasks.

    \b
    Examples:
      migrate rollback
      migrate rollback --to-stage 1
      migrate rollback --to original
    """
    from migrate import wiring
    from migrate.cli.runs import carried_out, ended, rollback_confirmed
    from migrate.core.stages import Stage

    if to_stage is not None and to_original is not None:
        raise click.UsageError("--to-stage and --to say two different things: give one of them.")
    to = int(Stage.ORIGINAL) if to_original else to_stage
    options = current()
    stage = -1 if to is None else to
    attendant = options.attendant(plain=plain)
    with wiring.writing(options.place, "rollback", stage, attendant) as work:
        rollback_confirmed(options, work.runtime, to, yes=yes)
        title = f"rollback of {work.run.service.partition('service/')[2]}"
        outcome = carried_out(attendant, work, title, "rollback", to)
    return ended(options, outcome)
