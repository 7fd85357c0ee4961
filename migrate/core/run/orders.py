"""What an operator may say to a run that works: keep going, hold, roll back; and by which words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Choice(StrEnum):
    """What is to become of the run."""

    KEEP_GOING = "keep going"
    HOLD = "hold"
    ROLL_BACK = "roll back"


@dataclass(frozen=True, slots=True)
class Order:
    """One choice, and how it came about: an answer, a signal, nobody at the terminal."""

    choice: Choice
    by: str

    @property
    def text(self) -> str:
        """The line that stands in the evidence."""
        return f"{self.choice}: {self.by}"


LEAVE = "leave"
"""The whole word that leaves a way back half-way: a letter is pressed too easily."""

_WORDS = {
    "k": Choice.KEEP_GOING,
    "keep": Choice.KEEP_GOING,
    "keep going": Choice.KEEP_GOING,
    "h": Choice.HOLD,
    "hold": Choice.HOLD,
    "r": Choice.ROLL_BACK,
    "roll back": Choice.ROLL_BACK,
    "rollback": Choice.ROLL_BACK,
}


def chosen(answer: str, *, going_back: bool) -> Choice | None:
    """Return what an answer means, None for one that means nothing.

    On the way back there is nothing to roll back, and only the whole word ``leave`` holds.
    """
    word = " ".join(answer.lower().split())
    if not going_back:
        return _WORDS.get(word)
    if word == LEAVE:
        return Choice.HOLD
    return Choice.KEEP_GOING if _WORDS.get(word) is Choice.KEEP_GOING else None


def unanswered(*, going_back: bool) -> Choice:
    """Return what silence means: hold, but for a way back, which nobody must find half-way because he was away."""
    return Choice.KEEP_GOING if going_back else Choice.HOLD
