"""The beginning of every run: one writer, a fresh look, and nothing done on a world that moved."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from migrate import __version__
from migrate.core.evidence import EventKind, Run
from migrate.core.findings import blocking
from migrate.core.first_record import first_record
from migrate.core.notifications import end_of, failure_of, start_of
from migrate.core.observation import Observation, drift
from migrate.core.outcome import RunOutcome
from migrate.core.plan.binding import moved_since, read_binding
from migrate.core.plan.plan import make_plan
from migrate.core.rebaseline import may_rebase, rebased
from migrate.core.record import UNTOUCHED, Record, still_open
from migrate.core.run.preflight_evidence import evidence_of, told
from migrate.core.settings import ServiceOwner, Settings
from migrate.core.stages import Position, Stage, may_apply
from migrate.errors import BlockedError, ExitCode, MigrateError, NotFoundError, ReplayError, WorldChangedError
from migrate.workflows.durable import Durable
from migrate.workflows.journal import Journal
from migrate.workflows.notify import notifier_of
from migrate.workflows.observe import observe
from migrate.workflows.permissions import with_permissions
from migrate.workflows.runtime import Runtime
from migrate.workflows.take_up import look_first
from migrate.workflows.versions import versions


@contextmanager
def claimed(runtime: Runtime, run: Run, durable: Durable) -> Iterator[Journal]:
    """Hold the service for one run and give it free at the end, however that comes.

    Raises LockedError when another run holds it, ReplayError when the settings are not those that the run began with.
    """
    run = run if runtime.worker is None else run.taken_by(runtime.worker)
    runtime.store.claim(run.service, run)
    journal = Journal(run, runtime.store, runtime.clock, runtime.narrator, durable, orders=runtime.orders)
    journal.notifier = notifier_of(runtime)
    try:
        _as_it_began(runtime, durable)
        look_first(runtime, journal)
        yield journal
    except KeyboardInterrupt:
        data = {"status": ExitCode.INTERRUPTED.name.lower()}
        journal.write(EventKind.FINISHED, "finished", "stopped by the operator; it can be taken up again", data)
        raise
    finally:
        runtime.store.release(run.service, run.id)


def _as_it_began(runtime: Runtime, durable: Durable) -> None:
    """Refuse to replay a run under other settings, or by another version: its steps would not be the same ones."""
    now = hashlib.sha256(f"{__version__} {runtime.settings}".encode()).hexdigest()
    if durable.step("settings", lambda: now) != now:
        raise ReplayError(
            "The run cannot go on as it began.",
            why="Its settings, or the version of migrate, are others by now.",
            then="Run `migrate resume` again: a new run goes on from what is on record.",
        )


def at_work(journal: Journal) -> None:
    """Tell others that the run begins: it was not refused, and there is something to do."""
    journal.announce(start_of(journal.run, journal.clock.now()))


def finished(journal: Journal, outcome: RunOutcome) -> RunOutcome:
    """Tell others how the run ended, write it down, and return it; a run that found nothing to do tells nobody."""
    # First of all: once the end is on record nobody takes the run up, and what was not told then never is.
    if journal.at_work or outcome.exit_code is not ExitCode.DONE:
        journal.announce(end_of(journal.run, outcome, journal.clock.now()))
    data = {"status": outcome.exit_code.name.lower(), "reasons": outcome.reasons, "then": outcome.then}
    journal.durable.step("finished", lambda: journal.write(EventKind.FINISHED, "finished", outcome.text, data))
    return outcome


def failed(journal: Journal, error: MigrateError) -> None:
    """Tell others of the error that ended a run, and write it down."""
    journal.announce(failure_of(journal.run, error, journal.clock.now()))
    data = {"status": error.exit_code.name.lower(), "error": type(error).__name__, "why": error.why}
    journal.durable.step("finished", lambda: journal.write(EventKind.FINISHED, "finished", error.what, data))


def ready_to_apply(runtime: Runtime, journal: Journal, stage: Stage) -> tuple[Record, Observation]:
    """Return the record to start from and what was seen, or refuse.

    Raises BlockedError (order of stages, preflight) and WorldChangedError (somebody else changed the service).
    """
    service_arn = journal.run.service
    known = journal.look("read record", lambda: runtime.store.record(service_arn))
    version = known.version if known is not None else 0
    known = still_open(known)
    planned_version = known.version if known is not None else 0
    if known is not None and known.position == UNTOUCHED and not known.adopted and not known.former:
        # A first try that was refused left a record, and nothing else: the service is looked at afresh.
        known = None
    may_apply(known.position if known else Position(), stage)
    refuse_another_owner(known, runtime.settings)
    observation = journal.look("observe", lambda: _seen_for(runtime, journal, stage, known))
    # An owner may have deployed the stage already: what he brought is looked at as if it had begun.
    begun = known is not None and known.owned and stage > known.position.proven
    seen_as = known.entered(stage) if known and begun else known
    _refuse_a_moved_world(runtime, journal, seen_as, observation, planned_version)
    _refuse_what_preflight_blocks(runtime, known, observation, stage)
    if known is not None:
        return known, observation
    first = journal.look("read manifest", lambda: _first(runtime, observation))
    return replace(first, version=version), observation


def refuse_another_owner(known: Record | None, settings: Settings) -> None:
    """Raise BlockedError where the settings name another owner than the one that the migration was begun with."""
    if known is None:
        return
    was = ServiceOwner.PULUMI if known.in_program else ServiceOwner.MIGRATE
    if known.owned:
        was = ServiceOwner.EXTERNAL
    if was is settings.service.owner:
        return
    raise BlockedError(
        f'This migration was begun with service.owner = "{was}".',
        why=f'The settings say "{settings.service.owner}" now, and what the stages have made is not in its hands.',
        then="Put the setting back, or leave the service out of the fleet: a fleet moves none that other code owns. To "
        "change hands, go back to the original or `migrate finish` first.",
        runbook="errors#owner-changed",
    )


def ready_to_rebase(runtime: Runtime, journal: Journal) -> tuple[Record, Record, Observation]:
    """Return the record that was, the one that follows it from what runs now, and what was seen (case C43).

    Raises BlockedError where there is nothing to follow, or where preflight would refuse a first migration of it.
    """
    stored = journal.look("read record", lambda: runtime.store.record(journal.run.service))
    stage = Stage.BASELINE
    observation = journal.look("observe", lambda: _seen_for(runtime, journal, stage, None))
    record = may_rebase(still_open(stored), runtime.settings, observation)
    refuse_another_owner(record, runtime.settings)
    _refuse_what_preflight_blocks(runtime, None, observation, stage)
    first = journal.look("read manifest", lambda: _first(runtime, observation))
    return record, rebased(record, runtime.settings, observation, first), observation


def _refuse_what_preflight_blocks(
    runtime: Runtime, known: Record | None, observation: Observation, stage: Stage
) -> None:
    plan = make_plan(observation, runtime.settings, known)
    found = blocking(plan.findings, stage)
    resuming = known is not None and (known.owned or known.position.entered is stage)
    blocks = tuple(item for item in found if not (resuming and item.code == "service.deployment-in-progress"))
    if blocks:
        raise BlockedError(
            f"Stage {stage.value} cannot start: preflight found {_things(len(blocks))} in its way.",
            why="; ".join(f"[{item.code}] {item.text}" for item in blocks),
            then=blocks[0].advice,
            runbook=blocks[0].runbook,
        )


def _things(count: int) -> str:
    return "1 thing" if count == 1 else f"{count} things"


def _seen_for(runtime: Runtime, journal: Journal, stage: Stage, known: Record | None) -> Observation:
    """Return the world as far as the stage needs it, and write down what preflight makes of it.

    What would be built matters to stage 1 alone.
    """
    observation = with_permissions(runtime, observe(runtime, readiness=stage is Stage.IMAGE), (stage,))
    plan = make_plan(observation, runtime.settings, known)
    journal.write(EventKind.PREFLIGHT, "preflight", told(plan), evidence_of(plan, versions()))
    return observation


def _first(runtime: Runtime, observation: Observation) -> Record:
    image = observation.image(runtime.settings.image.container)
    if image is None:
        raise NotFoundError(
            f"The task definition has no container named {runtime.settings.image.container}.",
            then="Correct image.container in migrate.toml.",
        )
    fetched = runtime.registry.manifest(image.reference)
    record = first_record(observation, runtime.settings, fetched.body.decode())
    if fetched.digest != record.baseline.image.digest:
        raise WorldChangedError(
            f"The tag of {image.reference} moved while it was being recorded.",
            why=f"First {record.baseline.image.digest}, then {fetched.digest}.",
            then="Wait until nobody pushes, then plan and apply again.",
        )
    return record


def _refuse_a_moved_world(
    runtime: Runtime, journal: Journal, known: Record | None, observation: Observation, version: int
) -> None:
    if known is None and observation.image(runtime.settings.image.container) is None:
        # The settings are wrong, not the world: preflight says so, with the containers that there are.
        return
    drifted = drift(known, runtime.settings, observation) if known is not None else ()
    owned = known is not None and known.owned
    moved = drifted if owned else (*drifted, *_since_plan(runtime, journal, observation, version))
    if moved:
        raise WorldChangedError(
            "The service is no longer what this migration knows.",
            why="; ".join(moved) + ".",
            then="Nothing was changed. Find out who changed it. "
            + (
                "If it is to stay, `migrate apply --stage 0 --rebaseline` goes on from it."
                if drifted
                else "Then run `migrate plan` to look again."
            ),
        )


def _since_plan(runtime: Runtime, journal: Journal, observation: Observation, version: int) -> tuple[str, ...]:
    text = journal.look("read plan", lambda: runtime.store.plan(journal.run.service))
    if text is None:
        return ()
    now = make_plan(observation, runtime.settings, None)
    return moved_since(read_binding(text), now.fingerprint, now.observed, version)
