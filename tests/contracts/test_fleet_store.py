"""What every memory of fleets must do; run over the fake, over SQLite and over PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from migrate.adapters.store.fleet_store import SqlFleetStore
from migrate.core.fleet.definition import StopRules
from migrate.core.fleet.run import Attempt, MemberEnd, MemberState, Worker, gone_on
from migrate.errors import NotFoundError
from migrate.fleet_ports import FleetStore
from tests.fakes.fleet import NOON, MemoryFleetStore, a_fleet_run, a_member

WEB, API, CART = (a_member(name) for name in ("web", "api", "cart"))
DONE, FAILED = MemberEnd(0, "proven", run_id="run-1"), MemberEnd(4, "rolled back", "look", "rollback#rolled-back")


@pytest.fixture
def store(state_url: str | None) -> Iterator[FleetStore]:
    if state_url is None:
        yield MemoryFleetStore()
        return
    with SqlFleetStore(state_url, lambda: NOON) as store:
        yield store


def test_what_is_not_there_is_not_found(store: FleetStore) -> None:
    assert store.fleet_run("none") is None
    for nothing in (store.fleet_runs(), store.entries("none"), store.standings("none"), store.workers()):
        assert not nothing
    assert store.start(Attempt("none", WEB.arn, 1), "w") is None
    store.beat(Worker("w", "here", 1, "m", None, 4))
    with pytest.raises(NotFoundError):
        store.change("none", lambda run, _: run)


def test_a_run_comes_back_whole_and_the_newest_first(store: FleetStore) -> None:
    run, entries = a_fleet_run([WEB], [API, CART])
    store.begin(run, entries)
    later = replace(run, id="later")
    store.begin(later, [replace(entry, run="later") for entry in entries])
    store.begin(replace(run, id="other", fleet="other"), [replace(entry, run="other") for entry in entries])
    assert store.fleet_run(run.id) == run
    assert [item.id for item in store.fleet_runs(run.fleet)] == ["later", run.id]
    assert [item.id for item in store.fleet_runs()] == ["other", "later", run.id]
    assert store.entries(run.id) == entries
    assert store.standings(run.id) == tuple(entry.standing for entry in entries)


def test_a_member_is_given_to_one_worker_and_ends_once(store: FleetStore) -> None:
    run, entries = a_fleet_run([WEB])
    store.begin(run, entries)
    started = store.start(Attempt(run.id, WEB.arn, 1), "first")
    assert started == replace(entries[0], state=MemberState.RUNNING, worker="first", started_at=NOON)
    assert store.start(Attempt(run.id, WEB.arn, 1), "second") is None
    assert store.entries(run.id) == (started,)
    assert store.held_by("first") == (Attempt(run.id, WEB.arn, 1),)
    assert store.held_by("second") == ()
    assert store.attempts(run.id, [WEB.arn, "other"]) == {Attempt(run.id, WEB.arn, 1)}


def test_what_a_member_does_and_how_it_ended_is_remembered(store: FleetStore) -> None:
    run, entries = a_fleet_run([WEB])
    store.begin(run, entries)
    store.start(Attempt(run.id, WEB.arn, 1), "worker")
    store.note(Attempt(run.id, WEB.arn, 1), "gate: soak")
    assert store.entries(run.id)[0].text == "gate: soak"
    store.finish(Attempt(run.id, WEB.arn, 1), FAILED)
    store.note(Attempt(run.id, WEB.arn, 1), "too late")
    store.finish(Attempt(run.id, WEB.arn, 1), DONE)
    ended = store.entries(run.id)[0]
    assert (ended.state, ended.exit_code, ended.text, ended.then) == (MemberState.ENDED, 4, "rolled back", "look")
    assert (ended.finished_at, ended.standing.failed) == (NOON, True)
    assert store.held_by("worker") == ()


def test_who_lost_a_member_can_change_it_no_more(store: FleetStore) -> None:
    run, entries = a_fleet_run([WEB])
    store.begin(run, entries)
    store.start(Attempt(run.id, WEB.arn, 1), "stalled")
    assert store.give_back(Attempt(run.id, WEB.arn, 1))
    assert not store.give_back(Attempt(run.id, WEB.arn, 1))
    again = store.start(Attempt(run.id, WEB.arn, 2), "other")
    assert again is not None
    store.finish(Attempt(run.id, WEB.arn, 1), FAILED)
    store.note(Attempt(run.id, WEB.arn, 1), "I am back")
    assert store.entries(run.id) == (again,)


def test_no_member_begins_after_one_failed_more_than_the_rules_allow(store: FleetStore) -> None:
    run, entries = a_fleet_run([WEB, API])
    store.begin(run, entries)
    store.start(Attempt(run.id, WEB.arn, 1), "worker")
    store.finish(Attempt(run.id, WEB.arn, 1), FAILED)
    assert store.start(Attempt(run.id, API.arn, 1), "worker") is None
    changed = store.change(run.id, gone_on)
    assert (changed.forgiven, store.fleet_run(run.id)) == (1, changed)
    assert store.start(Attempt(run.id, API.arn, 2), "worker") is not None


def test_the_next_wave_waits_until_a_person_opens_it(store: FleetStore) -> None:
    run, entries = a_fleet_run([WEB], [API], stop=StopRules(0, hold_between_waves=True))
    store.begin(run, entries)
    assert store.start(Attempt(run.id, API.arn, 1), "worker") is None
    store.start(Attempt(run.id, WEB.arn, 1), "worker")
    store.finish(Attempt(run.id, WEB.arn, 1), DONE)
    assert store.start(Attempt(run.id, API.arn, 2), "worker") is None
    store.change(run.id, gone_on)
    assert store.start(Attempt(run.id, API.arn, 3), "worker") is not None


def test_members_that_ended_in_a_way_are_taken_up_again(store: FleetStore) -> None:
    run, entries = a_fleet_run([WEB, API])
    store.begin(run, entries)
    for member, end in ((WEB, replace(DONE, exit_code=130)), (API, DONE)):
        store.start(Attempt(run.id, member.arn, 1), "worker")
        store.finish(Attempt(run.id, member.arn, 1), end)
    assert store.take_up(run.id, [130]) == 1
    assert {item.arn: item.state for item in store.standings(run.id)} == {
        WEB.arn: MemberState.WAITING,
        API.arn: MemberState.ENDED,
    }
    assert store.start(Attempt(run.id, WEB.arn, 2), "worker") is not None


def test_workers_come_beat_and_leave(store: FleetStore) -> None:
    one, two = (Worker(name, "here", 1, "machine", "tick", 4) for name in ("one", "two"))
    store.beat(one)
    store.beat(two)
    store.beat(replace(one, beat=7))
    assert store.workers() == (replace(one, beat=7), two)
    store.leave("one")
    store.leave("one")
    assert store.workers() == (two,)


def test_of_many_that_ask_at_once_one_gets_the_member(store: FleetStore) -> None:
    run, entries = a_fleet_run([WEB])
    store.begin(run, entries)
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda name: store.start(Attempt(run.id, WEB.arn, 1), str(name)), range(6)))
    assert sum(entry is not None for entry in got) == 1
