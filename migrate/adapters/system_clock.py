"""The machine's clock: the one place that reads the time and waits."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """Implements ports.Clock."""

    def now(self) -> datetime:
        """Return the present, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - its one home

    def sleep(self, duration: timedelta) -> None:
        """Wait; a signal that raises ends the wait."""
        self.seconds(duration.total_seconds())

    def seconds(self, seconds: float) -> None:
        """Wait a number of seconds; the form that retry libraries take."""
        time.sleep(max(0.0, seconds))  # noqa: TID251 - its one home
