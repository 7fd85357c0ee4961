"""Hears Ctrl-C and SIGTERM for what works on many services: it goes on until it looks, and then decides itself."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AT_ONCE = 3
"""Ctrl-C that often stops at once; child processes then stop by themselves between two acts."""


class Heard:
    """What was heard so far: how often Ctrl-C came, and whether the process was told to end."""

    def __init__(self) -> None:
        self.presses = 0
        self.told_to_end = False


@contextmanager
def hearing() -> Iterator[Heard]:
    """Hear the signals that are not ignored, as `nohup` or a shell's background have it."""
    heard = Heard()

    def caught(number: int, frame: FrameType | None) -> None:
        del frame
        if number != signal.SIGINT:
            heard.told_to_end = True
            return
        heard.presses += 1
        if heard.presses >= AT_ONCE:
            raise KeyboardInterrupt

    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {
        number: signal.signal(number, caught) for number in wanted if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
