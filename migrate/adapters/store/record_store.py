"""The record store on SQL: ports.RecordStore over SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from types import TracebackType
from typing import Self

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from migrate.adapters.processes import LocalProcesses, ProcessTable
from migrate.adapters.store import claim_rows
from migrate.adapters.store.claim_rows import Held
from migrate.adapters.store.claims import BEAT, SILENCE, Claim, claim_of, lost, may_take, superseded
from migrate.adapters.store.codec import decode, encode
from migrate.adapters.store.database import Database
from migrate.adapters.store.heartbeat import Heartbeat
from migrate.adapters.store.tables import EVENTS, PLANS, RECORDS, RUNS
from migrate.core.documents import fields
from migrate.core.evidence import Event, EventKind, Run
from migrate.core.record import Record
from migrate.errors import MigrateError, WorldChangedError


class SqlRecordStore:
    """Keeps records, runs, events, plans and claims in the database at ``url``; safe for threads and processes.

    What it has claimed for a run, it lets be heard every ``beat``, and checks in every write of that run. ``seconds``
    is the clock that all holders share: the database's own.

    Every method may raise AccessError where the database cannot be used, and BlockedError where a newer version of
    the program wrote it (both runbook errors#state).
    """

    def __init__(
        self,
        url: str,
        *,
        processes: ProcessTable | None = None,
        beat: timedelta = BEAT,
        silence: timedelta = SILENCE,
        seconds: Callable[[Connection], float] = claim_rows.database_seconds,
    ) -> None:
        self._database = Database(url)
        self._processes = processes or LocalProcesses()
        self._silence = silence
        self._seconds = seconds
        self._held: dict[str, Held] = {}
        self._living: dict[str, Held] = {}
        self._heartbeat = Heartbeat(self.beat, beat)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give all connections back; claims are not heard of any more."""
        self._heartbeat.stop()
        self._database.close()

    def record(self, service: str) -> Record | None:
        """Return the record of a service."""
        with self._database.reading() as connection:
            return None if connection is None else _record(connection, service)

    def records(self, services: Collection[str]) -> dict[str, Record | MigrateError]:
        """Return the records of those services that have one; an error stands for one that cannot be read."""
        newest = (
            select(RECORDS.c.service, func.max(RECORDS.c.version).label("version"))
            .where(RECORDS.c.service.in_(services))
            .group_by(RECORDS.c.service)
            .subquery()
        )
        both = (RECORDS.c.service == newest.c.service) & (RECORDS.c.version == newest.c.version)
        with self._database.reading() as connection:
            rows = () if connection is None else connection.execute(select(RECORDS).join(newest, both)).mappings()
            return {row["service"]: _readable(row["body"]) for row in rows}

    def save_record(self, service: str, record: Record) -> Record:
        """Write the record as its next version and return that one.

        A resumed run saves again what it had saved: that gives back the version it had made, and the newest stays the
        newest. Any other change to a version that is not the newest is refused with WorldChangedError.
        """
        saved = replace(record, version=record.version + 1)
        with self._database.writing() as connection:
            self._check(
                connection, next((held for held in reversed(self._held.values()) if held.service == service), None)
            )
            if _record(connection, service, record.version) == record:
                return record
            there = _record(connection, service, saved.version)
            newest = connection.execute(
                select(func.max(RECORDS.c.version)).where(RECORDS.c.service == service)
            ).scalar()
            if there is None and record.version == (newest or 0):
                connection.execute(insert(RECORDS).values(service=service, version=saved.version, body=encode(saved)))
            elif there != saved:
                raise conflict(service, record, newest or 0)
        return saved

    def claim(self, service: str, run: Run) -> int:
        """Make ``run`` the only writer of the service; LockedError names the run that already is.

        A claim of a process that is provably gone, or that was not heard of for long, is taken over; the run that is
        superseded by another one thereby ends. Return the token of the claim.
        """
        with self._database.writing() as connection:
            now = self._seconds(connection)
            holder = claim_rows.holder(connection, service)
            wanted = claim_of(service, run, self._processes, now=now)
            if holder is not None:
                may_take(holder, wanted, self._processes, now, self._silence)
            made = replace(wanted, token=claim_rows.next_token(connection, service))
            claim_rows.put(connection, made)
            _put_run(connection, run)
            if holder is not None and holder.run_id != run.id:
                _supersede(connection, holder, made, now)
        self._held.pop(run.id, None)
        self._held[run.id] = self._living[run.id] = Held(service, run.id, made.token)
        self._heartbeat.start()
        return made.token

    def hold(self, service: str, run_id: str) -> None:
        """Raise ClaimLostError unless the claim that this store made for the run still stands."""
        with self._database.reading() as connection:
            if connection is None:
                raise lost(service, run_id, None)
            self._check(connection, self._held.get(run_id, Held(service, run_id, 0)))

    def beat(self) -> None:
        """Let it be heard that the claims live which this store has made and not given free."""
        for held in tuple(self._living.values()):
            with self._database.writing() as connection:
                if not claim_rows.hear(connection, held, self._seconds(connection)):
                    self._living.pop(held.run_id, None)

    def release(self, service: str, run_id: str) -> None:
        """Give the service free, if ``run_id`` holds it by the claim that this store made."""
        held = self._held.get(run_id)
        if held is None or held.service != service:
            return
        with self._database.writing() as connection:
            stood = claim_rows.free(connection, held)
        self._living.pop(run_id, None)
        if not self._living:
            self._heartbeat.stop()
        if stood:
            # What was lost stays on the list: a run that ends late must not write after all.
            del self._held[run_id]

    def append(self, event: Event) -> None:
        """Add an event of a run to the evidence; FINISHED also ends the run, with ``data["status"]`` as its status."""
        with self._database.writing() as connection:
            self._check(connection, self._held.get(event.run_id))
            _append(connection, event)

    def _check(self, connection: Connection, held: Held | None) -> None:
        if held is not None:
            claim_rows.check(connection, held)

    def events(self, run_id: str) -> tuple[Event, ...]:
        """Return the events of a run, oldest first."""
        with self._database.reading() as connection:
            if connection is None:
                return ()
            rows = connection.execute(
                select(EVENTS.c.body).where(EVENTS.c.run_id == run_id).order_by(EVENTS.c.sequence)
            ).scalars()
            return tuple(decode(Event, body) for body in rows)

    def runs(self, service: str) -> tuple[Run, ...]:
        """Return the runs of a service, newest first."""
        return self._runs(RUNS.c.service == service)

    def services(self) -> tuple[str, ...]:
        """Return the services that any run was on, sorted."""
        with self._database.reading() as connection:
            if connection is None:
                return ()
            return tuple(sorted(connection.execute(select(RUNS.c.service).distinct()).scalars()))

    def runs_like(self, prefix: str) -> tuple[Run, ...]:
        """Return the runs whose id begins with ``prefix``, newest first; the case of letters counts."""
        # Not LIKE: its wildcards would have to be escaped, and SQLite's takes capitals for small letters.
        return self._runs(func.substr(RUNS.c.id, 1, len(prefix)) == prefix)

    def _runs(self, which: ColumnElement[bool]) -> tuple[Run, ...]:
        with self._database.reading() as connection:
            if connection is None:
                return ()
            rows = connection.execute(select(RUNS.c.body).where(which).order_by(RUNS.c.sequence.desc())).scalars()
            return tuple(decode(Run, body) for body in rows)

    def save_plans(self, plans: Mapping[str, str]) -> None:
        """Keep the newest plans (JSON texts) of services."""
        if not plans:
            return
        with self._database.writing() as connection:
            connection.execute(delete(PLANS).where(PLANS.c.service.in_(plans)))
            connection.execute(insert(PLANS), [{"service": service, "body": plan} for service, plan in plans.items()])

    def plan(self, service: str) -> str | None:
        """Return the newest plan of a service."""
        with self._database.reading() as connection:
            if connection is None:
                return None
            return connection.execute(select(PLANS.c.body).where(PLANS.c.service == service)).scalar()


def ended(run: Run, event: Event) -> Run:
    """Return the run as a FINISHED event leaves it; an event without a status in words leaves ``finished``."""
    status = fields(event.data).get("status")
    return replace(run, status=status if isinstance(status, str) else "finished", finished_at=event.at)


def conflict(service: str, record: Record, newest: int) -> WorldChangedError:
    """Return the refusal to save a change that was made to another version than the newest."""
    return WorldChangedError(
        f"The record of {service} was changed by another run meanwhile.",
        why=f"The change was made to version {record.version}; the newest is version {newest}.",
        then="Nothing was overwritten. Run `migrate status`, then start again.",
        runbook="errors#state",
    )


def _record(connection: Connection, service: str, version: int | None = None) -> Record | None:
    query = select(RECORDS.c.body).where(RECORDS.c.service == service).order_by(RECORDS.c.version.desc()).limit(1)
    if version is not None:
        query = query.where(RECORDS.c.version == version)
    body = connection.execute(query).scalar()
    return None if body is None else decode(Record, body)


def _readable(body: str) -> Record | MigrateError:
    try:
        return decode(Record, body)
    except MigrateError as error:
        return error


def _append(connection: Connection, event: Event) -> None:
    connection.execute(insert(EVENTS).values(run_id=event.run_id, body=encode(event)))
    if event.kind is EventKind.FINISHED:
        body = connection.execute(select(RUNS.c.body).where(RUNS.c.id == event.run_id)).scalar()
        if body is not None:
            _put_run(connection, ended(decode(Run, body), event))


def _supersede(connection: Connection, holder: Claim, by: Claim, now: float) -> None:
    end, taken = superseded(holder, by, now)
    body = connection.execute(select(RUNS.c.body).where(RUNS.c.id == holder.run_id)).scalar()
    if body is not None and decode(Run, body).finished_at is None:
        _append(connection, end)
    _append(connection, taken)


def _put_run(connection: Connection, run: Run) -> None:
    values = {"service": run.service, "body": encode(run)}
    known = connection.execute(update(RUNS).where(RUNS.c.id == run.id).values(values))
    if known.rowcount == 0:
        connection.execute(insert(RUNS).values(id=run.id, **values))
