from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pulumi.automation.errors import CommandError, ConcurrentUpdateError

from migrate.adapters.pulumi.engine import Engine
from migrate.errors import EngineError

Install = Callable[[str], dict[str, str]]


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Put a `pulumi` of one's own on PATH; return the environment that finds it."""

    def put(script: str, version: str = "v3.274.1") -> dict[str, str]:
        program = tmp_path / "pulumi"
        program.write_text(f'#!/bin/sh\n[ "$1" = version ] && {{ echo {version}; exit; }}\n{script}\n')
        program.chmod(0o755)
        return {"PATH": f"{tmp_path}{os.pathsep}{os.defpath}", "HOME": str(tmp_path)}

    return put


def test_without_a_pulumi_the_operator_is_told_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="not found") as told:
        Engine({"PATH": str(tmp_path)})
    assert "Install Pulumi" in told.value.then


@pytest.mark.parametrize("version", ["v3.100.0", "v4.0.0"])
def test_a_version_that_cannot_be_used_is_named(install: Callable[..., dict[str, str]], version: str) -> None:
    with pytest.raises(EngineError, match=f"Pulumi {version[1:]} cannot be used"):
        Engine(install("", version=version))


def test_a_pulumi_that_tells_no_version_is_refused(install: Callable[..., dict[str, str]]) -> None:
    with pytest.raises(EngineError, match="which version"):
        Engine(install("", version="dev-build"))


def test_a_command_sees_the_given_environment_only(install: Install, tmp_path: Path) -> None:
    environment = {**install("echo $*; env >&2"), "MARK": "ours"}
    result = Engine(environment).run(["preview"], str(tmp_path), {"MORE": "too"})
    assert result.stdout == "--non-interactive preview"
    assert {"MARK=ours", "MORE=too"} <= set(result.stderr.splitlines())
    assert "PYTEST_CURRENT_TEST" not in result.stderr


def test_a_child_that_floods_one_stream_does_not_hang(install: Install, tmp_path: Path) -> None:
    engine = Engine(install("yes error | head -c 3000000 >&2; echo done"))
    result = engine.run(["up"], str(tmp_path), {})
    assert result.stdout == "done"
    assert len(result.stderr) >= 2_999_998


def test_a_failed_command_raises_what_was_said(install: Install, tmp_path: Path) -> None:
    engine = Engine(install("echo 'the stack is currently locked by 1 lock(s)' >&2; exit 255"), patience=timedelta(0))
    with pytest.raises(ConcurrentUpdateError, match="locked by 1"):
        engine.run(["up"], str(tmp_path), {})


_STOPS_CLEANLY = """trap 'echo state written; exit 1' INT
echo started
i=0; while [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done"""


def test_an_interrupted_operation_may_end_cleanly(install: Install, tmp_path: Path) -> None:
    engine = Engine(install(_STOPS_CLEANLY))
    started = threading.Event()
    lines: list[str] = []

    def hear(line: str) -> None:
        lines.append(line)
        started.set()

    def stop() -> None:
        started.wait(30)
        engine.interrupt()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(CommandError):
        engine.run(["up"], str(tmp_path), {}, on_output=hear)
    stopper.join()
    assert lines == ["started", "state written"]
    assert engine.interrupted


_COUNTS_SIGNALS = """trap 'echo interrupted' INT
echo started
i=0; while [ $i -lt 10 ]; do sleep 0.1; i=$((i+1)); done; exit 1"""


def test_an_operation_is_asked_to_stop_once_for_a_second_signal_would_kill_it_in_the_middle(
    install: Install, tmp_path: Path
) -> None:
    engine = Engine(install(_COUNTS_SIGNALS))
    lines: list[str] = []

    def hear(line: str) -> None:
        lines.append(line)
        engine.interrupt()

    with pytest.raises(CommandError):
        engine.run(["up"], str(tmp_path), {}, on_output=hear)
    assert lines == ["started", "interrupted"]
    engine.go_on()
    assert not engine.interrupted
    with pytest.raises(CommandError):
        engine.run(["up"], str(tmp_path), {}, on_output=hear)
    assert lines[2:] == ["started", "interrupted"], "the next operation may be interrupted again"


def test_an_operation_without_end_is_stopped_and_told(install: Install, tmp_path: Path) -> None:
    engine = Engine(install(_STOPS_CLEANLY), timeout=timedelta(seconds=0.5))
    with pytest.raises(EngineError, match="did not finish within"):
        engine.run(["up"], str(tmp_path), {})


def test_a_child_that_ignores_the_signal_is_killed_in_the_end(install: Install, tmp_path: Path) -> None:
    script = "trap '' INT; i=0; while [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done"
    engine = Engine(install(script), timeout=timedelta(seconds=0.5), grace=timedelta(seconds=0.5))
    with pytest.raises(EngineError, match="did not finish within"):
        engine.run(["up"], str(tmp_path), {})
