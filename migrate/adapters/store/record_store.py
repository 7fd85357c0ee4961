"""The record store on SQL: ports.RecordStore over SQLite or PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, insert, select, update

from migrate.adapters.processes import LocalProcesses, ProcessTable
from migrate.adapters.store.claims import Claim, claim_of, may_take
from migrate.adapters.store.codec import decode, encode
from migrate.adapters.store.database import Database
from migrate.adapters.store.tables import CLAIMS, EVENTS, PLANS, RECORDS, RUNS
from migrate.core.documents import fields
from migrate.core.evidence import Event, EventKind, Run
from migrate.core.record import Record
from migrate.errors import WorldChangedError


class SqlRecordStore:
    """Keeps records, runs, events, plans and claims in the database at ``url``; safe for threads and processes.

    Every method may raise AccessError where the database cannot be used, and BlockedError where a newer version of
    the program wrote it (both runbook errors#state).
    """

    def __init__(self, url: str, *, processes: ProcessTable | None = None) -> None:
        self._database = Database(url)
        self._processes = processes or LocalProcesses()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give all connections back."""
        self._database.close()

    def record(self, service: str) -> Record | None:
        """Return the record of a service."""
        with self._database.reading() as connection:
            return None if connection is None else _record(connection, service)

    def save_record(self, service: str, record: Record) -> Record:
        """Write the record as its next version and return that one.

        A resumed run saves again what it had saved: that gives back the version it had made, and the newest stays the
        newest. Any other change to a version that is not the newest is refused with WorldChangedError.
        """
        saved = replace(record, version=record.version + 1)
        with self._database.writing() as connection:
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

    def claim(self, service: str, run: Run) -> None:
        """Make ``run`` the only writer of the service; LockedError names the run that already is.

        A claim of the same run, or of a process on this machine that is provably gone, is taken over.
        """
        wanted = claim_of(service, run, self._processes)
        with self._database.writing() as connection:
            row = connection.execute(select(CLAIMS).where(CLAIMS.c.service == service)).mappings().first()
            if row is not None:
                may_take(_claim(row), wanted, self._processes)
                connection.execute(delete(CLAIMS).where(CLAIMS.c.service == service))
            connection.execute(insert(CLAIMS).values(_columns(wanted)))
            _put_run(connection, run)

    def release(self, service: str, run_id: str) -> None:
        """Give the service free, if ``run_id`` holds it."""
        with self._database.writing() as connection:
            connection.execute(delete(CLAIMS).where(CLAIMS.c.service == service, CLAIMS.c.run_id == run_id))

    def append(self, event: Event) -> None:
        """Add an event of a run to the evidence; FINISHED also ends the run, with ``data["status"]`` as its status."""
        with self._database.writing() as connection:
            connection.execute(insert(EVENTS).values(run_id=event.run_id, body=encode(event)))
            if event.kind is EventKind.FINISHED:
                body = connection.execute(select(RUNS.c.body).where(RUNS.c.id == event.run_id)).scalar()
                if body is not None:
                    _put_run(connection, ended(decode(Run, body), event))

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

    def save_plan(self, service: str, plan: str) -> None:
        """Keep the newest plan (JSON text) of a service."""
        with self._database.writing() as connection:
            connection.execute(delete(PLANS).where(PLANS.c.service == service))
            connection.execute(insert(PLANS).values(service=service, body=plan))

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


def _put_run(connection: Connection, run: Run) -> None:
    values = {"service": run.service, "body": encode(run)}
    known = connection.execute(update(RUNS).where(RUNS.c.id == run.id).values(values))
    if known.rowcount == 0:
        connection.execute(insert(RUNS).values(id=run.id, **values))


def _claim(row: RowMapping) -> Claim:
    return Claim(**{**row, "since": datetime.fromisoformat(row["since"])})


def _columns(claim: Claim) -> dict[str, object]:
    return {
        "service": claim.service,
        "run_id": claim.run_id,
        "operator": claim.operator,
        "host": claim.host,
        "process": claim.process,
        "since": claim.since.isoformat(),
        "machine": claim.machine,
        "process_started": claim.process_started,
    }
