from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.sandbox.front.http import AwsError
from migrate.sandbox.front.placement import (
    check_strategy,
    most_loaded,
    next_provider,
    normalised,
    provider_name,
    same_strategy,
)
from migrate.sandbox.front.world import count

NAMES = ["FARGATE", "FARGATE_SPOT", "c", "d"]
STRATEGIES = st.lists(
    st.fixed_dictionaries({"capacityProvider": st.sampled_from(NAMES), "weight": st.integers(0, 20)}),
    min_size=1,
    max_size=4,
    unique_by=lambda item: item["capacityProvider"],
).filter(lambda items: any(item["weight"] for item in items))


def placed(strategy: Any, tasks: int) -> dict[str, int]:
    names: list[str] = []
    for _ in range(tasks):
        names.append(next_provider(strategy, count(names)))
    return count(names)


@given(strategy=STRATEGIES, base=st.integers(0, 5), tasks=st.integers(0, 40))
def test_the_base_comes_first_and_the_rest_follows_the_weights(strategy: Any, base: int, tasks: int) -> None:
    strategy[0]["base"] = base
    spread = placed(strategy, tasks)
    assert sum(spread.values()) == tasks
    first = strategy[0]["capacityProvider"]
    assert spread.get(first, 0) >= min(base, tasks)
    rest, weights = max(tasks - base, 0), sum(item["weight"] for item in strategy)
    for item in strategy:
        beyond = spread.get(item["capacityProvider"], 0) - (min(base, tasks) if item is strategy[0] else 0)
        assert abs(beyond - rest * item["weight"] / weights) < len(strategy)


@given(strategy=STRATEGIES, tasks=st.integers(1, 20))
def test_shrinking_goes_back_the_way_of_growing(strategy: Any, tasks: int) -> None:
    spread = placed(strategy, tasks)
    leaving = most_loaded(strategy, spread)
    assert leaving is not None
    spread[leaving] -= 1
    smaller = placed(strategy, tasks - 1)
    assert all(abs(spread.get(name, 0) - smaller.get(name, 0)) <= 1 for name in NAMES)


def test_the_base_is_left_last() -> None:
    strategy = [
        {"capacityProvider": "FARGATE", "weight": 1, "base": 2},
        {"capacityProvider": "FARGATE_SPOT", "weight": 1},
    ]
    assert most_loaded(strategy, {"FARGATE": 2, "FARGATE_SPOT": 1}) == "FARGATE_SPOT"
    assert most_loaded(strategy, {"FARGATE": 2}) == "FARGATE"
    assert most_loaded(strategy, {"elsewhere": 2}) is None


def test_strategies_are_the_same_in_whatever_order_and_spelling() -> None:
    one: Any = [{"capacityProvider": "a", "weight": 1, "base": 0}, {"capacityProvider": "b"}]
    other: Any = [
        {"capacityProvider": "arn:aws:ecs:r:1:capacity-provider/b", "weight": 0},
        {"capacityProvider": "a", "weight": 1},
    ]
    assert same_strategy(one, other)
    assert not same_strategy(one, one[:1])
    assert provider_name("arn:aws:ecs:r:1:capacity-provider/b") == "b"
    assert normalised([{"capacityProvider": "a"}]) == [{"capacityProvider": "a", "weight": 0, "base": 0}]


@given(strategy=STRATEGIES)
def test_mixed_kinds_are_refused_and_pure_ones_are_not(strategy: Any) -> None:
    kinds = {item["capacityProvider"].startswith("FARGATE") for item in strategy}
    if len(kinds) == 1:
        check_strategy(strategy, NAMES)
        return
    with pytest.raises(AwsError, match="cannot contain a mix"):
        check_strategy(strategy, NAMES)


def test_a_provider_named_twice_is_refused() -> None:
    with pytest.raises(AwsError, match="only once"):
        check_strategy([{"capacityProvider": "c", "weight": 1}] * 2, NAMES)
    with pytest.raises(AwsError, match="between 0 and 100000"):
        check_strategy([{"capacityProvider": "c", "weight": 1, "base": 100_001}], NAMES)
