"""Runs over fleets in virtual time: waves, stop rules, holds, and workers that come, fail and die."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from migrate.core.fleet.definition import Fleet, Member, Selection, StopRules, Wave
from migrate.core.fleet.report import FleetReport
from migrate.core.fleet.run import Attempt, FleetRun, FleetState, MemberEnd, MemberState, Worker
from migrate.core.fleet.workers import BEAT, LOST_AFTER
from migrate.core.stages import Position, Stage
from migrate.errors import AccessError, BlockedError, ExitCode, HeldError
from migrate.workflows.fleet import Starter, begin_apply, begin_rollback, drive, hold, newest, report, resume
from migrate.workflows.fleet_worker import PATIENCE, FleetTools, FleetWorker, kept_alive
from tests.fakes.clock import FakeClock
from tests.fakes.fleet import ListedQueue, MemoryFleetStore, ScriptedRunner, a_member
from tests.fakes.records import a_record

SHOP = tuple(a_member(name) for name in ("api", "cart", "web"))
WELL, FAILED, LOCKED, HELD = (MemberEnd(code, f"exit {code}") for code in (0, 4, 7, 130))
CANARY = Fleet("shop", (Selection(0),), (Wave("canary", ("cart",)),), StopRules(0, hold_between_waves=True))
AT_ONCE = Fleet("shop", (Selection(0),), (), StopRules(0, hold_between_waves=False))


class Scene:
    """A database, a queue, and workers that the test lets take from it."""

    def __init__(self, ends: Mapping[str, Sequence[MemberEnd | Exception]] | None = None) -> None:
        self.clock = FakeClock()
        self.store = MemoryFleetStore(self.clock.now)
        self.queue = ListedQueue()
        self.runner = ScriptedRunner(ends)
        self.said: list[str] = []
        self.dead: set[str] = set()

    def worker(
        self,
        name: str,
        runner: ScriptedRunner | None = None,
        concurrency: int = 4,
        dead: Callable[[Worker], bool] | None = None,
    ) -> FleetWorker:
        tools = FleetTools(
            self.store,
            self.queue,
            runner or self.runner,
            self.clock,
            dead or (lambda worker: worker.id in self.dead),
            self.said.append,
        )
        return FleetWorker(tools, Worker(name, "here", 1, "machine", "tick", concurrency))

    def begin(
        self, fleet: Fleet, members: Sequence[Member] = SHOP, *, name: str = "run", anew: bool = False
    ) -> FleetRun:
        who = Starter(name, "ana", "here")
        return begin_apply(self.store, self.clock, fleet, members, Stage.IMAGE, who, anew=anew)

    def played(self, run: FleetRun, worker: FleetWorker) -> FleetReport:
        """Drive a run with one worker that takes one member after each look."""

        def look(_: FleetReport) -> bool:
            key = self.queue.take(worker.worker.id)
            if key is not None:
                worker.work(key)
            return True

        return drive(self.store, worker, self.clock, run.id, look)

    def states(self, run: FleetRun) -> dict[str, int | str | None]:
        entries = self.store.entries(run.id)
        return {
            entry.member.service: entry.exit_code if entry.state is MemberState.ENDED else entry.state.value
            for entry in entries
        }


def test_waves_go_in_order_and_the_run_holds_between_them_until_a_person_goes_on() -> None:
    scene = Scene()
    worker, run = scene.worker("w"), scene.begin(CANARY)
    first = scene.played(run, worker)
    assert (first.decision.state, first.exit_code) == (FleetState.HELD, ExitCode.HELD)
    assert scene.states(run) == {"cart": 0, "api": "waiting", "web": "waiting"}
    resume(scene.store, run, retry=False)
    last = scene.played(run, worker)
    assert (last.decision.state, last.exit_code) == (FleetState.DONE, ExitCode.DONE)
    assert scene.runner.ran == ["cart", "api", "web"]


def test_a_failure_within_the_limit_stops_nobody_and_decides_the_exit_code() -> None:
    scene = Scene({"api": [FAILED]})
    run = scene.begin(replace(AT_ONCE, stop=StopRules(1, hold_between_waves=False)))
    last = scene.played(run, scene.worker("w"))
    assert scene.states(run) == {"api": 4, "cart": 0, "web": 0}
    assert (last.decision.state, last.exit_code) == (FleetState.DONE, ExitCode.ROLLED_BACK)


def test_one_failure_too_many_lets_nobody_else_begin_and_what_is_offered_is_offered_again_later() -> None:
    scene = Scene({"api": [FAILED, WELL]})
    worker, run = scene.worker("w"), scene.begin(AT_ONCE)
    stopped = scene.played(run, worker)
    assert (stopped.decision.state, stopped.exit_code) == (FleetState.STOPPED, ExitCode.ROLLED_BACK)
    assert scene.states(run) == {"api": 4, "cart": "waiting", "web": "waiting"}
    # What another worker had from the queue already is refused by the store, and can be given out once more.
    key = scene.queue.take("other")
    assert key is not None
    scene.worker("other").work(key)
    assert scene.runner.ran == ["api"]
    resume(scene.store, run, retry=True)
    assert scene.played(run, worker).exit_code is ExitCode.DONE
    assert scene.states(run) == {"api": 0, "cart": 0, "web": 0}


def test_going_on_without_a_retry_leaves_those_that_failed() -> None:
    scene = Scene({"api": [FAILED, WELL]})
    worker, run = scene.worker("w"), scene.begin(AT_ONCE)
    scene.played(run, worker)
    resume(scene.store, run, retry=False)
    scene.played(run, worker)
    assert scene.states(run) == {"api": 4, "cart": 0, "web": 0}


def test_a_crash_of_the_runner_is_given_back_and_no_other_member_notices() -> None:
    scene = Scene({"api": [AccessError("The database was away.", then="Wait.")]})
    worker, run = scene.worker("w"), scene.begin(AT_ONCE)
    worker.advance(run.id)
    key = scene.queue.take("w")
    assert key is not None
    with pytest.raises(AccessError):
        worker.work(key)
    worker.look_around()
    assert scene.states(run)["api"] == "waiting"
    assert scene.played(run, worker).exit_code is ExitCode.DONE


def test_a_worker_that_has_its_hands_full_gives_back_at_once_what_the_queue_gave_it() -> None:
    scene = Scene()
    full, run = scene.worker("a", concurrency=1), scene.begin(AT_ONCE)
    full.advance(run.id)
    first, second = scene.queue.take("a"), scene.queue.take("a")
    assert first is not None
    assert second is not None
    scene.runner.meanwhile = lambda _: full.work(second)
    full.work(first)
    assert scene.runner.ran == ["api"]
    assert scene.states(run) == {"api": 0, "cart": "waiting", "web": "waiting"}
    assert scene.store.attempts(run.id, [second.arn]) == {replace(second, number=2)}
    assert replace(second, number=2) in scene.queue.offered


def test_a_held_run_begins_nothing_more_and_finishes_what_is_under_way() -> None:
    scene = Scene()
    worker, run = scene.worker("w"), scene.begin(AT_ONCE)
    scene.runner.meanwhile = lambda _: hold(scene.store, run.id)
    held = scene.played(run, worker)
    assert (held.decision.state, held.decision.why) == (FleetState.HELD, "held by a person")
    assert scene.states(run) == {"api": 0, "cart": "waiting", "web": "waiting"}


def test_a_worker_that_leaves_hands_back_what_it_stopped_and_another_finishes_it() -> None:
    scene = Scene({"api": [HELD]})
    leaving, staying, run = scene.worker("a"), scene.worker("b"), scene.begin(AT_ONCE, SHOP[:1])
    scene.runner.meanwhile = lambda _: leaving.leave()
    leaving.advance(run.id)
    key = scene.queue.take("a")
    assert key is not None
    leaving.work(key)
    assert scene.runner.held
    assert scene.states(run) == {"api": "waiting"}
    scene.runner.meanwhile = lambda _: None
    assert scene.played(run, staying).exit_code is ExitCode.DONE
    assert scene.runner.ran == ["api", "api"]


def test_what_nobody_asked_to_stop_and_was_interrupted_is_taken_up_on_resume() -> None:
    scene = Scene({"api": [HELD]})
    worker, run = scene.worker("w"), scene.begin(AT_ONCE, SHOP[:1])
    assert scene.played(run, worker).exit_code is ExitCode.INTERRUPTED
    resume(scene.store, run, retry=False)
    assert scene.played(run, worker).exit_code is ExitCode.DONE


def test_members_of_a_worker_that_is_provably_dead_are_taken_over_at_once() -> None:
    scene = Scene()
    doomed, heir, run = scene.worker("a"), scene.worker("b"), scene.begin(AT_ONCE)
    for worker in (doomed, heir):
        worker.look_around()
    doomed.advance(run.id)
    running, only_taken = scene.queue.take("a"), scene.queue.take("a")
    assert running is not None
    assert only_taken is not None
    scene.store.start(running, "a")
    # Another one that began to take over got no further than this.
    scene.queue.withdraw(running)
    scene.dead.add("a")
    heir.look_around()
    assert [worker.id for worker in scene.store.workers()] == ["b"]
    assert {again.number for again in scene.store.attempts(run.id, [running.arn, only_taken.arn])} == {2}
    assert scene.played(run, heir).exit_code is ExitCode.DONE


def test_a_silent_worker_is_given_time_and_then_taken_for_gone_and_stops_when_it_wakes() -> None:
    scene = Scene()
    own = ScriptedRunner()
    silent, heir, run = scene.worker("a", own), scene.worker("b"), scene.begin(AT_ONCE, SHOP[:1])
    for worker in (silent, heir):
        worker.look_around()
    silent.advance(run.id)
    key = scene.queue.take("a")
    assert key is not None
    scene.store.start(key, "a")
    while scene.clock.elapsed < LOST_AFTER:
        heir.look_around()
        assert scene.states(run) == {"api": "running"}
        scene.clock.advance(BEAT)
    heir.look_around()
    assert scene.states(run) == {"api": "waiting"}
    silent.look_around()
    assert own.held


def test_a_member_that_was_taken_over_waits_for_its_former_process() -> None:
    scene = Scene({"api": [LOCKED, LOCKED, WELL]})
    worker, run = scene.worker("w"), scene.begin(AT_ONCE, SHOP[:1])
    scene.store.give_back(Attempt(run.id, SHOP[0].arn, 1))
    assert scene.played(run, worker).exit_code is ExitCode.DONE
    assert scene.runner.ran == ["api"] * 3


def test_it_does_not_wait_for_ever_nor_where_it_is_the_first() -> None:
    scene = Scene({"api": [LOCKED] * 1000, "web": [LOCKED]})
    worker, run = scene.worker("w"), scene.begin(AT_ONCE, (SHOP[0],))
    scene.store.give_back(Attempt(run.id, SHOP[0].arn, 1))
    assert scene.played(run, worker).exit_code is ExitCode.LOCKED
    assert PATIENCE <= scene.clock.elapsed < PATIENCE + timedelta(minutes=1)
    other = scene.begin(replace(AT_ONCE, name="other"), (SHOP[2],), name="second")
    assert scene.played(other, worker).exit_code is ExitCode.LOCKED
    assert scene.runner.ran[-2:] == ["api", "web"]


def test_a_second_run_over_a_fleet_waits_for_the_first_unless_that_is_given_up() -> None:
    scene = Scene()
    run = scene.begin(AT_ONCE)
    with pytest.raises(HeldError, match="earlier run"):
        scene.begin(AT_ONCE, name="second")
    second = scene.begin(AT_ONCE, name="second", anew=True)
    assert report(scene.store, newest(scene.store, "shop", "run")).decision.state is FleetState.HELD
    assert newest(scene.store, "shop") == second
    scene.played(second, scene.worker("w"))
    assert scene.states(run)["api"] == "waiting"
    # One that was given up keeps nobody from beginning a third.
    scene.begin(AT_ONCE, name="third")


def test_a_rollback_takes_who_was_touched_and_is_above_and_the_earlier_run_begins_nothing_more() -> None:
    scene = Scene({"api": [FAILED]})
    worker, run = scene.worker("w"), scene.begin(replace(AT_ONCE, stop=StopRules(1, hold_between_waves=False)))
    scene.played(run, worker)
    baseline = replace(a_record(), position=Position(Stage.BASELINE))
    records = {SHOP[0].arn: baseline, SHOP[1].arn: replace(a_record(), position=Position(Stage.IMAGE))}
    back = begin_rollback(
        scene.store,
        scene.clock,
        scene.store.fleet_runs("shop"),
        Stage.BASELINE,
        Starter("back", "ana", "here"),
        record_of=records.get,
        wanted=lambda member: member.service != "web",
    )
    assert [entry.member.service for entry in scene.store.entries("back")] == ["cart"]
    assert (back.title, report(scene.store, newest(scene.store, None, "run")).run.hold) == (
        "to stage 0 for fleet shop",
        True,
    )
    with pytest.raises(BlockedError, match="above that stage"):
        begin_rollback(
            scene.store,
            scene.clock,
            scene.store.fleet_runs("shop"),
            None,
            Starter("none", "ana", "here"),
            record_of=lambda _: None,
            wanted=lambda _: True,
        )


def test_a_fault_in_a_look_is_told_and_leaves_the_worker_alive() -> None:
    scene, over = Scene(), threading.Event()

    def faulty(_: Worker) -> bool:
        over.set()
        raise ValueError("never thought of")

    scene.worker("a").look_around()
    worker = scene.worker("b", dead=faulty)
    kept_alive(worker, over, lambda _: None)
    assert scene.said == ["migrate itself failed: ValueError('never thought of')"]


def test_a_database_that_is_away_for_a_while_is_told_once_and_tried_again() -> None:
    scene = Scene()
    worker = scene.worker("w")
    scene.store.away = 2
    over = threading.Event()

    def waited(seconds: float) -> None:
        scene.clock.sleep(timedelta(seconds=seconds))
        if scene.clock.elapsed >= 2 * BEAT:
            over.set()

    kept_alive(worker, over, waited)
    assert scene.said == ["The database is away."]
    assert [found.id for found in scene.store.workers()] == ["w"]
