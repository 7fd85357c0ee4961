"""Preflight of the service: where it runs, whether it rests, and how many tasks there are to prove anything on."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.preflight.paths import in_service
from migrate.core.settings import Settings


def service_findings(observation: Observation) -> Iterator[Finding]:
    """Yield what the service's own state says against a migration."""
    service = observation.service
    # A DAEMON has a finding of its own, which knows the instances.
    if service.launch_type not in (None, "FARGATE") and service.scheduling_strategy != "DAEMON":
        yield finding(
            "service.launch-type",
            Grade.BLOCK,
            2,
            f"The service uses launch type {service.launch_type}; where its tasks run is decided by placement.",
            "Move it to a capacity provider first: ARM64 needs capacity that is known to be ARM64.",
            in_service("$.launchType", service.launch_type),
        )
    if len(service.deployments) > 1 or (service.primary and service.primary.rollout_state == "IN_PROGRESS"):
        yield finding(
            "service.deployment-in-progress",
            Grade.BLOCK,
            0,
            "A deployment is under way.",
            "Wait until it has ended, then plan again.",
            tuple((item.id, f"{item.status} {item.rollout_state}") for item in service.deployments),
        )
    if service.desired_count == 0:
        actions = observation.surroundings.scheduled_actions
        yield finding(
            "service.desired-count-zero",
            Grade.WARN,
            0,
            'The desired count is 0: no gate can prove anything on running tasks, and each will say "not exercised".',
            "Migrate while tasks run, or run one task of the new revision by hand (`aws ecs run-task`) as a smoke "
            "test; this tool never raises the desired count.",
            (*in_service("$.desiredCount", 0), *(("scheduled action", f"{a.name} {a.schedule}") for a in actions)),
        )


def container_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield that the settings name a container which the task definition does not have."""
    if observation.image(settings.image.container) is None:
        names = ", ".join(image.container for image in observation.images)
        yield finding(
            "task-definition.container",
            Grade.BLOCK,
            0,
            f"The task definition has no container named {settings.image.container}.",
            f"Set image.container in migrate.toml to one of: {names}.",
            (("task definition", "$.containerDefinitions[*].name"), ("containers", names)),
        )
