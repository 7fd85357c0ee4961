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


def split_of(providers: Iterable[str | None]) -> dict[str, int]:
    """Count tasks by provider; tasks without one are counted under an empty name."""
    return dict(Counter(provider or "" for provider in providers))


def follows(strategy: Strategy, seen: dict[str, int]) -> bool:
    """Tell whether a spread is one that ECS could have made of the strategy.

    Every task is on a named provider, the base is filled, and no provider is more than one task from its ideal:
    ECS places whole tasks one at a time, so counts differ from the ideal by less than one.
    """
    count = sum(seen.values())
    ideal = expected_split(strategy, count)
    if set(seen) - set(ideal):
        return False
    if any(seen.get(item.provider, 0) < min(item.base, count) for item in strategy):
        return False
    return all(abs(seen.get(provider, 0) - wanted) <= 1 for provider, wanted in ideal.items())
