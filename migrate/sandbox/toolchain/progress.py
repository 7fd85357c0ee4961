"""What set-up says while it works: one line a part, a sign of life while a part takes long, and where the time went."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_TICK_SECONDS = 15.0


@dataclass(slots=True)
class Progress:
    """Writes one line at a time to ``stream`` (standard error unless told otherwise).

    ``tick_seconds`` is how often a running part shows that it is still alive.
    """

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    tick_seconds: float = _TICK_SECONDS
    quiet: bool = False

    def say(self, line: str) -> None:
        """Write one line at once, so that nothing waits in a buffer while a build runs."""
        if not self.quiet:
            self.stream.write(f"{line}\n")
            self.stream.flush()

    @contextmanager
    def step(self, doing: str, *, usually: str = "") -> Iterator[None]:
        """Announce ``doing`` with how long it ``usually`` takes, tick while it runs, and say how long it took."""
        self.say(f"{doing}{f' (usually {usually})' if usually else ''} ...")
        started = time.monotonic()
        stop = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(doing, started, stop), daemon=True)
        ticker.start()
        try:
            yield
        except BaseException:
            self.say(f"{doing}: stopped after {time.monotonic() - started:.0f} s")
            raise
        else:
            self.say(f"{doing}: done in {time.monotonic() - started:.0f} s")
        finally:
            stop.set()
            ticker.join()

    def _tick(self, doing: str, started: float, stop: threading.Event) -> None:
        while not stop.wait(self.tick_seconds):
            self.say(f"  still {doing} ({time.monotonic() - started:.0f} s so far)")
