"""`migrate resume`."""

from __future__ import annotations

import click

from migrate.cli.options import current, plain_option, settings_of


@click.command("resume", short_help="Take up a run that was interrupted.")
@click.argument("run", required=False)
@click.option("--yes", is_flag=True, help="Do not ask; for programs.")
@plain_option
@settings_of
def command(run: str | None, yes: bool, plain: bool) -> int:
    """Go on with the run that was interrupted last: killed, cut off by a reboot, or stopped with Ctrl-C.

    What it left open is looked at first: locks, Pulumi's pending operations, deployments under way. Recorded steps are
    not done again. RUN is the id of a run, or how it begins.

    \b
    Examples:
      migrate resume
      migrate resume --yes
      migrate resume 3f2a
    """
    from migrate import wiring
    from migrate.cli.runs import agreed, ended, resumed, to_resume
    from migrate.workflows.resume import nothing_to_take_up

    options = current()
    attendant = options.attendant(plain=plain)
    with wiring.writing(options.place, "apply", 0, attendant) as work:
        former = to_resume(work, run)
        if former is None:
            return ended(options, nothing_to_take_up(work.runtime, work.run.service))
        if not yes:
            agreed(f"Take up run {former.id} ({former.verb}), which {former.operator} began on {former.host}?")
        outcome = resumed(attendant, work, former)
    return ended(options, outcome)
