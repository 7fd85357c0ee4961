"""`migrate check` as it is typed, of files and images on a registry on loopback: nothing of AWS, no settings."""

from __future__ import annotations

import fcntl
import io
import json
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from migrate.cli.app import run
from migrate.errors import ExitCode
from tests.fakes.image_content import AMD64_ELF, REPOSITORY, Entry, Shelf, two_platforms
from tests.fakes.image_registry import LoopbackRegistry


@dataclass
class Shell:
    """Runs the command line in a directory of its own, beside a registry that holds ``both``, ``old`` and ``lying``."""

    place: Path
    captured: pytest.CaptureFixture[str]
    registry: LoopbackRegistry

    def image(self, tag: str) -> str:
        return f"{self.registry.host}/{REPOSITORY}:{tag}"

    def file(self, *tags: str) -> str:
        containers = [{"name": f"c{number}", "image": self.image(tag)} for number, tag in enumerate(tags)]
        path = self.place / "task-definition.json"
        path.write_text(json.dumps({"family": "web", "containerDefinitions": containers}))
        return path.name

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        before = sorted(self.place.rglob("*"))
        code = run(["check", *arguments])
        out, err = self.captured.readouterr()
        assert "Traceback" not in out + err
        assert sorted(self.place.rglob("*")) == before, "nothing may be written"
        return code, out, err

    def json(self, *arguments: str) -> Any:
        _, out, err = self(*arguments, "--output", "json")
        assert err == ""
        return json.loads(out)


@pytest.fixture
def shell(bare_environment: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    shelf = Shelf()
    amd64, _, _ = two_platforms(shelf, tag="both")
    wrong = shelf.image("linux/arm64", Entry("app", AMD64_ELF))
    shelf.index(amd64, wrong, tag="lying")
    shelf.image("linux/amd64", Entry("app", AMD64_ELF), tag="old")
    with LoopbackRegistry(shelf) as registry:
        yield Shell(bare_environment, capsys, registry)


def test_an_image_that_may_go_ends_well(shell: Shell) -> None:
    code, out, err = shell(shell.image("both"))
    assert (code, err) == (ExitCode.DONE, "")
    assert "ARM64  ready" in out
    assert "Spot" not in out
    assert out.rstrip().endswith("ready for ARM64.")


def test_c06_the_answer_stands_on_top_and_names_the_file(shell: Shell) -> None:
    code, out, _ = shell(shell.image("both"), shell.image("lying"))
    assert code == ExitCode.BLOCKED
    top = " ".join(out.split("\n\n")[1].split())
    assert top.startswith("ARM64 not yet")
    assert "/app" in top
    assert out.splitlines()[-1].startswith("1 block") or "1 block" in out.rpartition("\n\n")[2]


def test_a_file_names_the_container_that_stops_it(shell: Shell) -> None:
    code, out, _ = shell("--task-definition", shell.file("both", "old"))
    assert code == ExitCode.BLOCKED
    assert "ARM64  not yet" in out
    top = out.split("\n\n")[1]
    assert "ontainer c1" in top
    assert "c0" not in top


def test_the_same_for_programs(shell: Shell) -> None:
    told = shell.json("--task-definition", shell.file("both", "old"))
    assert told["arm64"]["readiness"] == "blocked"
    assert told["subject"] == {"kind": "task-definition", "name": "web"}
    (stopped,) = (item for item in told["findings"] if item["grade"] == "block")
    assert stopped["group"] == "container c1"
    assert told["arm64"]["because"] == [stopped["code"]]
    assert told["counts"]["block"] == 1


def test_a_file_may_come_on_standard_input(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    content = (shell.place / shell.file("both")).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + content)))
    assert shell("--task-definition", "-")[0] == ExitCode.DONE


@pytest.mark.parametrize(("fail_on", "code"), [("block", 0), ("warn", 0), ("unknown", 3), ("never", 0)], ids=str)
def test_what_could_not_be_read_fails_only_where_that_is_asked_for(shell: Shell, fail_on: str, code: int) -> None:
    assert shell(shell.image("both"), shell.image("gone"), "--fail-on", fail_on)[0] == code


def test_blocks_may_be_told_without_failing(shell: Shell) -> None:
    code, out, _ = shell(shell.image("old"), "--fail-on", "never")
    assert code == ExitCode.DONE
    assert "image.without-arm64" in out


def test_an_image_that_is_not_there_is_one_message(shell: Shell) -> None:
    code, out, err = shell(shell.image("gone"))
    assert (code, out) == (ExitCode.BLOCKED, "")
    assert "gone" in err
    assert "Runbook: " in err


def test_an_image_asked_for_twice_is_looked_at_once(shell: Shell) -> None:
    assert shell.json(shell.image("both"), shell.image("both"))["subject"]["name"] == shell.image("both")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"family: web\n", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe{", "is not text"),
        (b"[]", "is no task definition"),
        (b"{}", "is no task definition"),
        (b" " * (5 << 20), "is larger than 4 MiB"),
        (b"[" * 200_000, "is not JSON"),
    ],
    ids=["YAML", "cut off", "UTF-16", "list", "empty", "huge", "deep"],
)
def test_a_file_that_is_something_else_is_one_message(shell: Shell, content: bytes, told: str) -> None:
    (shell.place / "file").write_bytes(content)
    code, out, err = shell("--task-definition", "file")
    assert (code, out) == (ExitCode.USAGE, "")
    assert told in err
    assert "Runbook: errors#task-definition-file" in err


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_one_message(shell: Shell, name: str) -> None:
    code, out, err = shell("--task-definition", name)
    assert (code, out) == (ExitCode.USAGE, "")
    assert f"{name} cannot be read." in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("registry.example/UPPER/case",), "is not an image reference"),
        (("nginx@sha256:short",), "is not an image reference"),
        (("nginx", "--task-definition", "x.json"), "different questions"),
        (("--fail-on", "info"), "'info' is not one of"),
        (("--task-definition",), "requires an argument"),
        (("--dockerfile", "gone"), "gone is no file"),
        (("--dockerfile", "."), ". is no file"),
        (("--stage", "1"), "No such option"),
    ],
)
def test_nonsense_is_a_usage_error(shell: Shell, arguments: tuple[str, ...], told: str) -> None:
    code, out, err = shell(*arguments)
    assert (code, out) == (ExitCode.USAGE, "")
    assert told in err


def test_without_anything_to_look_at_it_says_how_to_get_settings(shell: Shell) -> None:
    code, _, err = shell()
    assert code == ExitCode.USAGE
    assert "migrate init" in err


def test_c14_a_dockerfile_pinned_to_amd64_is_stopped_by_its_line(shell: Shell) -> None:
    (shell.place / "Dockerfile").write_text(f'FROM --platform=linux/amd64 {shell.image("both")}\nCMD ["/app"]\n')
    code, out, _ = shell("--dockerfile", "Dockerfile")
    assert code == ExitCode.BLOCKED
    assert "ARM64  not yet" in out
    assert "line" in out
    told = shell.json("--dockerfile", "Dockerfile")
    assert told["subject"] == {"kind": "dockerfile", "name": "Dockerfile"}
    assert {item["code"].partition(".")[0] for item in told["findings"]} == {"dockerfile"}
    assert told["spot"]["readiness"] == "not-asked"


def test_a_dockerfile_that_builds_for_both_is_ready_and_no_builder_is_asked(shell: Shell) -> None:
    (shell.place / "Dockerfile").write_text(f"FROM {shell.image('both')}\nCOPY README /\n")
    (shell.place / "README").write_text("Hello.\n")
    code, out, err = shell("--dockerfile", "Dockerfile")
    assert (code, err) == (ExitCode.DONE, "")
    assert "ARM64  ready" in out
    assert "builder" not in out


def test_a_dockerfile_whose_base_has_no_arm64_names_it(shell: Shell) -> None:
    (shell.place / "Dockerfile").write_text(f"FROM {shell.image('old')}\n")
    told = shell.json("--dockerfile", "Dockerfile")
    assert told["arm64"]["because"] == ["dockerfile.base-without-platform"]


@pytest.mark.parametrize("width", [60, 200])
def test_the_text_fits_any_terminal(shell: Shell, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = shell(shell.image("lying"), shell.image("old"))
    assert max(len(line) for line in out.splitlines() if len(line.split()) > 1) <= width
    assert max(map(len, out.splitlines())) <= max(width, len("sha256:") + 64), "a digest is never broken"


def _started(shell: Shell, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "migrate", "check", *arguments],
        cwd=shell.place,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_reader_that_goes_away_is_no_fault(shell: Shell) -> None:
    with _started(shell, shell.image("lying")) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        process.wait(timeout=60)


@retry(retry=retry_if_result(lambda taken: not taken), stop=stop_after_delay(60), wait=wait_fixed(0.05))
def _taken(pipe: int) -> bool:
    """Whether the other side has taken all that was written, and so waits for more."""
    return fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)) == bytes(4)


def test_a_stop_while_it_waits_is_one_message(shell: Shell) -> None:
    with _started(shell, "--task-definition", "-") as process:
        assert process.stdin is not None
        process.stdin.write(b"{")
        process.stdin.flush()
        _taken(process.stdin.fileno())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    assert out == b""
    assert b"Traceback" not in err
    assert b"Runbook: errors#interrupted" in err
