"""The sandbox's life: up twice, killed in parts, two at once, down for good."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from migrate.errors import EngineError
from migrate.sandbox import Sandbox, aws_endpoint, builder
from migrate.sandbox.demo.network import client
from migrate.sandbox.processes import MARK_VARIABLE
from migrate.sandbox.sandbox import stop
from migrate.sandbox.state import load
from migrate.sandbox.toolchain.progress import Progress

pytestmark = pytest.mark.e2e
QUIET = Progress(quiet=True)
_UP = "import sys; from pathlib import Path; from migrate.sandbox import Sandbox; Sandbox.start(Path(sys.argv[1]))"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "sandbox"
    stop(tmp_path / "sandbox", QUIET)


def _kill(sandbox: Sandbox, name: str) -> None:
    record = sandbox.state.process(name)
    assert record is not None
    process = psutil.Process(record.pid)
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def _repositories(sandbox: Sandbox) -> list[str]:
    return [one["repositoryName"] for one in client(sandbox, "ecr").describe_repositories()["repositories"]]


def _marked(mark: str) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK_VARIABLE) == mark:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def _without_a_parent_of_the_sandbox(sandbox: Sandbox) -> list[int]:
    """Return the parts: a part has children of its own, as BuildKit does to see what it can emulate."""
    marked = _marked(sandbox.state.mark)
    found = []
    for pid in marked:
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).ppid() not in marked:
                found.append(pid)
    return sorted(found)


def test_up_twice_is_the_same_sandbox_and_down_leaves_nothing(folder: Path) -> None:
    sandbox = Sandbox.start(folder, QUIET)
    assert Sandbox.start(folder, QUIET).state == sandbox.state
    assert all(part.running for part in sandbox.parts())

    # A part may have a child of its own at that moment, as BuildKit does while it looks at what it can emulate.
    assert sandbox.stop() >= len(sandbox.state.processes) == 2

    assert not _marked(sandbox.state.mark)
    assert not Path(sandbox.state.run_directory).exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", sandbox.state.port)) != 0
    assert sandbox.stop() == 0


def test_everything_listens_on_loopback_only(folder: Path) -> None:
    sandbox = Sandbox.start(folder, QUIET)

    listening = [
        connection.laddr.ip
        for record in sandbox.state.processes
        for connection in psutil.Process(record.pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert listening == ["127.0.0.1"]


def test_a_builder_that_died_is_started_again_beside_the_same_account(folder: Path) -> None:
    sandbox = Sandbox.start(folder, QUIET)
    client(sandbox, "ecr").create_repository(repositoryName="kept")
    _kill(sandbox, builder.NAME)
    assert [part.running for part in sandbox.parts()] == [True, False]

    mended = Sandbox.start(folder, QUIET)

    assert all(part.running for part in mended.parts())
    assert mended.registry_host == sandbox.registry_host
    assert _repositories(mended) == ["kept"]


def test_an_account_that_died_is_a_new_one_and_pulumi_forgets_the_old(folder: Path) -> None:
    sandbox = Sandbox.start(folder, QUIET)
    client(sandbox, "ecr").create_repository(repositoryName="lost")
    (sandbox.layout.pulumi_state / "stack").touch()
    _kill(sandbox, aws_endpoint.NAME)

    again = Sandbox.start(folder, QUIET)

    assert all(part.running for part in again.parts())
    assert _repositories(again) == []
    assert list(again.layout.pulumi_state.iterdir()) == []
    assert not _marked(sandbox.state.mark), "the former builder must not stay behind"


def test_two_at_once_end_in_one_sandbox(folder: Path) -> None:
    starts = [subprocess.Popen([sys.executable, "-c", _UP, str(folder)]) for _ in range(2)]

    assert [start.wait(120) for start in starts] == [0, 0]

    sandbox = Sandbox.open(folder)
    assert all(part.running for part in sandbox.parts())
    assert _without_a_parent_of_the_sandbox(sandbox) == sorted(record.pid for record in sandbox.state.processes)


def test_down_cleans_up_after_an_up_that_was_killed(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _UP, str(folder)], stderr=subprocess.PIPE, text=True) as start:
        assert start.stderr is not None
        for line in start.stderr:
            if line.startswith("starting"):
                os.kill(start.pid, signal.SIGKILL)
                break
    state = load(folder / "state.json")
    assert state is not None

    stop(folder, QUIET)

    assert not _marked(state.mark)
    assert not (folder / "state.json").exists()


_DOCKER = """#!/bin/sh
echo "$@" >> {calls}
[ "$1" = --host ] && shift 2
case "$1 $2" in
"buildx version") echo "github.com/docker/buildx v0.35.0 0123abc" ;;
"info --format") echo Debian GNU/Linux 12 ;;
"context inspect") echo unix:///var/run/docker.sock ;;
"buildx create") {create} ;;
"inspect --format") grep -q "buildx create" {calls} && echo true ;;
esac
"""


def _docker(folder: Path, create: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    programs = folder / "programs"
    programs.mkdir(parents=True)
    (programs / "docker").write_text(_DOCKER.format(calls=programs / "calls", create=create))
    (programs / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return programs / "calls"


def test_a_docker_engine_that_is_there_holds_the_builder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = _docker(tmp_path, "true", monkeypatch)

    sandbox = Sandbox.start(folder, QUIET)

    assert [part.name for part in sandbox.parts()] == ["aws", "docker"]
    assert all(part.running for part in sandbox.parts())
    assert sandbox.environment()["DOCKER_HOST"] == "unix:///var/run/docker.sock"
    assert sandbox.builder.endswith(sandbox.state.mark[:8])
    assert f"--name {sandbox.builder} --driver docker-container --driver-opt network=host" in calls.read_text()

    sandbox.stop()

    assert f"buildx rm --force {sandbox.builder}" in calls.read_text()
    assert f"rm --force buildx_buildkit_{sandbox.builder}0" in calls.read_text()


def test_an_engine_that_cannot_start_a_builder_is_done_without(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _docker(tmp_path, 'echo "cannot pull moby/buildkit: no such host"; exit 1', monkeypatch)
    told = io.StringIO()

    sandbox = Sandbox.start(folder, Progress(stream=told))

    assert [part.name for part in sandbox.parts()] == ["aws", "buildkitd"]
    assert all(part.running for part in sandbox.parts())
    assert "cannot pull moby/buildkit" in told.getvalue()
    assert "DOCKER_HOST" not in sandbox.environment()


def test_a_sandbox_that_cannot_come_up_whole_leaves_nothing_running(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    script = '#!/bin/sh\n[ "$1" = --version ] && exec echo buildkitd github.com/moby/buildkit v0.34.2 0\n'
    (programs / "buildkitd").write_text(f"{script}echo the disk is full; exit 1\n")
    (programs / "buildkitd").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")

    with pytest.raises(EngineError, match="the disk is full") as failed:
        Sandbox.start(folder, QUIET)

    assert "BuildKit of the sandbox ended at once" in failed.value.what
    assert not (folder / "state.json").exists()
    assert not [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in argument for argument in process.info["cmdline"] or ())
    ]
