"""How a capacity provider strategy spreads tasks, and whether a seen spread follows it (facts F13, F24)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from migrate.core.facts import Strategy


def expected_split(strategy: Strategy, count: int) -> dict[str, float]:
    """Return the ideal number of tasks on each provider, base first, the rest by weight (not rounded).

    Source: ECS developer guide, "Capacity provider strategy considerations": base tasks are placed first, then
    tasks follow the ratio of the weights.
    """
    split = {item.provider: float(min(item.base, count)) for item in strategy}
    rest = count - sum(split.values())
    total = sum(item.weight for item in strategy)
    for item in strategy:
        if total:
            split[item.provider] += rest * item.weight / total
    return split


def shown_strategy(strategy: Strategy) -> str:
    """Return a strategy in words: ``FARGATE weight 1 base 1, FARGATE_SPOT weight 3``."""
    return ", ".join(
        f"{item.provider} weight {item.weight}" + (f" base {item.base}" if item.base else "") for item in strategy
    )


def in_any_order(strategy: Strategy) -> list[tuple[str, int, int]]:
    """Return provider, weight and base of each item such that strategies which place tasks alike are equal.

    The order of the items means nothing to ECS.
    """
    return sorted((item.provider, item.weight, item.base) for item in strategy)


def split_of(providers: Iterable[str | None]) -> dict[str, int]:
    """Count tasks by provider; tasks without one are counted under an empty name."""
    return dict(Counter(provider or "" for provider in providers))


def follows(strategy: Strategy, seen: dict[str, int]) -> bool:
    """Tell whether a spread is one that ECS could have made of the strategy.

    Every task is on a named provider, the base is filled, and no provider is more than one task from its ideal: ECS
    places whole tasks one at a time. Of three providers and more, one may be further from it after single steps that
    were all right; then the steps are looked at.
    """
    count = sum(seen.values())
    ideal = expected_split(strategy, count)
    if set(seen) - set(ideal):
        return False
    if any(seen.get(item.provider, 0) < min(item.base, count) for item in strategy):
        return False
    near = all(abs(seen.get(provider, 0) - wanted) <= 1 for provider, wanted in ideal.items())
    return near or _step_by_step(strategy, seen, count)


def _step_by_step(strategy: Strategy, seen: dict[str, int], count: int) -> bool:
    """Tell whether giving each next task to the provider with the lowest ratio to its weight leads to the spread.

    Which ratio is not documented: that before the task is given, or with it, or between. With ``d`` from 0 to 1 it is
    (tasks + d) / weight, and the last task of one provider must not have been due to another one before.
    """
    rest = {item: seen.get(item.provider, 0) - min(item.base, count) for item in strategy}
    if any(given and not item.weight for item, given in rest.items()):
        return False
    lowest, highest = 0.0, 1.0
    weighted = [item for item in strategy if item.weight]
    for mine in weighted:
        for other in weighted:
            room = rest[other] * mine.weight - (rest[mine] - 1) * other.weight
            slope = other.weight - mine.weight
            if slope > 0:
                highest = min(highest, room / slope)
            elif slope < 0:
                lowest = max(lowest, room / slope)
            elif room < 0:
                return False
    return lowest <= highest
