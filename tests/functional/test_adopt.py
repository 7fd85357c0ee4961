"""`migrate adopt` on a file: shown, asked, kept, written whole, and repeatable; and what Pulumi may answer instead."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from migrate.adapters.pulumi.program_state import ProgramState
from migrate.adapters.state_file import StateFile
from migrate.cli.app import run
from migrate.errors import (
    AccessError,
    EngineError,
    ExitCode,
    LockedError,
    MigrateError,
    NotFoundError,
    WorldChangedError,
)
from migrate.workflows.adopt import bring_about, look
from tests.fakes.docker_states import DIGEST, docker_provider, exported, old_image

TEXT = json.dumps(exported(docker_provider(), old_image("registry.example.com/shop/web:tag1", DIGEST)))


@pytest.fixture
def state(bare_environment: Path) -> Path:
    path = bare_environment / "before.json"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_state_is_shown_written_and_kept_and_a_second_time_there_is_nothing_to_do(
    state: Path, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    assert run(["adopt", "before.json", "--yes"]) == ExitCode.DONE
    assert capsys.readouterr().out == snapshot
    (kept,) = state.parent.glob("before.before-adopt-*.json")
    assert kept.read_text(encoding="utf-8") == TEXT
    assert stat.S_IMODE(kept.stat().st_mode) == stat.S_IMODE(state.stat().st_mode) == 0o600
    written = state.read_bytes()
    assert run(["adopt", "before.json", "--yes"]) == ExitCode.DONE
    assert "nothing to do" in capsys.readouterr().out
    assert state.read_bytes() == written
    assert sorted(state.parent.iterdir()) == sorted([state, kept])


@pytest.mark.parametrize(("more", "code"), [(["--preview"], ExitCode.DONE), ([], ExitCode.HELD)])
def test_nothing_is_written_for_a_preview_or_without_a_yes(
    state: Path, capsys: pytest.CaptureFixture[str], more: list[str], code: ExitCode
) -> None:
    assert run(["adopt", "before.json", *more]) == code
    assert "adopted" in capsys.readouterr().out
    assert list(state.parent.iterdir()) == [state]
    assert state.read_text(encoding="utf-8") == TEXT


def test_a_state_that_changed_while_one_was_asked_is_not_overwritten(state: Path) -> None:
    file = StateFile(state)
    seen = look(file, "0.0.22")
    changed = TEXT.replace("shop/web:tag1", "shop/web:tag2")
    state.write_text(changed, encoding="utf-8")
    with pytest.raises(WorldChangedError):
        bring_about(file, seen)
    assert state.read_text(encoding="utf-8") == changed


class _Overwritten(StateFile):
    """A state that somebody else writes right behind us."""

    def write(self, text: str) -> None:
        super().write(text)
        super().write(TEXT)


class _Refused(StateFile):
    """A state that cannot be written."""

    def write(self, text: str) -> None:
        raise EngineError(f"{len(text)} bytes were refused.", then="Wait.")


def test_a_state_that_is_not_what_was_written_afterwards_is_told_with_the_way_back(state: Path) -> None:
    file = _Overwritten(state)
    with pytest.raises(EngineError) as told:
        bring_about(file, look(file, "0.0.22"))
    assert f"pulumi stack import --file {state.parent}/before.before-adopt-" in told.value.then


def test_a_write_that_is_refused_names_the_copy(state: Path) -> None:
    file = _Refused(state)
    with pytest.raises(EngineError) as told:
        bring_about(file, look(file, "0.0.22"))
    assert "before.before-adopt-" in told.value.then
    assert state.read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b'{"version": 3}'])
def test_a_file_that_is_no_state_is_refused(state: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    state.write_bytes(content)
    assert run(["adopt", "before.json", "--yes"]) == ExitCode.USAGE
    assert "errors#state-file" in capsys.readouterr().err
    assert run(["adopt", "gone.json", "--yes"]) == ExitCode.USAGE
    assert run(["adopt", "before.json", "--stack", "prod"]) == ExitCode.USAGE
    assert list(state.parent.iterdir()) == [state]


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ("error: the stack is currently locked by 1 lock(s)", LockedError),
        ("error: [409] Conflict: Another update is currently in progress.", LockedError),
        ("error: incorrect passphrase", AccessError),
        ("error: no stack named 'prod' found", NotFoundError),
        ("error: no Pulumi.yaml project file found", NotFoundError),
        ("error: something else", EngineError),
    ],
)
def test_what_pulumi_answers_becomes_words(tmp_path: Path, told: str, error: type[MigrateError]) -> None:
    program = tmp_path / "pulumi"
    program.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo v3.274.1 && exit\necho "{told}" >&2\nexit 255\n')
    program.chmod(0o755)
    place = ProgramState(tmp_path, "prod", {"PATH": f"{tmp_path}{os.pathsep}{os.defpath}"})
    with pytest.raises(error) as raised:
        place.read()
    assert type(raised.value) is error
    assert told.removeprefix("error: ")[:20] in raised.value.why


def test_a_folder_that_is_not_there_is_told_before_pulumi_is_asked(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="is no folder"):
        ProgramState(tmp_path / "gone", None, {}).read()
