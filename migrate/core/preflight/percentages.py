"""Preflight of minimum and maximum percent: whether a deployment can roll at all (case C46)."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.documents import fields
from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.preflight.paths import in_service
from migrate.core.rollout_percentages import Rollout, RolloutRoom, may_rebalance, rollout_room
from migrate.core.service_settings import deployment_strategy, percentages

_CONFIGURATION = "$.deploymentConfiguration"


def percentage_findings(observation: Observation) -> Iterator[Finding]:
    """Yield what minimum and maximum percent do to a rolling deployment of a REPLICA service."""
    service = observation.service
    rolls = deployment_strategy(service.document) == "ROLLING" and service.deployment_controller == "ECS"
    found = percentages(service.document)
    if found is None or not rolls or service.scheduling_strategy == "DAEMON":
        return
    # A service on a launch type is deployed at stage 0 already: it moves to the capacity provider (facts F2).
    first = 0 if service.launch_type == "FARGATE" else 1
    room = rollout_room(service.desired_count, *found)
    evidence = _evidence(room, *found)
    if room.rollout is Rollout.DEAD:
        yield finding(
            "service.rollout-impossible",
            Grade.BLOCK,
            first,
            f"No deployment can ever finish: of {room.desired} tasks {room.keep} must stay and no more than "
            f"{room.most} may run, so that ECS may neither start nor stop one.",
            "Set maximumPercent to 200 (or minimumHealthyPercent so low that one task may stop).",
            evidence,
        )
    elif room.rollout is Rollout.DOWNTIME:
        yield finding(
            "service.rollout-downtime",
            Grade.WARN,
            first,
            "Every deployment may stop all tasks before the new ones run: minimumHealthyPercent keeps none.",
            "Accept the downtime at each stage, or set minimumHealthyPercent to 100 and maximumPercent to 200.",
            evidence,
        )
    else:
        yield from _when_scaled(observation, *found, first)
    if fields(service.document).get("availabilityZoneRebalancing") == "ENABLED" and not may_rebalance(found[1]):
        yield finding(
            "service.zone-rebalancing",
            Grade.WARN,
            first,
            f"Availability Zone rebalancing is on and maximumPercent is {found[1]}: ECS refuses this pair.",
            "Raise maximumPercent above 100, or turn the rebalancing off.",
            (*in_service("$.availabilityZoneRebalancing", "ENABLED"), *evidence),
        )


def _when_scaled(observation: Observation, minimum: int, maximum: int, first: int) -> Iterator[Finding]:
    target = observation.surroundings.scalable_target
    if target is None:
        return
    counts = range(max(target.minimum, 1), target.maximum + 1)
    dead = next((count for count in counts if rollout_room(count, minimum, maximum).rollout is Rollout.DEAD), None)
    if dead is not None:
        yield finding(
            "service.rollout-impossible-when-scaled",
            Grade.WARN,
            first,
            f"At {dead} tasks, to which auto scaling may bring the service, no deployment can ever finish.",
            "Set maximumPercent to 200, or raise the minimum of the scalable target for the time of the migration.",
            (("scalable target", f"{target.minimum} to {target.maximum}"), *_percentages(minimum, maximum)),
        )


def _evidence(room: RolloutRoom, minimum: int, maximum: int) -> tuple[tuple[str, str], ...]:
    return (("desired count", str(room.desired)), *_percentages(minimum, maximum))


def _percentages(minimum: int, maximum: int) -> tuple[tuple[str, str], ...]:
    return (
        *in_service(f"{_CONFIGURATION}.minimumHealthyPercent", minimum),
        *in_service(f"{_CONFIGURATION}.maximumPercent", maximum),
    )
