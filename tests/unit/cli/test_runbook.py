"""A runbook is shown whatever is wrong with settings, record or network: it is what one reads then."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from textwrap import indent

import pytest

from migrate.adapters.store.record_store import SqlRecordStore
from migrate.cli.app import run
from migrate.cli.companion import TerminalCompanion
from migrate.core.runbook.walk import AfterStep, BeforeStep, Shown, Walk
from migrate.errors import ExitCode
from migrate.render import runbook
from migrate.render.text import shown
from tests.fakes.records import NOON, SERVICE_ARN, a_record, a_run

_SETTINGS = """
[service]
cluster = "demo"
name = "web"
region = "us-east-1"
[image]
container = "app"
context = "./my app"
"""


@pytest.fixture
def place(bare_environment: Path) -> Path:
    (bare_environment / "migrate.toml").write_text(_SETTINGS)
    with SqlRecordStore(f"sqlite:///{bare_environment / '.migrate' / 'migrate.sqlite'}") as store:
        a = a_run("7d1c0a54-1")
        store.claim(SERVICE_ARN, a)
        store.save_record(SERVICE_ARN, a_record())
        store.release(SERVICE_ARN, a.id)
    return bare_environment


@pytest.mark.usefixtures("bare_environment")
def test_without_a_name_they_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runbook"]) == ExitCode.DONE
    told = capsys.readouterr().out
    assert all(name in told for name in ("stage-0", "stage-3", "incident", "findings"))
    assert run(["runbook", "--output", "json"]) == ExitCode.DONE
    names = [book["name"] for book in json.loads(capsys.readouterr().out)["runbooks"]]
    assert names[0] == "index"


@pytest.mark.usefixtures("place")
def test_the_values_of_settings_and_record_are_put_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runbook", "incident"]) == ExitCode.DONE
    told = capsys.readouterr()
    assert "aws ecs describe-services --cluster demo --services web " in told.out
    assert f"--image-digest sha256:{'a' * 64}" in told.out
    assert "--family-prefix web " in told.out
    assert "$MANIFEST" in told.out
    assert told.err == ""


@pytest.mark.usefixtures("place")
def test_a_code_shows_its_section_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runbook", "5"]) == ExitCode.DONE
    assert capsys.readouterr().out.startswith("## Rollback incomplete\n")
    assert run(["runbook", "build.context-large", "--output", "json"]) == ExitCode.DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["section"]) == ("findings", "build-context-large")
    assert any("'./my app'" in step["command"] for step in told["steps"])


@pytest.mark.parametrize("content", [None, "[service", "[service]\ncluster = 3\n", "\0"])
def test_settings_that_are_missing_or_broken_leave_the_names_open(
    content: str | None, bare_environment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (bare_environment / "migrate.toml").write_text(content)
    assert run(["runbook", "stage-2"]) == ExitCode.DONE
    told = capsys.readouterr()
    assert "--cluster $CLUSTER" in told.out
    assert "left open" in told.err


def test_a_database_that_cannot_be_read_leaves_open_what_it_would_say(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / ".migrate" / "migrate.sqlite").write_bytes(b"no database" * 500)
    assert run(["runbook", "incident"]) == ExitCode.DONE
    told = capsys.readouterr()
    assert "--cluster demo" in told.out
    assert "$FAMILY" in told.out
    assert "what is on record is left open" in told.err


@pytest.mark.usefixtures("bare_environment")
@pytest.mark.parametrize("arguments", [["no.such-code"], ["interrupted"], ["stage-2", "--guided"], ["--guided"]])
def test_what_cannot_be_done_ends_in_words(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runbook", *arguments]) == ExitCode.USAGE
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" not in told.err


@pytest.mark.usefixtures("bare_environment")
def test_a_walk_is_no_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runbook", "stage-2", "--guided", "--output", "json"]) == ExitCode.USAGE
    assert json.loads(capsys.readouterr().out)["document"] == "error"


def test_a_command_stays_in_one_line_in_a_terminal_however_narrow_it_is() -> None:
    command = "aws ecs describe-services --cluster shop --services web --query 'services[0].events[:10].message'"
    block = f"```sh\n{command}\n```\n"
    text = f"# Look\n\nBefore:\n{block}1. In a list\n{indent(block, '   ')}- and\n{indent(block, '  ')}"
    lines = shown(runbook.markdown(text), width=60, colour=False).splitlines()
    assert [line.strip() for line in lines if "aws" in line] == [command] * 3
    assert all(len(line) <= 60 for line in lines if "aws" not in line)


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("gates.md#tasks", "migrate runbook gates#tasks"),
        ("gates.md", "migrate runbook gates"),
        ("#tasks", "migrate runbook tasks"),
        ("https://example.com/a.md", "https://example.com/a.md"),
    ],
)
def test_a_link_says_in_a_terminal_how_to_follow_it(link: str, told: str) -> None:
    assert shown(runbook.markdown(f"See [there]({link})."), width=80, colour=False) == f"See there ({told}).\n"


def test_answers_are_taken_whole_and_nonsense_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    typed = tmp_path / "typed"
    typed.write_text("maybe\nY\nskip\nq\nx\na\ngo on\nquit\n\nn\ntask-1\n")
    companion = TerminalCompanion(lambda renderable: shown(renderable, width=80, colour=False))
    step = Shown(1, 3, "migrate plan", "Expected: exit 0.")
    walk = Walk(1, "digest", NOON, under_way=True)
    with typed.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert [companion.before(step) for _ in range(3)] == [BeforeStep.RUN, BeforeStep.SKIP, BeforeStep.STOP]
        assert [companion.after(("It ended with 3.",)) for _ in range(3)] == [
            AfterStep.AGAIN,
            AfterStep.GO_ON,
            AfterStep.STOP,
        ]
        assert [companion.go_on(walk, 3), companion.go_on(walk, 3)] == [True, False]
        assert companion.value("TASK") == "task-1"
    said = capsys.readouterr().err
    assert "Step 1 of 3" in said
    assert "migrate plan" in said
    assert "may have run" in said
