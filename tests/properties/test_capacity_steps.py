"""On the way to another strategy no step ever takes back what the one before has moved, nor gives up the base."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from migrate.core.capacity import expected_split
from migrate.core.capacity_steps import alike, capacity_steps, placed, steps_to_take
from migrate.core.facts import Strategy, StrategyItem
from tests.fakes.aws_simulation import next_providers

KINDS = (("FARGATE", "FARGATE_SPOT"), tuple(f"graviton-{number}" for number in range(14)))
PERCENTAGES = st.lists(st.integers(1, 99), max_size=6)
COUNTS = st.integers(0, 60)


@st.composite
def ways(draw: st.DrawFn) -> tuple[Strategy, Strategy]:
    names = draw(st.sampled_from(KINDS))
    return draw(strategies(names)), draw(strategies(names))


@st.composite
def strategies(draw: st.DrawFn, names: tuple[str, ...]) -> Strategy:
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=20, unique=True))
    weights = draw(st.lists(st.integers(0, 1000), min_size=len(chosen), max_size=len(chosen)))
    weights[0] = weights[0] or 1
    based, base = draw(st.sampled_from(chosen)), draw(st.sampled_from([0, 0, 1, 2, 7, 40]))
    return tuple(
        StrategyItem(name, weight, base if name == based else 0) for name, weight in zip(chosen, weights, strict=True)
    )


def based(strategy: Strategy) -> tuple[str, int]:
    return next(((item.provider, item.base) for item in strategy if item.base), ("", 0))


def share(strategy: Strategy, name: str) -> float:
    total = sum(item.weight for item in strategy)
    return sum(item.weight for item in strategy if item.provider == name) / total


def growing(before: Strategy, target: Strategy) -> set[str]:
    names = {item.provider for item in (*before, *target)}
    return {name for name in names if share(target, name) > share(before, name)}


def moved(strategy: Strategy, count: int, names: set[str]) -> float:
    return sum(tasks for name, tasks in expected_split(strategy, count).items() if name in names)


@given(way=ways(), percentages=PERCENTAGES)
def test_every_step_is_a_strategy_that_ecs_takes(way: tuple[Strategy, Strategy], percentages: list[int]) -> None:
    before, target = way
    steps = capacity_steps(before, target, percentages)
    assert steps[-1] == target
    assert len(steps) <= len(set(percentages)) + 1
    for step in steps:
        assert 1 <= len(step) <= 20
        assert len({item.provider for item in step}) == len(step)
        assert all(0 <= item.weight <= 1000 and 0 <= item.base <= 100_000 for item in step)
        assert any(item.weight for item in step)
        assert sum(bool(item.base) for item in step) <= 1


@given(way=ways(), percentages=PERCENTAGES)
def test_the_base_is_never_lost_on_the_way(way: tuple[Strategy, Strategy], percentages: list[int]) -> None:
    before, target = way
    held, wanted = based(before), based(target)
    for step in capacity_steps(before, target, percentages)[:-1]:
        provider, base = based(step)
        assert provider in {held[0], wanted[0]}
        assert base >= (held[1] or wanted[1])
        assert provider != wanted[0] or base >= wanted[1]
        assert not held[1] or provider == held[0]


@given(way=ways(), percentages=PERCENTAGES, count=COUNTS)
def test_tasks_on_the_target_never_become_fewer_from_step_to_step(
    way: tuple[Strategy, Strategy], percentages: list[int], count: int
) -> None:
    before, target = way
    names = growing(before, target)
    steps = capacity_steps(before, target, percentages)
    same_base = [step for step in steps if based(step) == based(steps[0])]
    counts = [moved(step, count, names) for step in same_base]
    assert all(one <= other + 1e-9 for one, other in pairwise(counts))
    if based(before)[0] not in names and based(target)[0] not in names and len(same_base) < len(steps):
        # The base of the strategy before is given up at last: what it held moves on as well.
        assert moved(steps[-2], count, names) <= moved(steps[-1], count, names) + based(target)[1] + 1e-9


@given(way=ways(), percentages=PERCENTAGES, count=COUNTS)
def test_a_step_that_is_taken_moves_a_task(way: tuple[Strategy, Strategy], percentages: list[int], count: int) -> None:
    before, target = way
    taken = steps_to_take(before, capacity_steps(before, target, percentages), count)
    assert taken[-1] == target
    splits = [placed(step, count) for step in (before, *taken[:-1])]
    assert all(one != other for one, other in pairwise(splits))
    assert count > 1 or len(taken) == 1


@given(way=ways(), percentages=PERCENTAGES)
def test_no_step_repeats_another(way: tuple[Strategy, Strategy], percentages: list[int]) -> None:
    before, target = way
    steps = capacity_steps(before, target, percentages)
    for number, step in enumerate(steps[:-1]):
        assert not any(alike(step, other) for other in (before, *steps[:number], target))


@given(way=ways(), count=COUNTS)
def test_whole_tasks_are_placed_as_the_scripted_ecs_does(way: tuple[Strategy, Strategy], count: int) -> None:
    strategy, _ = way
    scripted = next_providers(strategy, [], count)
    split = placed(strategy, count)
    assert sum(split.values()) == count
    ideal = expected_split(strategy, count)
    for item in strategy:
        assert split.get(item.provider, 0) >= min(item.base, count)
        assert abs(split.get(item.provider, 0) - scripted.count(item.provider)) <= 1
        assert split.get(item.provider, 0) >= ideal[item.provider] - 1 - 1e-9
