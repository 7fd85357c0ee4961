"""Completion in real shells: what Tab makes of a beginning."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from migrate.cli.app import run

SHELLS = {"bash": "complete -o nosort -F", "zsh": "#compdef migrate", "fish": "complete --no-files --command migrate"}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_printed_for_each_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    printed = capsys.readouterr().out
    assert SHELLS[shell] in printed
    assert "_MIGRATE_COMPLETE" in printed
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=printed, text=True, check=True, timeout=60)


def test_another_shell_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "cmd.exe"]) == 2
    assert "'cmd.exe' is not one of 'bash', 'zsh', 'fish'" in capsys.readouterr().err


@pytest.fixture
def bash(tmp_path: Path) -> Iterator[pexpect.spawn[str]]:
    """Give an interactive bash that has `migrate` on its PATH, and what `migrate completion bash` prints."""
    program = tmp_path / "migrate"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m migrate "$@"\n')
    program.chmod(0o755)
    shell = pexpect.spawn("bash", ["--norc", "-i"], encoding="utf-8", timeout=60, dimensions=(24, 200))
    try:
        shell.sendline(f"PS1='ready> '; PATH={shlex.quote(str(tmp_path))}:$PATH; bind 'set bell-style none'")
        shell.sendline('eval "$(migrate completion bash)"; echo read-$?')
        shell.expect_exact("read-0")
        yield shell
    finally:
        shell.close(force=True)


def test_bash_completes_verbs_options_and_values(bash: pexpect.spawn[str]) -> None:
    for begun, completed in (
        ("migrate rollb", "migrate rollback "),
        ("migrate rollback --to-s", "migrate rollback --to-stage "),
        ("migrate check --fail-on un", "migrate check --fail-on unknown "),
        ("migrate fleet app", "migrate fleet apply "),
    ):
        bash.send(f"{begun}\t")
        bash.expect_exact(completed)
        bash.send("\x01\x0b")
