"""The queue of fleets on both databases: each attempt once, and never more of a cluster or an account than allowed."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

from dbos import DBOSClient

from migrate.core.fleet.definition import Concurrency
from migrate.core.fleet.run import Attempt, Entry, FleetRun
from migrate.workflows.fleet_queue import APPLICATION, DbosQueue, taking
from tests.fakes.fleet import a_fleet_run, a_member

MEMBERS = [
    a_member(name, cluster=cluster, account_id=account)
    for account, clusters in (("1" * 12, ("shop", "data", "ops")), ("2" * 12, ("shop",)))
    for cluster in clusters
    for name in ("a", "b")
]
PATIENCE = 60


class Crowd:
    """Counts who works at the same time; each member stays until another one of its account came, or a while."""

    def __init__(self, expected: int) -> None:
        self.lock = threading.Lock()
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.done: list[Attempt] = []
        self.over = threading.Event()
        self._expected = expected

    def work(self, attempt: Attempt) -> None:
        account, cluster = attempt.arn.split(":")[4], attempt.arn.split("/")[1]
        places = (account, f"{account}/{cluster}")
        with self.lock:
            self.now.update(places)
            for place in places:
                self.most[place] = max(self.most[place], self.now[place])
        self.over.wait(0.3)
        with self.lock:
            self.now.subtract(places)
            self.done.append(attempt)
            if len(self.done) == self._expected:
                self.over.set()


def a_run(concurrency: Concurrency) -> tuple[FleetRun, tuple[Entry, ...]]:
    run, entries = a_fleet_run(MEMBERS)
    return replace(run, concurrency=concurrency), entries


def test_no_more_of_a_cluster_and_an_account_than_allowed_and_each_attempt_once(database_url: str) -> None:
    run, entries = a_run(Concurrency(cluster=1, account=2))
    crowd = Crowd(len(entries))
    with DbosQueue(database_url) as queue:
        queue.offer(run, entries)
        queue.offer(run, entries)
        with taking(database_url, "worker", crowd.work, concurrency=9):
            assert crowd.over.wait(PATIENCE), crowd.done
    assert sorted(crowd.done) == sorted(entry.current for entry in entries)
    assert {place: most for place, most in crowd.most.items() if "/" in place} == {
        f"{'1' * 12}/shop": 1,
        f"{'1' * 12}/data": 1,
        f"{'1' * 12}/ops": 1,
        f"{'2' * 12}/shop": 1,
    }
    assert crowd.most["1" * 12] <= 2


def test_what_a_worker_took_is_known_and_a_withdrawn_attempt_makes_room_for_the_next(database_url: str) -> None:
    run, entries = a_run(Concurrency(cluster=1, account=1))
    taken, again, leave = threading.Event(), threading.Event(), threading.Event()

    def work(attempt: Attempt) -> None:
        (taken if attempt.number == 1 else again).set()
        leave.wait(PATIENCE)

    with DbosQueue(database_url) as queue, taking(database_url, "dead", work, concurrency=2):
        queue.offer(run, entries[:1])
        assert taken.wait(PATIENCE)
        assert queue.taken_by("dead") == (entries[0].current,)
        assert queue.taken_by("other") == ()
        queue.withdraw(entries[0].current)
        queue.withdraw(entries[0].current)
        assert queue.taken_by("dead") == ()
        queue.offer(run, [replace(entries[0], attempt=2)])
        assert again.wait(PATIENCE)
        leave.set()


def test_a_member_is_of_an_application_of_its_own(database_url: str) -> None:
    run, entries = a_run(Concurrency())
    with DbosQueue(database_url) as queue:
        queue.offer(run, entries[:1])
        client = DBOSClient(system_database_url=database_url, application_name=APPLICATION)
        found = client.list_workflows(status="ENQUEUED")
        client.destroy()
    assert [item.queue_name for item in found] == [f"fleet-{'1' * 12}"]
