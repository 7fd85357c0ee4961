"""The operator's commands: what they are told, what is kept of them, and that nothing of them is left."""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue

import psutil
import pytest
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from migrate.adapters.checks.commands import MOST_BYTES, Commands
from migrate.core.gate.answers import CommandEnd, StageFacts
from migrate.core.gate_checks import CommandSource
from migrate.errors import AccessError

FACTS = StageFacts("demo", "web", 2, "ecs-svc/1", "web:2", "ARM64")
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "MONITOR_TOKEN": "very-secret",
    "MIGRATE_DATABASE_URL": "postgresql://me:pw@db",
    "PULUMI_CONFIG_PASSPHRASE": "state-secret",
    "KEY": "x",
}


def python(program: str, timeout: timedelta = timedelta(seconds=30)) -> CommandSource:
    return CommandSource((sys.executable, "-c", program), timeout=timeout)


def run(directory: Path, command: CommandSource) -> CommandEnd:
    return Commands(ENVIRONMENT, directory).run(command, FACTS)


@retry(retry=retry_if_result(lambda ended: not ended), stop=stop_after_delay(20), wait=wait_fixed(0.05))
def ends(process: int) -> bool:
    """Tell whether a process that was killed is gone; on a busy machine it takes a moment to notice."""
    try:
        return psutil.Process(process).status() in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
    except psutil.NoSuchProcess:
        return True


def test_a_command_is_told_the_stage_and_nothing_that_opens_our_state(tmp_path: Path) -> None:
    program = "import os; print(os.getcwd(), *sorted(k + '=' + v for k, v in os.environ.items() if k[:2] in 'MIPU'))"
    told = run(tmp_path, python(program)).stdout
    assert told.split() == [
        str(tmp_path),
        "MIGRATE_ARCHITECTURE=ARM64",
        "MIGRATE_CLUSTER=demo",
        "MIGRATE_DEPLOYMENT=ecs-svc/1",
        "MIGRATE_SERVICE=web",
        "MIGRATE_STAGE=2",
        "MIGRATE_TASK_DEFINITION=web:2",
    ]


def test_what_runs_is_ended_from_another_thread(tmp_path: Path) -> None:
    commands, ended = Commands(ENVIRONMENT, tmp_path), SimpleQueue[CommandEnd]()
    program = "import os, time; print(os.getpid(), flush=True); open('begun', 'w').close(); time.sleep(600)"
    long = python(program, timedelta(seconds=600))
    thread = threading.Thread(target=lambda: ended.put(commands.run(long, FACTS)))
    thread.start()
    begun = retry(retry=retry_if_result(lambda there: not there), stop=stop_after_delay(60), wait=wait_fixed(0.05))
    assert begun((tmp_path / "begun").exists)()
    commands.stop()
    end = ended.get(timeout=60)
    thread.join()
    assert end.exit_code == -signal.SIGKILL
    assert ends(int(end.stdout))


def test_secrets_of_the_environment_are_taken_out_of_what_it_prints(tmp_path: Path) -> None:
    program = "import os, sys; print('1 x', os.environ['MONITOR_TOKEN']); sys.exit(os.environ['MONITOR_TOKEN'])"
    assert run(tmp_path, python(program)) == CommandEnd(1, "1 x [MONITOR_TOKEN]\n", "[MONITOR_TOKEN]\n")


def test_arguments_are_not_given_to_a_shell(tmp_path: Path) -> None:
    assert run(tmp_path, CommandSource(("echo", "$HOME; exit 3"))) == CommandEnd(0, "$HOME; exit 3\n")


def test_output_is_read_to_its_end_and_kept_to_a_limit(tmp_path: Path) -> None:
    program = f"import sys; sys.stdout.write('x' * {MOST_BYTES * 8}); sys.stderr.write('y' * {MOST_BYTES * 8})"
    end = run(tmp_path, python(program))
    assert (end.exit_code, len(end.stdout), len(end.stderr)) == (0, MOST_BYTES, MOST_BYTES)


def test_what_does_not_end_in_time_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    program = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open('child', 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    with pytest.raises(AccessError, match="did not end within 2 s"):
        run(tmp_path, python(program, timeout=timedelta(seconds=2)))
    child = int((tmp_path / "child").read_text(encoding="utf-8"))
    assert ends(child)


def test_what_a_command_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid)\n"
    )
    end = run(tmp_path, python(program))
    assert end.exit_code == 0
    child = int(end.stdout)
    assert child != os.getpid()
    assert ends(child)
