"""The machine's clock: its waits end when the run is to stop."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from migrate.adapters.system_clock import SystemClock
from migrate.errors import InterruptedRunError


def test_a_wait_ends_when_another_thread_stops_the_run() -> None:
    stopping = threading.Event()
    clock = SystemClock(stopping)
    begun = clock.now()
    threading.Timer(0.05, stopping.set).start()
    with pytest.raises(InterruptedRunError):
        clock.sleep(timedelta(seconds=30))
    with pytest.raises(InterruptedRunError):
        clock.sleep(timedelta(seconds=30))
    stopping.clear()
    clock.sleep(timedelta(milliseconds=1))
    assert clock.now() - begun < timedelta(seconds=10)
