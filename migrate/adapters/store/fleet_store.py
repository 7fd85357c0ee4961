"""The fleet store on SQL: fleet_ports.FleetStore over SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Self

from sqlalchemy import Connection, RowMapping, Table, delete, insert, select, update

from migrate.adapters.store.codec import decode, encode
from migrate.adapters.store.database import Database
from migrate.adapters.store.tables import FLEET_MEMBERS, FLEET_RUNS, WORKERS
from migrate.core.fleet.definition import Member
from migrate.core.fleet.run import Attempt, Entry, FleetRun, MemberEnd, MemberState, Standing, Worker, decide
from migrate.errors import NotFoundError

_MEMBERS = FLEET_MEMBERS.c
_STANDING = (_MEMBERS.arn, _MEMBERS.wave, _MEMBERS.state, _MEMBERS.exit_code)


class SqlFleetStore:
    """Implements fleet_ports.FleetStore on the database at ``url``; ``now`` tells the time of starts and ends.

    Every method may raise AccessError and BlockedError as those of the record store do.
    """

    def __init__(self, url: str, now: Callable[[], datetime]) -> None:
        self._database = Database(url)
        self._now = now

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give all connections back."""
        self._database.close()

    @property
    def name(self) -> str:
        """The database in words for people, without a password."""
        return self._database.name

    def begin(self, run: FleetRun, entries: Sequence[Entry]) -> None:
        """Write a new run with all its members."""
        with self._database.writing() as connection:
            connection.execute(insert(FLEET_RUNS).values(id=run.id, fleet=run.fleet, body=encode(run)))
            connection.execute(insert(FLEET_MEMBERS), [_columns(entry) for entry in entries])

    def fleet_run(self, run_id: str) -> FleetRun | None:
        """Return a run."""
        with self._database.reading() as connection:
            return None if connection is None else _run(connection, run_id)

    def fleet_runs(self, fleet: str | None = None) -> tuple[FleetRun, ...]:
        """Return the runs of a fleet, or of all, newest first."""
        query = select(FLEET_RUNS.c.body).order_by(FLEET_RUNS.c.sequence.desc())
        if fleet is not None:
            query = query.where(FLEET_RUNS.c.fleet == fleet)
        with self._database.reading() as connection:
            return () if connection is None else tuple(decode(FleetRun, body) for body in connection.scalars(query))

    def change(self, run_id: str, decided: Callable[[FleetRun, Sequence[Standing]], FleetRun]) -> FleetRun:
        """Replace a run by what ``decided`` makes of it and of where its members stand; return the new one.

        Raises NotFoundError where there is no such run.
        """
        with self._database.writing() as connection:
            run = _run(connection, run_id)
            if run is None:
                raise NotFoundError(
                    f"There is no fleet run {run_id}.", then="Run `migrate fleet status` to see those that there are."
                )
            changed = decided(run, _standings(connection, run_id))
            connection.execute(update(FLEET_RUNS).where(FLEET_RUNS.c.id == run_id).values(body=encode(changed)))
            return changed

    def standings(self, run_id: str) -> tuple[Standing, ...]:
        """Return where the members stand, in the order of waves and names."""
        with self._database.reading() as connection:
            return () if connection is None else _standings(connection, run_id)

    def entries(self, run_id: str) -> tuple[Entry, ...]:
        """Return the members with all that is known of them, in the same order."""
        query = select(FLEET_MEMBERS).where(_MEMBERS.run_id == run_id).order_by(_MEMBERS.wave, _MEMBERS.arn)
        with self._database.reading() as connection:
            return () if connection is None else tuple(_entry(row) for row in connection.execute(query).mappings())

    def attempts(self, run_id: str, arns: Iterable[str]) -> frozenset[Attempt]:
        """Return the attempt that each of these members is in."""
        wanted = set(arns)
        query = select(_MEMBERS.arn, _MEMBERS.attempt).where(_MEMBERS.run_id == run_id)
        with self._database.reading() as connection:
            rows = () if connection is None else connection.execute(query)
            return frozenset(Attempt(run_id, arn, number) for arn, number in rows if arn in wanted)

    def start(self, attempt: Attempt, worker: str) -> Entry | None:
        """Give a member to a worker if it may begin now; one that may not is then in its next attempt."""
        with self._database.writing() as connection:
            run = _run(connection, attempt.run)
            if run is None:
                return None
            if attempt.arn not in decide(run, _standings(connection, run.id)).start:
                _wait_again(connection, attempt, MemberState.WAITING)
                return None
            started = {"state": MemberState.RUNNING.value, "worker": worker, "started_at": self._now().isoformat()}
            if not _changed(connection, attempt, {**started, "text": "", "finished_at": None}):
                return None
            query = select(FLEET_MEMBERS).where(_MEMBERS.run_id == attempt.run, _MEMBERS.arn == attempt.arn)
            return _entry(connection.execute(query).mappings().one())

    def note(self, attempt: Attempt, text: str) -> None:
        """Remember what a running member does; an attempt that is over changes nothing."""
        with self._database.writing() as connection:
            _changed(connection, attempt, {"text": text})

    def finish(self, attempt: Attempt, end: MemberEnd) -> None:
        """End a member; an attempt that is over changes nothing."""
        values = {
            "state": MemberState.ENDED.value,
            "exit_code": end.exit_code,
            "text": end.text,
            "next": end.then,
            "runbook": end.runbook,
            "member_run": end.run_id,
            "finished_at": self._now().isoformat(),
        }
        with self._database.writing() as connection:
            _changed(connection, attempt, values)

    def give_back(self, attempt: Attempt) -> bool:
        """Let somebody else take a member that has not ended; False where that attempt is over already."""
        with self._database.writing() as connection:
            return _wait_again(connection, attempt)

    def held_by(self, worker_id: str) -> tuple[Attempt, ...]:
        """Return the attempts that are running with a worker."""
        query = select(_MEMBERS.run_id, _MEMBERS.arn, _MEMBERS.attempt).where(
            _MEMBERS.worker == worker_id, _MEMBERS.state == MemberState.RUNNING.value
        )
        with self._database.reading() as connection:
            return () if connection is None else tuple(Attempt(*row) for row in connection.execute(query))

    def take_up(self, run_id: str, codes: Iterable[int]) -> int:
        """Let the members that ended with one of these codes wait again; return how many did."""
        values = {"state": MemberState.WAITING.value, "attempt": _MEMBERS.attempt + 1, "exit_code": None, "worker": ""}
        which = (
            _MEMBERS.run_id == run_id,
            _MEMBERS.state == MemberState.ENDED.value,
            _MEMBERS.exit_code.in_(list(codes)),
        )
        with self._database.writing() as connection:
            return connection.execute(update(FLEET_MEMBERS).where(*which).values(values)).rowcount

    def beat(self, worker: Worker) -> None:
        """Say that a worker lives."""
        with self._database.writing() as connection:
            _put(connection, WORKERS, asdict(worker))

    def leave(self, worker_id: str) -> None:
        """Strike a worker off the list."""
        with self._database.writing() as connection:
            connection.execute(delete(WORKERS).where(WORKERS.c.id == worker_id))

    def workers(self) -> tuple[Worker, ...]:
        """Return the workers that did not leave."""
        with self._database.reading() as connection:
            rows = () if connection is None else connection.execute(select(WORKERS).order_by(WORKERS.c.id)).mappings()
            return tuple(Worker(**row) for row in rows)


def _run(connection: Connection, run_id: str) -> FleetRun | None:
    body = connection.execute(select(FLEET_RUNS.c.body).where(FLEET_RUNS.c.id == run_id)).scalar()
    return None if body is None else decode(FleetRun, body)


def _standings(connection: Connection, run_id: str) -> tuple[Standing, ...]:
    query = select(*_STANDING).where(_MEMBERS.run_id == run_id).order_by(_MEMBERS.wave, _MEMBERS.arn)
    rows = connection.execute(query)
    return tuple(Standing(arn, wave, MemberState(state), exit_code) for arn, wave, state, exit_code in rows)


def _changed(
    connection: Connection,
    attempt: Attempt,
    values: dict[str, object],
    states: tuple[MemberState, ...] = (MemberState.WAITING, MemberState.RUNNING),
) -> bool:
    """Change a member that is in one of the states, if the attempt is still the one that it is in."""
    query = update(FLEET_MEMBERS).where(
        _MEMBERS.run_id == attempt.run,
        _MEMBERS.arn == attempt.arn,
        _MEMBERS.attempt == attempt.number,
        _MEMBERS.state.in_([state.value for state in states]),
    )
    return connection.execute(query.values(values)).rowcount > 0


def _wait_again(connection: Connection, attempt: Attempt, *states: MemberState) -> bool:
    values = {"state": MemberState.WAITING.value, "attempt": attempt.number + 1, "worker": ""}
    if states:
        return _changed(connection, attempt, values, states)
    return _changed(connection, attempt, values)


def _put(connection: Connection, table: Table, values: dict[str, object]) -> None:
    known = connection.execute(update(table).where(table.c.id == values["id"]).values(values))
    if known.rowcount == 0:
        connection.execute(insert(table).values(values))


def _columns(entry: Entry) -> dict[str, object]:
    return {
        "run_id": entry.run,
        "arn": entry.member.arn,
        "wave": entry.wave,
        "state": entry.state.value,
        "attempt": entry.attempt,
        "worker": entry.worker,
        "text": entry.text,
        "exit_code": entry.exit_code,
        "next": entry.then,
        "runbook": entry.runbook,
        "member_run": entry.run_id,
        "started_at": entry.started_at.isoformat() if entry.started_at else None,
        "finished_at": entry.finished_at.isoformat() if entry.finished_at else None,
        "member": encode(entry.member),
    }


@lru_cache(maxsize=4096)
def _member(text: str) -> Member:
    # It never changes, and whoever looks at a run looks at it every second.
    return decode(Member, text)


def _entry(row: RowMapping) -> Entry:
    return Entry(
        run=row["run_id"],
        member=_member(row["member"]),
        wave=row["wave"],
        state=MemberState(row["state"]),
        attempt=row["attempt"],
        worker=row["worker"],
        text=row["text"],
        exit_code=row["exit_code"],
        then=row["next"],
        runbook=row["runbook"],
        run_id=row["member_run"],
        started_at=_time(row["started_at"]),
        finished_at=_time(row["finished_at"]),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
