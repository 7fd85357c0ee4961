"""Builders as buildx writes them down, asked by the ways there are."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from migrate.adapters.builder.docker_command import MISSING, RunCommand, command_runner, read_inspected
from migrate.adapters.builder.reader import LocalBuildReader
from migrate.core.build.readiness import builder_problems
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64, Platform
from tests.fakes.buildkit import buildkit, workers_answer

INSPECTED = """Name:          multi
Driver:        docker-container
Last Activity: 2026-11-20 10:00:00 +0000 UTC

Nodes:
Name:                  multi0
Endpoint:              unix:///var/run/docker.sock
Driver Options:        network="host"
Status:                running
BuildKit daemon flags: --allow-insecure-entitlement=network.host
BuildKit version:      v0.34.2
Platforms:             linux/amd64, linux/amd64/v2, linux/arm64, linux/386
Labels:
 org.mobyproject.buildkit.worker.executor:         oci
GC Policy rule#0:
 All:            false
 Filters:        type==source.local

Name:     multi1
Endpoint: ssh://arm
Status:   stopped
Platforms: linux/arm64*
"""

Answers = dict[tuple[str, ...], tuple[int, str, str]]


class Docker:
    """A Docker command line that answers as told and remembers what it was asked."""

    def __init__(self, answers: Answers | None = None) -> None:
        self.answers = answers or {}
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, arguments: Sequence[str]) -> tuple[int, str, str]:
        self.asked.append(tuple(arguments))
        return self.answers.get(tuple(arguments), (MISSING, "", "not on PATH"))


VERSION = ("docker", "buildx", "version")
INFO = ("docker", "info", "--format", "{{json .}}")


def inspect(name: str) -> tuple[str, ...]:
    return ("docker", "buildx", "inspect", name)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".docker" / "buildx" / "instances").mkdir(parents=True)
    (tmp_path / "docker.sock").touch()
    return tmp_path


def instance(home: Path, name: str, driver: str = "docker-container", **node: Any) -> None:
    shown = {"Name": f"{name}0", "Endpoint": f"unix://{home}/docker.sock", "Platforms": None, **node}
    path = home / ".docker" / "buildx" / "instances" / name.lower()
    path.write_text(json.dumps({"Name": name, "Driver": driver, "Nodes": [shown], "Dynamic": False}))


def reader(home: Path, run: RunCommand | None = None, **variables: str) -> LocalBuildReader:
    engine = {"DOCKER_HOST": f"unix://{home}/docker.sock"}
    return LocalBuildReader({"HOME": str(home), **engine, **variables}, run or Docker(), home / "binfmt")


def test_a_builder_is_found_by_its_name_whatever_its_case(home: Path) -> None:
    instance(home, "Multi", Platforms=[{"os": "linux", "architecture": "arm64"}])
    found = reader(home).builder("multi")
    assert (found.name, found.driver, found.named, found.platforms) == (
        "multi",
        "docker-container",
        True,
        (LINUX_ARM64,),
    )
    assert not found.nodes[0].asked


def test_a_name_that_is_none_names_those_there_are(home: Path) -> None:
    instance(home, "ci")
    found = reader(home).builder("tpyo")
    assert (found.driver, found.problem) == ("", "the builders there are: ci, default.")


def test_without_a_name_the_current_instance_is_taken_then_the_default_of_the_endpoint(home: Path) -> None:
    instance(home, "one")
    instance(home, "two")
    folder = home / ".docker" / "buildx"
    (folder / "current").write_text(json.dumps({"Key": f"unix://{home}/docker.sock", "Name": "one", "Global": False}))
    assert reader(home).builder(None).name == "one"
    assert reader(home, DOCKER_HOST="tcp://elsewhere").builder(None).name == "default"
    (folder / "current").write_text(json.dumps({"Key": "x", "Name": "two", "Global": True}))
    assert reader(home, DOCKER_HOST="tcp://elsewhere").builder(None).name == "two"
    (folder / "current").unlink()
    (folder / "defaults").mkdir()
    (folder / "defaults" / hashlib.sha256(b"tcp://elsewhere").hexdigest()[:20]).write_text("one")
    assert reader(home, DOCKER_HOST="tcp://elsewhere").builder(None).name == "one"


def test_without_any_instance_it_is_the_engine_of_the_current_context(home: Path) -> None:
    instance(home, "other")
    found = reader(home).builder(None)
    assert (found.name, found.driver, found.named, found.others) == ("default", "docker", False, ("other",))


def test_a_context_is_a_builder_only_while_it_is_the_current_one(home: Path) -> None:
    meta = home / ".docker" / "contexts" / "meta" / "abc"
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Name": "desk", "Endpoints": {"docker": {"Host": "unix:///d.sock"}}}))
    other = reader(home).builder("desk")
    assert (other.driver, "not the current one" in other.problem) == ("", True)
    current = reader(home, DOCKER_HOST="", DOCKER_CONTEXT="desk").builder("desk")
    assert (current.driver, current.nodes[0].endpoint) == ("docker", "unix:///d.sock")


def test_buildx_config_and_docker_config_lead_elsewhere(home: Path, tmp_path: Path) -> None:
    instance(home, "multi")
    moved = tmp_path / "moved"
    (home / ".docker" / "buildx").rename(moved)
    assert reader(home).builder("multi").driver == ""
    assert reader(home, BUILDX_CONFIG=str(moved)).builder("multi").driver == "docker-container"


def test_buildx_builder_is_told_though_docker_build_does_not_heed_it(home: Path) -> None:
    instance(home, "ci")
    assert reader(home, BUILDX_BUILDER="ci").builder(None).overlooked == "ci"


def test_a_remote_builder_is_asked_over_its_socket(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "b.sock"
    instance(home, "remote", "remote", Endpoint=f"unix://{path}")
    with buildkit(f"unix:{path}", workers_answer([LINUX_AMD64, Platform("linux", "arm64", "v8")], [LINUX_AMD64])):
        found = reader(home).builder("remote")
    assert found.platforms == (LINUX_AMD64, LINUX_ARM64)
    assert found.native == LINUX_AMD64
    assert found.nodes[0].asked


def test_a_remote_builder_is_asked_over_tcp(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    instance(home, "remote", "remote", Endpoint=f"tcp://{address}")
    with buildkit(address, workers_answer([LINUX_ARM64])):
        assert reader(home, http_proxy="http://127.0.0.1:1").builder("remote").platforms == (LINUX_ARM64,)


def test_a_remote_builder_that_is_gone_is_a_problem_and_no_crash(home: Path, tmp_path: Path) -> None:
    instance(home, "remote", "remote", Endpoint=f"unix://{tmp_path}/gone.sock")
    assert "no socket" in reader(home).builder("remote").nodes[0].problem
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / "gone.sock"))
        assert reader(home).builder("remote").nodes[0].problem
    instance(home, "secure", "remote", Endpoint="tcp://127.0.0.1:1", DriverOpts={"cacert": str(tmp_path / "none.pem")})
    assert "No such file" in reader(home).builder("secure").nodes[0].problem


def test_what_buildx_says_of_a_builder_is_read_node_by_node(home: Path) -> None:
    instance(home, "multi")
    docker = Docker({VERSION: (0, "v0.35.0", ""), inspect("multi"): (0, INSPECTED, "")})
    found = reader(home, docker).builder("multi")
    assert [(node.name, node.asked, str(node.platforms[0])) for node in found.nodes] == [
        ("multi0", True, "linux/amd64"),
        ("multi1", False, "linux/arm64"),
    ]
    assert found.platforms == (LINUX_AMD64, LINUX_ARM64, Platform("linux", "386"))


def test_a_builder_whose_engine_does_not_answer_is_a_problem(home: Path) -> None:
    instance(home, "multi")
    error = "Name:   multi\nDriver: docker-container\nError:  Cannot connect to the Docker daemon\n"
    docker = Docker({VERSION: (0, "", ""), inspect("multi"): (0, error, "")})
    assert "Cannot connect" in reader(home, docker).builder("multi").nodes[0].problem
    refused = Docker({VERSION: (0, "", ""), inspect("multi"): (1, "", "ERROR: no builder\n")})
    assert reader(home, refused).builder("multi").nodes[0].problem == "no builder."


@pytest.mark.parametrize(
    ("status", "expected"),
    [([["driver-type", "io.containerd.snapshotter.v1"]], True), ([["Backing Filesystem", "extfs"]], False)],
)
def test_c23_the_image_store_of_the_engine_and_its_disk_are_read(
    home: Path, tmp_path: Path, status: list[list[str]], *, expected: bool
) -> None:
    info = {"DriverStatus": status, "DockerRootDir": str(tmp_path), "OperatingSystem": "Debian GNU/Linux 12"}
    found = reader(home, Docker({INFO: (0, json.dumps(info), "")})).builder(None)
    assert found.containerd_store is expected
    assert found.free_bytes
    desktop = {**info, "OperatingSystem": "Docker Desktop"}
    assert reader(home, Docker({INFO: (0, json.dumps(desktop), "")})).builder(None).free_bytes is None


def test_c23_what_buildx_says_of_the_docker_driver_ends_in_a_block_with_driver_and_remedy(home: Path) -> None:
    said = "Name:   default\nDriver: docker\n\nNodes:\nName:             default\nEndpoint:         default\n"
    said += "Status:           running\nBuildKit version: v0.12.5\nPlatforms:        linux/amd64, linux/386\n"
    info = {"DriverStatus": [["Backing Filesystem", "extfs"], ["Supports d_type", "true"]], "DockerRootDir": str(home)}
    docker = Docker({VERSION: (0, "", ""), inspect("default"): (0, said, ""), INFO: (0, json.dumps(info), "")})
    found = reader(home, docker).builder("default")
    assert (found.driver, found.containerd_store, found.native) == ("docker", False, LINUX_AMD64)
    (problem,) = builder_problems(found)
    assert (problem.code, problem.grade) == ("build.builder-driver", "block")
    assert "driver docker" in problem.text
    assert "docker buildx create" in dict(problem.evidence)["remedy"]


def test_an_engine_that_does_not_answer_is_a_problem_of_its_own_builder_only(home: Path) -> None:
    answer: Answers = {INFO: (1, json.dumps({"ServerErrors": ["no"]}), "Cannot connect to the Docker daemon\n")}
    assert reader(home, Docker(answer)).builder(None).nodes[0].problem == "Cannot connect to the Docker daemon."
    instance(home, "multi")
    assert reader(home, Docker(answer)).builder("multi").nodes[0].problem == ""


def test_an_engine_whose_socket_is_not_there_is_a_problem_though_nobody_can_be_asked(home: Path) -> None:
    (home / "docker.sock").unlink()
    assert "no socket" in reader(home).builder(None).nodes[0].problem
    instance(home, "multi")
    assert "no socket" in reader(home).builder("multi").nodes[0].problem
    instance(home, "far", Endpoint="ssh://arm")
    assert reader(home).builder("far").nodes[0].problem == ""


def test_registered_emulators_are_read_from_the_kernel(home: Path) -> None:
    (home / "binfmt").mkdir()
    (home / "binfmt" / "qemu-aarch64").write_text("enabled\n")
    (home / "binfmt" / "python3.11").write_text("enabled\n")
    assert reader(home).builder(None).registered == ("qemu-aarch64",)


def test_files_that_are_no_builders_are_passed_by(home: Path) -> None:
    (home / ".docker" / "buildx" / "instances" / "broken").write_text("{")
    (home / ".docker" / "buildx" / "instances" / "odd").write_text(json.dumps({"Driver": "remote", "Nodes": "x"}))
    (home / ".docker" / "buildx" / "current").write_bytes(b"\xff")
    assert reader(home).builder("broken").driver == ""
    assert reader(home).builder("odd").nodes == ()


@pytest.mark.parametrize("text", ["", "nonsense", "Nodes:\n", "Nodes:\nName: a\nPlatforms: x, linux/, a/b/c/d\n"])
def test_no_text_of_buildx_makes_the_reader_fail(text: str) -> None:
    assert all(not node.platforms for node in read_inspected(text).nodes) or text


def test_commands_are_bounded_and_a_missing_program_is_no_crash(tmp_path: Path) -> None:
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\necho out; echo err >&2; exit 3\n")
    program.chmod(0o755)
    run: Callable[[Sequence[str]], tuple[int, str, str]] = command_runner({"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert run(("docker", "x")) == (3, "out\n", "err\n")
    assert run(("no-such-program",))[0] == MISSING
