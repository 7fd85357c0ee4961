"""The machine's clock: the one place that reads the time and waits."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

from migrate.errors import InterruptedRunError


class SystemClock:
    """Implements ports.Clock; ``stopping`` ends its waits, whichever thread sets it."""

    def __init__(self, stopping: threading.Event | None = None) -> None:
        self._stopping = stopping or threading.Event()

    def now(self) -> datetime:
        """Return the present, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - its one home

    def sleep(self, duration: timedelta) -> None:
        """Wait; a signal that raises ends the wait. Raises InterruptedRunError once ``stopping`` is set."""
        if self._stopping.wait(max(0.0, duration.total_seconds())):
            raise InterruptedRunError("The wait was ended.", then="`migrate resume` goes on.")

    def seconds(self, seconds: float) -> None:
        """Wait a number of seconds; the form that retry libraries take."""
        time.sleep(max(0.0, seconds))  # noqa: TID251 - its one home
