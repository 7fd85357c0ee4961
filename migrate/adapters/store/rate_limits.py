"""The port RateLimits over a database: whoever shares it, on whatever machine, keeps AWS's rates together.

One row is one bucket, and one statement on it promises calls, by the database's own clock: no worker's clock counts.
Threads that ask while another one is asking already are served by one statement, so that a fleet costs few of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from types import TracebackType
from typing import Any, Self

from sqlalchemy import ColumnElement, case
from sqlalchemy.dialects import postgresql, sqlite

from migrate.adapters.rate_limits import ProcessRateLimits
from migrate.adapters.store.database import Database, clock_seconds
from migrate.adapters.store.tables import RATE_LIMITS
from migrate.core.rate_limits import ApiGroup, Rate, TokenBucket
from migrate.errors import MigrateError
from migrate.read_ports import RateLimits

_AWAY_SECONDS = 30.0
"""For so long a database that failed is not asked: calls then wait by what this process alone knows."""


class SqlRateLimits:
    """Buckets in a database; without an answer of it, those of ``instead``: no call waits for a database."""

    def __init__(
        self, url: str, instead: RateLimits | None = None, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = Database(url)
        self._instead = instead or ProcessRateLimits(seconds)
        self._seconds = seconds
        self._away_until = 0.0
        self._lock = threading.Lock()
        self._lines: dict[tuple[str, str, str], _Line] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give all connections back."""
        self._database.close()

    def reserve(self, account: str, region: str, group: ApiGroup) -> float:
        """Promise one call and return how many seconds it has to wait."""
        key = (account, region, group.name)
        with self._lock:
            line = self._lines.setdefault(key, _Line(partial(self._promised, key, group.paced)))
        if self._seconds() >= self._away_until:
            try:
                return line.reserve()
            except MigrateError:
                self._away_until = self._seconds() + _AWAY_SECONDS
        return self._instead.reserve(account, region, group)

    def _promised(self, key: tuple[str, str, str], rate: Rate, calls: int) -> tuple[float, ...]:
        with self._database.counting() as connection:
            own = postgresql if connection.dialect.name == "postgresql" else sqlite
            now = clock_seconds(connection.dialect.name)
            new = own.insert(RATE_LIMITS).values(
                account=key[0], region=key[1], api_group=key[2], full_at=now + calls / rate.refill
            )
            statement = new.on_conflict_do_update(
                index_elements=list(RATE_LIMITS.primary_key),
                set_={"full_at": _filling(now, rate.longest) + calls / rate.refill},
            ).returning(RATE_LIMITS.c.full_at, now)
            full_at, at = connection.execute(statement).one()
        return TokenBucket(full_at).waits(rate, calls, at)


class _Line:
    """Callers of one bucket: who comes first asks for all that wait by then, and for those that come meanwhile."""

    def __init__(self, promised: Callable[[int], tuple[float, ...]]) -> None:
        self._promised = promised
        self._lock = threading.Lock()
        self._waiting: list[Future[float]] = []
        self._is_led = False

    def reserve(self) -> float:
        place: Future[float] = Future()
        with self._lock:
            self._waiting.append(place)
            leads, self._is_led = not self._is_led, True
        while leads:
            leads = self._serve()
        return place.result()

    def _serve(self) -> bool:
        """Serve all who wait; tell whether there was anybody."""
        with self._lock:
            served, self._waiting = self._waiting, []
            self._is_led = bool(served)
        if not served:
            return False
        try:
            for place, seconds in zip(served, self._promised(len(served)), strict=True):
                place.set_result(seconds)
        except BaseException as error:  # noqa: BLE001 - it is raised to all who wait
            with self._lock:
                # Nobody leads any more: whoever came meanwhile must not wait for it.
                served, self._waiting, self._is_led = [*served, *self._waiting], [], False
            for place in served:
                if not place.done():
                    place.set_exception(error)
            return False
        return True


def _filling(now: ColumnElement[Any], longest: float) -> ColumnElement[Any]:
    """Return TokenBucket.take's beginning: no earlier than now, and no later than the longest queue."""
    full_at = RATE_LIMITS.c.full_at
    return case((full_at < now, now), (full_at > now + longest, now + longest), else_=full_at)
