"""Case C41: a lock is waited for, shown, and taken away only where its process was ours and is gone."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pulumi.automation.errors import CommandError, ConcurrentUpdateError

from migrate.adapters.pulumi.engine import Engine, Listener
from migrate.adapters.pulumi.failure import Failure
from migrate.adapters.pulumi.failures import translate_failure
from migrate.adapters.pulumi.locks import Held, StartedProcesses, holders
from migrate.errors import ClaimLostError, LockedError
from tests.fakes.record_store import FakeProcesses

HOST = socket.gethostname()
STACK = ["--stack", "web"]

# pulumi 3.274, backend/diy/lock.go.
_TOLD = (
    "error: the stack is currently locked by {count} lock(s). Either wait for the other process(es) to end or delete "
)
_TOLD += "the lock file with `pulumi cancel`."
CLOUD = "error: [409] Conflict: Another update is currently in progress."


def told(*locks: tuple[str, int, datetime]) -> str:
    lines = [
        f"  s3://bucket/.pulumi/locks/organization/p/s/{number}.json: created by ann@{host} (pid {process}) at "
        f"{at.isoformat(timespec='seconds')}"
        for number, (host, process, at) in enumerate(locks)
    ]
    return "\n".join([_TOLD.format(count=len(locks)), *lines])


@pytest.fixture
def now() -> datetime:
    return datetime.fromtimestamp(Path("/proc/self").stat().st_ctime, UTC) + timedelta(hours=1)


def test_every_holder_is_read_with_who_where_and_when(now: datetime) -> None:
    text = told(("laptop", 77, now), ("runner", 8, now))
    assert [(holder.host, holder.process) for holder in holders(text)] == [("laptop", 77), ("runner", 8)]
    assert holders(text)[0].text == f"ann@laptop (pid 77) at {now.isoformat(timespec='seconds')}"
    assert holders(CLOUD) == ()


@pytest.fixture
def processes() -> FakeProcesses:
    return FakeProcesses("boot-1")


@pytest.fixture
def started(processes: FakeProcesses, tmp_path: Path) -> StartedProcesses:
    """Give what is known where process 77 was started a while ago, and is gone now."""
    processes.running[77] = "1000"
    known = StartedProcesses(processes)
    known.remember(tmp_path, 77)
    del processes.running[77]
    return known


def test_c41_a_lock_of_a_process_of_ours_that_is_gone_is_a_dead_one(
    started: StartedProcesses, tmp_path: Path, now: datetime
) -> None:
    assert started.judge(tmp_path, told((HOST, 77, now))) is Held.BY_THE_DEAD


def test_c41_a_process_id_that_is_in_use_again_does_not_make_a_lock_live(
    started: StartedProcesses, processes: FakeProcesses, tmp_path: Path, now: datetime
) -> None:
    processes.running[77] = "2000"
    assert started.judge(tmp_path, told((HOST, 77, now))) is Held.BY_THE_DEAD


def test_c41_a_process_of_ours_that_still_works_keeps_its_lock(
    started: StartedProcesses, processes: FakeProcesses, tmp_path: Path, now: datetime
) -> None:
    processes.running[77] = "1000"
    assert started.judge(tmp_path, told((HOST, 77, now))) is Held.BY_OURS


def test_c41_in_any_doubt_a_lock_is_somebody_elses(
    started: StartedProcesses, processes: FakeProcesses, tmp_path: Path, now: datetime
) -> None:
    elsewhere = [
        told(("another-host", 77, now)),
        told((HOST, 78, now)),
        told((HOST, 77, now), ("another-host", 9, now)),
        told((HOST, 77, now - timedelta(days=2))),
        told((HOST, 77, now)).replace("by 1 lock", "by 2 lock"),
        told((HOST, 77, now)).partition("\n")[0],
        CLOUD,
    ]
    for text in elsewhere:
        assert started.judge(tmp_path, text) is Held.BY_OTHERS, text
    processes.name = "boot-2"
    assert started.judge(tmp_path, told((HOST, 77, now))) is Held.BY_OTHERS, "process ids compare within one boot only"


def test_c41_what_ended_by_itself_or_cannot_be_read_proves_nothing(
    started: StartedProcesses, tmp_path: Path, now: datetime
) -> None:
    (tmp_path / ".processes" / "78.json").write_text("{")
    (tmp_path / ".processes" / "79.json").write_text('{"process": 79}')
    for process in (78, 79):
        assert started.judge(tmp_path, told((HOST, process, now))) is Held.BY_OTHERS
    started.forget(tmp_path, 77)
    assert started.judge(tmp_path, told((HOST, 77, now))) is Held.BY_OTHERS


_PULUMI = """#!/bin/sh
[ "$1" = version ] && {{ echo v3.274.1; exit; }}
shift
cd {folder}
echo "$*" >> calls
case $1 in
cancel) [ -e stubborn ] || rm -f lock; exit 0;;
esac
if [ -e cloud ]; then echo '{cloud}' >&2; exit 255; fi
if [ -e lock ]; then
  printf '%s\\n  file:///locks/1.json: created by ann@%s\\n' '{told}' "$(cat lock)" >&2; exit 255
fi
echo "{host} (pid $$) at $(date +%Y-%m-%dT%H:%M:%S%:z)" > lock
[ -e deadly ] && {{ rm deadly; kill -9 $$; }}
if [ -e slow ]; then exec sleep 300; fi
rm lock
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    program = tmp_path / "bin" / "pulumi"
    program.parent.mkdir()
    told_first = _TOLD.format(count=1).replace("`", "")
    program.write_text(_PULUMI.format(folder=tmp_path, told=told_first, host=HOST, cloud=CLOUD))
    program.chmod(0o755)
    return tmp_path


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def engine(folder: Path, heard: list[str]) -> Engine:
    return _engine(folder, heard.append)


def _engine(folder: Path, tell: Listener, patience: float = 0.05) -> Engine:
    environment = {"PATH": f"{folder / 'bin'}{os.pathsep}{os.defpath}"}
    return Engine(environment, patience=timedelta(seconds=patience), tell=tell)


def _up(engine: Engine, folder: Path) -> None:
    engine.run(["up", "--yes", *STACK], str(folder), {})


def _calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


def test_c41_the_lock_that_a_killed_process_of_ours_has_left_is_removed_once(
    engine: Engine, folder: Path, heard: list[str]
) -> None:
    (folder / "deadly").touch()
    with pytest.raises(CommandError):
        _up(engine, folder)
    _up(_engine(folder, heard.append), folder)
    assert _calls(folder) == ["up --yes --stack web"] * 2 + ["cancel --yes --stack web", "up --yes --stack web"]
    assert "removed a lock whose process is gone: ann@" in heard[0]
    assert list((folder / ".processes").glob("*")) == []


def test_c41_a_lock_that_comes_back_is_not_removed_again(engine: Engine, folder: Path) -> None:
    for name in ("deadly", "stubborn"):
        (folder / name).touch()
    with pytest.raises(CommandError):
        _up(engine, folder)
    with pytest.raises(ConcurrentUpdateError):
        _up(engine, folder)
    assert sum(call.startswith("cancel") for call in _calls(folder)) == 1


@pytest.mark.parametrize("lock", ["another-host (pid 1) at 2026-11-25T04:00:00Z", "{host} (pid 1) at {now}"])
def test_c41_somebody_elses_lock_is_waited_for_shown_and_left(
    engine: Engine, folder: Path, heard: list[str], lock: str
) -> None:
    lock = lock.format(host=HOST, now=datetime.now(UTC).isoformat(timespec="seconds"))  # noqa: TID251 - a lock of today
    (folder / "lock").write_text(lock)
    with pytest.raises(ConcurrentUpdateError) as refused:
        _up(engine, folder)
    assert not any(call.startswith("cancel") for call in _calls(folder))
    assert len(_calls(folder)) == 2, "asked again, and not for ever"
    assert heard == [f"waiting for a lock: ann@{lock}"]
    error = translate_failure(Failure("service", "update", (), str(refused.value)))
    assert isinstance(error, LockedError)
    assert f"ann@{lock}" in error.why


def test_c41_a_stack_that_is_given_free_meanwhile_is_used(folder: Path, heard: list[str]) -> None:
    (folder / "cloud").touch()

    def freed(text: str) -> None:
        heard.append(text)
        (folder / "cloud").unlink()

    _up(_engine(folder, freed, patience=0.3), folder)
    assert heard == ["waiting for a lock: another update is in progress"]


def test_c41_a_run_that_lost_its_service_while_it_waited_for_a_lock_begins_nothing(folder: Path) -> None:
    (folder / "lock").write_text("another-host (pid 1) at 2026-11-25T04:00:00Z")
    asked: list[int] = []

    def permit() -> None:
        asked.append(len(asked))
        if len(asked) > 1:
            raise ClaimLostError("This run has lost the service.", then="Look.")

    environment = {"PATH": f"{folder / 'bin'}{os.pathsep}{os.defpath}"}
    engine = Engine(environment, patience=timedelta(seconds=0.05), permit=permit)
    with pytest.raises(ClaimLostError):
        _up(engine, folder)
    assert _calls(folder) == ["up --yes --stack web"]
    (folder / "lock").unlink()
    engine.run(["preview", *STACK], str(folder), {})
    assert len(asked) == 2, "looking takes no permission"


def test_c41_ctrl_c_ends_the_waiting(folder: Path) -> None:
    (folder / "cloud").touch()
    stopped: list[Engine] = []
    waiting = _engine(folder, lambda _: stopped[0].interrupt(), patience=600)
    stopped.append(waiting)
    with pytest.raises(ConcurrentUpdateError):
        _up(waiting, folder)
    assert waiting.interrupted


@pytest.fixture
def orphan(engine: Engine, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Give a Pulumi of ours that outlived the run which started it."""
    (folder / "slow").touch()
    child = engine._start(["up", *STACK], str(folder), {})
    while not (folder / "lock").exists() or not (folder / "lock").read_text():
        threading.Event().wait(0.02)
    (folder / "slow").unlink()
    yield child
    child.kill()
    child.communicate()


def test_c41_a_process_of_ours_that_outlived_its_run_is_not_robbed(
    engine: Engine, folder: Path, orphan: subprocess.Popen[str]
) -> None:
    with pytest.raises(ConcurrentUpdateError):
        _up(engine, folder)
    orphan.kill()
    orphan.wait()
    _up(engine, folder)
    assert _calls(folder)[-2:] == ["cancel --yes --stack web", "up --yes --stack web"]
