"""Questions at the same time: the order of the answers, how many at a time, errors, and an interrupt."""

from __future__ import annotations

import signal
import threading
from functools import partial

import pytest

from migrate.workflows.at_once import at_once

PATIENCE = 60
"""Seconds that a thread waits for another before the test is given up."""


def test_all_are_asked_at_the_same_time_and_answers_keep_the_order() -> None:
    met = threading.Barrier(3, timeout=PATIENCE)
    last_is_done = threading.Event()

    def ask(number: int) -> int:
        met.wait()
        if number == 2:
            last_is_done.set()
        assert last_is_done.wait(PATIENCE)
        return number

    assert at_once([partial(ask, number) for number in range(3)], most=3) == (0, 1, 2)


def test_no_more_are_asked_at_a_time_than_may_be() -> None:
    lock, now, highest = threading.Lock(), 0, 0
    pairs = threading.Barrier(2, timeout=PATIENCE)

    def ask() -> None:
        nonlocal now, highest
        with lock:
            now += 1
            highest = max(highest, now)
        pairs.wait()
        with lock:
            now -= 1

    at_once([ask] * 8, most=2)
    assert highest == 2


@pytest.mark.parametrize("count", [0, 1])
def test_one_alone_needs_no_thread(count: int) -> None:
    assert at_once([threading.current_thread] * count, most=4) == (threading.current_thread(),) * count


def test_the_first_error_in_their_order_is_raised_whichever_came_first() -> None:
    other_failed = threading.Event()

    def first() -> str:
        assert other_failed.wait(PATIENCE)
        raise ValueError("one")

    def second() -> str:
        other_failed.set()
        raise ValueError("two")

    with pytest.raises(ValueError, match="one"):
        at_once([first, second], most=2)


def test_an_interrupt_waits_for_no_answer() -> None:
    never, asked = threading.Event(), []

    def stuck() -> None:
        asked.append("stuck")
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        never.wait()

    def after() -> None:
        asked.append("after")

    with pytest.raises(KeyboardInterrupt):
        at_once([stuck, after], most=1)
    never.set()
    assert asked == ["stuck"]
