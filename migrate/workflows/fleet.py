"""A run over a fleet: begun once, driven by whoever is there, held and resumed by a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from migrate.core.fleet.definition import Concurrency, Fleet, Member, StopRules
from migrate.core.fleet.report import FleetReport
from migrate.core.fleet.run import (
    Entry,
    FleetRun,
    FleetState,
    FleetVerb,
    MemberState,
    decide,
    gone_on,
)
from migrate.core.fleet.waves import ONLY, in_waves
from migrate.core.record import Record, still_open
from migrate.core.stages import Stage
from migrate.errors import BlockedError, ExitCode, HeldError, LockedError
from migrate.fleet_ports import FleetStore
from migrate.ports import Clock
from migrate.workflows.fleet_worker import FleetWorker

TICK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Starter:
    """Who begins a run, and under which id."""

    run_id: str
    operator: str
    host: str


def report(store: FleetStore, run: FleetRun) -> FleetReport:
    """Return a run as it stands."""
    entries = store.entries(run.id)
    return FleetReport(run, entries, decide(run, [entry.standing for entry in entries]))


def newest(store: FleetStore, fleet: str | None, run_id: str | None = None) -> FleetRun:
    """Return the newest run of a fleet, or the one whose id begins with ``run_id``. Raises BlockedError without one."""
    found = [run for run in store.fleet_runs(fleet) if run_id is None or run.id.startswith(run_id)]
    if not found:
        which = f"There is no run {run_id} of a fleet" if run_id else f"No run over the fleet {fleet} was begun"
        raise BlockedError(
            f"{which} in this database.",
            then="Run `migrate fleet apply --stage 0`, or name the database of the run in MIGRATE_DATABASE_URL.",
            runbook="fleet#which-run",
        )
    return found[0]


def begin_apply(
    store: FleetStore, clock: Clock, fleet: Fleet, members: Sequence[Member], stage: Stage, who: Starter, *, anew: bool
) -> FleetRun:
    """Write down a run that brings every member to a stage, wave by wave; nothing is started.

    Raises HeldError while an earlier run over the fleet is not over; with ``anew`` that one starts nothing more.
    """
    for earlier in store.fleet_runs(fleet.name):
        state = report(store, earlier).decision
        if state.state is FleetState.DONE or (earlier.hold and state.state is not FleetState.RUNNING):
            continue
        if not anew:
            raise HeldError(
                f"An earlier run over the fleet {fleet.name} is not over: {earlier.title}, {state.state.value}.",
                why=f"{state.why or 'Members of it are under way'} (run {earlier.id}).",
                then="Go on with it by `migrate fleet resume`, or give it up: `migrate fleet apply --stage N --anew`.",
                runbook="fleet#an-earlier-run",
            )
        store.change(earlier.id, _held)
    waves = in_waves(fleet, members)
    run = _new_run(fleet.name, FleetVerb.APPLY, stage.value, [name for name, _ in waves], clock, who)
    run = replace(run, stop=fleet.stop, concurrency=fleet.concurrency)
    store.begin(run, [Entry(run.id, member, wave) for wave, (_, taken) in enumerate(waves) for member in taken])
    return run


def begin_rollback(
    store: FleetStore,
    clock: Clock,
    earlier: Sequence[FleetRun],
    to: Stage | None,
    who: Starter,
    *,
    record_of: Callable[[str], Record | None],
    wanted: Callable[[Member], bool],
) -> FleetRun:
    """Write down a run that takes back every member that earlier runs touched; they start nothing more.

    A member that is at the wanted stage, or below it, is left out. Raises BlockedError where that leaves nobody.
    """
    members: dict[str, Member] = {}
    for run in earlier:
        for entry in store.entries(run.id):
            touched = entry.state is not MemberState.WAITING or entry.attempt > 1
            if touched and wanted(entry.member) and _is_above(record_of(entry.member.arn), to):
                members.setdefault(entry.member.arn, entry.member)
    if not members:
        raise BlockedError(
            "No service of the fleet is above that stage.",
            then="`migrate fleet status` shows where each one is; nothing was changed.",
            runbook="fleet#nothing-to-take-back",
        )
    for run in earlier:
        store.change(run.id, _held)
    newest_run = earlier[0]
    stage = None if to is None else to.value
    run = _new_run(newest_run.fleet, FleetVerb.ROLLBACK, stage, [ONLY], clock, who)
    run = replace(run, concurrency=newest_run.concurrency)
    store.begin(run, [Entry(run.id, member, 0) for member in members.values()])
    return run


def resume(store: FleetStore, run: FleetRun, *, retry: bool) -> FleetRun:
    """Let a run go on: the next wave begins, interrupted members are taken up, and failures so far are seen.

    With ``retry`` the members that failed are tried again as well.
    """
    codes = [code for code in ExitCode if code is not ExitCode.DONE] if retry else [ExitCode.INTERRUPTED]
    store.take_up(run.id, codes)
    return store.change(run.id, gone_on)


def hold(store: FleetStore, run_id: str) -> FleetRun:
    """Let no further member begin; those under way go on to their end."""
    return store.change(run_id, _held)


def drive(
    store: FleetStore, worker: FleetWorker, clock: Clock, run_id: str, show: Callable[[FleetReport], bool]
) -> FleetReport:
    """Hand out what may begin and look on, until nothing is under way any more.

    ``show`` gets every look, and says whether to go on looking. Whoever drives may be gone at any time: workers go on.
    """
    while True:
        worker.advance(run_id)
        run = store.fleet_run(run_id)
        if run is None:
            raise LockedError(f"Run {run_id} is gone from the database.", then="Run `migrate fleet status`.")
        now = report(store, run)
        if not show(now) or now.decision.state is not FleetState.RUNNING:
            return now
        clock.sleep(TICK)


def _new_run(
    fleet: str, verb: FleetVerb, stage: int | None, waves: Sequence[str], clock: Clock, who: Starter
) -> FleetRun:
    return FleetRun(
        id=who.run_id,
        fleet=fleet,
        verb=verb,
        stage=stage,
        waves=tuple(waves),
        started_at=clock.now(),
        operator=who.operator,
        host=who.host,
        stop=StopRules(hold_between_waves=False),
        concurrency=Concurrency(),
    )


def _held(run: FleetRun, _: object) -> FleetRun:
    return replace(run, hold=True)


def _is_above(record: Record | None, to: Stage | None) -> bool:
    known = still_open(record)
    if known is None:
        return False
    reached = max(known.position.proven, known.position.entered or Stage.ORIGINAL)
    return reached > (Stage.ORIGINAL if to is None else to)
