"""The operator's commands: an argument list, a time-out, output that is bounded and shows no secret."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from migrate.core.gate.answers import CommandEnd, StageFacts
from migrate.core.gate_checks import CommandSource
from migrate.errors import AccessError

MOST_BYTES = 64 * 1024
_RUNBOOK = "gates#commands"
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSPHRASE|CREDENTIAL|DATABASE_URL", re.IGNORECASE)
_OURS = frozenset({"MIGRATE_DATABASE_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"})
"""What opens the state of this tool is no business of a check."""
_SHORTEST_SECRET = 6
_CHUNK = 8192
_GRACE_SECONDS = 5


class Commands:
    """The port CommandRunner: programs of this machine, each in a process group of its own."""

    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        self._environment = {name: value for name, value in environment.items() if name not in _OURS}
        self._directory = directory
        self._running: set[int] = set()
        self._stopped = False
        self._starting = threading.Lock()

    def run(self, command: CommandSource, facts: StageFacts) -> CommandEnd:
        """Run a command to its end. Raises AccessError when it cannot be started or does not end in time."""
        told = {f"MIGRATE_{name.upper()}": value for name, value in facts.pairs}
        try:
            process = self._started(command, told)
        except OSError as error:
            raise AccessError(
                f"The command {command.arguments[0]} could not be started.",
                why=f"{error.strerror}.",
                then="Correct gate.command in migrate.toml.",
                runbook=_RUNBOOK,
            ) from error
        return self._ended(process, command)

    def stop(self) -> None:
        """Kill what runs, from any thread, and start nothing any more."""
        with self._starting:
            self._stopped = True
            for leader in self._running:
                _kill(leader)

    def _started(self, command: CommandSource, told: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self._starting:
            if self._stopped:
                raise AccessError(
                    f"The command {command.arguments[0]} was not started.",
                    why="The run was stopped.",
                    then="Take the run up again.",
                    runbook=_RUNBOOK,
                )
            process = subprocess.Popen(
                command.arguments,
                cwd=self._directory,
                env={**self._environment, **told},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # Whatever it starts ends with it.
                start_new_session=True,
            )
            self._running.add(process.pid)
            return process

    def _ended(self, process: subprocess.Popen[bytes], command: CommandSource) -> CommandEnd:
        output = [_Beginning(stream) for stream in (process.stdout, process.stderr) if stream is not None]
        try:
            code = process.wait(timeout=command.timeout.total_seconds())
        except subprocess.TimeoutExpired as error:
            raise AccessError(
                f"The command {command.arguments[0]} did not end within {command.timeout.total_seconds():g} s.",
                why="It was killed.",
                then="Let it end sooner, or raise its timeout in migrate.toml.",
                runbook=_RUNBOOK,
            ) from error
        finally:
            with self._starting:
                _kill(process.pid)
                self._running.discard(process.pid)
            process.wait()
        texts = [self._without_secrets(item.text()) for item in output]
        return CommandEnd(code, *texts)

    def _without_secrets(self, text: str) -> str:
        for name, value in self._environment.items():
            if _SECRET.search(name) and len(value) >= _SHORTEST_SECRET:
                text = text.replace(value, f"[{name}]")
        return text


def _kill(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


class _Beginning:
    """Reads a stream to its end in a thread and keeps its beginning, so that no program waits for a reader."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._kept = bytearray()
        self._stream = stream
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def text(self) -> str:
        self._thread.join(_GRACE_SECONDS)
        return bytes(self._kept).decode(errors="replace")

    def _read(self) -> None:
        with self._stream:
            while chunk := self._stream.read1(_CHUNK):  # type: ignore[attr-defined] # a pipe of Popen is buffered
                self._kept += chunk[: MOST_BYTES - len(self._kept)]
