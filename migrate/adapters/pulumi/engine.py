"""The Pulumi command line: found, checked, run with an environment of our own, and stopped cleanly."""

from __future__ import annotations

import logging
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import IO

from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation.errors import create_command_error

from migrate.adapters.pulumi.command_line import CommandLine, find
from migrate.adapters.pulumi.locks import LOCKED, Held, StartedProcesses, holders
from migrate.errors import EngineError

_LOOK_AGAIN = timedelta(seconds=5)

PATIENCE = timedelta(minutes=1)
"""How long a stack that somebody else has locked is waited for."""

_WRITES = frozenset({"up", "refresh", "cancel", "stack import", "stack rename"})

Listener = Callable[[str], object]


def tell_nobody(text: str) -> None:
    """Hear nothing."""
    del text


def permit_all() -> None:
    """Let every command begin."""


class Engine(PulumiCommand):
    """Runs the Pulumi command line with exactly the environment that it is given.

    Children run in a process group of their own: a Ctrl-C reaches them once, through ``interrupt``, and the first
    SIGINT lets the engine finish what is under way and write its state.

    A locked stack is waited for as long as ``patience``. A lock of a process that this working directory started and
    that is provably gone is removed, once; no other lock ever is (case C41). ``tell`` hears about both. ``fresh``
    returns what the environment holds only for a while, credentials of an assumed role; asked before every command.
    ``permit`` is asked before every command that writes, however long a lock was waited for; what it raises ends that.
    ``command_line`` is what was found in the environment already.
    ``notes`` is the folder that remembers which processes were started, where the working directory is not ours.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        timeout: timedelta = timedelta(hours=2),
        grace: timedelta = timedelta(minutes=5),
        patience: timedelta = PATIENCE,
        tell: Listener = tell_nobody,
        fresh: Callable[[], Mapping[str, str]] = dict,
        permit: Callable[[], None] = permit_all,
        command_line: CommandLine | None = None,
        notes: Path | None = None,
    ) -> None:
        # The parent's constructor looks at this process's own environment; ours is given.
        self.environment = dict(environment)
        found = command_line or find(self.environment)
        self.command, self.version = found.path, found.version
        # A failed program is told through the engine's events; gRPC would print its traceback as well.
        logging.getLogger("grpc._server").setLevel(logging.CRITICAL)
        self._timeout = timeout
        self._grace = grace
        self._patience = patience
        self._tell = tell
        self._fresh = fresh
        self._permit = permit
        self._started = StartedProcesses()
        self._notes = notes
        self._children: set[subprocess.Popen[str]] = set()
        self._asked: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._interrupted = threading.Event()

    @property
    def interrupted(self) -> bool:
        """Whether ``interrupt`` was called, and not ``go_on`` since."""
        return self._interrupted.is_set()

    def interrupt(self) -> None:
        """Ask every running operation to stop cleanly; may be called from any thread or a signal handler's thread."""
        self._interrupted.set()
        with self._lock:
            for child in self._children:
                self._ask(child)

    def go_on(self) -> None:
        """Let the next operation run again; what was interrupted has ended."""
        self._interrupted.clear()

    def rest(self, seconds: float) -> None:
        """Wait; an interrupt ends the wait, and the operation that follows."""
        self._interrupted.wait(seconds)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Listener | None = None,
        on_error: Listener | None = None,
    ) -> CommandResult:
        """Run one command, waiting for a lock.

        Raises pulumi's CommandError when it fails, ConcurrentUpdateError when the stack stays locked, EngineError when
        it takes too long.
        """
        waited, cancelled = timedelta(0), False
        while True:
            if not _WRITES.isdisjoint((args[0], " ".join(args[:2]))):
                self._permit()
            result = self._once(args, cwd, additional_env, on_output, on_error)
            if result.code == 0:
                return result
            held = self._started.judge(self._noted(cwd), result.stderr) if LOCKED.search(result.stderr) else None
            if held is Held.BY_THE_DEAD and not cancelled:
                cancelled = True
                self._cancel(args, cwd, additional_env, result.stderr)
                continue
            if held is None or held is Held.BY_THE_DEAD or waited >= self._patience:
                raise create_command_error(result)
            if not waited:
                self._tell(f"waiting for a lock: {_shown(result.stderr)}")
            pause = min(_LOOK_AGAIN, self._patience)
            waited += pause
            if self._interrupted.wait(pause.total_seconds()):
                raise create_command_error(result)

    def _cancel(self, args: list[str], cwd: str, additional_env: Mapping[str, str], text: str) -> None:
        """Remove the locks of a stack that a dead process of ours has left.

        Until then nobody else can take the stack: Pulumi looks for other locks before and after it makes its own.
        """
        stack = args[args.index("--stack") + 1]
        self._once(["cancel", "--yes", "--stack", stack], cwd, additional_env, None, None)
        self._started.forget_dead(self._noted(cwd), text)
        self._tell(f"removed a lock whose process is gone: {_shown(text)}")

    def _once(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Listener | None,
        on_error: Listener | None,
    ) -> CommandResult:
        child = self._start(args, cwd, additional_env)
        output, errors = _Reader(child.stdout, on_output), _Reader(child.stderr, on_error)
        try:
            self._wait(child)
        finally:
            with self._lock:
                self._children.discard(child)
                self._asked.discard(child)
            # A process that a signal has killed may have left its lock: only its record proves that it is gone.
            if child.returncode is not None and child.returncode >= 0:
                self._started.forget(self._noted(cwd), child.pid)
        return CommandResult(stdout=output.text(), stderr=errors.text(), code=child.returncode)

    def _start(self, args: list[str], cwd: str, additional_env: Mapping[str, str]) -> subprocess.Popen[str]:
        fresh = self._fresh()
        with self._lock:
            child = subprocess.Popen(
                [self.command, "--non-interactive", *args],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=cwd,
                env={**self.environment, **fresh, **additional_env, "PULUMI_AUTOMATION_API": "true"},
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            self._children.add(child)
            self._started.remember(self._noted(cwd), child.pid)
            return child

    def _noted(self, cwd: str) -> Path:
        return self._notes or Path(cwd)

    def _wait(self, child: subprocess.Popen[str]) -> None:
        try:
            child.wait(self._timeout.total_seconds())
        except subprocess.TimeoutExpired:
            self._stop(child)
            raise EngineError(
                f"Pulumi did not finish within {self._timeout}.",
                why="It was asked to stop; what it had begun is finished and written to its state.",
                then="Look at the service, then run the same command again.",
                runbook="errors#engine",
            ) from None
        except BaseException:
            self._interrupted.set()
            self._stop(child)
            raise

    def _ask(self, child: subprocess.Popen[str]) -> None:
        """Ask a child to stop, once: a second SIGINT makes Pulumi give up what is under way."""
        if child not in self._asked:
            self._asked.add(child)
            with suppress(ProcessLookupError):
                child.send_signal(signal.SIGINT)

    def _stop(self, child: subprocess.Popen[str]) -> None:
        self._ask(child)
        try:
            child.wait(self._grace.total_seconds())
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _shown(text: str) -> str:
    return "; ".join(holder.text for holder in holders(text)) or "another update is in progress"


class _Reader:
    """Reads one stream of a child to its end beside the child, so that neither waits for the other."""

    def __init__(self, stream: IO[str] | None, listener: Listener | None) -> None:
        self._lines: list[str] = []
        self._thread = threading.Thread(target=self._read, args=(stream, listener), daemon=True)
        self._thread.start()

    def text(self) -> str:
        """Return all that was read, once the stream has ended."""
        self._thread.join()
        return "\n".join(self._lines)

    def _read(self, stream: IO[str] | None, listener: Listener | None) -> None:
        if stream is None:
            return
        with stream:
            for line in stream:
                self._lines.append(line.rstrip())
                if listener is not None:
                    listener(line.rstrip())
