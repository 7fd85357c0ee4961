"""The durable engine: apply, rollback and finish as DBOS workflows on SQLite or PostgreSQL.

Each process has an executor id of its own, so that starting one never takes over what another still works on; only
commands that write launch the engine at all. What a process left that is gone is taken up on purpose (take_up).
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowHandle
from dbos import error as dbos_error
from sqlalchemy.exc import SQLAlchemyError

from migrate.core.evidence import Run
from migrate.core.outcome import RunOutcome
from migrate.core.run.orders import Choice, Order
from migrate.core.stages import Stage
from migrate.errors import AccessError, ClaimLostError, ReplayError
from migrate.workflows.apply import apply_stage, rebaseline
from migrate.workflows.finish import finish
from migrate.workflows.rollback import roll_back
from migrate.workflows.runtime import Runtime

T = TypeVar("T")

_TURN_S = 0.2
_UNDER_WAY = frozenset({"PENDING", "ENQUEUED"})


class _Abandoned(BaseException):
    """Carries a lost claim past everything that would act on it or keep it.

    DBOS writes down every Exception as the result of the step or the workflow, and these belong to the run's follower.
    """

    def __init__(self, lost: ClaimLostError) -> None:
        super().__init__(lost)
        self.lost = lost


def _abandoning(act: Callable[[], T]) -> T:
    try:
        return act()
    except ClaimLostError as lost:
        raise _Abandoned(lost) from lost


class DurableSteps:
    """Steps whose results DBOS keeps in its database."""

    def step(self, name: str, act: Callable[[], T]) -> T:
        """Return the recorded result, or run the step and record what comes of it."""
        return DBOS.run_step({"name": name}, lambda: _abandoning(act))


Runtimes = Callable[[Run], Runtime]
"""Finds what a run works with; a process that works on many services has one for each."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run was asked to do: the name of its workflow, and what was said beside the run."""

    workflow: str
    arguments: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Engine:
    """The workflows, ready to run."""

    workflows: Mapping[str, Callable[..., RunOutcome]]
    runtimes: Runtimes
    broken: Mapping[str, BaseException]
    """What ended a workflow of this process without an outcome, by run."""

    def start(self, asked: Asked, run: Run) -> RunOutcome:
        """Carry a run out; one that came to its end before is not carried out again, and ends as it did."""
        try:
            with SetWorkflowID(run.id):
                return self.workflows[asked.workflow](run, *asked.arguments)
        except _Abandoned as abandoned:
            raise abandoned.lost from None

    def asked(self, run: Run) -> Asked:
        """Return what a run was asked to do."""
        known = DBOS.get_workflow_status(run.id)
        if known is None or known.input is None:
            return Asked(run.verb, (run.stage,) if run.verb == "rollback" else ())
        return Asked(known.name, tuple(known.input["args"][1:]))

    def take_up(self, run: Run) -> RunOutcome | None:
        """Go on with a run whose process is gone: recorded steps are replayed, the first without a record runs again.

        Whoever asks for it holds the run's claim: should the former process live after all, it is refused every
        further step. Return None where nothing can be replayed: the workflow came to its end, as after Ctrl-C, or
        the steps are no longer the same ones.
        """
        known = DBOS.get_workflow_status(run.id)
        if known is None or known.status not in _UNDER_WAY:
            return None
        # A queue of its own: every process on this database listens to the common one, and has other services at hand.
        DBOS.register_queue(_queue(run), polling_interval_sec=_TURN_S, on_conflict="never_update")
        handle = DBOS.resume_workflow(run.id, queue_name=_queue(run))
        try:
            return self._waited_for(handle, run)
        except (ReplayError, dbos_error.DBOSException):
            return None

    def _waited_for(self, handle: WorkflowHandle[RunOutcome], run: Run) -> RunOutcome:
        try:
            self._wait_for(run)
        except KeyboardInterrupt:
            # The workflow has a thread of its own, which no signal reaches: it ends itself, and its claim, when told.
            self.runtimes(run).orders.give(Order(Choice.HOLD, "Ctrl-C again"))
            self._wait_for(run)
        return handle.get_result(polling_interval_sec=_TURN_S)

    def _wait_for(self, run: Run) -> None:
        turn = threading.Event()
        while (known := DBOS.get_workflow_status(run.id)) is not None and known.status in _UNDER_WAY:
            end = self.broken.get(run.id)
            if isinstance(end, _Abandoned):
                raise end.lost from None
            if end is not None:
                raise end
            turn.wait(_TURN_S)


def queues_for(run: Run | None) -> tuple[str, ...]:
    """Return what a process listens to that may have to take ``run`` up; nobody else listens to it."""
    return () if run is None else (_queue(run),)


def _queue(run: Run) -> str:
    return f"take-up-{run.id}"


@contextmanager
def engine(database_url: str, runtimes: Runtimes, *, queues: Sequence[str] = ()) -> Iterator[Engine]:
    """Start the engine for one process and stop it again; it works on what it starts, and on ``queues``.

    Starting it takes nothing over (design.md, traps): the executor is a new one for every process.
    """
    config: DBOSConfig = {
        "name": "ecs-migrate",
        "system_database_url": database_url,
        "executor_id": str(uuid.uuid4()),
        "application_version": "1",
        "log_level": "CRITICAL",
        "console_log_level": "CRITICAL",
        # Nothing is sent between workflows; the end of the process waits for one turn of this listener.
        "notification_listener_polling_interval_sec": _TURN_S,
    }
    DBOS(config=config)
    DBOS.listen_queues(queues)
    broken: dict[str, BaseException] = {}
    workflows = _registered(runtimes, broken)
    try:
        with database_errors():
            DBOS.launch()
        yield Engine(workflows, runtimes, broken)
    finally:
        DBOS.destroy(destroy_registry=True)


@contextmanager
def database_errors() -> Iterator[None]:
    """Raise AccessError where DBOS cannot use its database."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise AccessError(
            "The state cannot be read or written.",
            why=str(error).partition("\n")[0],
            then="Check that the path or server that MIGRATE_DATABASE_URL names is there, writable and not full.",
            runbook="errors#state",
        ) from error


def _registered(
    runtimes: Runtimes, broken: MutableMapping[str, BaseException]
) -> Mapping[str, Callable[..., RunOutcome]]:
    steps = DurableSteps()

    def carried(run: Run, act: Callable[[], RunOutcome]) -> RunOutcome:
        try:
            return _abandoning(act)
        except BaseException as end:
            if not isinstance(end, Exception):
                # DBOS keeps nothing of these, and nobody who waits for it would ever hear of the end.
                broken[run.id] = end
            raise

    @DBOS.workflow(name="apply")
    def apply(run: Run, stop_on_failure: int | None = None) -> RunOutcome:
        return carried(run, lambda: apply_stage(runtimes(run), steps, run, stop_on_failure=bool(stop_on_failure)))

    @DBOS.workflow(name="rebaseline")
    def new_baseline(run: Run) -> RunOutcome:
        return carried(run, lambda: rebaseline(runtimes(run), steps, run))

    @DBOS.workflow(name="rollback")
    def rollback(run: Run, to: int | None) -> RunOutcome:
        return carried(run, lambda: roll_back(runtimes(run), steps, run, None if to is None else Stage(to)))

    @DBOS.workflow(name="finish")
    def end(run: Run) -> RunOutcome:
        return carried(run, lambda: finish(runtimes(run), steps, run))

    return {"apply": apply, "rebaseline": new_baseline, "rollback": rollback, "finish": end}
