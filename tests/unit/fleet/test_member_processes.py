"""A member in a process of its own: what it says, how it ends, and that it never outlives its worker unseen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from migrate.adapters.member_processes import MemberProcesses, ended
from migrate.core.fleet.run import Entry, FleetRun, MemberEnd
from migrate.errors import ExitCode
from tests.fakes.fleet import a_fleet_run, a_member

RUN, (ENTRY,) = a_fleet_run([a_member("web")])


def an_order(run: FleetRun, entry: Entry) -> str:
    return f"{run.verb} {entry.member.name}"


def ran(program: str) -> tuple[MemberEnd, list[str]]:
    told: list[str] = []
    runner = MemberProcesses([sys.executable, "-c", program], os.environ, an_order)
    return runner.run(RUN, ENTRY, told.append), told


def test_the_order_goes_in_events_come_out_and_the_outcome_is_the_end() -> None:
    end, told = ran(
        """
import json, sys
order = sys.stdin.readline().strip()
for kind, text in (("started", "quiet"), ("intent", "up"), ("resource", "quiet"), ("measurement", order)):
    print(json.dumps({"document": "event", "kind": kind, "text": text}), file=sys.stderr)
print("no event", file=sys.stderr)
print(json.dumps({"document": "outcome", "run_id": "r", "text": "Back.", "reasons": ["bad", "worse"],
                  "then": "Look.", "runbook": "rollback#rolled-back"}))
sys.exit(4)
"""
    )
    assert told == ["up", "apply shop/web"]
    assert end == MemberEnd(4, "Back. bad; worse", "Look.", "rollback#rolled-back", "r")


def test_an_error_is_an_end() -> None:
    end, _ = ran(
        """print('{"document": "error", "what": "No.", "why": "Because.", "then": "Wait."}'); raise SystemExit(7)"""
    )
    assert end == MemberEnd(ExitCode.LOCKED, "No. Because.", "Wait.")


def test_a_process_that_is_killed_is_a_failure_of_its_own_with_its_last_words() -> None:
    end, _ = ran("""
import os, sys
print("out of memory", file=sys.stderr, flush=True)
os.kill(os.getpid(), 9)
""")
    assert (end.exit_code, end.text) == (ExitCode.FAULT, "Its process was ended by SIGKILL. out of memory")
    assert end.runbook == "fleet#a-process-died"


def test_a_process_that_writes_more_than_a_pipe_holds_hangs_nobody() -> None:
    end, _ = ran("import sys; sys.stdout.write(' ' * 300_000); sys.stderr.write('x\\n' * 150_000)")
    assert end.exit_code == 0


def test_a_program_that_is_not_there_is_a_failure_too() -> None:
    end = MemberProcesses(["/nowhere/migrate"], {}, an_order).run(RUN, ENTRY, lambda _: None)
    assert (end.exit_code, "could not be started" in end.text) == (ExitCode.FAULT, True)


def test_to_hold_is_told_to_every_process() -> None:
    program = """
import signal, sys, json, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
print(json.dumps({"document": "event", "kind": "note", "text": "ready"}), file=sys.stderr, flush=True)
time.sleep(60)
"""
    runner = MemberProcesses([sys.executable, "-c", program], os.environ, an_order)
    ends: list[MemberEnd] = []
    ready = threading.Event()
    working = threading.Thread(target=lambda: ends.append(runner.run(RUN, ENTRY, lambda _: ready.set())))
    working.start()
    assert ready.wait(30)
    runner.hold()
    working.join(30)
    assert [end.exit_code for end in ends] == [ExitCode.INTERRUPTED]


@pytest.mark.parametrize(("held", "code"), [(True, ExitCode.INTERRUPTED), (False, ExitCode.FAULT)])
def test_one_that_was_told_to_hold_before_it_could_hear_has_not_failed(*, held: bool, code: ExitCode) -> None:
    assert ended(-signal.SIGTERM, "", "", held=held).exit_code == code


def test_a_child_whose_worker_is_killed_reads_the_end_of_its_input(tmp_path: Path) -> None:
    child = (
        'import sys\nprint(\'{"document": "event", "kind": "note", "text": "ready"}\', file=sys.stderr, flush=True)'
        f"\nsys.stdin.read()\nopen({str(tmp_path / 'ended')!r}, 'w').close()"
    )
    worker = (
        "import sys, os\n"
        "from migrate.adapters.member_processes import MemberProcesses\n"
        "from tests.fakes.fleet import a_fleet_run, a_member\n"
        "run, (entry,) = a_fleet_run([a_member('web')])\n"
        f"runner = MemberProcesses([sys.executable, '-c', {child!r}], os.environ, lambda *_: 'order')\n"
        "runner.run(run, entry, lambda text: print(text, flush=True))\n"
    )
    with subprocess.Popen([sys.executable, "-c", worker], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGKILL)
    for _ in range(300):
        if (tmp_path / "ended").exists():
            break
        threading.Event().wait(0.1)
    assert (tmp_path / "ended").exists()
