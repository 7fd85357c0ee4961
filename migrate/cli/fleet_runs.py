"""What the verbs of a fleet share: asking first, driving a run, and saying how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from migrate.cli.fleet_screen import fleet_screen
from migrate.cli.hearing import Heard, hearing
from migrate.cli.runs import agreed
from migrate.core.fleet.report import FleetReport

if TYPE_CHECKING:
    from migrate.cli.fleet_screen import FleetScreen
    from migrate.cli.options import Options
    from migrate.core.fleet.definition import Fleet, Member
    from migrate.core.fleet.run import FleetRun
    from migrate.core.stages import Stage
    from migrate.worker_wiring import FleetPlace
    from migrate.workflows.fleet_worker import FleetWorker

_HOLDING = (
    "Holding: no further service begins, those under way go on to their end. "
    "Ctrl-C again stops those of this process between two acts."
)
_LEAVING = "Stopping: what is under way here is finished first, and handed back. Ctrl-C again stops at once."


def agreed_to(options: Options, fleet: Fleet, members: Sequence[Member], stage: Stage, *, yes: bool) -> None:
    """Show who goes in which wave and ask; with ``--yes`` do neither. Raises HeldError when nobody says yes."""
    if yes:
        return
    from migrate.core.fleet.waves import in_waves
    from migrate.render.fleet import fleet_waves

    waves = [(name, [member.name for member in taken]) for name, taken in in_waves(fleet, members)]
    shown_waves = fleet_waves(f"{stage.named} for the fleet {fleet.name}", waves)
    click.echo(options.rendered(shown_waves, error_stream=True), err=True, nl=False)
    agreed(f"Apply stage {stage.value} to {len(members)} service{'s' if len(members) != 1 else ''}?")


def driven(options: Options, place: FleetPlace, run: FleetRun, *, concurrency: int, plain: bool) -> int:
    """Drive a run until nothing of it is under way, or somebody stops it; say how it stands and return its code."""
    from migrate import worker_wiring
    from migrate.workflows.fleet import drive, report

    screen = fleet_screen(options, plain=plain)
    try:
        with hearing() as heard, worker_wiring.working(place, concurrency, lambda _: None) as worker:
            look = Looking(place, screen, heard, worker)
            drive(place.store, worker, place.clock, run.id, look.on)
    finally:
        screen.close()
    return shown(options, place, report(place.store, place.store.fleet_run(run.id) or run))


class Looking:
    """Shows each look at a run, and does what was heard meanwhile."""

    def __init__(self, place: FleetPlace, screen: FleetScreen, heard: Heard, worker: FleetWorker) -> None:
        self._place = place
        self._screen = screen
        self._heard = heard
        self._worker = worker
        self._holding = False

    def on(self, now: FleetReport) -> bool:
        """Show a look; return whether to go on looking."""
        from migrate.workflows.fleet import hold

        self._screen.show(now, _workers(self._place))
        if self._heard.told_to_end or self._heard.presses > 1:
            self._screen.say(_LEAVING)
            self._worker.leave()
            return False
        if self._heard.presses and not self._holding:
            self._holding = True
            hold(self._place.store, now.run.id)
            self._screen.say(_HOLDING)
        return True


def shown(options: Options, place: FleetPlace, report: FleetReport) -> int:
    """Say how a run stands, on stdout, and return its exit code."""
    from migrate.render import structured
    from migrate.render.fleet import fleet_end

    workers = _workers(place)
    if options.output == "json":
        click.echo(structured.to_json(structured.fleet_document(report, workers)))
    else:
        click.echo(options.rendered(fleet_end(report, workers, place.clock.now())), nl=False)
    return report.exit_code


def _workers(place: FleetPlace) -> dict[str, str]:
    return {worker.id: worker.name for worker in place.store.workers()}
