"""What comes before any work: help, versions, and what they do not import."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from migrate import __version__
from migrate.cli.app import cli, run

_HEAVY = ["boto3", "botocore", "pulumi", "pydantic", "dbos", "rich", "sqlalchemy", "httpx"]
_PROGRAM = """
import json, sys
from migrate.cli.app import run
code = run(sys.argv[1:])
print(json.dumps([code, sorted(name for name in {heavy} if name in sys.modules)]), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    program = _PROGRAM.format(heavy=_HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    code, imported = json.loads(done.stderr.strip().splitlines()[-1])
    assert imported == []
    assert code in {0, 2}


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield every command that an operator may type, but for those that programs give."""
    if not isinstance(command, click.Group):
        yield from [] if command.hidden else [path]
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from leaves(found, (*path, name))


@pytest.mark.parametrize("path", sorted(leaves(cli)), ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*path, "--help"]) == 0
    assert f"  migrate {' '.join(path)}" in capsys.readouterr().out.partition("Examples:")[2]


def test_help_lists_the_verbs_in_the_order_of_use_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out.partition("Commands:")[2]
    places = [
        shown.index(f"\n  {verb}") for verb in ("init", "plan", "check", "iam", "apply", "rollback", "status", "stack")
    ]
    assert places == sorted(places)
    assert "130 interrupted" in " ".join(shown.split())


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize(("typed", "meant"), [("aply", "apply"), ("fleet plann", "plan"), ("sandbox sed", "seed")])
def test_a_command_that_is_mistyped_is_answered_with_the_one_that_was_meant(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(typed.split()) == 2
    assert f"Did you mean '{meant}'?" in capsys.readouterr().err


def test_a_terminal_is_not_flooded_with_the_html_of_a_report(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "migrate", "report"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    for end in (ours, theirs):
        os.close(end)
    assert done.returncode == 2
    assert "migrate report -o report.html" in done.stderr


_WITH_GARBAGE = """
import os, sys
from migrate.cli.app import main
class Garbage:
    def __init__(self):
        self.itself = self
    def __del__(self, write=os.write):
        write(1, b"searched")
Garbage()
sys.argv = ["migrate", "--version"]
main()
"""


def test_the_process_ends_without_a_last_search_for_garbage() -> None:
    """Such a search looks at every module that Pulumi, boto3 and DBOS have brought."""
    done = subprocess.run([sys.executable, "-c", _WITH_GARBAGE], capture_output=True, text=True, timeout=60, check=True)
    assert __version__ in done.stdout
    assert "searched" not in done.stdout
