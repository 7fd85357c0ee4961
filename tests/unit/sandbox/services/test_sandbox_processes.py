from __future__ import annotations

import os
import socket
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from migrate.sandbox import processes
from migrate.sandbox.processes import MARK_VARIABLE
from migrate.sandbox.state import ProcessRecord, SandboxState, load, save

WAIT = "import sys, threading; print('up', flush=True); threading.Event().wait()"
# Starts a grandchild in a session of its own and ends: nothing but the mark leads to it any more.
ORPHAN = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {WAIT!r}], start_new_session=True, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
"""
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAIT}"


@pytest.fixture
def mark() -> str:
    return uuid.uuid4().hex


def _start(code: str, mark: str, folder: Path) -> ProcessRecord:
    log = folder / "log"
    environment = {**os.environ, MARK_VARIABLE: mark}
    record = processes.start("part", [sys.executable, "-c", code], environment, log)
    while not log.read_text():
        assert psutil.pid_exists(record.pid)
    return record


def test_a_port_is_never_one_that_a_client_may_be_given_before_the_program_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())
        lent = client.getsockname()[1]
        ports = {processes.free_port() for _ in range(50)}
    assert max(ports) < processes._first_client_port() <= lent
    assert len(ports) > 40, "two sandboxes that start at once are hardly given the same one"


def test_a_process_is_started_in_a_session_of_its_own_and_ended(tmp_path: Path, mark: str) -> None:
    record = _start(WAIT, mark, tmp_path)
    assert processes.alive(record)
    assert os.getsid(record.pid) == record.pid

    assert processes.stop([record], mark) == 1

    assert not processes.alive(record)
    assert not psutil.pid_exists(record.pid)
    assert processes.stop([record], mark) == 0


def test_a_stranger_that_got_a_recorded_pid_is_left_alone(tmp_path: Path, mark: str) -> None:
    stranger = _start(WAIT, uuid.uuid4().hex, tmp_path)
    recorded = replace(stranger, started=stranger.started - 60)

    assert not processes.alive(recorded)
    assert processes.stop([recorded], mark) == 0

    assert processes.alive(stranger)
    assert processes.stop([stranger], mark) == 1


def test_an_orphan_that_was_never_recorded_is_found_by_its_mark(tmp_path: Path, mark: str) -> None:
    parent = _start(ORPHAN, mark, tmp_path)
    orphan = int((tmp_path / "log").read_text())
    psutil.Process(parent.pid).wait(10)
    assert psutil.pid_exists(orphan)

    assert processes.stop([], mark) == 1

    assert not psutil.pid_exists(orphan)


def test_a_process_that_ignores_the_request_is_killed(tmp_path: Path, mark: str) -> None:
    record = _start(DEAF, mark, tmp_path)

    assert processes.stop([record], mark, patience_seconds=0.2) == 1

    assert not psutil.pid_exists(record.pid)


def test_a_program_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no-such-program"):
        processes.start("part", [tmp_path / "no-such-program"], {}, tmp_path / "log")


def test_a_free_port_can_be_bound_on_loopback() -> None:
    port = processes.free_port()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))


STATE = SandboxState(
    "mark", 4566, "localhost:4566", "run", ("bin", "other"), "go", processes=(ProcessRecord("aws", 12, 3.25),)
)


def test_the_state_survives_being_saved(tmp_path: Path) -> None:
    save(STATE, tmp_path / "state.json")
    assert load(tmp_path / "state.json") == STATE
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_process_started_again_replaces_the_former_one() -> None:
    changed = STATE.with_process(ProcessRecord("buildkitd", 13, 1)).with_process(ProcessRecord("aws", 14, 2))
    assert changed.process("aws") == ProcessRecord("aws", 14, 2)
    assert len(changed.processes) == 2
    assert changed.process("other") is None


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"version": 0}', '{"version": 1}', '{"version": 1, "processes": 3}', "\x00\x01"],
)
def test_a_state_that_is_not_ours_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "state.json").write_text(content)
    assert load(tmp_path / "state.json") is None


def test_no_state_is_none(tmp_path: Path) -> None:
    assert load(tmp_path / "state.json") is None
