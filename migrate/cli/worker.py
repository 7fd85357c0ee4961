"""`migrate worker`."""

from __future__ import annotations

import click

from migrate.cli.options import current, settings_of


@click.command("worker", short_help="Work on the fleets of a database.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Services that this process works on at a time.",
)
@settings_of
def command(concurrency: int) -> int:
    """Take services from the runs over fleets in the database (MIGRATE_DATABASE_URL), until told to end.

    Any number of workers may run, on any number of machines. On Ctrl-C or SIGTERM it takes nothing more, stops what
    is under way between two acts and hands it back to the others. What a worker had that died is taken over.

    \b
    Examples:
      migrate worker
      migrate worker --concurrency 8
    """
    from datetime import timedelta

    from migrate import worker_wiring
    from migrate.cli.fleet_screen import FleetLines
    from migrate.cli.hearing import hearing
    from migrate.errors import ExitCode

    current()
    lines = FleetLines()
    with worker_wiring.fleet_place(None) as place, hearing() as heard:
        with worker_wiring.working(place, concurrency, lines.say) as worker:
            lines.say(f"worker {worker.worker.name}: up to {concurrency} services at a time, from {place.store.name}")
            while not (heard.presses or heard.told_to_end):
                place.clock.sleep(timedelta(seconds=1))
            lines.say("worker: takes nothing more; what is under way stops between two acts and is handed back")
        lines.say("worker: ended")
    return ExitCode.DONE
