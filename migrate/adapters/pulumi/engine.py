"""The Pulumi command line: found, checked, run with an environment of our own, and stopped cleanly."""

from __future__ import annotations

import logging
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import IO

from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from migrate.errors import EngineError

OLDEST_VERSION = VersionInfo(3, 206, 0)
"""Since then engine events arrive over gRPC, without a file to poll (pulumi 3.272 SDK, Stack._setup_event_log)."""

_VERSION_TIMEOUT = timedelta(seconds=60)
_INSTALL = "Install Pulumi (https://www.pulumi.com/docs/iac/download-install/) so that `pulumi version` answers."

Listener = Callable[[str], object]


class Engine(PulumiCommand):
    """Runs the Pulumi command line with exactly the environment that it is given.

    Children run in a process group of their own: a Ctrl-C reaches them once, through ``interrupt``, and the first
    SIGINT lets the engine finish what is under way and write its state.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        timeout: timedelta = timedelta(hours=2),
        grace: timedelta = timedelta(minutes=5),
    ) -> None:
        # The parent's constructor looks at this process's own environment; ours is given.
        self.environment = dict(environment)
        self.command = _find(self.environment)
        self.version = _check_version(self.command, self.environment)
        # A failed program is told through the engine's events; gRPC would print its traceback as well.
        logging.getLogger("grpc._server").setLevel(logging.CRITICAL)
        self._timeout = timeout
        self._grace = grace
        self._children: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._interrupted = threading.Event()

    @property
    def interrupted(self) -> bool:
        """Whether ``interrupt`` was called; nothing is started any more afterwards."""
        return self._interrupted.is_set()

    def interrupt(self) -> None:
        """Ask every running operation to stop cleanly; may be called from any thread or a signal handler's thread."""
        self._interrupted.set()
        with self._lock:
            for child in self._children:
                with suppress(ProcessLookupError):
                    child.send_signal(signal.SIGINT)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Listener | None = None,
        on_error: Listener | None = None,
    ) -> CommandResult:
        """Run one command. Raises pulumi's CommandError when it fails, EngineError when it takes too long."""
        child = self._start(args, cwd, additional_env)
        output, errors = _Reader(child.stdout, on_output), _Reader(child.stderr, on_error)
        try:
            self._wait(child)
        finally:
            with self._lock:
                self._children.discard(child)
        result = CommandResult(stdout=output.text(), stderr=errors.text(), code=child.returncode)
        if child.returncode != 0:
            raise create_command_error(result)
        return result

    def _start(self, args: list[str], cwd: str, additional_env: Mapping[str, str]) -> subprocess.Popen[str]:
        with self._lock:
            child = subprocess.Popen(
                [self.command, "--non-interactive", *args],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=cwd,
                env={**self.environment, **additional_env, "PULUMI_AUTOMATION_API": "true"},
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            self._children.add(child)
            return child

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

    def _stop(self, child: subprocess.Popen[str]) -> None:
        with suppress(ProcessLookupError):
            child.send_signal(signal.SIGINT)
        try:
            child.wait(self._grace.total_seconds())
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


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


def _find(environment: Mapping[str, str]) -> str:
    command = shutil.which("pulumi", path=environment.get("PATH", ""))
    if command is None:
        raise EngineError(
            "The Pulumi command line was not found.",
            why="No `pulumi` is on PATH.",
            then=_INSTALL,
            runbook="errors#engine",
        )
    return command


def _check_version(command: str, environment: Mapping[str, str]) -> VersionInfo:
    try:
        answer = subprocess.run(
            [command, "version"],
            env={**environment, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            timeout=_VERSION_TIMEOUT.total_seconds(),
            check=True,
        )
        version = VersionInfo.parse(answer.stdout.strip().removeprefix("v"))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise EngineError(
            "The Pulumi command line does not say which version it is.",
            why=f"{command} version: {error}",
            then=_INSTALL,
            runbook="errors#engine",
        ) from error
    if version < OLDEST_VERSION or version.major != OLDEST_VERSION.major:
        raise EngineError(
            f"Pulumi {version} cannot be used: {OLDEST_VERSION} or a newer 3.x is needed.",
            why=f"{command} is version {version}.",
            then=_INSTALL,
            runbook="errors#engine",
        )
    return version
