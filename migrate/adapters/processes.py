"""Whether a process is provably gone: the only ground on which a claim or a lock is taken from its holder."""

from __future__ import annotations

import os
import platform
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Protocol

UNTOLD = ""
"""The start of a process that exists but whose start time this system does not tell."""

_STATE, _START_TIME = 0, 19
_PROC = Path("/proc")


class ProcessTable(Protocol):
    """The processes of one machine."""

    def machine(self) -> str:
        """Return what tells this table of processes from every other; equal text means that process ids compare."""
        ...

    def started(self, process: int) -> str | None:
        """Return a mark of when a process started; UNTOLD where that is not told, None where there is no process."""
        ...


class LocalProcesses:
    """The processes that this one can see.

    A host name proves nothing: containers and images share names, and process ids only compare within one boot and
    one PID namespace (proc(5), pid_namespaces(7)). Start times are ticks since boot, so that a clock that is set
    does not make a living process look like another one.
    """

    def __init__(self, proc: Path = _PROC) -> None:
        self._proc = proc

    def machine(self) -> str:
        """Return boot and PID namespace on Linux, the hardware address elsewhere."""
        try:
            boot = (self._proc / "sys/kernel/random/boot_id").read_text().strip()
            return f"{boot} {(self._proc / 'self/ns/pid').readlink()}"
        except OSError:
            return f"{platform.system()} {uuid.getnode():x}"

    def started(self, process: int) -> str | None:
        """Return the start time in ticks since boot; a zombie counts as gone."""
        if process <= 0 or not _exists(process):
            return None
        try:
            # The second field, the command's name in brackets, may itself hold brackets and blanks.
            fields = (self._proc / str(process) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return UNTOLD
        return None if fields[_STATE] in "ZX" else fields[_START_TIME]


def alive(processes: ProcessTable, process: int, started: str | None) -> bool | None:
    """Tell whether the process of this machine that started with the mark lives; None where neither can be proven."""
    now = processes.started(process)
    if now is None:
        return False
    if UNTOLD in {now, started}:
        return None
    return now == started


def _exists(process: int) -> bool:
    try:
        # Not being allowed to signal a process proves that it is there.
        with suppress(PermissionError):
            os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
