"""What has to be true of a machine before tasks can be containers, and how the engine for them is made."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from migrate.sandbox import engine
from migrate.sandbox.state import SandboxState

HANDLER = (
    "{state}\ninterpreter /usr/bin/qemu\nflags: PF\noffset 0\nmagic 7f454c460201010000000000000000000200{machine}\n"
)
FOREIGN = {"x86_64": "b700", "aarch64": "3e00"}
pytestmark = pytest.mark.skipif(platform.machine() not in FOREIGN, reason="for the machines that Fargate has")


@pytest.mark.parametrize(
    ("state", "machine", "runs"), [("enabled", "", True), ("disabled", "", False), ("enabled", "f300", False)]
)
def test_programs_of_the_other_architecture_need_a_handler_that_is_on(
    tmp_path: Path, state: str, machine: str, runs: bool
) -> None:
    (tmp_path / "status").write_text("enabled\n")
    handler = HANDLER.format(state=state, machine=machine or FOREIGN[platform.machine()])
    (tmp_path / "qemu").write_text(handler)
    assert engine.foreign_programs_run(tmp_path) == runs


def test_an_engine_that_does_not_answer_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    assert engine.find() in (None, "unix:///var/run/docker.sock")
    assert not engine.answers(f"unix://{tmp_path}/docker.sock")


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is told to be root")
def test_a_machine_that_forbids_namespaces_is_told_so_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unshare").write_text("#!/bin/sh\necho unshare: Operation not permitted >&2; exit 1\n")
    (tmp_path / "unshare").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    if engine.find() or not engine.foreign_programs_run():
        pytest.skip("this machine has an engine, or no handler")
    found = engine.obstacle()
    assert found is not None
    assert "this machine forbids new namespaces and mounts (CAP_SYS_ADMIN is missing)" in str(found)


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is told to be root")
def test_a_machine_that_cannot_build_an_engine_is_told_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setenv("MIGRATE_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    if engine.find() or not engine.foreign_programs_run():
        pytest.skip("this machine has an engine, or no handler")
    found = engine.obstacle()
    assert found is not None
    assert "building one takes a C compiler" in str(found)


def test_names_in_the_machine_belong_to_one_sandbox_and_fit_an_interface() -> None:
    state = SandboxState("0123456789abcdef", 1, "localhost:1", "/run/folder")
    assert engine.network(state) == "mgr-01234567"
    assert len(engine.network(state)) <= 15
    assert engine.own_address(state) == "unix:///run/folder/engine.sock"
