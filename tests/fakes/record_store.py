"""A record store in memory that passes the same contract suite as the real one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from copy import copy
from dataclasses import replace
from threading import Lock

from migrate.adapters.processes import ProcessTable
from migrate.adapters.store.claims import Claim, claim_of, lost, may_take, superseded
from migrate.adapters.store.record_store import conflict, ended
from migrate.core.evidence import Event, EventKind, Run
from migrate.core.record import Record
from migrate.errors import MigrateError


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

    def __init__(self, processes: ProcessTable | None = None, seconds: Callable[[], float] = lambda: 0.0) -> None:
        self._processes = processes or EveryProcessLives()
        self._seconds = seconds
        self._lock = Lock()
        self._records: dict[str, list[Record]] = {}
        self._runs: dict[str, Run] = {}
        self._events: list[Event] = []
        self._plans: dict[str, str] = {}
        self._claims: dict[str, Claim] = {}
        self._tokens: dict[str, int] = {}
        self._held: dict[str, Claim] = {}

    def seen_from(self, processes: ProcessTable, seconds: Callable[[], float] = lambda: 0.0) -> MemoryRecordStore:
        """Return a view of the same data for a process that sees another process table."""
        other = copy(self)
        other._processes, other._seconds, other._held = processes, seconds, {}
        return other

    def record(self, service: str) -> Record | None:
        return self._records[service][-1] if service in self._records else None

    def records(self, services: Collection[str]) -> dict[str, Record | MigrateError]:
        return {service: self._records[service][-1] for service in services if service in self._records}

    def save_record(self, service: str, record: Record) -> Record:
        saved = replace(record, version=record.version + 1)
        with self._lock:
            self._check(next((held for held in reversed(self._held.values()) if held.service == service), None))
            versions = self._records.get(service, [])
            if record in versions or saved in versions:
                return record if record in versions else saved
            if len(versions) != record.version:
                raise conflict(service, record, len(versions))
            self._records[service] = [*versions, saved]
        return saved

    def claim(self, service: str, run: Run) -> int:
        with self._lock:
            now, holder = self._seconds(), self._claims.get(service)
            wanted = claim_of(service, run, self._processes, now=now)
            if holder is not None:
                may_take(holder, wanted, self._processes, now)
            token = self._tokens[service] = self._tokens.get(service, 0) + 1
            made = self._claims[service] = replace(wanted, token=token)
            self._runs[run.id] = run
            if holder is not None and holder.run_id != run.id:
                end, taken = superseded(holder, made, now)
                self._add(*([end] if self._runs[holder.run_id].finished_at is None else []), taken)
            self._held.pop(run.id, None)
            self._held[run.id] = made
        return token

    def hold(self, service: str, run_id: str) -> None:
        with self._lock:
            if run_id not in self._held:
                raise lost(service, run_id, self._claims.get(service))
            self._check(self._held[run_id])

    def beat(self) -> None:
        with self._lock:
            for held in self._held.values():
                current = self._claims.get(held.service)
                if current is not None and current.token == held.token:
                    self._claims[held.service] = replace(current, heard_at=self._seconds())

    def release(self, service: str, run_id: str) -> None:
        with self._lock:
            held, current = self._held.get(run_id), self._claims.get(service)
            if held is not None and current is not None and (held.service, held.token) == (service, current.token):
                del self._claims[service], self._held[run_id]

    def append(self, event: Event) -> None:
        with self._lock:
            self._check(self._held.get(event.run_id))
            self._add(event)

    def _check(self, held: Claim | None) -> None:
        current = None if held is None else self._claims.get(held.service)
        if held is not None and (current is None or current.token != held.token):
            raise lost(held.service, held.run_id, current)

    def _add(self, *events: Event) -> None:
        for event in events:
            self._events.append(event)
            if event.kind is EventKind.FINISHED and event.run_id in self._runs:
                self._runs[event.run_id] = ended(self._runs[event.run_id], event)

    def events(self, run_id: str) -> tuple[Event, ...]:
        return tuple(event for event in self._events if event.run_id == run_id)

    def runs(self, service: str) -> tuple[Run, ...]:
        return tuple(run for run in reversed(self._runs.values()) if run.service == service)

    def services(self) -> tuple[str, ...]:
        return tuple(sorted({run.service for run in self._runs.values()}))

    def runs_like(self, prefix: str) -> tuple[Run, ...]:
        return tuple(run for run in reversed(self._runs.values()) if run.id.startswith(prefix))

    def save_plans(self, plans: Mapping[str, str]) -> None:
        self._plans.update(plans)

    def plan(self, service: str) -> str | None:
        return self._plans.get(service)
