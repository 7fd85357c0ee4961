"""A record store in memory that passes the same contract suite as the real one."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from threading import Lock

from migrate.adapters.processes import ProcessTable
from migrate.adapters.store.claims import Claim, claim_of, may_take
from migrate.adapters.store.record_store import conflict, ended
from migrate.core.evidence import Event, EventKind, Run
from migrate.core.record import Record


class FakeProcesses:
    """A scripted process table: ``running`` maps the ids of living processes to their start marks."""

    def __init__(self, machine: str = "machine-1", running: dict[int, str] | None = None) -> None:
        self.name = machine
        self.running = {} if running is None else running

    def machine(self) -> str:
        return self.name

    def started(self, process: int) -> str | None:
        return self.running.get(process)


class EveryProcessLives:
    """Takes every process for a living one, so that claims are only ever given free by their runs."""

    def machine(self) -> str:
        return "machine-1"

    def started(self, process: int) -> str | None:
        return f"start of {process}"


class MemoryRecordStore:
    """Keeps everything in dictionaries; ``processes`` decides which claims are dead (none, unless told)."""

    def __init__(self, processes: ProcessTable | None = None) -> None:
        self._processes = processes or EveryProcessLives()
        self._lock = Lock()
        self._records: dict[str, list[Record]] = {}
        self._runs: dict[str, Run] = {}
        self._events: list[Event] = []
        self._plans: dict[str, str] = {}
        self._claims: dict[str, Claim] = {}

    def seen_from(self, processes: ProcessTable) -> MemoryRecordStore:
        """Return a view of the same data for a process that sees another process table."""
        other = copy(self)
        other._processes = processes
        return other

    def record(self, service: str) -> Record | None:
        return self._records[service][-1] if service in self._records else None

    def save_record(self, service: str, record: Record) -> Record:
        saved = replace(record, version=record.version + 1)
        with self._lock:
            versions = self._records.get(service, [])
            if record in versions or saved in versions:
                return record if record in versions else saved
            if len(versions) != record.version:
                raise conflict(service, record, len(versions))
            self._records[service] = [*versions, saved]
        return saved

    def claim(self, service: str, run: Run) -> None:
        wanted = claim_of(service, run, self._processes)
        with self._lock:
            if service in self._claims:
                may_take(self._claims[service], wanted, self._processes)
            self._claims[service] = wanted
            self._runs[run.id] = run

    def release(self, service: str, run_id: str) -> None:
        with self._lock:
            if service in self._claims and self._claims[service].run_id == run_id:
                del self._claims[service]

    def append(self, event: Event) -> None:
        with self._lock:
            self._events.append(event)
            if event.kind is EventKind.FINISHED and event.run_id in self._runs:
                self._runs[event.run_id] = ended(self._runs[event.run_id], event)

    def events(self, run_id: str) -> tuple[Event, ...]:
        return tuple(event for event in self._events if event.run_id == run_id)

    def runs(self, service: str) -> tuple[Run, ...]:
        return tuple(run for run in reversed(self._runs.values()) if run.service == service)

    def runs_like(self, prefix: str) -> tuple[Run, ...]:
        return tuple(run for run in reversed(self._runs.values()) if run.id.startswith(prefix))

    def save_plan(self, service: str, plan: str) -> None:
        self._plans[service] = plan

    def plan(self, service: str) -> str | None:
        return self._plans.get(service)
