"""The rank test against scipy's, and the judgement that Kayenta's judge would come to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu  # type: ignore[import-untyped]

from migrate.core.gate.metric_judge import compare, mann_whitney
from migrate.core.gate_checks import BaselineComparison, Direction

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False) | st.integers(0, 5).map(float)
SAMPLES = st.lists(NUMBERS, min_size=1, max_size=40)


def rule(direction: Direction, **more: object) -> BaselineComparison:
    return BaselineComparison(direction, timedelta(hours=1), **more)  # type: ignore[arg-type]


@given(SAMPLES, SAMPLES)
def test_statistic_and_p_value_are_those_of_scipy(first: list[float], second: list[float]) -> None:
    ours = mann_whitney(first, second)
    theirs = mannwhitneyu(second, first, alternative="two-sided", method="asymptotic", use_continuity=True)
    assert ours.statistic == pytest.approx(theirs.statistic)
    if len({*first, *second}) > 1:
        assert ours.p_value == pytest.approx(theirs.pvalue, abs=1e-9)
    else:
        assert ours.p_value == 1
    assert ours.effect == pytest.approx(theirs.statistic / (len(first) * len(second)))


@given(SAMPLES, SAMPLES, st.sampled_from(Direction))
def test_nothing_is_worse_in_both_directions_and_either_is_one_of_them(
    before: list[float], now: list[float], direction: Direction
) -> None:
    worse = {item: compare(before, now, rule(item)).is_worse for item in Direction}
    assert not (worse[Direction.INCREASE] and worse[Direction.DECREASE])
    assert worse[Direction.EITHER] == (worse[Direction.INCREASE] or worse[Direction.DECREASE])
    assert not compare(before, before, rule(direction)).is_worse


BEFORE = [1.0, 1.1, 0.9, 1.0, 1.05, 0.95, 1.0, 1.1, 0.9, 1.0]
DOUBLED = [2 * value for value in BEFORE]


@pytest.mark.parametrize(
    ("direction", "now", "worse"),
    [
        (Direction.INCREASE, DOUBLED, True),
        (Direction.DECREASE, DOUBLED, False),
        (Direction.EITHER, DOUBLED, True),
        (Direction.DECREASE, [value / 2 for value in BEFORE], True),
        (Direction.INCREASE, [value * 1.02 for value in BEFORE], False),
        (Direction.INCREASE, BEFORE, False),
        (Direction.INCREASE, [5.0], False),
    ],
    ids=["doubled", "better", "either", "halved", "within the tolerance", "the same", "one value proves nothing"],
)
def test_worse_is_a_sure_and_large_move_in_the_bad_direction(
    direction: Direction, now: list[float], *, worse: bool
) -> None:
    assert compare(BEFORE, now, rule(direction)).is_worse is worse


def test_from_nothing_at_all_any_sure_increase_is_more_than_tolerated() -> None:
    assert compare([0.0] * 10, [0.0, *[1.0] * 9], rule(Direction.INCREASE)).is_worse


def test_what_is_tolerated_is_the_operators_to_say() -> None:
    assert not compare(BEFORE, DOUBLED, rule(Direction.INCREASE, tolerance=1.5)).is_worse
    assert not compare(BEFORE, DOUBLED, rule(Direction.INCREASE, confidence=0.99999999)).is_worse
