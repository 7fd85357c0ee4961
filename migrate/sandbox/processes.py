"""Starting processes that outlive this one, and ending them without ever hitting a stranger."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from migrate.sandbox.state import ProcessRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: In the environment of every process that a sandbox starts, and of their children; its value is the sandbox's mark.
MARK_VARIABLE = "MIGRATE_SANDBOX_MARK"
_SAME_START_SECONDS = 0.05
_CLIENT_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUAL_FIRST_CLIENT_PORT = 32768
_LOWEST_PORT = 1024
_PORTS_BELOW = 10_000
_TRIES = 50


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 that nothing listens on now, and that no client is given in the meantime.

    A port that the system chose itself may be given to somebody's outgoing connection before the program that is to
    listen there has started; its bind then fails. So the port is taken from below those for clients (ip(7)).
    """
    first = _first_client_port()
    for _ in range(_TRIES):
        port = first - 1 - secrets.randbelow(_PORTS_BELOW)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        chosen: int = probe.getsockname()[1]
        return chosen


def _first_client_port() -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        first = int(_CLIENT_PORTS.read_text().split()[0])
        if first > _LOWEST_PORT + _PORTS_BELOW:
            return first
    return _USUAL_FIRST_CLIENT_PORT


def start(name: str, command: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> ProcessRecord:
    """Start ``command`` in a session of its own, with no input and its output appended to ``log``.

    Raises OSError when the program cannot be executed.
    """
    arguments = [str(part) for part in command]
    writing = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawn(
        arguments[0],
        arguments,
        dict(environment),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), writing, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        # Not ours to end with the terminal: `down` does that.
        setsid=True,
        # The parent may ignore or block signals (a test runner, nohup): the child must end on SIGTERM all the same.
        setsigmask=[],
        setsigdef=[signal.SIGTERM, signal.SIGINT],
    )
    return ProcessRecord(name, pid, psutil.Process(pid).create_time())


def alive(record: ProcessRecord | None) -> bool:
    """Whether exactly the recorded process still runs."""
    return record is not None and _found(record) is not None


def _found(record: ProcessRecord) -> psutil.Process | None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(record.pid)
        same = abs(process.create_time() - record.started) < _SAME_START_SECONDS
        if same and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def stop(records: Iterable[ProcessRecord], mark: str, patience_seconds: float = 10.0) -> int:
    """End the recorded processes, their descendants and whatever else carries ``mark``; return how many there were.

    They are asked first and killed after ``patience_seconds``. A process that merely got a recorded pid is left alone.
    """
    chosen: set[psutil.Process] = set(_marked(mark))
    for record in records:
        process = _found(record)
        if process is not None:
            chosen.add(process)
            with contextlib.suppress(psutil.NoSuchProcess):
                chosen.update(process.children(recursive=True))
    for process in chosen:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(list(chosen), timeout=patience_seconds)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=patience_seconds)
    return len(chosen)


def _marked(mark: str) -> Iterable[psutil.Process]:
    for process in psutil.process_iter():
        # Processes of other users are none of ours, and some end while they are looked at.
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK_VARIABLE) == mark and process.pid != os.getpid():
                yield process
