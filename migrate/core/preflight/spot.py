"""Preflight of Spot: what is left when it is taken away, and whether tasks end well (case C60, facts F26 and F27).

That ARM64 runs on Fargate Spot is taken for granted: pages and errors that deny it are older than September 2024.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.capacity import expected_split
from migrate.core.documents import Json
from migrate.core.facts import Strategy
from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.preflight.paths import Evidence, in_service, in_task_definition
from migrate.core.preflight.signals import signal_findings
from migrate.core.rollout_percentages import DEFAULT_MINIMUM, rollout_room
from migrate.core.service_settings import load_balancers, percentages
from migrate.core.settings import Settings
from migrate.core.task_definition import containers

SPOT = "FARGATE_SPOT"
_NOTICE = 120
"""Seconds between the warning and the end of a Spot task, and the longest stopTimeout on Fargate (facts F27)."""

_DEFAULT_STOP_TIMEOUT = 30


def spot_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield what the target strategy and the containers mean for a service some of whose tasks may be taken away."""
    if not any(item.provider == SPOT and (item.weight or item.base) for item in settings.capacity):
        return
    yield from _what_is_left(observation, settings.capacity)
    yield from _draining(observation)
    yield from _stop_timeouts(observation)
    yield from signal_findings(observation)


def _what_is_left(observation: Observation, strategy: Strategy) -> Iterator[Finding]:
    desired = observation.service.desired_count
    spot = expected_split(strategy, desired).get(SPOT, 0.0)
    evidence: Evidence = (
        ("desired count", str(desired)),
        *((item.provider, f"weight {item.weight} base {item.base}") for item in strategy),
    )
    if all(item.provider == SPOT for item in strategy if item.weight or item.base):
        base = max(_must_stay(observation), 1)
        yield finding(
            "capacity.spot-only",
            Grade.WARN,
            3,
            "Every task would run on Spot, and ECS does not fall back to on-demand: with no Spot capacity in the "
            "region's ARM64 pool nothing runs.",
            f"Give FARGATE a base in capacity.strategy; {base} would hold the minimum healthy count.",
            evidence,
        )
        return
    if desired and spot < 1:
        yield finding(
            "capacity.nothing-on-spot",
            Grade.INFO,
            3,
            f"Of {desired} tasks none would run on Spot: the base is filled first.",
            "Nothing to do; stage 3 saves something only with more tasks.",
            evidence,
        )
        return
    yield from _base(observation, strategy, evidence)


def _base(observation: Observation, strategy: Strategy, evidence: Evidence) -> Iterator[Finding]:
    desired = observation.service.desired_count
    found = percentages(observation.service.document)
    if found is None or not desired:
        return
    must_stay = _must_stay(observation)
    certain = int(desired - expected_split(strategy, desired).get(SPOT, 0.0))
    if certain < must_stay:
        yield finding(
            "capacity.base-small",
            Grade.INFO,
            3,
            f"Should Spot be taken away at once, {certain} of {desired} tasks are left; minimumHealthyPercent "
            f"{found[0]} asks for {must_stay}.",
            f"Let base be the number of tasks that can carry the load for a while; {must_stay} holds the minimum "
            "healthy count.",
            (*evidence, *in_service("$.deploymentConfiguration.minimumHealthyPercent", found[0])),
        )


def _must_stay(observation: Observation) -> int:
    minimum = (percentages(observation.service.document) or (DEFAULT_MINIMUM, 0))[0]
    return rollout_room(observation.service.desired_count, minimum, 200).keep


def _draining(observation: Observation) -> Iterator[Finding]:
    for arn, seconds in observation.surroundings.deregistration_delays:
        if seconds >= _NOTICE:
            yield finding(
                "service.deregistration-delay",
                Grade.WARN,
                3,
                f"A target group gives connections {seconds} s to drain, and a Spot task is gone {_NOTICE} s after its "
                "warning: what is still open then is cut off.",
                "Set the target group's deregistration_delay.timeout_seconds below 120 before stage 3.",
                (("target group", arn), ("deregistration_delay.timeout_seconds", str(seconds))),
            )


def _stop_timeouts(observation: Observation) -> Iterator[Finding]:
    if not observation.service.target_group_arns:
        return
    balanced = {str(item.get("containerName")) for item in load_balancers(observation.service.document)}
    for index, container in enumerate(containers(observation.task_definition.document)):
        if str(container.get("name")) not in balanced:
            continue
        given: Json = container.get("stopTimeout")
        timeout = given if isinstance(given, int) and given else _DEFAULT_STOP_TIMEOUT
        if timeout < _NOTICE:
            yield finding(
                "container.stop-timeout",
                Grade.INFO,
                3,
                f"Container {container.get('name')} behind the load balancer has {timeout} s after SIGTERM, of the "
                f"{_NOTICE} s that a Spot task is given.",
                "Let stopTimeout be longer than the longest request, and the deregistration delay of the target "
                "group shorter than two minutes.",
                in_task_definition(f"$.containerDefinitions[{index}].stopTimeout", given or "absent (30)"),
            )
