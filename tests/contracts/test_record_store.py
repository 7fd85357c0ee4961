"""What every record store must do; run over the fake, over SQLite and, by URL, over PostgreSQL.

MIGRATE_TEST_DATABASE_URL names a PostgreSQL database whose tables ``migrate_*`` may be emptied.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from migrate.adapters.store.database import parse_url
from migrate.adapters.store.record_store import SqlRecordStore
from migrate.adapters.store.tables import METADATA
from migrate.core.evidence import EventKind, Run
from migrate.core.record import Record
from migrate.core.stages import Stage
from migrate.errors import LockedError, WorldChangedError
from migrate.store_port import RecordStore
from tests.fakes.record_store import FakeProcesses, MemoryRecordStore
from tests.fakes.records import NOON, SERVICE_ARN, a_record, a_run, an_event

OTHER_SERVICE = SERVICE_ARN.replace("/web", "/worker")
POSTGRESQL = os.environ.get("MIGRATE_TEST_DATABASE_URL", "")
KINDS = ("memory", "sqlite", *(("postgresql",) if POSTGRESQL else ()))

Opener = Callable[[FakeProcesses], RecordStore]
"""Opens one more store on the same data, as another process would."""


@pytest.fixture
def processes() -> FakeProcesses:
    return FakeProcesses(running={4711: "tick 1", 4712: "tick 2"})


@pytest.fixture(params=KINDS)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    if request.param == "memory":
        one = MemoryRecordStore()
        yield one.seen_from
        return
    url = f"sqlite:///{tmp_path / 'state' / 'migrate.sqlite'}" if request.param == "sqlite" else POSTGRESQL
    opened: list[SqlRecordStore] = []

    def another(processes: FakeProcesses) -> RecordStore:
        opened.append(SqlRecordStore(url, processes=processes))
        return opened[-1]

    yield another
    for store in opened:
        store.close()
    if request.param == "postgresql":
        engine = create_engine(parse_url(url))
        METADATA.drop_all(engine)
        engine.dispose()


@pytest.fixture
def store(open_store: Opener, processes: FakeProcesses) -> RecordStore:
    return open_store(processes)


def test_a_service_without_a_past_has_nothing(store: RecordStore) -> None:
    assert store.record(SERVICE_ARN) is None
    assert store.runs(SERVICE_ARN) == ()
    assert store.events("run-1") == ()
    assert store.plan(SERVICE_ARN) is None


def test_a_saved_record_comes_back_one_version_on(store: RecordStore) -> None:
    saved = store.save_record(SERVICE_ARN, a_record())
    assert saved == replace(a_record(), version=1)
    assert store.record(SERVICE_ARN) == saved
    assert store.record(OTHER_SERVICE) is None


def test_another_process_goes_on_with_what_was_saved(open_store: Opener, processes: FakeProcesses) -> None:
    first, second = open_store(processes), open_store(processes)
    saved = first.save_record(SERVICE_ARN, a_record())
    assert second.record(SERVICE_ARN) == saved
    moved = second.save_record(SERVICE_ARN, saved.entered(Stage.IMAGE))
    assert first.record(SERVICE_ARN) == moved
    assert moved.version == 2


def test_a_change_to_an_outdated_record_is_refused_and_loses_nothing(store: RecordStore) -> None:
    read_by_both = store.save_record(SERVICE_ARN, a_record())
    first = store.save_record(SERVICE_ARN, replace(read_by_both, adopted=True))
    with pytest.raises(WorldChangedError, match="changed by another run"):
        store.save_record(SERVICE_ARN, read_by_both.entered(Stage.IMAGE))
    assert store.record(SERVICE_ARN) == first


def test_a_second_first_record_is_refused(store: RecordStore) -> None:
    first = store.save_record(SERVICE_ARN, a_record())
    with pytest.raises(WorldChangedError):
        store.save_record(SERVICE_ARN, replace(a_record(), adopted=True))
    assert store.record(SERVICE_ARN) == first


def test_a_version_that_was_never_handed_out_is_refused(store: RecordStore) -> None:
    with pytest.raises(WorldChangedError):
        store.save_record(SERVICE_ARN, replace(a_record(), version=3))
    assert store.record(SERVICE_ARN) is None


def test_saving_without_a_change_makes_no_version(store: RecordStore) -> None:
    saved = store.save_record(SERVICE_ARN, a_record())
    assert store.save_record(SERVICE_ARN, saved) == saved
    assert store.record(SERVICE_ARN) == saved


def test_a_replayed_run_saves_again_and_the_newest_stays(store: RecordStore) -> None:
    def run() -> list[Record]:
        first = store.save_record(SERVICE_ARN, a_record())
        second = store.save_record(SERVICE_ARN, replace(first, adopted=True))
        unchanged = store.save_record(SERVICE_ARN, second)
        return [first, second, unchanged, store.save_record(SERVICE_ARN, unchanged.entered(Stage.IMAGE))]

    before = run()
    assert run() == before
    assert store.record(SERVICE_ARN) == before[-1]


def test_concurrent_saves_lose_no_update(open_store: Opener, processes: FakeProcesses) -> None:
    open_store(processes).save_record(SERVICE_ARN, a_record())

    def add_one(number: int) -> None:
        store = open_store(processes)
        for _ in count():
            current = store.record(SERVICE_ARN)
            assert current is not None
            seen = f"{current.last_deployment_id or ''} {number}"
            try:
                store.save_record(SERVICE_ARN, replace(current, last_deployment_id=seen))
            except WorldChangedError:
                continue
            return

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add_one, range(6)))
    final = open_store(processes).record(SERVICE_ARN)
    assert final is not None
    assert sorted((final.last_deployment_id or "").split()) == list("012345")
    assert final.version == 7


def test_a_claim_is_listed_as_a_run(store: RecordStore) -> None:
    store.claim(SERVICE_ARN, a_run())
    assert store.runs(SERVICE_ARN) == (a_run(),)
    assert store.runs(OTHER_SERVICE) == ()


def test_a_second_run_is_told_who_holds_the_service(store: RecordStore) -> None:
    store.claim(SERVICE_ARN, a_run())
    with pytest.raises(LockedError) as refusal:
        store.claim(SERVICE_ARN, a_run("run-2", process=4712))
    told = f"{refusal.value} {refusal.value.then}"
    for part in ("run-1", SERVICE_ARN, "ada", "workstation", "4711", "2026-11-25 12:00:00", "migrate status"):
        assert part in told
    assert [run.id for run in store.runs(SERVICE_ARN)] == ["run-1"]


def test_another_service_is_not_held(store: RecordStore) -> None:
    store.claim(SERVICE_ARN, a_run())
    store.claim(OTHER_SERVICE, a_run("run-2", service=OTHER_SERVICE, process=4712))
    assert [run.id for run in store.runs(OTHER_SERVICE)] == ["run-2"]


def test_a_released_service_can_be_claimed(store: RecordStore) -> None:
    store.claim(SERVICE_ARN, a_run())
    store.release(SERVICE_ARN, "run-1")
    store.claim(SERVICE_ARN, a_run("run-2", process=4712))
    assert [run.id for run in store.runs(SERVICE_ARN)] == ["run-2", "run-1"]


def test_only_the_holder_can_release(store: RecordStore) -> None:
    store.claim(SERVICE_ARN, a_run())
    store.release(SERVICE_ARN, "run-2")
    store.release(OTHER_SERVICE, "run-1")
    with pytest.raises(LockedError):
        store.claim(SERVICE_ARN, a_run("run-2", process=4712))


def test_the_same_run_may_claim_again(store: RecordStore) -> None:
    store.claim(SERVICE_ARN, a_run())
    store.claim(SERVICE_ARN, a_run())
    assert store.runs(SERVICE_ARN) == (a_run(),)


def test_a_resumed_run_holds_under_its_new_process(store: RecordStore, processes: FakeProcesses) -> None:
    store.claim(SERVICE_ARN, a_run())
    del processes.running[4711]
    store.claim(SERVICE_ARN, a_run(process=4712))
    assert [run.process for run in store.runs(SERVICE_ARN)] == [4712]
    with pytest.raises(LockedError, match="process 4712"):
        store.claim(SERVICE_ARN, a_run("run-2"))


def test_a_run_whose_process_lives_cannot_be_resumed_beside_it(store: RecordStore) -> None:
    store.claim(SERVICE_ARN, a_run())
    with pytest.raises(LockedError, match="process 4711"):
        store.claim(SERVICE_ARN, a_run(process=4712))


def test_the_claim_of_a_process_that_is_gone_is_taken_over(store: RecordStore, processes: FakeProcesses) -> None:
    store.claim(SERVICE_ARN, a_run())
    del processes.running[4711]
    store.claim(SERVICE_ARN, a_run("run-2", process=4712))
    with pytest.raises(LockedError, match="run-2"):
        store.claim(SERVICE_ARN, a_run("run-3", process=4712))


def test_the_claim_is_taken_over_where_the_process_id_was_given_again(
    store: RecordStore, processes: FakeProcesses
) -> None:
    store.claim(SERVICE_ARN, a_run())
    processes.running[4711] = "tick 99"
    store.claim(SERVICE_ARN, a_run("run-2", process=4712))


def test_a_process_of_another_machine_is_never_taken_for_gone(open_store: Opener, processes: FakeProcesses) -> None:
    open_store(processes).claim(SERVICE_ARN, a_run())
    elsewhere = open_store(FakeProcesses("machine-2", running={4712: "tick 2"}))
    with pytest.raises(LockedError):
        elsewhere.claim(SERVICE_ARN, a_run("run-2", process=4712))
    elsewhere.claim(SERVICE_ARN, a_run(process=4712))


def test_of_many_that_claim_at_once_one_wins(open_store: Opener, processes: FakeProcesses) -> None:
    def try_to_claim(number: int) -> bool:
        try:
            open_store(processes).claim(SERVICE_ARN, a_run(f"run-{number}"))
        except LockedError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(try_to_claim, range(8)))
    assert outcomes.count(True) == 1
    assert [run.id for run in open_store(processes).runs(SERVICE_ARN)] == [f"run-{outcomes.index(True)}"]


def test_events_come_back_in_order_and_apart_by_run(store: RecordStore) -> None:
    ours = [an_event(f"line {number}", number=number) for number in range(12)]
    for event in ours:
        store.append(event)
        store.append(an_event("theirs", run_id="run-2"))
    assert store.events("run-1") == tuple(ours)
    assert len(store.events("run-2")) == 12


def test_a_finished_event_ends_the_run(store: RecordStore) -> None:
    store.claim(SERVICE_ARN, a_run())
    store.append(an_event("Stage 1 is proven.", kind=EventKind.FINISHED, status="done"))
    assert store.runs(SERVICE_ARN) == (replace(a_run(), status="done", finished_at=NOON),)


def test_a_finished_event_without_a_status_still_ends_the_run(store: RecordStore) -> None:
    store.claim(SERVICE_ARN, a_run())
    store.append(an_event("over", kind=EventKind.FINISHED))
    assert [run.status for run in store.runs(SERVICE_ARN)] == ["finished"]


def test_an_event_of_an_unknown_run_is_kept(store: RecordStore) -> None:
    store.append(an_event("over", run_id="run-9", kind=EventKind.FINISHED))
    assert len(store.events("run-9")) == 1
    assert store.runs(SERVICE_ARN) == ()


def test_runs_are_listed_newest_first_and_a_resumed_one_keeps_its_place(store: RecordStore) -> None:
    for number in (1, 2, 3):
        store.claim(SERVICE_ARN, a_run(f"run-{number}"))
        store.release(SERVICE_ARN, f"run-{number}")
    store.claim(SERVICE_ARN, replace(a_run("run-2"), operator="grace"))
    listed: list[Run] = list(store.runs(SERVICE_ARN))
    assert [(run.id, run.operator) for run in listed] == [("run-3", "ada"), ("run-2", "grace"), ("run-1", "ada")]


def test_the_newest_plan_is_kept(store: RecordStore) -> None:
    store.save_plan(SERVICE_ARN, '{"stage": 1}')
    store.save_plan(SERVICE_ARN, '{"stage": 2, "text": "naïve ☂"}')
    store.save_plan(OTHER_SERVICE, "{}")
    assert store.plan(SERVICE_ARN) == '{"stage": 2, "text": "naïve ☂"}'


def test_a_run_is_found_by_how_its_id_begins_whatever_service_it_was_on(store: RecordStore) -> None:
    for name, service in (("7a%c-1", SERVICE_ARN), ("7abc-2", OTHER_SERVICE), ("7ABC-3", SERVICE_ARN)):
        store.claim(service, a_run(name, service=service))
        store.release(service, name)
    assert [run.id for run in store.runs_like("7a")] == ["7abc-2", "7a%c-1"]
    assert [run.id for run in store.runs_like("7a%c")] == ["7a%c-1"]
    assert [run.id for run in store.runs_like("")] == ["7ABC-3", "7abc-2", "7a%c-1"]
    assert store.runs_like("7abc-22") == ()
