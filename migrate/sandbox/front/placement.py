"""Capacity provider strategies: what ECS refuses, and how it splits tasks over providers (facts F13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.sandbox.front.http import AwsError
from migrate.sandbox.front.records import FARGATE_PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from migrate.sandbox.front.http import Json

_MOST_ITEMS, _MOST_WEIGHT, _MOST_BASE = 20, 1000, 100_000
MUST_FORCE = (
    "When switching from launch type to capacity provider strategy on an existing service, or making a change to a "
    "capacity provider strategy on a service that is already using one, you must force a new deployment."
)
BOTH_CHOICES = (
    "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
)


def _refuse(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


def provider_name(reference: str) -> str:
    """Return the name in a capacity provider's name or ARN."""
    return reference.rpartition("/")[2]


def normalised(strategy: Sequence[Json]) -> list[Json]:
    """Return the strategy as the API answers it: weight and base written out (API defaults 0)."""
    return [
        {
            "capacityProvider": provider_name(item.get("capacityProvider", "")),
            "weight": int(item.get("weight", 0)),
            "base": int(item.get("base", 0)),
        }
        for item in strategy
    ]


def same_strategy(one: Sequence[Json], other: Sequence[Json]) -> bool:
    """Whether two strategies say the same, in whatever order."""

    def key(item: Json) -> str:
        return str(item["capacityProvider"])

    return sorted(normalised(one), key=key) == sorted(normalised(other), key=key)


def check_strategy(strategy: Sequence[Json], associated: Collection[str]) -> None:
    """Raise InvalidParameterException for what ECS refuses; ``associated`` are the cluster's capacity providers."""
    items = normalised(strategy)
    names = [item["capacityProvider"] for item in items]
    if len(items) > _MOST_ITEMS:
        raise _refuse("A capacity provider strategy can contain a maximum of 20 capacity providers.")
    if len(set(names)) != len(names):
        raise _refuse("A capacity provider can be specified only once in a capacity provider strategy.")
    if any(not 0 <= item["weight"] <= _MOST_WEIGHT for item in items):
        raise _refuse("The weight of a capacity provider must be between 0 and 1000. Specify a valid value.")
    if any(not 0 <= item["base"] <= _MOST_BASE for item in items):
        raise _refuse("The base of a capacity provider must be between 0 and 100000. Specify a valid value.")
    if sum(item["base"] > 0 for item in items) > 1:
        raise _refuse("Only one capacity provider in a capacity provider strategy can have a base defined.")
    if all(item["weight"] == 0 for item in items):
        raise _refuse(
            "There are no capacity providers with a weight value greater than zero defined in the capacity provider "
            "strategy. At least one capacity provider must have a weight value greater than zero specified."
        )
    if len({name in FARGATE_PROVIDERS for name in names}) > 1:
        raise _refuse(
            "A capacity provider strategy cannot contain a mix of capacity providers using Auto Scaling groups and "
            "Fargate providers. Specify one or the other and try again."
        )
    if not set(names) <= set(associated):
        raise _refuse(
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with "
            "the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and "
            "try again."
        )


def next_provider(strategy: Sequence[Json], placed: Mapping[str, int]) -> str:
    """Return the provider for one more task: the base first, then who is furthest below its share of the weights."""
    items = normalised(strategy)
    for item in items:
        if placed.get(item["capacityProvider"], 0) < item["base"]:
            return str(item["capacityProvider"])
    weighted = [item for item in items if item["weight"]]

    def load(item: Json) -> float:
        beyond: int = placed.get(item["capacityProvider"], 0) - item["base"] + 1
        return float(beyond / item["weight"])

    return str(min(weighted, key=load)["capacityProvider"])


def most_loaded(strategy: Sequence[Json], placed: Mapping[str, int]) -> str | None:
    """Return the provider to take a task from when the service shrinks; None when the strategy's have none."""
    present = [item for item in normalised(strategy) if placed.get(item["capacityProvider"], 0)]

    def load(item: Json) -> float:
        beyond = placed[item["capacityProvider"]] - item["base"]
        if beyond <= 0:
            return float(beyond) - _MOST_BASE
        return float(beyond / item["weight"]) if item["weight"] else float("inf")

    return str(max(present, key=load)["capacityProvider"]) if present else None
