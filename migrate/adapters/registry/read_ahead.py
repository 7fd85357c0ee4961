"""Pieces made in a thread while the ones before are worked on, a bounded number ahead.

Fetching, hashing and unpacking are done by C code that lets go of the interpreter's lock: each gets a thread, and the
walk through the archive has the interpreter for itself.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager

_JOINED = 1 << 18


@contextmanager
def read_ahead(pieces: Iterator[bytes], *, ahead: int) -> Iterator[Iterator[bytes]]:
    """Give the pieces again, with up to ``ahead`` of them waiting; what making them raises is raised here.

    On leaving, the thread has ended and nothing more is taken from ``pieces``.
    """
    queue = _Queue(pieces, ahead)
    thread = threading.Thread(target=queue.fill, name="read-ahead", daemon=True)
    thread.start()
    try:
        yield queue.taken()
    finally:
        queue.close()
        thread.join()


def joined(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks in pieces of at least 256 KiB: every hand-over between threads has its price."""
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size >= _JOINED:
            yield b"".join(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts)


class _Queue:
    """Between one thread that fills and one that takes."""

    def __init__(self, pieces: Iterator[bytes], ahead: int) -> None:
        self._pieces = pieces
        self._ahead = ahead
        self._waiting: deque[bytes] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._is_closed = False
        self._is_done = False
        self._error: BaseException | None = None

    def fill(self) -> None:
        try:
            for piece in self._pieces:
                with self._changed:
                    while len(self._waiting) >= self._ahead and not self._is_closed:
                        self._changed.wait()
                    if self._is_closed:
                        return
                    self._waiting.append(piece)
                    self._changed.notify()
        except BaseException as error:  # noqa: BLE001 - it belongs to the thread that takes
            self._error = error
        finally:
            with self._changed:
                self._is_done = True
                self._changed.notify()

    def taken(self) -> Generator[bytes, None, None]:
        while True:
            with self._changed:
                while not self._waiting and not self._is_done:
                    self._changed.wait()
                piece = self._waiting.popleft() if self._waiting else None
                self._changed.notify()
            if piece is None:
                break
            yield piece
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify()
