from __future__ import annotations

import pytest

from migrate.core.capacity_steps import capacity_steps, placed, steps_to_take
from migrate.core.facts import Strategy, StrategyItem
from tests.fakes.facts import FARGATE, SPOT

ONLY_SPOT = (StrategyItem("FARGATE_SPOT", weight=1),)
GRAVITON = (StrategyItem("graviton", weight=1),)
DEFAULT = (25, 50)


def strategy(fargate: int, spot: int, base: int = 0) -> Strategy:
    return (StrategyItem("FARGATE", fargate, base), StrategyItem("FARGATE_SPOT", spot))


@pytest.mark.parametrize(
    ("before", "target", "percentages", "steps"),
    [
        (FARGATE, SPOT, DEFAULT, (strategy(13, 3, 1), strategy(5, 3, 1), SPOT)),
        (FARGATE, ONLY_SPOT, DEFAULT, (strategy(3, 1), strategy(1, 1), ONLY_SPOT)),
        (FARGATE, ONLY_SPOT, (50, 10, 50), (strategy(9, 1), strategy(1, 1), ONLY_SPOT)),
        (FARGATE, SPOT, (), (SPOT,)),
        (ONLY_SPOT, FARGATE, (50,), (strategy(1, 1)[::-1], FARGATE)),
        (strategy(1, 0, base=2), strategy(0, 1, base=1), (50,), (strategy(1, 1, base=2), strategy(0, 1, base=1))),
        (FARGATE, strategy(1, 0, base=1), DEFAULT, (strategy(1, 0, base=1),)),
        (FARGATE, GRAVITON, DEFAULT, (GRAVITON,)),
        ((), SPOT, DEFAULT, (SPOT,)),
        (GRAVITON, (StrategyItem("graviton-2", weight=4),), (50,), None),
    ],
    ids=["default", "no-base", "sorted", "at-once", "back", "base-kept", "base", "other-kind", "launch-type", "asg"],
)
def test_weight_moves_in_steps_and_the_target_is_the_last(
    before: Strategy, target: Strategy, percentages: tuple[int, ...], steps: tuple[Strategy, ...] | None
) -> None:
    between = (StrategyItem("graviton", weight=1), StrategyItem("graviton-2", weight=1))
    assert capacity_steps(before, target, percentages) == (steps or (between, target))


def test_weights_that_have_no_small_whole_numbers_are_rounded_away_from_the_target() -> None:
    target = strategy(997, 991)
    first, second, last = capacity_steps(strategy(1, 0), target, (33, 34))
    assert last == target
    assert (first, second) == (strategy(836, 164), strategy(831, 169))


def test_more_than_twenty_providers_cannot_stand_side_by_side() -> None:
    before = tuple(StrategyItem(f"old-{number}", weight=1) for number in range(11))
    target = tuple(StrategyItem(f"new-{number}", weight=1) for number in range(10))
    assert capacity_steps(before, target, DEFAULT) == (target,)
    assert len(capacity_steps(before[1:], target, DEFAULT)[0]) == 20


@pytest.mark.parametrize(
    ("target", "count", "taken"),
    [
        (SPOT, 1, (SPOT,)),
        (SPOT, 0, (SPOT,)),
        (ONLY_SPOT, 1, (ONLY_SPOT,)),
        (ONLY_SPOT, 2, (strategy(1, 1), ONLY_SPOT)),
        (SPOT, 4, (strategy(5, 3, 1), SPOT)),
        (SPOT, 40, (strategy(13, 3, 1), strategy(5, 3, 1), SPOT)),
    ],
)
def test_a_step_that_would_move_no_task_is_left_out(target: Strategy, count: int, taken: tuple[Strategy, ...]) -> None:
    assert steps_to_take(FARGATE, capacity_steps(FARGATE, target, DEFAULT), count) == taken


def test_whole_tasks_are_placed_base_first() -> None:
    assert placed(SPOT, 4) == {"FARGATE": 1, "FARGATE_SPOT": 3}
    assert placed(strategy(0, 1, base=3), 2) == {"FARGATE": 2}
    assert placed((StrategyItem("FARGATE", 0, 1),), 3) == {"FARGATE": 1}
