"""Runs each member of a fleet in a process of its own: what it crashes, leaks or sets stays there.

The order goes in on standard input, whose other end this process keeps open: when this process is gone, however that
came, its children read the end of it and stop between two acts. Events come back on their standard error, one a line,
the result on standard output, both as ``migrate --output json`` writes them.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

from migrate.core.fleet.run import Entry, FleetRun, MemberEnd
from migrate.errors import ExitCode

_LAST_WORDS = 400
_TOLD = frozenset({"intent", "measurement", "note", "verdict"})
"""Kinds of events that say what a run does now; the rest is in its evidence."""


class MemberProcesses:
    """Implements fleet_ports.MemberRunner. ``command`` reads an order that ``ordered`` writes, as one line."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], ordered: Callable[[FleetRun, Entry], str]
    ) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self._ordered = ordered
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._held: set[subprocess.Popen[str]] = set()

    def run(self, run: FleetRun, entry: Entry, tell: Callable[[str], None]) -> MemberEnd:
        """Run a member to its end; a process that dies is an end with the code FAULT."""
        try:
            child = self._started(self._ordered(run, entry))
        except OSError as error:
            return MemberEnd(
                ExitCode.FAULT, f"Its process could not be started: {error.strerror}.", "Look at the host."
            )
        out: list[str] = []
        last: list[str] = []
        reader = threading.Thread(target=_drained, args=(child.stdout, out), daemon=True)
        reader.start()
        for line in child.stderr or ():
            _hear(line, tell, last)
        code = child.wait()
        reader.join()
        with self._lock:
            self._running.discard(child)
            held = child in self._held
            self._held.discard(child)
        _close(child)
        return ended(code, "".join(out), "".join(last), held=held)

    def hold(self) -> None:
        """Let every child stop between two acts."""
        with self._lock:
            for child in self._running:
                self._held.add(child)
                with suppress(ProcessLookupError):
                    child.send_signal(signal.SIGTERM)

    def _started(self, order: str) -> subprocess.Popen[str]:
        with self._lock:
            child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
                encoding="utf-8",
                errors="replace",
                # A Ctrl-C on the terminal is this process's alone to answer.
                start_new_session=True,
            )
            self._running.add(child)
        if child.stdin is not None:
            with suppress(BrokenPipeError):
                child.stdin.write(f"{order}\n")
                child.stdin.flush()
        return child


def ended(code: int, out: str, errors: str, *, held: bool) -> MemberEnd:
    """Return how a run ended, by its exit code and what it wrote on standard output and, last, on standard error."""
    answer = _answer(out)
    if code not in set(ExitCode):
        if held and code == -signal.SIGTERM:
            return MemberEnd(ExitCode.INTERRUPTED, "Stopped before it had begun.")
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        return MemberEnd(
            ExitCode.FAULT,
            f"Its process {how}. {errors.strip()[-_LAST_WORDS:]}".strip(),
            "Run `migrate fleet resume --retry`: it looks at the service first, and goes on.",
            "fleet#a-process-died",
        )
    said = answer.get("text") or answer.get("what") or errors.strip()[-_LAST_WORDS:]
    # What is well needs no reasons: they are in the evidence of the run.
    why = "; ".join(answer.get("reasons") or ()) if code else ""
    text = " ".join(part for part in (said, why or answer.get("why") or "") if part)
    return MemberEnd(code, text, answer.get("then") or "", answer.get("runbook") or "", answer.get("run_id") or "")


def _answer(out: str) -> dict[str, Any]:
    try:
        value = json.loads(out)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _drained(stream: IO[str] | None, into: list[str]) -> None:
    into.extend(stream or ())


def _hear(line: str, tell: Callable[[str], None], last: list[str]) -> None:
    """Tell what an event says is being done; keep the newest of what is no event, in case it is a last word."""
    event = _answer(line)
    if event.get("document") != "event":
        last.append(line)
        del last[:-20]
    elif event.get("kind") in _TOLD and event.get("text"):
        tell(str(event["text"]))


def _close(child: subprocess.Popen[str]) -> None:
    streams: Iterable[IO[str] | None] = (child.stdin, child.stdout, child.stderr)
    for stream in streams:
        if stream is not None:
            with suppress(OSError):
                stream.close()
