"""Claims in their table: taking, hearing of, checking and giving free, each inside a transaction of the caller's."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, func, insert, select, update

from migrate.adapters.store.claims import Claim, lost
from migrate.adapters.store.database import clock_seconds
from migrate.adapters.store.tables import CLAIMS, TOKENS


@dataclass(frozen=True, slots=True)
class Held:
    """What a store has claimed for a run."""

    service: str
    run_id: str
    token: int


def database_seconds(connection: Connection) -> float:
    """Return the time by the database's clock, the one that all holders share, in seconds since 1970."""
    return float(connection.execute(select(clock_seconds(connection.dialect.name))).scalar_one())


def holder(connection: Connection, service: str) -> Claim | None:
    """Return who holds a service."""
    row = connection.execute(select(CLAIMS).where(CLAIMS.c.service == service)).mappings().first()
    return None if row is None else _claim(row)


def next_token(connection: Connection, service: str) -> int:
    """Return a token that no claim of the service ever had."""
    newest = connection.execute(select(func.max(TOKENS.c.token)).where(TOKENS.c.service == service)).scalar()
    if newest is None:
        connection.execute(insert(TOKENS).values(service=service, token=1))
        return 1
    connection.execute(update(TOKENS).where(TOKENS.c.service == service).values(token=newest + 1))
    return int(newest) + 1


def put(connection: Connection, claim: Claim) -> None:
    """Write a claim in the place of any other."""
    connection.execute(delete(CLAIMS).where(CLAIMS.c.service == claim.service))
    connection.execute(insert(CLAIMS).values({**asdict(claim), "since": claim.since.isoformat()}))


def check(connection: Connection, held: Held) -> None:
    """Raise ClaimLostError unless the claim still stands."""
    if connection.execute(select(CLAIMS.c.token).where(_is(held))).first() is None:
        raise lost(held.service, held.run_id, holder(connection, held.service))


def hear(connection: Connection, held: Held, now: float) -> bool:
    """Write down that the holder lives, and tell whether it still holds."""
    return connection.execute(update(CLAIMS).where(_is(held)).values(heard_at=now)).rowcount == 1


def free(connection: Connection, held: Held) -> bool:
    """Take the claim away, and tell whether it still stood."""
    return connection.execute(delete(CLAIMS).where(_is(held))).rowcount == 1


def _is(held: Held) -> ColumnElement[bool]:
    return and_(CLAIMS.c.service == held.service, CLAIMS.c.run_id == held.run_id, CLAIMS.c.token == held.token)


def _claim(row: RowMapping) -> Claim:
    return Claim(**{**row, "since": datetime.fromisoformat(row["since"])})
