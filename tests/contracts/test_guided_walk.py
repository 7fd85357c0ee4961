"""One suite over the fakes of a guided walk and what stands behind the same ports in earnest."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from migrate.adapters.shell import ShellCommands
from migrate.adapters.walk_file import WalkFile
from migrate.core.runbook.walk import Walk
from migrate.errors import AccessError
from migrate.runbook_ports import Answered, CommandRunner, WalkStore
from tests.fakes.clock import NOON
from tests.fakes.walking import FakeCommands, FakeWalks

WALK = Walk(2, "digest", NOON, under_way=True, values=(("TASK", "a\nb"), ("Z", "")))


@pytest.fixture(params=["file", "fake"])
def walks(request: pytest.FixtureRequest, tmp_path: Path) -> WalkStore:
    return FakeWalks() if request.param == "fake" else WalkFile(tmp_path / "state" / "walks.json")


def test_a_walk_is_remembered_as_it_was(walks: WalkStore) -> None:
    assert walks.walk("shop/web") is None
    walks.save("shop/web", Walk(1, "digest", NOON))
    walks.save("shop/web", WALK)
    walks.save("shop/api", Walk(0, "other", NOON))
    assert walks.walk("shop/web") == WALK
    walks.forget("shop/web")
    walks.forget("shop/nothing")
    assert walks.walk("shop/web") is None
    assert walks.walk("shop/api") == Walk(0, "other", NOON)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"shop/web": 1}', '{"shop/web": {"step": 1}}', '{"shop/web": null}', "\0"]
)
def test_a_file_that_cannot_be_read_is_no_walk_and_no_fault(content: str, tmp_path: Path) -> None:
    path = tmp_path / "walks.json"
    path.write_text(content)
    assert WalkFile(path).walk("shop/web") is None
    WalkFile(path).save("shop/web", WALK)
    assert WalkFile(path).walk("shop/web") == WALK


def test_the_file_is_readable_by_the_operator_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "walks.json"
    WalkFile(path).save("shop/web", WALK)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_said_before_any_command(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(AccessError, match="cannot be remembered") as raised:
        WalkFile(tmp_path / "state" / "walks.json").save("shop/web", WALK)
    assert "MIGRATE_STATE_DIR" in raised.value.then


@pytest.fixture(params=["shell", "fake"])
def runner(request: pytest.FixtureRequest) -> CommandRunner:
    answers = [Answered(0, "a\nb c\n"), Answered(3, ""), Answered(130, "")]
    return FakeCommands(answers) if request.param == "fake" else ShellCommands(os.environ, lambda text: text)


def test_a_command_answers_with_its_code_and_what_it_printed(runner: CommandRunner) -> None:
    assert runner.run('echo a; echo "b $VALUE"', {"VALUE": "c"}) == Answered(0, "a\nb c\n")
    assert runner.run("exit 3", {}) == Answered(3, "")
    assert runner.run("kill -INT $$", {}) == Answered(130, "")


def test_what_a_command_prints_is_shown_as_it_comes_unless_it_is_to_be_quiet() -> None:
    shown: list[str] = []
    runner = ShellCommands(os.environ, shown.append)
    assert runner.run("echo loud; echo aside >&2", {}).output == "loud\n"
    assert runner.run("echo soft", {}, quiet=True).output == "soft\n"
    assert shown == ["loud\n"]


def test_migrate_is_found_where_this_program_is() -> None:
    runner = ShellCommands({"PATH": os.defpath}, lambda text: text)
    assert runner.run("migrate --version", {}).code == 0
