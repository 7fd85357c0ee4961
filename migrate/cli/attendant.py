"""Stands between one run and its operator: tells what happens, and hears Ctrl-C and SIGTERM.

The run works in the main thread. Signal handlers, which Python runs there too, only put down what came: a thread of
its own draws, asks and tells the run through its orders, which it heeds between two acts.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TypeVar

from migrate.cli.narrator import Screen
from migrate.cli.question import Question, holds_at_once
from migrate.core.evidence import Event
from migrate.core.run.orders import Choice, Order
from migrate.core.run.view import RunView, seen
from migrate.workflows.orders import Orders

T = TypeVar("T")

_LAST_WORDS_SECONDS = 5
_END = object()
_HEARD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Attendant:
    """Implements ports.Narrator. ``question`` is None where nobody can be asked: there the first Ctrl-C holds."""

    def __init__(self, screen: Screen, question: Question | None) -> None:
        self._screen: Screen | None = screen
        self._question = question
        self._queue: SimpleQueue[object] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._pressed = 0
        self._ended = False
        self._urgent = False
        self._turned = False
        self._view: RunView | None = None
        self._orders: Orders | None = None

    def tell(self, event: Event) -> None:
        """Take one event, from any thread; never fails."""
        if self._thread is None:
            self._on_screen(event)
        else:
            self._queue.put(event)

    @contextmanager
    def attending(self, title: str, orders: Orders, *, going_back: bool = False) -> Iterator[None]:
        """Tell and hear for as long as a run works; a second Ctrl-C raises KeyboardInterrupt in the main thread."""
        self._orders, self._turned = orders, going_back
        self._view = RunView(title, _now(), going_back=going_back)
        if self._screen is not None:
            self._screen.begin(self._view)
        before = self._listen()
        self._thread = threading.Thread(target=self._attend, name="attendant", daemon=True)
        self._thread.start()
        try:
            yield
        finally:
            self._ended = True
            self._queue.put(_END)
            self._thread.join(_LAST_WORDS_SECONDS)
            self._thread = None
            for number, handler in before.items():
                signal.signal(number, handler)

    def _listen(self) -> dict[signal.Signals, signal.Handlers]:
        """Hear the signals that are not ignored, as `nohup` or a shell's background have it."""
        if threading.current_thread() is not threading.main_thread():
            return {}
        heard = [number for number in _HEARD if signal.getsignal(number) is not signal.SIG_IGN]
        return {number: signal.signal(number, self._caught) for number in heard}  # type: ignore[misc]

    def _caught(self, number: int, frame: FrameType | None) -> None:
        del frame
        if number == signal.SIGINT:
            self._pressed += 1
            if self._pressed > 1:
                raise KeyboardInterrupt
        else:
            self._urgent = True
        # SimpleQueue.put may be called again while it runs: it is made for signal handlers.
        self._queue.put(signal.Signals(number))

    def _attend(self) -> None:
        wait: float | None = 0.0
        while True:
            try:
                item = self._queue.get(timeout=wait)
            except Empty:
                item = None
            if item is _END:
                break
            if isinstance(item, Event):
                self._on_screen(item)
            elif isinstance(item, signal.Signals):
                self._heard(item)
            wait = self._drawn()
        self._shown(lambda screen: screen.suspend())

    def _heard(self, number: signal.Signals) -> None:
        if self._orders is None or self._view is None:
            return
        if number != signal.SIGINT:
            self._urgent = False
            self._ordered(holds_at_once(number.name))
        elif self._question is None:
            self._ordered(holds_at_once("Ctrl-C, and nobody who could be asked"))
        else:
            self._shown(lambda screen: screen.suspend())
            turned = self._turned or self._orders.going_back
            try:
                order = self._question.ask(replace(self._view, going_back=turned), lambda: self._ended or self._urgent)
            except OSError:
                order = holds_at_once("Ctrl-C, and the terminal is gone")
            if order is not None:
                self._ordered(order)

    def _ordered(self, order: Order) -> None:
        if self._orders is None:
            return
        if order.choice is Choice.HOLD:
            self._said("Holding: what is under way is finished first. Ctrl-C again stops at once.")
        else:
            self._pressed = 0
        if order.choice is Choice.ROLL_BACK:
            self._turned = True
            self._said("Rolling back: what is under way is finished first.")
        self._orders.give(order)

    def _said(self, line: str) -> None:
        self._shown(lambda screen: screen.say(line))

    def _on_screen(self, event: Event) -> None:
        if self._view is not None:
            self._view = seen(self._view, event)
        self._shown(lambda screen: screen.tell(event))

    def _drawn(self) -> float | None:
        return self._shown(lambda screen: screen.draw(_now()))

    def _shown(self, show: Callable[[Screen], T]) -> T | None:
        """Show something; a terminal that is gone ends the telling, never the run."""
        if self._screen is None:
            return None
        try:
            return show(self._screen)
        except (OSError, ValueError):
            self._screen = None
            return None


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - only for what the terminal shows
