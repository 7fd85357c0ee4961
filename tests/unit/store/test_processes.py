from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from migrate.adapters.processes import UNTOLD, LocalProcesses

PROCESSES = LocalProcesses()


def a_process() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)


def test_this_process_lives_and_its_start_does_not_change() -> None:
    started = PROCESSES.started(os.getpid())
    assert started
    assert LocalProcesses().started(os.getpid()) == started


def test_two_processes_on_one_machine_agree_on_the_machine_and_on_starts() -> None:
    program = (
        "from migrate.adapters.processes import LocalProcesses as L;"
        f"print(L().machine(), L().started({os.getpid()}), sep='|')"
    )
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert answer.stdout.strip() == f"{PROCESSES.machine()}|{PROCESSES.started(os.getpid())}"


def test_a_killed_process_is_gone_even_before_its_parent_has_looked() -> None:
    child = a_process()
    try:
        assert PROCESSES.started(child.pid)
        child.kill()
        deadline = time.monotonic() + 10
        while PROCESSES.started(child.pid) is not None and time.monotonic() < deadline:
            pass
        assert PROCESSES.started(child.pid) is None, "a zombie counts as gone"
    finally:
        child.communicate(timeout=10)
    assert PROCESSES.started(child.pid) is None


@pytest.mark.parametrize("process", [0, -1])
def test_what_is_no_process_id_is_no_process(process: int) -> None:
    assert PROCESSES.started(process) is None


def proc_with(tmp_path: Path, stat: str) -> LocalProcesses:
    folder = tmp_path / str(os.getpid())
    folder.mkdir()
    (folder / "stat").write_text(stat)
    return LocalProcesses(tmp_path)


def test_a_name_with_brackets_and_blanks_does_not_shift_the_fields(tmp_path: Path) -> None:
    fields = " ".join(str(number) for number in range(4, 53))
    assert proc_with(tmp_path, f"77 (we) ird) S) R {fields}").started(os.getpid()) == "22"


def test_a_process_whose_start_is_not_told_still_counts_as_one(tmp_path: Path) -> None:
    assert LocalProcesses(tmp_path).started(os.getpid()) == UNTOLD


def test_without_proc_the_machine_is_still_told_apart(tmp_path: Path) -> None:
    elsewhere = LocalProcesses(tmp_path)
    assert elsewhere.machine() == LocalProcesses(tmp_path).machine()
    assert elsewhere.machine() != PROCESSES.machine()
