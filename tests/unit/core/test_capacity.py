from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.capacity import expected_split, follows, split_of
from migrate.core.facts import Strategy, StrategyItem
from tests.fakes.facts import FARGATE, SPOT

SPOT_WITH_BASE_ELSEWHERE = (StrategyItem("FARGATE_SPOT", weight=1), StrategyItem("FARGATE", base=1))


@pytest.mark.parametrize(
    ("strategy", "count", "split"),
    [
        (FARGATE, 4, {"FARGATE": 4}),
        (SPOT, 4, {"FARGATE": 1.75, "FARGATE_SPOT": 2.25}),
        (SPOT, 5, {"FARGATE": 2, "FARGATE_SPOT": 3}),
        (SPOT, 1, {"FARGATE": 1, "FARGATE_SPOT": 0}),
        (SPOT, 0, {"FARGATE": 0, "FARGATE_SPOT": 0}),
        (SPOT_WITH_BASE_ELSEWHERE, 4, {"FARGATE_SPOT": 3, "FARGATE": 1}),
        ((StrategyItem("FARGATE", weight=1, base=10),), 4, {"FARGATE": 4}),
    ],
)
def test_base_tasks_come_first_and_the_rest_goes_by_weight(
    strategy: Strategy, count: int, split: dict[str, float]
) -> None:
    assert expected_split(strategy, count) == split


@pytest.mark.parametrize(
    ("strategy", "seen", "does"),
    [
        (SPOT, {"FARGATE": 1, "FARGATE_SPOT": 3}, True),
        (SPOT, {"FARGATE": 2, "FARGATE_SPOT": 2}, True),
        (SPOT, {"FARGATE": 4}, False),
        (SPOT, {"FARGATE_SPOT": 4}, False),
        (SPOT, {"FARGATE": 3, "FARGATE_SPOT": 1}, False),
        (SPOT, {"FARGATE": 1, "FARGATE_SPOT": 2, "": 1}, False),
        (FARGATE, {"FARGATE": 3, "other": 1}, False),
        (SPOT_WITH_BASE_ELSEWHERE, {"FARGATE": 1, "FARGATE_SPOT": 3}, True),
        (SPOT_WITH_BASE_ELSEWHERE, {"FARGATE_SPOT": 4}, False),
    ],
)
def test_a_split_follows_when_ecs_could_have_made_it(strategy: Strategy, seen: dict[str, int], does: bool) -> None:
    assert follows(strategy, seen) is does


def test_tasks_without_a_provider_are_counted_apart() -> None:
    assert split_of(["FARGATE", None, "FARGATE", None, "FARGATE_SPOT"]) == {"FARGATE": 2, "": 2, "FARGATE_SPOT": 1}


STRATEGIES = st.lists(st.integers(0, 9), min_size=1, max_size=5).filter(any)


def placed(strategy: Strategy, count: int, before: Fraction) -> dict[str, int]:
    """Give base tasks first, and then each to the lowest (tasks + before) / weight, as one scheduler may."""
    split = Counter({item.provider: min(item.base, count) for item in strategy})
    given_before = dict(split)
    while split.total() < count:
        chosen = min(
            (item for item in strategy if item.weight),
            key=lambda item: (split[item.provider] - given_before[item.provider] + before) / item.weight,
        )
        split[chosen.provider] += 1
    return {provider: number for provider, number in split.items() if number}


@given(STRATEGIES, st.integers(0, 5), st.integers(1, 40), st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1)]))
def test_whatever_way_a_scheduler_counts_its_placements_follow(
    weights: list[int], base: int, count: int, before: Fraction
) -> None:
    strategy = tuple(StrategyItem(f"p{n}", weight, base if n == 0 else 0) for n, weight in enumerate(weights))
    assert follows(strategy, placed(strategy, count, before))


@given(STRATEGIES, st.integers(3, 40))
def test_tasks_that_are_all_on_one_of_several_equal_providers_do_not_follow(weights: list[int], count: int) -> None:
    strategy = tuple(StrategyItem(f"p{n}", 1) for n in range(len(weights) + 1))
    assert not follows(strategy, {"p0": count})
