"""A stand-in for a bad network: connections to a server on loopback that break after so many bytes of its answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial


@contextmanager
def cut_connections(host: str, after: int) -> Iterator[str]:
    """Stand before a server; gives host and port to reach it through."""
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_accept, args=(listener, host, after), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _accept(listener: socket.socket, host: str, after: int) -> None:
    with suppress(OSError):
        while True:
            near, _ = listener.accept()
            threading.Thread(target=_join, args=(near, host, after), daemon=True).start()


def _join(near: socket.socket, host: str, after: int) -> None:
    address, _, port = host.partition(":")
    with near, socket.create_connection((address, int(port))) as far:
        threading.Thread(target=partial(_pump, near, far, 1 << 40), daemon=True).start()
        _pump(far, near, after)


def _pump(source: socket.socket, target: socket.socket, left: int) -> None:
    with suppress(OSError):
        while left > 0 and (data := source.recv(min(1 << 16, left))):
            target.sendall(data)
            left -= len(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
