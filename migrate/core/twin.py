"""The twin: a second service of ours that runs the ARM64 revision beside the one that moves (modes canary, mixed).

It is made from the settings of the service itself, on the same target groups, or as one more consumer where there are
none. It has no auto scaling. What can only be held by one service at a time cannot be twinned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from migrate.core.documents import Document, fields
from migrate.core.facts import Strategy
from migrate.core.service_settings import child, children, deployment_strategy, load_balancers

TWIN = "twin"
"""Logical name of the twin in the service stack: nothing else in it may ever be deleted."""

LONGEST_NAME = 255
"""ECS API reference, CreateService: up to 255 letters, numbers, underscores and hyphens."""

_SUFFIX = "-migrate-arm64"
_DIGEST_LENGTH = 8
_WHOLE = 100


class TwinPhase(StrEnum):
    """How far a twin has come. It is written down before the step is taken."""

    ALONE = "alone"
    """Only the twin runs ARM64; in mode mixed that is where it ends."""
    BESIDE = "beside"
    """The service itself moves to ARM64, and the twin runs beside it."""
    LEAVING = "leaving"
    """The service is proven on ARM64, and the twin goes."""


@dataclass(frozen=True, slots=True)
class Twin:
    """A twin on record. ``count`` is how many tasks it was made with; ``arn`` is None until ECS told it."""

    name: str
    count: int
    phase: TwinPhase = TwinPhase.ALONE
    arn: str | None = None


@dataclass(frozen=True, slots=True)
class TwinInputs:
    """The twin in the inputs of stacks/service; capacity and revision are those of the stage.

    ``adopt`` takes the one into the state that ECS has and the state does not know: its making was cut off.
    """

    cluster_arn: str
    name: str
    document: Document
    task_definition: str
    launch_type: str | None
    strategy: Strategy
    count: int
    adopt: bool = False


def is_twin(service: str, others: Collection[str]) -> bool:
    """Tell whether a service is the twin of one of the others, by its name."""
    return service.endswith(_SUFFIX) and any(twin_name(other) == service for other in others)


def twin_name(service: str) -> str:
    """Return the name of a service's twin; a name that would be too long is cut and told apart by a digest."""
    whole = service + _SUFFIX
    if len(whole) <= LONGEST_NAME:
        return whole
    digest = hashlib.sha256(service.encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{service[: LONGEST_NAME - len(_SUFFIX) - _DIGEST_LENGTH - 1]}-{digest}{_SUFFIX}"


def twin_count(desired_count: int, share: int) -> int:
    """Return how many tasks a twin gets: the share in percent, rounded up, at least one; none where none is wanted."""
    return max(1, -(-desired_count * share // _WHOLE)) if desired_count else 0


def not_twinned(document: Document) -> tuple[tuple[str, str], ...]:
    """Return what keeps a service from having a twin: JSON path and reason of each (ECS API reference, Service)."""
    return tuple(_not_twinned(document))


def _not_twinned(document: Document) -> Iterator[tuple[str, str]]:
    settings = fields(document)
    if children(settings, "serviceRegistries"):
        yield "$.serviceRegistries", "its service registry (Cloud Map) would give clients the twin's tasks as well"
    connect = child(settings, "serviceConnectConfiguration")
    if connect.get("enabled") and children(connect, "services"):
        reason = "it offers a name in Service Connect, which one service of a namespace can hold alone"
        yield "$.serviceConnectConfiguration.services", reason
    if children(settings, "vpcLatticeConfigurations"):
        yield "$.vpcLatticeConfigurations", "its VPC Lattice target groups would have two owners"
    strategy = deployment_strategy(document)
    if strategy != "ROLLING":
        yield "$.deploymentConfiguration.strategy", f"it deploys by {strategy} itself, which moves traffic by listener"
    for index, entry in enumerate(load_balancers(document)):
        if entry.get("advancedConfiguration"):
            path = f"$.loadBalancers[{index}].advancedConfiguration"
            yield path, "its listener rules belong to one service"
