"""Completion in real shells: what Tab makes of a beginning."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from migrate.cli.app import run

REQUIRED = os.environ.get("MIGRATE_SHELLS") == "required"
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


STARTS = {
    "bash": (["--norc", "-i"], "PS1='ready> '; PATH={folder}:$PATH; bind 'set bell-style none'"),
    "zsh": (["-f", "-i"], "PS1='ready> '; PATH={folder}:$PATH; autoload -U compinit; compinit -D -u"),
    "fish": (["--no-config", "-i"], "function fish_prompt; echo 'ready> '; end; set -x PATH {folder} $PATH"),
}
READ = {
    "bash": 'eval "$(migrate completion bash)"; echo read-$?',
    "zsh": 'eval "$(migrate completion zsh)"; echo read-$?',
    "fish": "migrate completion fish | source; echo read-$status",
}
ERASE_LINE = "\x01\x0b"


@pytest.fixture
def interactive(shell: str, tmp_path: Path) -> Iterator[pexpect.spawn[str]]:
    """Give an interactive shell that has `migrate` on its PATH, and what `migrate completion` prints for it."""
    if shutil.which(shell) is None:
        if REQUIRED:
            pytest.fail(f"{shell} is not installed")
        pytest.skip(f"{shell} is not installed (MIGRATE_SHELLS=required makes this a failure)")
    program = tmp_path / "migrate"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m migrate "$@"\n')
    program.chmod(0o755)
    arguments, prepared = STARTS[shell]
    home = dict.fromkeys(("HOME", "ZDOTDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"), str(tmp_path))
    # A terminal that only takes lines: what a shell paints to make them pretty is none of this test's business.
    environment = {**os.environ, **home, "TERM": "dumb"}
    spawned = pexpect.spawn(shell, arguments, encoding="utf-8", timeout=60, dimensions=(24, 200), env=environment)
    try:
        spawned.sendline(prepared.format(folder=shlex.quote(str(tmp_path))))
        spawned.sendline(READ[shell])
        spawned.expect_exact("read-0")
        yield spawned
    finally:
        spawned.close(force=True)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_verbs_options_and_values(interactive: pexpect.spawn[str]) -> None:
    for begun, completed in (
        ("migrate rollb", "migrate rollback "),
        ("migrate rollback --to-s", "migrate rollback --to-stage "),
        ("migrate check --fail-on un", "migrate check --fail-on unknown "),
        ("migrate fleet app", "migrate fleet apply "),
    ):
        interactive.send(f"{begun}\t")
        interactive.expect_exact(completed)
        interactive.send(ERASE_LINE)
