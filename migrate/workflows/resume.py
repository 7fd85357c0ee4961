"""Taking up what was interrupted: the same run where its steps can be replayed, else a new one from the record."""

from __future__ import annotations

from dataclasses import replace

from migrate.core.documents import document
from migrate.core.evidence import Event, EventKind, Run
from migrate.core.outcome import RunOutcome
from migrate.core.record import still_open
from migrate.core.run.unfinished import RUNNING, SUPERSEDED, interrupted
from migrate.core.stages import Position, Stage, may_apply
from migrate.errors import ExitCode
from migrate.workflows.engine import Asked, Engine, Runtimes
from migrate.workflows.runtime import Readers, Runtime


def carried_out(engine: Engine, runtimes: Runtimes, run: Run, asked: Asked) -> RunOutcome:
    """Carry ``run`` out; an interrupted run that was asked the same, of the same stage, is taken up in its place.

    Raises LockedError where that one still works, or may work elsewhere, and BlockedError where it is another stage's
    turn.
    """
    former = interrupted(runtimes(run).store.runs(run.service))
    if former is None:
        return engine.start(asked, run)
    if former.stage == run.stage and engine.asked(former) == asked:
        return taken_up(engine, runtimes, former, run)
    if asked.workflow == "apply":
        # Here, not only in the run: to begin one would end the former, and a refusal must leave it to be taken up.
        record = still_open(runtimes(run).store.record(run.service))
        may_apply(record.position if record is not None else Position(), Stage(run.stage))
    return engine.start(asked, run)


def taken_up(engine: Engine, runtimes: Runtimes, former: Run, anew: Run) -> RunOutcome:
    """Go on with ``former`` under its own id, or as ``anew`` where its workflow has ended or cannot be replayed.

    Raises LockedError where its process still works, or may work elsewhere.
    """
    asked = engine.asked(former)
    if former.status == RUNNING:
        runtime = runtimes(former)
        worker = runtime.worker
        # Before anything else: what is taken up must not be at work, and the workflow asks nobody.
        runtime.store.claim(former.service, former if worker is None else former.taken_by(worker))
        outcome = engine.take_up(former)
        if outcome is not None:
            return outcome
        _superseded(runtime, former, anew)
        runtime.store.release(former.service, former.id)
    return engine.start(asked, replace(anew, verb=former.verb, stage=former.stage))


def nothing_to_take_up(runtime: Readers, service: str) -> RunOutcome:
    """Return the outcome of a resume where every run has come to its end."""
    record = still_open(runtime.store.record(service))
    position = record.position if record is not None else Position()
    runs = runtime.store.runs(service)
    last = f"The last run ({runs[0].verb}) ended: {runs[0].status}." if runs else "There was no run yet."
    return RunOutcome(
        run_id=runs[0].id if runs else "",
        exit_code=ExitCode.DONE,
        stage=position.proven if position.entered is None else Stage(position.entered),
        text="Nothing was interrupted: there is nothing to take up.",
        reasons=(last,),
        then="`migrate status` shows where the service is.",
    )


def _superseded(runtime: Runtime, former: Run, anew: Run) -> None:
    data = document({"status": SUPERSEDED, "by": anew.id})
    text = f"its steps cannot be replayed: run {anew.id} goes on from what is on record"
    event = Event(former.id, runtime.clock.now(), EventKind.FINISHED, "finished", text, data)
    runtime.store.append(event)
    runtime.narrator.tell(event)
