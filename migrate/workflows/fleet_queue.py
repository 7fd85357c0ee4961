"""The queue of fleets: DBOS queues, one for each account, with a partition for each cluster.

A queue limits how many members of an account are at work over all workers, a partition those of one cluster (DBOS
3.4, register_queue). They belong to an application of their own, so that a run on a single service, whose engine
shares the database, never takes a member. A worker that died is not recovered by DBOS itself: its attempts are
cancelled, and the members begin their next ones (fleet_worker.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Self

from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions

from migrate.core.fleet.run import Attempt, Entry, FleetRun
from migrate.workflows.engine import database_errors

APPLICATION = "ecs-migrate-fleet"
VERSION = "fleet 1"
"""Told apart from that of single runs: DBOS wants every application of a database to have its own."""
_WORKFLOW = "fleet member"
_LATER_SECONDS = 2.0
_POLLING_SECONDS = 0.5
_SPARE_THREADS = 8


class DbosQueue:
    """Implements fleet_ports.FleetQueue as a client: it takes nothing itself."""

    def __init__(self, database_url: str) -> None:
        with database_errors():
            # A client only finds tables; whoever comes first makes them.
            DBOS.migrate(database_url)
        self._client = DBOSClient(system_database_url=database_url, application_name=APPLICATION)
        self._registered: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.destroy()

    def offer(self, run: FleetRun, entries: Iterable[Entry], *, later: bool = False) -> None:
        """Put members on the queues of their accounts; an attempt that was offered before is there already."""
        for entry in entries:
            options: EnqueueOptions = {
                "workflow_name": _WORKFLOW,
                "queue_name": self._queue(run, entry.member.account_id),
                "workflow_id": _id(entry.current),
                "queue_partition_key": f"{entry.member.region}/{entry.member.cluster}",
                "app_version": VERSION,
            }
            if later:
                options["delay_seconds"] = _LATER_SECONDS
            self._client.enqueue(options, run.id, entry.member.arn, entry.attempt)

    def taken_by(self, worker_id: str) -> tuple[Attempt, ...]:
        """Return what a worker took from the queues and has not ended."""
        found = self._client.list_workflows(
            executor_id=worker_id, status="PENDING", name=_WORKFLOW, load_input=False, load_output=False
        )
        return tuple(_taken(item.workflow_id) for item in found)

    def withdraw(self, attempt: Attempt) -> None:
        """Take an attempt off its queue for good, whoever has it."""
        self._client.cancel_workflow(_id(attempt))

    def _queue(self, run: FleetRun, account_id: str) -> str:
        name = f"fleet-{account_id}"
        if f"{run.id} {name}" not in self._registered:
            self._client.register_queue(
                name,
                global_concurrency=run.concurrency.account,
                partition_concurrency=min(run.concurrency.cluster, run.concurrency.account),
                polling_interval_sec=_POLLING_SECONDS,
            )
            self._registered.add(f"{run.id} {name}")
        return name


@contextmanager
def taking(database_url: str, worker_id: str, work: Callable[[Attempt], None], *, concurrency: int) -> Iterator[None]:
    """Take members from all queues and give each to ``work``, in a thread of its own, until the block ends.

    The block has to see to it that nothing is at work any more when it ends.
    """
    config: DBOSConfig = {
        "name": APPLICATION,
        "system_database_url": database_url,
        "executor_id": worker_id,
        "application_version": VERSION,
        "log_level": "CRITICAL",
        "console_log_level": "CRITICAL",
        "notification_listener_polling_interval_sec": 0.2,
        # A member waits in its thread for its process; the spare ones hand back what there is no room for.
        "max_executor_threads": concurrency + _SPARE_THREADS,
    }
    DBOS(config=config)

    @DBOS.workflow(name=_WORKFLOW)
    def member(run_id: str, arn: str, attempt: int) -> None:
        work(Attempt(run_id, arn, attempt))

    try:
        with database_errors():
            DBOS.launch()
        yield
    finally:
        DBOS.destroy(destroy_registry=True)


def _id(attempt: Attempt) -> str:
    return f"{attempt.run} {attempt.number} {attempt.arn}"


def _taken(workflow_id: str) -> Attempt:
    run_id, number, arn = workflow_id.split(" ", 2)
    return Attempt(run_id, arn, int(number))
