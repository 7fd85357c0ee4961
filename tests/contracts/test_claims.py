"""One writer: what every record store must do about claims; run over the fake, over SQLite and over PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from migrate.core.evidence import EventKind
from migrate.errors import ClaimLostError, ExitCode, LockedError
from migrate.store_port import RecordStore
from tests.contracts.stores import OTHER_SERVICE, HeardStore, Opener, Watch
from tests.fakes.record_store import FakeProcesses
from tests.fakes.records import SERVICE_ARN, a_record, a_run, an_event

ELSEWHERE = FakeProcesses("machine-2", running={4712: "tick 2"})


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
    with pytest.raises(LockedError):
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


def test_tokens_grow_from_claim_to_claim_and_never_come_again(store: RecordStore) -> None:
    tokens = []
    for number in range(3):
        tokens.append(store.claim(SERVICE_ARN, a_run(f"run-{number}")))
        store.release(SERVICE_ARN, f"run-{number}")
    tokens += [store.claim(SERVICE_ARN, a_run()), store.claim(SERVICE_ARN, a_run())]
    assert tokens == sorted(set(tokens))
    assert store.claim(OTHER_SERVICE, a_run("run-9", service=OTHER_SERVICE)) == tokens[0], "each service has its own"


def test_a_holder_that_is_heard_of_is_never_followed_however_long_it_takes(
    open_store: Opener, processes: FakeProcesses
) -> None:
    watch = Watch()
    holder, other = open_store(processes, watch), open_store(ELSEWHERE, watch)
    holder.claim(SERVICE_ARN, a_run())
    for _ in range(40):
        watch.seconds += 119
        holder.beat()
        with pytest.raises(LockedError, match="run-1"):
            other.claim(SERVICE_ARN, a_run("run-2", process=4712))
        holder.hold(SERVICE_ARN, "run-1")


@pytest.fixture
def stalled(open_store: Opener, processes: FakeProcesses) -> tuple[HeardStore, HeardStore]:
    """Give the store of a run that was not heard of for two minutes, and that of the one that followed it."""
    watch = Watch()
    first, second = open_store(processes, watch), open_store(ELSEWHERE, watch)
    first.claim(SERVICE_ARN, a_run())
    first.save_record(SERVICE_ARN, a_record())
    first.append(an_event("before"))
    watch.seconds += 120
    second.claim(SERVICE_ARN, a_run("run-2", process=4712))
    return first, second


def test_a_run_that_wakes_up_too_late_can_write_nothing(stalled: tuple[HeardStore, HeardStore]) -> None:
    first, second = stalled
    saved = second.record(SERVICE_ARN)
    assert saved is not None
    theirs = second.save_record(SERVICE_ARN, replace(saved, adopted=True))
    evidence = first.events("run-1")
    for late in (
        lambda: first.hold(SERVICE_ARN, "run-1"),
        lambda: first.append(an_event("late")),
        lambda: first.append(an_event("late", kind=EventKind.FINISHED, status="done")),
        lambda: first.save_record(SERVICE_ARN, replace(theirs, last_deployment_id="late")),
    ):
        with pytest.raises(ClaimLostError) as lost:
            late()
        assert lost.value.exit_code is ExitCode.LOCKED
        assert "Run run-2 took it over: ada started it on workstation (process 4712)" in lost.value.why
    first.beat()
    first.release(SERVICE_ARN, "run-1")
    assert second.record(SERVICE_ARN) == theirs
    assert first.events("run-1") == evidence
    second.hold(SERVICE_ARN, "run-2")


def test_what_was_lost_stays_lost_once_the_other_run_has_ended(stalled: tuple[HeardStore, HeardStore]) -> None:
    first, second = stalled
    second.release(SERVICE_ARN, "run-2")
    first.release(SERVICE_ARN, "run-1")
    first.beat()
    with pytest.raises(ClaimLostError, match="has ended since"):
        first.hold(SERVICE_ARN, "run-1")
    with pytest.raises(ClaimLostError, match="has ended since"):
        first.append(an_event("late"))


def test_a_run_that_was_taken_up_elsewhere_is_lost_to_the_process_that_had_it(
    open_store: Opener, processes: FakeProcesses
) -> None:
    watch = Watch()
    first, second = open_store(processes, watch), open_store(ELSEWHERE, watch)
    first.claim(SERVICE_ARN, a_run())
    watch.seconds += 120
    second.claim(SERVICE_ARN, a_run(process=4712))
    with pytest.raises(ClaimLostError, match="taken up again"):
        first.append(an_event("late"))
    second.append(an_event("on it"))
    assert [event.text for event in second.events("run-1")] == ["on it"]
    assert [run.status for run in second.runs(SERVICE_ARN)] == ["running"]


def test_both_runs_keep_on_record_that_one_followed_the_other(stalled: tuple[HeardStore, HeardStore]) -> None:
    _, second = stalled
    assert [(run.id, run.status) for run in second.runs(SERVICE_ARN)] == [("run-2", "running"), ("run-1", "superseded")]
    assert [event.kind for event in second.events("run-1")] == [EventKind.NOTE, EventKind.FINISHED]
    (told,) = second.events("run-2")
    assert told.text.startswith("took the service over from run run-1: ada started it on workstation (process 4711)")
    assert "last heard of 2 min ago" in told.text


def test_a_run_that_had_ended_before_it_was_followed_keeps_how_it_ended(
    store: RecordStore, processes: FakeProcesses
) -> None:
    store.claim(SERVICE_ARN, a_run())
    store.append(an_event("Stage 1 is proven.", kind=EventKind.FINISHED, status="done"))
    del processes.running[4711]
    store.claim(SERVICE_ARN, a_run("run-2", process=4712))
    assert [run.status for run in store.runs(SERVICE_ARN)] == ["running", "done"]


def test_a_run_that_has_claimed_nothing_holds_nothing(open_store: Opener, processes: FakeProcesses) -> None:
    for store in (open_store(processes), open_store(processes)):
        with pytest.raises(ClaimLostError):
            store.hold(SERVICE_ARN, "run-1")
        store.save_plans({SERVICE_ARN: "{}"})


def test_the_database_has_a_clock_that_goes_on(open_store: Opener, processes: FakeProcesses) -> None:
    store = open_store(processes)
    store.claim(SERVICE_ARN, a_run())
    store.beat()
    with pytest.raises(LockedError) as refused:
        open_store(ELSEWHERE).claim(SERVICE_ARN, a_run("run-2", process=4712))
    assert "last heard of" in refused.value.why
