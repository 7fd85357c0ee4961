"""By which words a run is told what to do, and what silence means."""

from __future__ import annotations

import pytest

from migrate.core.run.orders import Choice, Order, chosen, unanswered


@pytest.mark.parametrize(
    ("answer", "choice"),
    [
        ("k", Choice.KEEP_GOING),
        (" Keep  going ", Choice.KEEP_GOING),
        ("H", Choice.HOLD),
        ("hold", Choice.HOLD),
        ("r", Choice.ROLL_BACK),
        ("roll back", Choice.ROLL_BACK),
        ("", None),
        ("y", None),
        ("leave", None),
    ],
)
def test_the_words_of_a_stage(answer: str, choice: Choice | None) -> None:
    assert chosen(answer, going_back=False) is choice


@pytest.mark.parametrize(
    ("answer", "choice"),
    [("k", Choice.KEEP_GOING), ("leave", Choice.HOLD), ("LEAVE", Choice.HOLD), ("l", None), ("h", None), ("r", None)],
)
def test_a_way_back_is_left_by_a_whole_word_alone(answer: str, choice: Choice | None) -> None:
    assert chosen(answer, going_back=True) is choice


def test_silence_never_leaves_a_service_half_way() -> None:
    assert unanswered(going_back=False) is Choice.HOLD
    assert unanswered(going_back=True) is Choice.KEEP_GOING


def test_the_evidence_says_what_and_how() -> None:
    assert Order(Choice.HOLD, "SIGTERM").text == "hold: SIGTERM"
