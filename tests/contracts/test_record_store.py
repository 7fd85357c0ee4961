"""What every record store must do; run over the fake, over SQLite and over PostgreSQL. Claims: test_claims.py."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count

import pytest

from migrate.core.evidence import EventKind, Run
from migrate.core.record import Record
from migrate.core.stages import Stage
from migrate.errors import WorldChangedError
from migrate.store_port import RecordStore
from tests.contracts.stores import OTHER_SERVICE, Opener
from tests.fakes.record_store import FakeProcesses
from tests.fakes.records import NOON, SERVICE_ARN, a_record, a_run, an_event


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


def test_the_records_of_many_services_are_the_newest_of_each(store: RecordStore) -> None:
    assert store.records([SERVICE_ARN]) == {}
    first = store.save_record(SERVICE_ARN, a_record())
    newest = store.save_record(SERVICE_ARN, first.entered(Stage.IMAGE))
    other = store.save_record(OTHER_SERVICE, a_record())
    assert store.records([SERVICE_ARN, "of nobody", OTHER_SERVICE]) == {SERVICE_ARN: newest, OTHER_SERVICE: other}
    assert store.records([OTHER_SERVICE]) == {OTHER_SERVICE: other}


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
    store.save_plans({SERVICE_ARN: '{"stage": 1}'})
    store.save_plans({SERVICE_ARN: '{"stage": 2, "text": "naïve ☂"}'})
    store.save_plans({OTHER_SERVICE: "{}"})
    store.save_plans({})
    assert store.plan(SERVICE_ARN) == '{"stage": 2, "text": "naïve ☂"}'


def test_a_run_is_found_by_how_its_id_begins_whatever_service_it_was_on(store: RecordStore) -> None:
    for name, service in (("7a%c-1", SERVICE_ARN), ("7abc-2", OTHER_SERVICE), ("7ABC-3", SERVICE_ARN)):
        store.claim(service, a_run(name, service=service))
        store.release(service, name)
    assert [run.id for run in store.runs_like("7a")] == ["7abc-2", "7a%c-1"]
    assert [run.id for run in store.runs_like("7a%c")] == ["7a%c-1"]
    assert [run.id for run in store.runs_like("")] == ["7ABC-3", "7abc-2", "7a%c-1"]
    assert store.runs_like("7abc-22") == ()


def test_the_services_that_any_run_was_on_are_told_once(store: RecordStore) -> None:
    assert store.services() == ()
    for name, service in (("run-1", OTHER_SERVICE), ("run-2", SERVICE_ARN), ("run-3", OTHER_SERVICE)):
        store.claim(service, a_run(name, service=service))
        store.release(service, name)
    assert store.services() == (SERVICE_ARN, OTHER_SERVICE)
