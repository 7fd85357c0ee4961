"""Preflight of the service and its task definition."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.documents import fields
from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.settings import Settings
from migrate.core.task_definition import unknown_fields

_OWNER_TAGS = {"aws:cloudformation:stack-name": "CloudFormation", "copilot-application": "AWS Copilot"}


def service_findings(observation: Observation) -> Iterator[Finding]:
    """Yield what the service's own settings, its state and its owner say against a migration."""
    yield from _kind(observation)
    yield from _state(observation)
    for tag, owner in _owners(observation):
        yield finding(
            "service.owned",
            Grade.BLOCK,
            0,
            f"The service belongs to {owner}, which would undo the move at its next deployment.",
            f"Change it where it is defined, in {owner}.",
            (tag,),
        )


def _kind(observation: Observation) -> Iterator[Finding]:
    service = observation.service
    if service.deployment_controller != "ECS":
        yield finding(
            "service.controller",
            Grade.BLOCK,
            0,
            f"The service is deployed by {service.deployment_controller}, not by ECS itself.",
            "Deploy it through its own controller, or move it to the ECS controller first.",
        )
    if service.scheduling_strategy == "DAEMON":
        yield finding(
            "service.daemon",
            Grade.BLOCK,
            0,
            "A DAEMON service takes no capacity provider strategy and runs on every instance.",
            "Move the instances it runs on; this tool moves REPLICA services.",
        )
    if service.launch_type not in (None, "FARGATE"):
        yield finding(
            "service.launch-type",
            Grade.BLOCK,
            2,
            f"The service uses launch type {service.launch_type}; where its tasks run is decided by placement.",
            "Move it to a capacity provider first: ARM64 needs capacity that is known to be ARM64.",
        )


def _state(observation: Observation) -> Iterator[Finding]:
    service = observation.service
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
        yield finding(
            "service.desired-count-zero",
            Grade.WARN,
            0,
            "The desired count is 0: no gate can prove anything on running tasks.",
            "Scale the service up before you migrate it; a gate without tasks is held, never passed.",
        )


def _owners(observation: Observation) -> Iterator[tuple[tuple[str, str], str]]:
    tags = dict(observation.task_definition.tags)
    on_service = fields(observation.service.document).get("tags")
    for item in on_service if isinstance(on_service, list) else []:
        if isinstance(item, dict):
            tags[str(item.get("key"))] = str(item.get("value"))
    for key in sorted(_OWNER_TAGS.keys() & tags.keys()):
        yield (key, tags[key]), f"{_OWNER_TAGS[key]} ({tags[key]})"


def task_definition_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield what the task definition says against a new ARM64 revision."""
    definition = observation.task_definition
    system = definition.runtime_platform.operating_system_family or "LINUX"
    if system != "LINUX":
        yield finding(
            "task-definition.windows",
            Grade.BLOCK,
            0,
            f"The task definition runs {system}; ECS has no ARM64 Windows.",
            "Leave this service where it is.",
            (("operatingSystemFamily", system),),
        )
    lost = unknown_fields(definition.document)
    if lost:
        yield finding(
            "task-definition.unknown-field",
            Grade.BLOCK,
            2,
            f"A new revision would lose {', '.join(lost)}.",
            "Update this tool; it carries over only fields that it knows.",
            tuple((name, "has content") for name in lost),
        )
    if definition.runtime_platform.cpu_architecture == "ARM64":
        yield finding(
            "task-definition.already-arm64",
            Grade.BLOCK,
            0,
            "The task definition already says ARM64.",
            "There is no amd64 to migrate from. To use Spot only, change the service's strategy.",
        )
    if observation.image(settings.image.container) is None:
        names = ", ".join(image.container for image in observation.images)
        yield finding(
            "task-definition.container",
            Grade.BLOCK,
            0,
            f"The task definition has no container named {settings.image.container}.",
            f"Set image.container in migrate.toml to one of: {names}.",
        )
