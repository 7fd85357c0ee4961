"""`migrate fleet`: many services by one set of rules, wave by wave."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrate.cli.options import current, plain_option, settings_of

if TYPE_CHECKING:
    from migrate.core.fleet.run import FleetRun
    from migrate.worker_wiring import FleetPlace

_CONCURRENCY = 4

file_option = click.option(
    "--fleet",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="MIGRATE_FLEET",
    help="fleet.toml to use.",
)
run_option = click.option("--run", "run_id", help="The run that is meant, by how its id begins; otherwise the newest.")
concurrency_option = click.option(
    "--concurrency",
    type=click.IntRange(0, 64),
    default=_CONCURRENCY,
    show_default=True,
    help="Services that this process works on at a time; 0 leaves all to `migrate worker`.",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask; for programs.")


@click.group("fleet", short_help="Move many services by one set of rules.")
def command() -> None:
    """Move the services that fleet.toml names, wave by wave, with rules for when to stop.

    \b
    Examples:
      migrate fleet plan
      migrate fleet apply --stage 0
      migrate fleet resume
    """


@command.command("plan", short_help="Show what each service's stages will change, in a line for each.")
@file_option
@settings_of
def plan(file: Path | None) -> int:
    """Look at every service of the fleet and say what comes next for each, and what is in its way.

    Nothing is changed. Exit 3 means that a finding blocks a stage of a service, or that one could not be read. Every
    plan is saved as that of `migrate plan` is.

    \b
    Examples:
      migrate fleet plan
      migrate fleet plan --output json
    """
    from dataclasses import replace

    from migrate import fleet_wiring, worker_wiring
    from migrate.core.fleet.plan import MemberVerdict
    from migrate.errors import ExitCode
    from migrate.render.fleet_plan import fleet_plan, fleet_plan_document
    from migrate.render.structured import to_json
    from migrate.workflows.fleet_plan import plan_fleet

    options = current()
    with worker_wiring.fleet_place(file) as place:
        document = worker_wiring.fleet_document(place)
        members = worker_wiring.members_of(document, place.environment, options.place)
        its = replace(options.place, config=place.environment.config)
        with fleet_wiring.looking_at_fleet(its, len(members)) as place_of:
            found = [item.summary for item in plan_fleet(members, place_of)]
    if options.output == "json":
        click.echo(to_json(fleet_plan_document(found)))
    else:
        click.echo(options.rendered(fleet_plan(found)), nl=False)
    stopped = any(item.blocks or item.verdict is MemberVerdict.UNREAD for item in found)
    return ExitCode.BLOCKED if stopped else ExitCode.DONE


@command.command("apply", short_help="Bring every service of the fleet to a stage.")
@click.option(
    "--stage", type=click.IntRange(0, 3), required=True, help="0 baseline, 1 image, 2 architecture, 3 capacity."
)
@click.option("--anew", is_flag=True, help="Give up an earlier run that is not over: it starts nothing more.")
@file_option
@concurrency_option
@yes_option
@plain_option
@settings_of
def apply(stage: int, anew: bool, file: Path | None, concurrency: int, yes: bool, plain: bool) -> int:
    """Apply one stage to every service of the fleet, each as `migrate apply` does it, in a process of its own.

    Waves go in order. One service's failure stops no other that is under way; more failures than the rules allow let
    no further one begin. Workers on other machines that share the database help.

    \b
    Examples:
      migrate fleet apply --stage 0
      migrate fleet apply --stage 2 --yes --output json
    """
    from migrate import worker_wiring
    from migrate.cli.fleet_runs import agreed_to, driven
    from migrate.core.stages import Stage
    from migrate.workflows.fleet import begin_apply

    options = current()
    with worker_wiring.fleet_place(file) as place:
        document = worker_wiring.fleet_document(place)
        members = worker_wiring.members_of(document, place.environment, options.place)
        agreed_to(options, document.fleet, members, Stage(stage), yes=yes)
        run = begin_apply(place.store, place.clock, document.fleet, members, Stage(stage), place.starter, anew=anew)
        return driven(options, place, run, concurrency=concurrency, plain=plain)


@command.command("rollback", short_help="Take every service of the fleet back.")
@click.option("--to-stage", type=click.IntRange(0, 2), help="The stage to end at; otherwise one stage back for each.")
@click.option("--to", "to_original", type=click.Choice(["original"]), help="All the way back.")
@click.option("--service", "services", multiple=True, help="Only these: a name, CLUSTER/NAME or a pattern.")
@file_option
@concurrency_option
@yes_option
@plain_option
@settings_of
def rollback(
    to_stage: int | None,
    to_original: str | None,
    services: tuple[str, ...],
    file: Path | None,
    concurrency: int,
    yes: bool,
    plain: bool,
) -> int:
    """Roll back every service that runs over the fleet have touched, each as `migrate rollback` does it.

    It goes without waves, and no failure stops it. What an earlier run has not started is not started any more.

    \b
    Examples:
      migrate fleet rollback
      migrate fleet rollback --to-stage 1 --service shop/web
      migrate fleet rollback --to original --yes
    """
    from migrate import worker_wiring
    from migrate.cli.fleet_runs import driven
    from migrate.cli.runs import agreed
    from migrate.core.fleet.definition import matches_service
    from migrate.core.stages import Stage
    from migrate.workflows.fleet import begin_rollback, newest

    if to_stage is not None and to_original is not None:
        raise click.UsageError("--to-stage and --to say two different things: give one of them.")
    to = Stage.ORIGINAL if to_original else None if to_stage is None else Stage(to_stage)
    options = current()
    with worker_wiring.fleet_place(file) as place:
        fleet = worker_wiring.fleet_document(place).fleet.name
        newest(place.store, fleet)
        if not yes:
            where = "one stage back" if to is None else f"to {to.named}"
            agreed(f"Roll back {', '.join(services) or 'every service'} of the fleet {fleet} {where}?")
        run = begin_rollback(
            place.store,
            place.clock,
            place.store.fleet_runs(fleet),
            to,
            place.starter,
            record_of=place.records.record,
            wanted=lambda member: (
                not services or any(matches_service(name, member.cluster, member.service) for name in services)
            ),
        )
        return driven(options, place, run, concurrency=concurrency, plain=plain)


@command.command("resume", short_help="Let a run over the fleet go on.")
@click.option("--retry", is_flag=True, help="Try those that failed again as well.")
@run_option
@file_option
@concurrency_option
@plain_option
@settings_of
def resume(retry: bool, run_id: str | None, file: Path | None, concurrency: int, plain: bool) -> int:
    """Go on with a run: let the next wave begin, take up what was interrupted, or join a run whose driver is gone.

    \b
    Examples:
      migrate fleet resume
      migrate fleet resume --retry
    """
    from migrate import worker_wiring
    from migrate.cli.fleet_runs import driven
    from migrate.workflows import fleet as fleets

    options = current()
    with worker_wiring.fleet_place(file) as place:
        run = fleets.resume(place.store, _run(place, run_id), retry=retry)
        return driven(options, place, run, concurrency=concurrency, plain=plain)


@command.command("status", short_help="Show where a run over the fleet stands.")
@run_option
@file_option
@settings_of
def status(run_id: str | None, file: Path | None) -> int:
    """Show every service of the newest run, or of the one that is named: its wave, state, and what it does or did.

    The exit code is that of the run: 130 while it is under way, 6 while it waits for a person.

    \b
    Examples:
      migrate fleet status
      migrate fleet status --output json
    """
    from migrate import worker_wiring
    from migrate.cli.fleet_runs import shown
    from migrate.workflows.fleet import report

    options = current()
    with worker_wiring.fleet_place(file) as place:
        return shown(options, place, report(place.store, _run(place, run_id)))


@command.command("member", hidden=True)
@settings_of
def member() -> int:
    """Run one member for a worker, by the order on standard input."""
    from migrate.cli.fleet_member import run_member

    return run_member(current())


def _run(place: FleetPlace, run_id: str | None) -> FleetRun:
    from migrate import worker_wiring
    from migrate.workflows.fleet import newest

    fleet = None if run_id else worker_wiring.fleet_document(place).fleet.name
    return newest(place.store, fleet, run_id)
