from __future__ import annotations

import pytest

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
