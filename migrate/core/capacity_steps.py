"""The way from one capacity provider strategy to another in steps of weight, each provable before the next.

A step moves a part of the weight and never the base: the base of the strategy before is kept until the last step, and
a base of the target is there from the first one. Only within one kind of provider: Fargate and Auto Scaling group
providers can never stand in one strategy (facts F13), so that the way from one kind to the other goes at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import ceil, floor, gcd, lcm

from migrate.core.capacity import shown_strategy
from migrate.core.cost.cost import ON_DEMAND, SPOT
from migrate.core.facts import Strategy, StrategyItem
from migrate.core.settings import Settings

MOST_ITEMS = 20
MOST_WEIGHT = 1000
WHOLE_WAY = 100


def capacity_steps(before: Strategy, target: Strategy, percentages: Sequence[int]) -> tuple[Strategy, ...]:
    """Return the strategies to go through, the target last; only the target where there is no way in between.

    ``percentages`` (above 0, below 100) say how much of the weight has moved at each step. Tasks beyond the base are
    never fewer on the providers that the target asks more of than at the step before.
    """
    if not percentages or not steps_are_possible(before, target):
        return (target,)
    ways = [Fraction(percentage, WHOLE_WAY) for percentage in sorted(set(percentages))]
    start, end = _shares(before), _shares(target)
    names = dict.fromkeys(item.provider for item in (*before, *target))
    shares = [{name: (1 - way) * start.get(name, 0) + way * end.get(name, 0) for name in names} for way in ways]
    base = _kept_base(before, target)
    found: list[Strategy] = []
    for weights in _whole_weights(shares, end):
        step = tuple(
            StrategyItem(name, weight, base[1] if base[0] == name else 0)
            for name, weight in weights.items()
            if weight or base[0] == name
        )
        if alike(step, target):
            break
        if not any(alike(step, other) for other in (before, *found)):
            found.append(step)
    return (*found, target)


def steps_are_possible(before: Strategy, target: Strategy) -> bool:
    """Tell whether a strategy may stand between two others (facts F13)."""
    names = {item.provider for item in (*before, *target)}
    kinds = {name in (ON_DEMAND, SPOT) for name in names}
    weighed = all(any(item.weight for item in strategy) for strategy in (before, target))
    return weighed and len(kinds) == 1 and len(names) <= MOST_ITEMS


def steps_to_take(before: Strategy, steps: Sequence[Strategy], count: int) -> tuple[Strategy, ...]:
    """Leave out the steps that move no task of ``count``: a deployment that changes nothing proves nothing.

    The last step, the target, is always taken. A service of one task goes at once.
    """
    taken: list[Strategy] = []
    there = placed(before, count)
    for step in steps[:-1]:
        split = placed(step, count)
        if split not in (there, placed(steps[-1], count)):
            taken.append(step)
            there = split
    return (*taken, steps[-1])


def way_in_steps(before: Strategy, settings: Settings, count: int) -> tuple[Strategy, ...]:
    """Return the strategies that stage 3 goes through with ``count`` tasks, the target last."""
    return _way(before, settings.capacity, settings.capacity_steps, count)


@lru_cache
def _way(before: Strategy, target: Strategy, percentages: tuple[int, ...], count: int) -> tuple[Strategy, ...]:
    # The services of a fleet hardly differ in any of this, and each plan asks twice.
    return steps_to_take(before, capacity_steps(before, target, percentages), count)


def told_steps(before: Strategy, settings: Settings, count: int) -> tuple[tuple[str, str, str], ...]:
    """Return the way in words, for a plan: name, before and after of each step, and why there are fewer than asked."""
    steps = way_in_steps(before, settings, count)
    shown = [shown_strategy(step) for step in (before, *steps)]
    told = [(f"step {number} of {len(steps)}", *pair) for number, pair in enumerate(pairwise(shown), 1)]
    asked = ", ".join(f"{percentage} %" for percentage in settings.capacity_steps)
    if not asked or len(steps) > len(settings.capacity_steps):
        return tuple(told) if len(steps) > 1 else ()
    if not before:
        why = "at once: the service is on a launch type"
    elif not steps_are_possible(before, settings.capacity):
        why = "at once: Fargate and Auto Scaling group providers cannot stand in one strategy"
    else:
        why = f"{len(steps) - 1} on the way: a step that moves none of {count} tasks is left out"
    return (("steps", asked, why), *(told if len(steps) > 1 else ()))


def placed(strategy: Strategy, count: int) -> dict[str, int]:
    """Return how many of ``count`` tasks each provider gets when whole tasks are placed one at a time.

    The base comes first, then always the provider that is furthest behind its weight (ECS developer guide, "Capacity
    provider strategy considerations"); ECS may place one task otherwise.
    """
    split = Counter({item.provider: min(item.base, count) for item in strategy if item.base})
    beyond: Counter[str] = Counter()
    weighed = [item for item in strategy if item.weight]
    for _ in range(count - split.total() if weighed else 0):
        item = min(weighed, key=lambda item: (Fraction(beyond[item.provider] + 1, item.weight), -item.weight))
        beyond[item.provider] += 1
    return {name: tasks for name, tasks in (split + beyond).items() if tasks}


def alike(one: Strategy, other: Strategy) -> bool:
    """Tell whether two strategies place tasks in the same way: the same shares and the same base."""
    bases = [{(item.provider, item.base) for item in strategy if item.base} for strategy in (one, other)]
    return bases[0] == bases[1] and _shares(one) == _shares(other)


def _shares(strategy: Strategy) -> dict[str, Fraction]:
    total = sum(item.weight for item in strategy)
    return {item.provider: Fraction(item.weight, total) for item in strategy if item.weight}


def _kept_base(before: Strategy, target: Strategy) -> tuple[str, int]:
    held, wanted = (
        next(((item.provider, item.base) for item in strategy if item.base), ("", 0)) for strategy in (before, target)
    )
    if held[1] and (held[0] != wanted[0] or held[1] > wanted[1]):
        return held
    return wanted


def _whole_weights(shares: Sequence[dict[str, Fraction]], end: dict[str, Fraction]) -> list[dict[str, int]]:
    """Return weights from 0 to 1000 for the shares: exact where that is possible for all steps.

    Otherwise in thousandths, rounded away from the target, so that no step goes further than the one after it.
    """
    exact = [_exact(step) for step in shares]
    if all(max(weights.values()) <= MOST_WEIGHT for weights in exact):
        return exact
    return [
        {
            name: floor(share * MOST_WEIGHT) if share <= end.get(name, 0) else ceil(share * MOST_WEIGHT)
            for name, share in step.items()
        }
        for step in shares
    ]


def _exact(shares: dict[str, Fraction]) -> dict[str, int]:
    scale = lcm(*(share.denominator for share in shares.values()))
    weights = {name: int(share * scale) for name, share in shares.items()}
    common = gcd(*weights.values())
    return {name: weight // common for name, weight in weights.items()}
