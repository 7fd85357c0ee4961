"""Asks at the terminal, so that Ctrl-C is heard at any moment.

Between a prompt and the read that waits for the answer lies an instant in which Python's own ``input`` only notes that
Ctrl-C was pressed, and then waits for Enter all the same. Here the note itself wakes what waits.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

_ANSWERS = {"y": True, "yes": True, "n": False, "no": False}


def answered(question: str) -> str:
    """Ask on stderr until there is an answer, and return its line.

    Raises click.Abort at the end of the input, and what Ctrl-C raises.
    """
    while not (line := _line(f"{question} ")).strip():
        continue
    return line.strip()


def said_yes(question: str, *, default: bool = False) -> bool:
    """Ask on stderr until there is a yes or a no, and return it; an empty line is the default. Raises click.Abort."""
    choices = "Y/n" if default else "y/N"
    while (line := _line(f"{question} [{choices}]: ").strip().lower()) not in _ANSWERS:
        if not line:
            return default
        click.echo("Error: invalid input", err=True)
    return _ANSWERS[line]


def _line(prompt: str) -> str:
    click.echo(prompt, err=True, nl=False)
    with _woken_by_signals() as wakes:
        _wait_for_input(wakes)
    # In a terminal that reads in lines, what is ready is a whole one: this read waits for nothing.
    line = sys.stdin.readline()
    if not line:
        raise click.Abort
    return line


def _wait_for_input(wakes: int) -> None:
    typed = sys.stdin.fileno()
    while typed not in (ready := select.select([typed, wakes], [], [])[0]):
        # A handler that raises has done so by now; one that does not leaves the question standing.
        os.read(ready[0], 1024)


@contextmanager
def _woken_by_signals() -> Iterator[int]:
    """Give a descriptor that becomes readable with every signal, as the ``signal`` module documents set_wakeup_fd."""
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    listens = threading.current_thread() is threading.main_thread()
    former = signal.set_wakeup_fd(theirs, warn_on_full_buffer=False) if listens else -1
    try:
        yield ours
    finally:
        if listens:
            signal.set_wakeup_fd(former)
        os.close(ours)
        os.close(theirs)
