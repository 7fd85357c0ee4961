"""Several questions to the outside at the same time, answered in the order in which they were asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def at_once(questions: Sequence[Callable[[], T]], most: int) -> tuple[T, ...]:
    """Ask all, at most ``most`` at a time, and return the answers in the order of the questions.

    The error of the first question that has one is raised once the answers before it are there. It, or an interrupt of
    the waiting thread, ends the wait at once: what has not begun is not asked, and what is under way is left to itself.
    Its threads hold up no exit of the process, as those of a ThreadPoolExecutor would until the last answer.
    """
    if len(questions) <= 1:
        return tuple(ask() for ask in questions)
    waiting: SimpleQueue[tuple[Future[T], Callable[[], T]]] = SimpleQueue()
    answers: list[Future[T]] = []
    for ask in questions:
        answers.append(Future())
        waiting.put((answers[-1], ask))
    for number in range(min(most, len(questions))):
        Thread(target=_work, args=(waiting,), name=f"question {number}", daemon=True).start()
    try:
        return tuple(answer.result() for answer in answers)
    finally:
        for answer in answers:
            answer.cancel()


def _work(waiting: SimpleQueue[tuple[Future[T], Callable[[], T]]]) -> None:
    while True:
        try:
            answer, ask = waiting.get_nowait()
        except Empty:
            return
        if answer.set_running_or_notify_cancel():
            try:
                answer.set_result(ask())
            except BaseException as error:  # noqa: BLE001 - the thread that waits raises it
                answer.set_exception(error)
