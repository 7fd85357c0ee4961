"""The containers level: tasks are containers of the architecture they claim, and a load generator calls them.

Where no engine answers and none can be started the tests are skipped; with MIGRATE_CONTAINERS=required, as in CI, that
is a failure which says why.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from migrate.sandbox import Sandbox, engine
from migrate.sandbox.demo.build import cut_off_arm64_binary
from migrate.sandbox.demo.seed import COUNT, seed
from migrate.sandbox.processes import MARK_VARIABLE
from migrate.sandbox.sandbox import stop
from migrate.sandbox.toolchain.progress import Progress
from tests.e2e.conftest import Operator
from tests.e2e.load import Asked, Load

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
QUIET = Progress(quiet=True)
_SERVED_SECONDS = 3
Starter = Callable[[str], Sandbox]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Give what starts a sandbox in a folder of its own; all are taken down at the end."""
    obstacle = engine.obstacle()
    if obstacle is not None:
        words = f"{obstacle} {obstacle.then}"
        if os.environ.get("MIGRATE_CONTAINERS") == "required":
            pytest.fail(words, pytrace=False)
        pytest.skip(words)
    with ExitStack() as ending:

        def started(name: str) -> Sandbox:
            ending.callback(stop, tmp_path / name, QUIET)
            return Sandbox.start(tmp_path / name, QUIET, containers=True)

        yield started


@pytest.fixture
def operator(start: Starter, tmp_path: Path) -> Operator:
    """Give an operator whose sandbox runs containers."""
    sandbox = start("sandbox")
    operator = Operator(tmp_path, sandbox, seed(sandbox, QUIET))
    operator.init()
    return operator


def _under_load(load: Load, operator: Operator, *arguments: str, code: int = 0) -> Asked:
    with load.span() as asked:
        ended = operator.run(*arguments, "--yes")
    assert ended.code == code, ended.said
    assert asked.failures == []
    assert asked.requests > 0
    return asked


def _now(load: Load) -> set[str]:
    """Return the architectures that answer while nothing changes, four targets in turn."""
    with load.span() as asked:
        while asked.requests < 4 * COUNT:
            assert not asked.failures
    return set(asked.architectures)


def test_the_service_moves_to_arm64_and_to_spot_and_back_while_every_request_is_answered(operator: Operator) -> None:
    with Load(operator.sandbox.balancer) as load:
        _under_load(load, operator, "apply", "--stage", "0")
        _under_load(load, operator, "apply", "--stage", "1")
        assert _now(load) == {"amd64"}
        moving = _under_load(load, operator, "apply", "--stage", "2")
        assert set(moving.architectures) == {"amd64", "arm64"}
        assert _now(load) == {"arm64"}
        assert operator.status()["architectures"] == {"arm64": COUNT}
        _under_load(load, operator, "apply", "--stage", "3")
        assert operator.status()["split"]["FARGATE_SPOT"] >= 2
        assert _now(load) == {"arm64"}
        _under_load(load, operator, "rollback", "--to", "original")
        assert _now(load) == {"amd64"}
    drained = [task for task in _tasks(operator, "STOPPED") if _had_served(task)]
    assert len(drained) >= 4 * COUNT
    # Each was asked to end and ended well, after it had answered its last request.
    assert {container["exitCode"] for task in drained for container in task["containers"]} == {0}


def test_an_arm64_image_that_crashes_is_caught_and_the_amd64_tasks_never_stop_serving(operator: Operator) -> None:
    with Load(operator.sandbox.balancer) as load:
        _under_load(load, operator, "apply", "--stage", "0")
        cut_off_arm64_binary(operator.seeded.context)
        _under_load(load, operator, "apply", "--stage", "1")
        before = _containers(operator, "RUNNING")
        asked = _under_load(load, operator, "apply", "--stage", "2", code=4)
        assert set(asked.architectures) == {"amd64"}
    assert _containers(operator, "RUNNING") == before
    assert len(before) == COUNT
    crashed = [task for task in _tasks(operator, "STOPPED") if task["stopCode"] == "EssentialContainerExited"]
    assert len(crashed) >= 3
    assert {container["exitCode"] for task in crashed for container in task["containers"]} == {255}
    assert {attribute["value"] for task in crashed for attribute in task["attributes"]} == {"arm64"}


def test_an_engine_that_is_killed_leaves_nothing_once_the_sandbox_is_down(start: Starter) -> None:
    sandbox = start("sandbox")
    seed(sandbox, QUIET)
    state, own = sandbox.state, sandbox.state.process(engine.NAME)
    if own is None:
        pytest.skip("an engine that is not ours is not killed")
    inside = psutil.Process(own.pid).children(recursive=True)
    assert sum(process.name() == "app" for process in inside) == COUNT
    for record in state.processes:
        os.kill(record.pid, signal.SIGKILL)

    sandbox.stop()

    _, alive = psutil.wait_procs(inside, timeout=10)
    assert not alive
    assert not [process.pid for process in psutil.process_iter() if _mark(process) == state.mark]
    assert not Path("/sys/class/net", engine.network(state)).exists()
    assert not list(Path("/sys/fs/cgroup").glob(f"**/migrate-{state.mark[:8]}"))
    assert str(sandbox.layout.root) not in Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    assert not Path(state.run_directory).exists()


def test_an_engine_that_answers_is_used_and_left_as_it_was(start: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = start("owner")
    monkeypatch.setenv("DOCKER_HOST", owner.state.engine)
    before = _inventory(owner)

    guest = start("guest")
    seed(guest, QUIET)

    assert guest.state.engine == owner.state.engine
    assert guest.state.process(engine.NAME) is None
    assert len(_inventory(owner)["containers"]) == COUNT

    guest.stop()

    assert _inventory(owner) == before


def _inventory(sandbox: Sandbox) -> dict[str, list[str]]:
    transport = httpx.HTTPTransport(uds=sandbox.state.engine.removeprefix("unix://"))
    with httpx.Client(transport=transport, base_url="http://engine") as client:
        found = {
            "containers": client.get("/containers/json", params={"all": "1"}).json(),
            "images": client.get("/images/json", params={"all": "1"}).json(),
            "networks": client.get("/networks").json(),
        }
    return {kind: sorted(item["Id"] for item in items) for kind, items in found.items()}


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK_VARIABLE)
    except psutil.Error:
        return None


def _tasks(operator: Operator, status: str) -> list[Any]:
    ecs, named = operator.aws("ecs"), {"cluster": operator.seeded.cluster}
    arns = ecs.list_tasks(**named, serviceName=operator.seeded.service, desiredStatus=status)["taskArns"]
    tasks: list[Any] = ecs.describe_tasks(**named, tasks=arns)["tasks"]
    return tasks


def _had_served(task: Any) -> bool:
    """Whether the scheduler stopped it after some seconds of work: one that is stopped as it starts cannot listen."""
    ran = (task["stoppingAt"] - task["startedAt"]).total_seconds() if "startedAt" in task else 0.0
    return task["stopCode"] == "ServiceSchedulerInitiated" and ran > _SERVED_SECONDS


def _containers(operator: Operator, status: str) -> set[str]:
    return {container["runtimeId"] for task in _tasks(operator, status) for container in task["containers"]}
