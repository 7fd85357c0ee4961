"""A fleet's memory, queue and runner without a database, DBOS or processes; and fleets to try them with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from migrate.core.fleet.definition import Concurrency, FleetAccount, Member, StopRules
from migrate.core.fleet.run import (
    Attempt,
    Entry,
    FleetRun,
    FleetVerb,
    MemberEnd,
    MemberState,
    Standing,
    Worker,
    decide,
)
from migrate.core.settings import ImageSettings, ServiceSettings, Settings
from migrate.errors import AccessError, NotFoundError

ON_AND_ON = StopRules(0, hold_between_waves=False)
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def a_member(service: str, *, cluster: str = "shop", account_id: str = "123456789012") -> Member:
    """Return a member of a fleet."""
    arn = f"arn:aws:ecs:us-east-1:{account_id}:service/{cluster}/{service}"
    settings = Settings(ServiceSettings(cluster, service), ImageSettings("app"))
    return Member(arn, FleetAccount(), account_id, "us-east-1", cluster, service, settings)


def a_fleet_run(
    *waves: Sequence[Member], run_id: str = "fleet-run", stop: StopRules = ON_AND_ON
) -> tuple[FleetRun, tuple[Entry, ...]]:
    """Return a run of stage 1 over these members, wave by wave."""
    run = FleetRun(
        run_id,
        "shop-arm64",
        FleetVerb.APPLY,
        1,
        tuple(f"wave {number}" for number in range(len(waves))),
        NOON,
        "operator",
        "here",
        stop,
        Concurrency(),
    )
    return run, tuple(Entry(run.id, member, wave) for wave, members in enumerate(waves) for member in members)


class ListedQueue:
    """Implements fleet_ports.FleetQueue as lists: the test is who takes from it, as often and for whom it likes."""

    def __init__(self) -> None:
        self.offered: dict[Attempt, Entry] = {}
        self.taken: dict[Attempt, str] = {}

    def offer(self, run: FleetRun, entries: Iterable[Entry], *, later: bool = False) -> None:
        """Put members on the queue, once for each attempt."""
        del run, later
        for entry in entries:
            self.offered.setdefault(entry.current, entry)

    def taken_by(self, worker_id: str) -> tuple[Attempt, ...]:
        """Return what a worker has."""
        return tuple(key for key, worker in self.taken.items() if worker == worker_id)

    def withdraw(self, attempt: Attempt) -> None:
        """Forget an attempt."""
        self.taken.pop(attempt, None)

    def take(self, worker_id: str) -> Attempt | None:
        """Give the oldest attempt to a worker, None where there is none."""
        left = [key for key in self.offered if key not in self.taken]
        if left:
            self.taken[left[0]] = worker_id
        return left[0] if left else None


class ScriptedRunner:
    """Implements fleet_ports.MemberRunner: ends each service as it is told, the next time with the next end."""

    def __init__(self, ends: Mapping[str, Sequence[MemberEnd | Exception]] | None = None) -> None:
        self._ends = {service: list(found) for service, found in (ends or {}).items()}
        self.ran: list[str] = []
        self.held = False
        self.meanwhile: Callable[[str], object] = lambda _: None

    def run(self, run: FleetRun, entry: Entry, tell: Callable[[str], None]) -> MemberEnd:
        """End as told, well without a word."""
        del run
        service = entry.member.service
        self.ran.append(service)
        tell("at work")
        self.meanwhile(service)
        left = self._ends.get(service)
        end = left.pop(0) if left else MemberEnd(0, "proven")
        if isinstance(end, Exception):
            raise end
        return end

    def hold(self) -> None:
        """Remember it."""
        self.held = True


class MemoryFleetStore:
    """Implements fleet_ports.FleetStore in memory."""

    def __init__(self, now: Callable[[], datetime] = lambda: NOON) -> None:
        self._now = now
        self._runs: dict[str, FleetRun] = {}
        self._entries: dict[str, dict[str, Entry]] = defaultdict(dict)
        self._workers: dict[str, Worker] = {}
        self.away = 0

    def begin(self, run: FleetRun, entries: Sequence[Entry]) -> None:
        """Write a new run."""
        self._runs[run.id] = run
        for entry in sorted(entries, key=lambda item: (item.wave, item.member.arn)):
            self._entries[run.id][entry.member.arn] = entry

    def fleet_run(self, run_id: str) -> FleetRun | None:
        """Return a run."""
        return self._runs.get(run_id)

    def fleet_runs(self, fleet: str | None = None) -> tuple[FleetRun, ...]:
        """Return runs, newest first."""
        return tuple(run for run in reversed(self._runs.values()) if fleet in {None, run.fleet})

    def change(self, run_id: str, decided: Callable[[FleetRun, Sequence[Standing]], FleetRun]) -> FleetRun:
        """Replace a run."""
        if run_id not in self._runs:
            raise NotFoundError("There is no such run.", then="")
        self._runs[run_id] = decided(self._runs[run_id], self.standings(run_id))
        return self._runs[run_id]

    def standings(self, run_id: str) -> tuple[Standing, ...]:
        """Return where the members stand."""
        return tuple(entry.standing for entry in self.entries(run_id))

    def entries(self, run_id: str) -> tuple[Entry, ...]:
        """Return the members."""
        return tuple(self._entries[run_id].values()) if run_id in self._runs else ()

    def attempts(self, run_id: str, arns: Iterable[str]) -> frozenset[Attempt]:
        """Return the attempts."""
        return frozenset(self._entries[run_id][arn].current for arn in arns if arn in self._entries[run_id])

    def start(self, attempt: Attempt, worker: str) -> Entry | None:
        """Give a member to a worker, if it may begin."""
        entry = self._current(attempt)
        if entry is None:
            return None
        if attempt.arn not in decide(self._runs[attempt.run], self.standings(attempt.run)).start:
            if entry.state is MemberState.WAITING:
                self.give_back(attempt)
            return None
        return self._put(
            replace(entry, state=MemberState.RUNNING, worker=worker, text="", started_at=self._now(), finished_at=None)
        )

    def note(self, attempt: Attempt, text: str) -> None:
        """Remember what a member does."""
        entry = self._current(attempt)
        if entry is not None:
            self._put(replace(entry, text=text))

    def finish(self, attempt: Attempt, end: MemberEnd) -> None:
        """End a member."""
        entry = self._current(attempt)
        if entry is not None:
            self._put(
                replace(
                    entry,
                    state=MemberState.ENDED,
                    exit_code=end.exit_code,
                    text=end.text,
                    then=end.then,
                    runbook=end.runbook,
                    run_id=end.run_id,
                    finished_at=self._now(),
                )
            )

    def give_back(self, attempt: Attempt) -> bool:
        """Let a member wait again."""
        entry = self._current(attempt)
        if entry is not None:
            self._put(replace(entry, state=MemberState.WAITING, attempt=attempt.number + 1, worker=""))
        return entry is not None

    def held_by(self, worker_id: str) -> tuple[Attempt, ...]:
        """Return what runs with a worker."""
        return tuple(
            entry.current
            for run in self._runs
            for entry in self.entries(run)
            if entry.worker == worker_id and entry.state is MemberState.RUNNING
        )

    def take_up(self, run_id: str, codes: Iterable[int]) -> int:
        """Let ended members wait again."""
        wanted = set(codes)
        found = [item for item in self.entries(run_id) if item.state is MemberState.ENDED and item.exit_code in wanted]
        for entry in found:
            again = {"state": MemberState.WAITING, "attempt": entry.attempt + 1, "exit_code": None, "worker": ""}
            self._put(replace(entry, **again))  # type: ignore[arg-type]
        return len(found)

    def beat(self, worker: Worker) -> None:
        """Say that a worker lives, unless the database is away."""
        if self.away:
            self.away -= 1
            raise AccessError("The database is away.", then="Wait.")
        self._workers[worker.id] = worker

    def leave(self, worker_id: str) -> None:
        """Strike a worker off."""
        self._workers.pop(worker_id, None)

    def workers(self) -> tuple[Worker, ...]:
        """Return the workers."""
        return tuple(self._workers[key] for key in sorted(self._workers))

    def _current(self, attempt: Attempt) -> Entry | None:
        entry = self._entries[attempt.run].get(attempt.arn)
        over = entry is None or entry.current != attempt or entry.state is MemberState.ENDED
        return None if over else entry

    def _put(self, entry: Entry) -> Entry:
        self._entries[entry.run][entry.member.arn] = entry
        return entry
