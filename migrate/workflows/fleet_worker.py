"""One of the processes that work on fleets: takes members from the queue, runs them, and takes over from the dead.

A member is somebody's by its attempt: who takes it from another begins the next one, and whatever the former still
writes about its own is ignored. That its process may not write to the service any more is up to the service's claim.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import cast

from tenacity import (
    Future,
    RetryCallState,
    Retrying,
    retry_always,
    retry_if_result,
    stop_after_attempt,
    stop_when_event_set,
    wait_fixed,
)

from migrate.core.fleet.run import Attempt, Entry, FleetRun, MemberEnd, Worker, decide
from migrate.core.fleet.workers import BEAT, Watch, gone
from migrate.errors import ExitCode, MigrateError
from migrate.fleet_ports import FleetQueue, FleetStore, MemberRunner
from migrate.ports import Clock

RETRY = timedelta(seconds=5)
PATIENCE = timedelta(minutes=5)
"""How long a member that was taken over waits for its former process to let go of the service."""


@dataclass(frozen=True, slots=True)
class FleetTools:
    """What a worker works with. ``dead`` tells whether another worker is provably gone; ``tell`` hears what it does."""

    store: FleetStore
    queue: FleetQueue
    runner: MemberRunner
    clock: Clock
    dead: Callable[[Worker], bool]
    tell: Callable[[str], None]


class FleetWorker:
    """Works on ``worker.concurrency`` members at a time; ``work`` is called by the queue, from threads of its own."""

    def __init__(self, tools: FleetTools, worker: Worker) -> None:
        self._tools = tools
        self.worker = worker
        self._watch = Watch()
        self._slots = threading.Semaphore(worker.concurrency)
        self._leaving = threading.Event()
        self._lock = threading.Lock()
        self._at_work: set[Attempt] = set()
        self._offered: set[Attempt] = set()

    @property
    def tell(self) -> Callable[[str], None]:
        """Hears what it does."""
        return self._tools.tell

    @property
    def busy(self) -> int:
        """How many members it works on."""
        with self._lock:
            return len(self._at_work)

    def work(self, attempt: Attempt) -> None:
        """Run one member to its end, unless it may not begin any more, or there is no room for it here."""
        with self._at(attempt) as there_is_room:
            if not there_is_room:
                self._hand_back(attempt)
                return
            entry = self._tools.store.start(attempt, self.worker.id)
            run = self._tools.store.fleet_run(attempt.run)
            if entry is None or run is None:
                return
            self._tools.tell(f"{entry.member.name}: taken ({run.title})")
            end = self._ended(run, entry)
            if end.exit_code == ExitCode.INTERRUPTED and self._leaving.is_set():
                self._tools.tell(f"{entry.member.name}: handed back")
                self._hand_back(attempt)
                return
            self._tools.store.finish(attempt, end)
            self._tools.tell(f"{entry.member.name}: exit {end.exit_code}: {end.text}")
        self.advance(attempt.run)

    def advance(self, run_id: str) -> None:
        """Put on the queue whatever may begin now and was not put there by this process before."""
        run = self._tools.store.fleet_run(run_id)
        if run is None:
            return
        start = decide(run, self._tools.store.standings(run_id)).start
        new = self._tools.store.attempts(run_id, start) - self._offered
        if new:
            self._offer(run, [entry for entry in self._tools.store.entries(run_id) if entry.current in new])

    def look_around(self) -> None:
        """Say that this worker lives, and take over from those that do not."""
        store, now = self._tools.store, self._tools.clock.now()
        workers = store.workers()
        if self.worker.beat and self.worker.id not in {worker.id for worker in workers}:
            # Somebody took this one for dead, and its members with it.
            self._tools.tell("this worker was not heard for too long; its members are others' now")
            self._tools.runner.hold()
        heard = replace(self.worker, beat=self.worker.beat + 1)
        store.beat(heard)
        # Only now: one whose first beats found no database was never taken for dead.
        self.worker = heard
        others = [worker for worker in workers if worker.id != self.worker.id]
        self._watch = self._watch.look(others, now)
        for worker in gone(self._watch, others, now, self._tools.dead):
            self._take_over(worker)
        self._pick_up_own()

    def leave(self) -> None:
        """Take nothing more, let what runs stop between two acts, and hand it back."""
        self._leaving.set()
        self._tools.runner.hold()

    @contextmanager
    def _at(self, attempt: Attempt) -> Iterator[bool]:
        with self._lock:
            self._at_work.add(attempt)
        # Handed back at once where there is no room: another worker may have some.
        room = not self._leaving.is_set() and self._slots.acquire(blocking=False)
        try:
            yield room
        finally:
            if room:
                self._slots.release()
            with self._lock:
                self._at_work.discard(attempt)

    def _ended(self, run: FleetRun, entry: Entry) -> MemberEnd:
        """Run a member; one that was taken over waits until its former process has let go of the service."""
        tools = self._tools

        def note(text: str) -> None:
            tools.store.note(entry.current, text)

        def ended(state: RetryCallState) -> MemberEnd:
            outcome = cast("Future", state.outcome)
            end: MemberEnd = outcome.result()
            return end

        tries = Retrying(
            retry=retry_if_result(lambda end: end.exit_code == ExitCode.LOCKED and entry.attempt > 1),
            wait=wait_fixed(RETRY),
            stop=stop_after_attempt(1 + PATIENCE // RETRY) | stop_when_event_set(self._leaving),
            sleep=lambda seconds: tools.clock.sleep(timedelta(seconds=seconds)),
            before_sleep=lambda state: note(f"waiting for its former process: {ended(state).text}"),
            retry_error_callback=ended,
        )
        return tries(tools.runner.run, run, entry, note)

    def _hand_back(self, attempt: Attempt) -> None:
        if self._tools.store.give_back(attempt):
            run = self._tools.store.fleet_run(attempt.run)
            again = [entry for entry in self._tools.store.entries(attempt.run) if entry.member.arn == attempt.arn]
            if run is not None:
                self._offer(run, again, later=True)

    def _offer(self, run: FleetRun, entries: Iterable[Entry], *, later: bool = False) -> None:
        offered = list(entries)
        self._tools.queue.offer(run, offered, later=later)
        with self._lock:
            self._offered.update(entry.current for entry in offered)

    def _take_over(self, worker: Worker) -> None:
        """Let others have what a worker had that is gone; several that do so at once do it once."""
        self._tools.tell(f"worker {worker.name} is gone; taking over what it had")
        for attempt in {*self._tools.queue.taken_by(worker.id), *self._tools.store.held_by(worker.id)}:
            self._tools.queue.withdraw(attempt)
            self._tools.store.give_back(attempt)
            self.advance(attempt.run)
        self._tools.store.leave(worker.id)

    def _pick_up_own(self) -> None:
        """Give back what is said to be ours and is not: a database that was away may have cut the work short."""
        for attempt in self._tools.store.held_by(self.worker.id):
            if attempt not in self._at_work:
                self._hand_back(attempt)


def kept_alive(worker: FleetWorker, over: threading.Event, sleep: Callable[[float], None]) -> None:
    """Look around every BEAT until it is ``over``, whatever becomes of a look; what ails several is told once.

    A thread that ended for an error would let others take this worker for dead while it works on.
    """
    ailing = False

    def told(state: RetryCallState) -> None:
        nonlocal ailing
        error = state.outcome.exception() if state.outcome else None
        if error is not None and not ailing:
            worker.tell(f"{error}" if isinstance(error, MigrateError) else f"migrate itself failed: {error!r}")
        ailing = error is not None

    looking = Retrying(
        retry=retry_always,
        wait=wait_fixed(BEAT),
        stop=stop_when_event_set(over),
        sleep=sleep,
        after=told,
        retry_error_callback=lambda _: None,
    )
    looking(worker.look_around)
