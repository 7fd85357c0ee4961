"""`migrate finish`."""

from __future__ import annotations

import click

from migrate.cli.options import current, settings_of


@click.command("finish", short_help="End the migration, and hand the service to its owner's code.")
@click.option(
    "--print",
    "tool",
    type=click.Choice(["pulumi", "terraform", "cloudformation"]),
    help="Only print what stays, as code for this tool; nothing is finished.",
)
@click.option("--yes", is_flag=True, help="Do not ask; for programs.")
@settings_of
def command(tool: str | None, yes: bool) -> int:
    """End the migration at stage 2 or 3: the recorded way back is given up, and nothing that runs is touched.

    \b
    Examples:
      migrate finish --print terraform
      migrate finish
      migrate finish --yes
    """
    from migrate import wiring
    from migrate.cli.runs import agreed, carried_out, ended
    from migrate.core.handover import OwnersTool
    from migrate.errors import ExitCode
    from migrate.render import handover
    from migrate.workflows.finish import given_up, what_stays

    options = current()
    if tool is not None:
        with wiring.reading(options.place) as readers:
            click.echo(handover.code(what_stays(readers), OwnersTool(tool)), nl=False)
        return ExitCode.DONE
    attendant = options.attendant(plain=True)
    with wiring.writing(options.place, "finish", 3, attendant) as work:
        if not yes:
            for line in given_up(work.runtime):
                click.echo(f"given up: {line}", err=True)
            agreed(f"End the migration of {work.run.service}?")
        outcome = carried_out(attendant, work, f"end of {work.run.service.partition('service/')[2]}", "finish")
    return ended(options, outcome)
