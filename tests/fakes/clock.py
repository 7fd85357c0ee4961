"""Virtual time: nobody waits, and what is due happens on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from migrate.errors import InterruptedRunError

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


class FakeClock:
    """The port Clock; sleeping moves time at once and runs what was put down for a time in between."""

    def __init__(self, start: datetime = NOON) -> None:
        self.start = start
        self._now = start
        self._due: list[tuple[datetime, int, Callable[[], object]]] = []
        self._stop_at: datetime | None = None
        self.slept: list[timedelta] = []

    def now(self) -> datetime:
        return self._now

    @property
    def elapsed(self) -> timedelta:
        return self._now - self.start

    def sleep(self, duration: timedelta) -> None:
        self.slept.append(duration)
        self.advance(duration)

    def advance(self, duration: timedelta) -> None:
        """Move time on; raises InterruptedRunError at the moment that ``stop_after`` named."""
        end = self._now + max(duration, timedelta(0))
        while self._due and self._due[0][0] <= end and not self._stops_before(self._due[0][0]):
            at, _, action = self._due.pop(0)
            self._now = max(self._now, at)
            action()
        if self._stop_at is not None and self._stop_at <= end:
            self._now, self._stop_at = max(self._now, self._stop_at), None
            raise InterruptedRunError("The operator stopped the run.", then="Take it up again.")
        self._now = end

    def after(self, delay: timedelta, action: Callable[[], object]) -> None:
        """Run ``action`` when virtual time has moved on by ``delay``; same times keep their order."""
        self._due.append((self._now + delay, len(self._due), action))
        self._due.sort(key=lambda item: item[0])

    def stop_after(self, delay: timedelta) -> None:
        """Let the operator press Ctrl-C once, at that moment."""
        self._stop_at = self._now + delay

    def _stops_before(self, at: datetime) -> bool:
        return self._stop_at is not None and self._stop_at < at
