"""Preflight of the service's subnets: zones without ARM64, subnets that are gone, addresses for a deployment."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.preflight.paths import in_service
from migrate.core.rollout_percentages import rollout_room
from migrate.core.service_settings import on_fargate, percentages
from migrate.core.settings import Settings
from migrate.core.surroundings import own_providers, subnet_ids

ZONES_WITHOUT_ARM64 = frozenset({"use1-az3"})
"""Zone ids in which Fargate has no ARM64 (facts F26; ECS developer guide, "64-bit ARM workloads on Fargate")."""

_SUBNETS = "$.networkConfiguration.awsvpcConfiguration.subnets"


def network_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield what the subnets say against ARM64 tasks on Fargate, and against any deployment."""
    if not subnet_ids(observation.service):
        return
    if any(item.what == "the subnets" for item in observation.surroundings.unread):
        return
    yield from _missing(observation)
    if _runs_on_fargate(observation, settings):
        yield from _zones(observation)
    yield from _addresses(observation)


def _runs_on_fargate(observation: Observation, settings: Settings) -> bool:
    """Tell whether ARM64 tasks of any stage are to run on Fargate: those of stage 2 run where the service is now."""
    now = on_fargate(observation.service, observation.cluster.default_strategy)
    return now or not own_providers(item.provider for item in settings.capacity)


def _zones(observation: Observation) -> Iterator[Finding]:
    subnets = observation.surroundings.subnets
    without = [item for item in subnets if item.zone_id in ZONES_WITHOUT_ARM64]
    if not without:
        return
    zones = ", ".join(sorted({item.zone_id for item in without}))
    names = ", ".join(item.id for item in without)
    every = len(without) == len(subnets)
    rest = f"{names} is the only kind of subnet that the service has" if every else f"{names} can take none of them"
    yield finding(
        "network.zone-without-arm64",
        Grade.BLOCK if every else Grade.WARN,
        2,
        f"Fargate has no ARM64 in the Availability Zone {zones}: {rest}.",
        "Give the service a subnet in another zone of its network."
        if every
        else "Take it out of the service's subnets, or accept that ARM64 tasks run in the other zones only.",
        (*in_service(_SUBNETS), *((item.id, f"{item.zone} ({item.zone_id})") for item in subnets)),
    )


def _missing(observation: Observation) -> Iterator[Finding]:
    wanted, there = subnet_ids(observation.service), {item.id for item in observation.surroundings.subnets}
    gone = [name for name in wanted if name not in there]
    if gone:
        yield finding(
            "network.subnet-missing",
            Grade.BLOCK if len(gone) == len(wanted) else Grade.WARN,
            0,
            f"EC2 shows no subnet {', '.join(gone)}: a task that ECS wants to place there cannot start.",
            "Correct the service's subnets before any deployment.",
            in_service(_SUBNETS, ", ".join(wanted)),
        )


def _addresses(observation: Observation) -> Iterator[Finding]:
    """Yield a warning where a deployment needs more addresses than are free: each awsvpc task takes one."""
    subnets, service = observation.surroundings.subnets, observation.service
    counts = [item.free_addresses for item in subnets if item.free_addresses is not None]
    found = percentages(service.document)
    if found is None or not subnets or len(counts) < len(subnets):
        return
    beside, free = rollout_room(service.desired_count, *found).may_start, sum(counts)
    if beside > free:
        yield finding(
            "network.addresses",
            Grade.WARN,
            0,
            f"A deployment may start {beside} tasks beside the running ones, and the subnets have {free} free "
            "addresses.",
            "Add a subnet, or lower maximumPercent so that fewer tasks run side by side.",
            tuple((item.id, f"{item.free_addresses} free") for item in subnets),
        )
