"""Asks on the terminal what is to become of the run, while it goes on."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable
from typing import Protocol

import click

from migrate.core.run.orders import Choice, Order, chosen, unanswered
from migrate.core.run.view import RunView

PATIENCE_SECONDS = 60
_LOOK_AROUND_SECONDS = 0.2


class Question(Protocol):
    """Asks what is to become of a run."""

    def ask(self, view: RunView, over: Callable[[], bool]) -> Order | None:
        """Return what the operator says, or what his silence means; None when it is ``over`` before that."""
        ...


class TerminalQuestion:
    """Implements Question on a terminal, for a bounded time; ``descriptor`` is the terminal's, or standard input."""

    def __init__(
        self,
        rendered: Callable[[RunView, int], str],
        *,
        seconds: float = PATIENCE_SECONDS,
        descriptor: int | None = None,
    ) -> None:
        self._rendered = rendered
        self._seconds = seconds
        self._descriptor = descriptor

    def ask(self, view: RunView, over: Callable[[], bool]) -> Order | None:
        """Return what the operator says, or what his silence means; None when it is over before that."""
        click.echo(self._rendered(view, int(self._seconds)), err=True, nl=False)
        descriptor = sys.stdin.fileno() if self._descriptor is None else self._descriptor
        _forget_what_was_typed(descriptor)
        deadline = time.monotonic() + self._seconds
        typed = b""
        self._prompt()
        while not over():
            left = deadline - time.monotonic()
            if left <= 0:
                return Order(unanswered(going_back=view.going_back), f"Ctrl-C, and no answer for {self._seconds:g} s")
            if not select.select([descriptor], [], [], min(left, _LOOK_AROUND_SECONDS))[0]:
                continue
            more = os.read(descriptor, 1024)
            if not more:
                return Order(unanswered(going_back=view.going_back), "Ctrl-C, and the end of the input")
            *lines, typed = (typed + more).split(b"\n")
            for line in lines:
                choice = chosen(line.decode(errors="replace"), going_back=view.going_back)
                if choice is not None:
                    return Order(choice, "Ctrl-C, and the answer")
                self._prompt()
        return None

    def _prompt(self) -> None:
        click.echo("> ", err=True, nl=False)


def holds_at_once(by: str) -> Order:
    """Return the order of somebody who cannot be asked."""
    return Order(Choice.HOLD, by)


def _forget_what_was_typed(descriptor: int) -> None:
    """Drop keys that were pressed before the question was there: they answer nothing."""
    import termios

    termios.tcflush(descriptor, termios.TCIFLUSH)
