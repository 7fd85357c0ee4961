"""The durable engine: apply, rollback and finish as DBOS workflows on SQLite or PostgreSQL.

Each process has an executor id of its own, so that starting one never takes over what another still works on; only
commands that write launch the engine at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from dbos import DBOS, DBOSConfig, SetWorkflowID
from sqlalchemy.exc import SQLAlchemyError

from migrate.core.evidence import Run
from migrate.core.outcome import RunOutcome
from migrate.core.stages import Stage
from migrate.errors import AccessError, ClaimLostError
from migrate.workflows.apply import apply_stage, rebaseline
from migrate.workflows.finish import finish
from migrate.workflows.rollback import roll_back
from migrate.workflows.runtime import Runtime

T = TypeVar("T")


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


@dataclass(frozen=True, slots=True)
class Engine:
    """The workflows, ready to run."""

    apply: Callable[[Run], RunOutcome]
    rebaseline: Callable[[Run], RunOutcome]
    rollback: Callable[[Run, int | None], RunOutcome]
    finish: Callable[[Run], RunOutcome]


@contextmanager
def engine(database_url: str, executor: str, runtime: Runtime) -> Iterator[Engine]:
    """Start the engine for one process and stop it again; ``executor`` must be new for every process."""
    config: DBOSConfig = {
        "name": "ecs-migrate",
        "system_database_url": database_url,
        "executor_id": executor,
        "application_version": "1",
        "log_level": "CRITICAL",
        "console_log_level": "CRITICAL",
        # Nothing is sent between workflows; the end of the process waits for one turn of this listener.
        "notification_listener_polling_interval_sec": 0.2,
    }
    DBOS(config=config)
    workflows = _registered(runtime)
    try:
        with database_errors():
            DBOS.launch()
        yield workflows
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


def _registered(runtime: Runtime) -> Engine:
    steps = DurableSteps()

    @DBOS.workflow(name="apply")
    def apply(run: Run) -> RunOutcome:
        return _abandoning(lambda: apply_stage(runtime, steps, run))

    @DBOS.workflow(name="rebaseline")
    def new_baseline(run: Run) -> RunOutcome:
        return _abandoning(lambda: rebaseline(runtime, steps, run))

    @DBOS.workflow(name="rollback")
    def rollback(run: Run, to: int | None) -> RunOutcome:
        return _abandoning(lambda: roll_back(runtime, steps, run, None if to is None else Stage(to)))

    @DBOS.workflow(name="finish")
    def end(run: Run) -> RunOutcome:
        return _abandoning(lambda: finish(runtime, steps, run))

    def started(workflow: Callable[..., RunOutcome]) -> Callable[..., RunOutcome]:
        def start(run: Run, *arguments: int | None) -> RunOutcome:
            try:
                with SetWorkflowID(run.id):
                    return workflow(run, *arguments)
            except _Abandoned as abandoned:
                raise abandoned.lost from None

        return start

    return Engine(
        apply=started(apply), rebaseline=started(new_baseline), rollback=started(rollback), finish=started(end)
    )
