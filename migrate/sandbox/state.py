"""What one sandbox started, kept on disk before and after every start so that ``down`` can always clean up."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_VERSION = 1


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A process that the sandbox started; ``started``, in seconds since the epoch, tells it from a later one."""

    name: str
    pid: int
    started: float


@dataclass(frozen=True, slots=True)
class SandboxState:
    """One sandbox; ``mark`` is in the environment of every process that it starts.

    ``docker_host`` names the Docker engine that holds its builder; empty when the builder is a process of ours.
    ``engine`` is the address of the engine that runs its tasks as containers, and ``balancer_port`` where its load
    balancer listens; empty and 0 when tasks are pretended.
    """

    mark: str
    port: int
    registry_host: str
    run_directory: str
    path_directories: tuple[str, ...] = ()
    go: str = ""
    docker_host: str = ""
    engine: str = ""
    balancer_port: int = 0
    processes: tuple[ProcessRecord, ...] = field(default=())

    def process(self, name: str) -> ProcessRecord | None:
        """Return the recorded process ``name``."""
        return next((record for record in self.processes if record.name == name), None)

    def with_process(self, record: ProcessRecord) -> SandboxState:
        """Return the same state in which ``record`` replaces the process of that name."""
        others = tuple(known for known in self.processes if known.name != record.name)
        return replace(self, processes=(*others, record))


def save(state: SandboxState, path: Path) -> None:
    """Write the state with one rename, so that a reader never sees half of it."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps({"version": _VERSION, **asdict(state)}, indent=2) + "\n")
    beside.replace(path)


def load(path: Path) -> SandboxState | None:
    """Return the saved state, or None when there is none or it is not one of ours."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        if content.pop("version") != _VERSION:
            return None
        content["processes"] = tuple(ProcessRecord(**record) for record in content["processes"])
        content["path_directories"] = tuple(content["path_directories"])
        return SandboxState(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
