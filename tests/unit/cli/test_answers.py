"""Questions at a terminal: what is an answer, and that Ctrl-C is heard whenever it comes."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pexpect
import pytest

from migrate.cli.answers import answered, said_yes

ROUNDS = 150
ASKING = """
import signal, sys
from migrate.cli.answers import answered

signal.signal(signal.SIGWINCH, lambda *_: sys.stderr.write("resized "))
for number in range({rounds}):
    try:
        sys.stderr.write(f"said {{answered('Well?')}} {{number}}\\n")
    except KeyboardInterrupt:
        sys.stderr.write(f"heard {{number}}\\n")
"""


def asking(rounds: int) -> pexpect.spawn[str]:
    terminal = pexpect.spawn(sys.executable, ["-c", ASKING.format(rounds=rounds)], encoding="utf-8", timeout=60)
    terminal.delaybeforesend = None
    return terminal


def test_no_ctrl_c_is_lost_however_soon_it_follows_the_question() -> None:
    """Where it falls into the instant before the read, only what wakes that read can tell of it."""
    terminal = asking(ROUNDS)
    try:
        for number in range(ROUNDS):
            terminal.expect_exact("Well?")
            terminal.sendintr()
            terminal.expect_exact(f"heard {number}")
        terminal.expect(pexpect.EOF)
    finally:
        terminal.close(force=True)


def test_another_signal_leaves_the_question_standing() -> None:
    terminal = asking(1)
    try:
        terminal.expect_exact("Well?")
        terminal.setwinsize(30, 90)
        terminal.expect_exact("resized")
        terminal.sendline("yes")
        terminal.expect_exact("said yes 0")
    finally:
        terminal.close(force=True)


def typed(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "typed"
    file.write_text(text)
    monkeypatch.setattr(sys, "stdin", file.open())


def test_a_yes_is_said_in_words_or_by_silence_where_that_means_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed("y\nYES\nmaybe\nn\n\n\n", tmp_path, monkeypatch)
    assert [said_yes("Go?") for _ in range(3)] == [True, True, False]
    assert [said_yes("Go?"), said_yes("Go?", default=True)] == [False, True]
    told = capsys.readouterr().err
    assert "Go? [y/N]: " in told
    assert "Go? [Y/n]: " in told
    assert told.count("invalid input") == 1


def test_the_end_of_the_input_answers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed("\n", tmp_path, monkeypatch)
    with pytest.raises(click.Abort):
        answered("Well?")
