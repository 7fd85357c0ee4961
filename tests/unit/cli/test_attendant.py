"""Between a run and its operator: signals, answers, and a terminal that may go away."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Self

import pytest

from migrate.cli.attendant import Attendant
from migrate.cli.question import TerminalQuestion
from migrate.core.evidence import Event, EventKind
from migrate.core.run.orders import Choice, Order
from migrate.core.run.view import RunView
from migrate.workflows.orders import GivenOrders
from tests.fakes.records import an_event

SECONDS = 10


class FakeScreen:
    """Keeps what it is told; ``gone`` is a terminal that was closed."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.gone = False
        self.told = threading.Event()

    def begin(self, view: RunView) -> None:
        self.heard.append(view.title)

    def tell(self, event: Event) -> None:
        if self.gone:
            raise OSError("the terminal is gone")
        self.heard.append(event.text)
        self.told.set()

    def say(self, line: str) -> None:
        self.heard.append(line)

    def draw(self, now: datetime) -> float | None:
        del now
        return None

    def suspend(self) -> None:
        self.heard.append("suspended")


class ScriptedQuestion:
    """Gives the next answer; without one it waits until nobody needs it any more."""

    def __init__(self, *choices: Choice) -> None:
        self.choices = list(choices)
        self.asked: list[bool] = []
        self.open = threading.Event()

    def ask(self, view: RunView, over: Callable[[], bool]) -> Order | None:
        self.asked.append(view.going_back)
        if self.choices:
            return Order(self.choices.pop(0), "Ctrl-C, and the answer")
        self.open.set()
        while not over():
            threading.Event().wait(0.01)
        return None


class WaitingOrders(GivenOrders):
    """Lets a test wait for what is given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Order] = []
        self.arrived = threading.Semaphore(0)

    def give(self, order: Order) -> None:
        super().give(order)
        self.given.append(order)
        self.arrived.release()


def press(orders: WaitingOrders, number: int = signal.SIGINT) -> Order:
    os.kill(os.getpid(), number)
    assert orders.arrived.acquire(timeout=SECONDS)
    return orders.given[-1]


def test_each_answer_reaches_the_run_and_the_next_press_asks_again() -> None:
    screen, orders = FakeScreen(), WaitingOrders()
    question = ScriptedQuestion(Choice.KEEP_GOING, Choice.ROLL_BACK, Choice.KEEP_GOING)
    with Attendant(screen, question).attending("stage 2", orders):
        assert press(orders).choice is Choice.KEEP_GOING
        assert not orders.stopping.is_set()
        assert press(orders).choice is Choice.ROLL_BACK
        assert press(orders).choice is Choice.KEEP_GOING
    assert question.asked == [False, False, True], "after roll back the question is that of a way back"
    assert "Rolling back: what is under way is finished first." in screen.heard


def test_a_second_press_stops_at_once_while_the_question_is_open() -> None:
    orders, question = WaitingOrders(), ScriptedQuestion()

    def run() -> None:
        with Attendant(FakeScreen(), question).attending("stage 2", orders):
            os.kill(os.getpid(), signal.SIGINT)
            assert question.open.wait(SECONDS)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run()
    assert orders.given == []


def test_a_second_press_stops_at_once_while_the_run_winds_down() -> None:
    orders = WaitingOrders()

    def run() -> None:
        with Attendant(FakeScreen(), ScriptedQuestion(Choice.HOLD)).attending("stage 2", orders):
            assert press(orders).choice is Choice.HOLD
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run()


def test_where_nobody_can_be_asked_the_first_press_holds() -> None:
    orders = WaitingOrders()
    with Attendant(FakeScreen(), None).attending("stage 2", orders):
        assert press(orders).choice is Choice.HOLD
        assert orders.stopping.is_set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_supervisor_holds_even_while_the_question_is_open(number: signal.Signals) -> None:
    orders, question = WaitingOrders(), ScriptedQuestion()
    with Attendant(FakeScreen(), question).attending("stage 2", orders):
        os.kill(os.getpid(), signal.SIGINT)
        assert question.open.wait(SECONDS)
        order = press(orders, number)
    assert (order.choice, order.by) == (Choice.HOLD, number.name)


def test_what_is_ignored_stays_ignored_and_all_is_as_before_afterwards() -> None:
    others = (signal.SIGTERM, signal.SIGINT)
    found = [signal.getsignal(number) for number in others]
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Attendant(FakeScreen(), None).attending("stage 2", WaitingOrders()):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert all(signal.getsignal(number) not in found for number in others)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert [signal.getsignal(number) for number in others] == found


def test_nothing_that_was_told_is_lost_at_the_end_from_whatever_thread_it_came() -> None:
    screen = FakeScreen()
    attendant = Attendant(screen, None)
    attendant.tell(an_event("before"))

    def tell_all() -> None:
        for number in range(500):
            attendant.tell(an_event(str(number)))

    with attendant.attending("stage 2", WaitingOrders()):
        other = threading.Thread(target=tell_all)
        other.start()
        other.join()
    attendant.tell(an_event("after"))
    assert screen.heard == ["before", "stage 2", *map(str, range(500)), "suspended", "after"]


def test_a_terminal_that_is_gone_ends_the_telling_and_not_the_run() -> None:
    screen, orders = FakeScreen(), WaitingOrders()
    attendant = Attendant(screen, None)
    with attendant.attending("stage 2", orders):
        attendant.tell(an_event("first"))
        assert screen.told.wait(SECONDS)
        screen.gone = True
        attendant.tell(an_event("second"))
        assert press(orders).choice is Choice.HOLD
    assert screen.heard[:2] == ["stage 2", "first"]


def test_the_question_knows_the_way_back_that_a_failed_gate_began_by_itself() -> None:
    orders, question = WaitingOrders(), ScriptedQuestion(Choice.KEEP_GOING)
    attendant = Attendant(FakeScreen(), question)
    with attendant.attending("stage 2", orders):
        attendant.tell(an_event("the gate failed", kind=EventKind.VERDICT))
        orders.turn_back()
        press(orders)
    assert question.asked == [True]


class Terminal:
    """Two ends of a terminal: what is typed into one is read at the other."""

    def __init__(self) -> None:
        self.keys, self.end = os.openpty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in (self.keys, self.end):
            with suppress(OSError):
                os.close(descriptor)

    def asked(self, typed: str, *, going_back: bool = False, seconds: float = SECONDS) -> Order | None:
        def rendered(view: RunView, left: int) -> str:
            del view, left
            return "?"

        looked = 0

        def over() -> bool:
            nonlocal looked
            looked += 1
            if looked == 1:
                os.write(self.keys, typed.encode())
            return False

        question = TerminalQuestion(rendered, seconds=seconds, descriptor=self.end)
        return question.ask(RunView("stage 2", an_event("").at, going_back=going_back), over)


def test_keys_pressed_before_the_question_answer_nothing() -> None:
    with Terminal() as terminal:
        os.write(terminal.keys, b"r\n")
        order = terminal.asked("what?\nk\n")
    assert order == Order(Choice.KEEP_GOING, "Ctrl-C, and the answer")


@pytest.mark.parametrize(("going_back", "choice"), [(False, Choice.HOLD), (True, Choice.KEEP_GOING)])
@pytest.mark.parametrize(("typed", "seconds"), [("r", 0.3), ("\x04", SECONDS)])
def test_silence_and_the_end_of_the_input_have_a_meaning(
    typed: str, seconds: float, going_back: bool, choice: Choice
) -> None:
    with Terminal() as terminal:
        order = terminal.asked(typed, going_back=going_back, seconds=seconds)
    assert order is not None
    assert order.choice is choice
