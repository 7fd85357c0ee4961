"""Locks of a stack: who holds one, and whether a lock is provably ours and dead (case C41).

A DIY backend names every lock by user, host and process (pulumi 3.274, backend/diy/lock.go, checkForLock); Pulumi
Cloud answers "[409] Conflict" and names nobody. A lock is taken from its holder only if every lock that is told is of
a process that this working directory started, on this boot of this machine, and that is gone.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from pathlib import Path

from migrate.adapters.processes import LocalProcesses, ProcessTable, alive

LOCKED = re.compile(r"the stack is currently locked by|\[409\] Conflict")
"""Both texts of a stack that is locked: DIY backends and Pulumi Cloud."""

_COUNT = re.compile(r"currently locked by (\d+) lock")
_HOLDER = re.compile(r"created by (?P<who>(?P<user>\S*)@(?P<host>\S+) \(pid (?P<process>\d+)\) at (?P<at>\S+))")
_FOLDER = ".processes"
_ROUNDING = timedelta(seconds=2)
"""The text of a lock rounds its time down to the second."""


class Held(Enum):
    """What is known about the holders of the locks of a stack."""

    BY_OTHERS = auto()
    BY_OURS = auto()
    BY_THE_DEAD = auto()


@dataclass(frozen=True, slots=True)
class Holder:
    """One lock: who made it, where and when. ``text`` is all of it in Pulumi's own words."""

    host: str
    process: int
    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Started:
    """One Pulumi process of ours, by the marks of a ProcessTable; it was started right before ``at``."""

    process: int
    machine: str
    mark: str | None
    host: str
    at: datetime


def holders(text: str) -> tuple[Holder, ...]:
    """Return the locks that a text of Pulumi's names, each once; none for Pulumi Cloud."""
    found = (
        Holder(match["host"], int(match["process"]), match["at"], match["who"]) for match in _HOLDER.finditer(text)
    )
    return tuple(dict.fromkeys(found))


class StartedProcesses:
    """Remembers in a stack's working directory which Pulumi processes were started there and did not end by themselves.

    A process that ends, well or not, has released its lock; only one that was killed may have left it behind.
    """

    def __init__(self, processes: ProcessTable | None = None) -> None:
        self._processes = processes or LocalProcesses()

    def remember(self, directory: Path, process: int) -> None:
        """Write down a process that was just started; a folder that cannot be written only makes less provable."""
        entry = {
            "process": process,
            "machine": self._processes.machine(),
            "mark": self._processes.started(process),
            "host": socket.gethostname(),
        }
        with suppress(OSError):
            folder = directory / _FOLDER
            folder.mkdir(exist_ok=True)
            beside = folder / f"{process}.new"
            beside.write_text(json.dumps(entry), encoding="utf-8")
            beside.replace(folder / f"{process}.json")

    def forget(self, directory: Path, process: int) -> None:
        """Take a process out that ended by itself."""
        with suppress(OSError):
            (directory / _FOLDER / f"{process}.json").unlink(missing_ok=True)

    def any_lives(self, directory: Path) -> bool:
        """Tell whether one of the processes that were started there lives, as far as it is not provably gone."""
        here = self._processes.machine()
        known = (item for item in self._known(directory) if item.machine == here)
        return any(alive(self._processes, item.process, item.mark) is not False for item in known)

    def forget_dead(self, directory: Path, text: str) -> None:
        """Take the holders of locks out that have been removed."""
        for holder in holders(text):
            self.forget(directory, holder.process)

    def judge(self, directory: Path, text: str) -> Held:
        """Say who holds the stack, by what Pulumi told; in doubt it is somebody else."""
        told, known = holders(text), tuple(self._known(directory))
        count = _COUNT.search(text)
        if not told or count is None or int(count[1]) != len(told):
            return Held.BY_OTHERS
        lives = [self._lives(holder, known) for holder in told]
        if None in lives:
            return Held.BY_OTHERS
        return Held.BY_OURS if any(lives) else Held.BY_THE_DEAD

    def _lives(self, holder: Holder, known: tuple[Started, ...]) -> bool | None:
        """Tell whether the holder lives, None where it is not provably a process of ours."""
        ours = next((item for item in known if self._is(holder, item)), None)
        return None if ours is None else alive(self._processes, ours.process, ours.mark)

    def _is(self, holder: Holder, started: Started) -> bool:
        try:
            made_later = datetime.fromisoformat(holder.at) >= started.at - _ROUNDING
        except (ValueError, TypeError):
            return False
        same = (holder.process, holder.host, started.machine) == (
            started.process,
            started.host,
            self._processes.machine(),
        )
        return same and made_later

    def _known(self, directory: Path) -> Iterator[Started]:
        for path in sorted((directory / _FOLDER).glob("*.json")):
            try:
                written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                yield Started(**json.loads(path.read_text(encoding="utf-8")), at=written)
            except (OSError, ValueError, TypeError):
                # What cannot be read proves nothing.
                continue
