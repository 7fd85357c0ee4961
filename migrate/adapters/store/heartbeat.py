"""Letting it be heard, beside whatever a run is busy with, that the run lives: one `pulumi up` may take 20 minutes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Event, Lock, Thread

from migrate.errors import MigrateError


class Heartbeat:
    """Calls ``beat`` every ``every``, in a thread of its own, while there is something to be heard of.

    A thread of the process that works: one that is stopped, or whose machine sleeps, is not heard of either. A beat
    that fails is no more than one that is missing.
    """

    def __init__(self, beat: Callable[[], None], every: timedelta) -> None:
        self._beat = beat
        self._every = every
        self._lock = Lock()
        self._stopped: Event | None = None

    def start(self) -> None:
        """Begin, unless it beats already."""
        with self._lock:
            if self._stopped is None:
                self._stopped = Event()
                Thread(target=self._run, args=(self._stopped,), name="migrate-heartbeat", daemon=True).start()

    def stop(self) -> None:
        """End; a beat that is under way is not waited for."""
        with self._lock:
            if self._stopped is not None:
                self._stopped.set()
                self._stopped = None

    def _run(self, stopped: Event) -> None:
        while not stopped.wait(self._every.total_seconds()):
            try:
                self._beat()
            except MigrateError:
                # The next write of the run says what is wrong with the database, in words and at the right place.
                continue
