"""Preflight of health checks: whether a slow first start on ARM64 gets the time it needs (case C59)."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.documents import Json, fields
from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.preflight.paths import in_service, in_task_definition
from migrate.core.service_settings import child, load_balancers, number
from migrate.core.task_definition import containers

_INTERVAL, _RETRIES = 30, 3
"""Defaults of a container health check (ECS API, HealthCheck)."""


def health_findings(observation: Observation) -> Iterator[Finding]:
    """Yield what the grace period and the target groups mean for a task that starts slowly."""
    service = observation.service
    grace = number(fields(service.document), "healthCheckGracePeriodSeconds", 0)
    balanced = bool(load_balancers(service.document) or fields(service.document).get("vpcLatticeConfigurations"))
    checks = [
        (index, check)
        for index, container in enumerate(containers(observation.task_definition.document))
        if (check := child(container, "healthCheck"))
    ]
    if balanced:
        yield from _too_short(grace, checks)
    elif grace and not checks:
        yield finding(
            "service.grace-period-unused",
            Grade.INFO,
            0,
            f"The grace period of {grace} s has nothing to wait for: the service has neither a load balancer nor a "
            "container health check.",
            "Nothing to do; it stays as it is.",
            in_service("$.healthCheckGracePeriodSeconds", grace),
        )
    groups = service.target_group_arns
    if len(groups) > 1:
        yield finding(
            "service.several-target-groups",
            Grade.INFO,
            1,
            f"The service stands in {len(groups)} target groups, and ECS replaces a task that is unhealthy in any.",
            "Nothing to do: the gate asks for health in all of them.",
            tuple(("target group", arn) for arn in groups),
        )


def _too_short(grace: int, checks: list[tuple[int, dict[str, Json]]]) -> Iterator[Finding]:
    for index, check in checks:
        start = number(check, "startPeriod", 0)
        until_unhealthy = number(check, "interval", _INTERVAL) * number(check, "retries", _RETRIES)
        path = f"$.containerDefinitions[{index}].healthCheck"
        evidence = in_service("$.healthCheckGracePeriodSeconds", grace)
        if grace < start:
            yield finding(
                "service.grace-period-short",
                Grade.WARN,
                1,
                f"The container may take {start} s to start, and after {grace} s the load balancer's verdict counts: "
                "a task that starts slowly is stopped again and again, also during a rollback.",
                f"Set healthCheckGracePeriodSeconds to {start + until_unhealthy} or more before stage 1.",
                (*evidence, *in_task_definition(f"{path}.startPeriod", start)),
            )
            return
        if not start and 0 < grace < until_unhealthy:
            yield finding(
                "service.grace-period-tight",
                Grade.INFO,
                1,
                f"The container's own check takes up to {until_unhealthy} s to decide, the grace period is {grace} s: "
                "the load balancer decides first.",
                "If tasks of the first ARM64 deployment are replaced early, raise healthCheckGracePeriodSeconds.",
                (*evidence, *in_task_definition(path, check)),
            )
            return
