"""Runs the commands of runbooks in a shell, in front of the operator."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from migrate.runbook_ports import Answered

_OF_SIGNALS = 128
"""What a shell adds to the number of a signal that ended a command (POSIX, Shell Command Language, 2.8.2)."""


class ShellCommands:
    """Implements CommandRunner with ``sh``; standard input and error are the operator's own.

    A Ctrl-C reaches the command alone, which may have a question to ask about it; this process goes on.
    """

    def __init__(self, environment: Mapping[str, str], write: Callable[[str], object]) -> None:
        # `migrate` in a runbook is this one, also where it is not on PATH.
        path = os.pathsep.join((str(Path(sys.executable).parent), environment.get("PATH", os.defpath)))
        self._environment = {**environment, "PATH": path}
        self._write = write

    def run(self, command: str, variables: Mapping[str, str], *, quiet: bool = False) -> Answered:
        """Run a command to its end; its standard output is shown as it comes, and kept."""
        with (
            _left_alone(),
            subprocess.Popen(
                ["sh", "-c", command],
                env={**self._environment, **variables},
                stdout=subprocess.PIPE,
                text=True,
                errors="replace",
            ) as process,
        ):
            kept = []
            for line in process.stdout or ():
                kept.append(line)
                if not quiet:
                    self._write(line)
        code = process.returncode
        return Answered(code if code >= 0 else _OF_SIGNALS - code, "".join(kept))


@contextmanager
def _left_alone() -> Iterator[None]:
    """Let a Ctrl-C pass by; a handler of our own, unlike SIG_IGN, is not handed down to the command."""
    former = signal.signal(signal.SIGINT, lambda _signal, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
