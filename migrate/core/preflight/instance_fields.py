"""Preflight of a service that is to go from Fargate to instances of EC2: fields that no longer fit (case C56)."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.documents import fields
from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.preflight.paths import in_service, in_task_definition
from migrate.core.service_settings import child, children, is_fargate, on_fargate
from migrate.core.settings import Settings
from migrate.core.surroundings import ProviderKind

_STAGE = 3


def instance_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield each field that ties the service to Fargate, with the change that its new capacity needs."""
    if is_fargate(settings.capacity) or not on_fargate(observation.service, observation.cluster.default_strategy):
        return
    yield from _compatibilities(observation, settings)
    yield from _of_the_service(observation)
    storage = fields(observation.task_definition.document).get("ephemeralStorage")
    if storage:
        yield finding(
            "task-definition.ephemeral-storage-on-instances",
            Grade.BLOCK,
            _STAGE,
            "ephemeralStorage exists on Fargate only; a revision for EC2 with it is refused.",
            "Take it out of a new revision, and give the instances a root volume with that much room for each task.",
            in_task_definition("$.ephemeralStorage", storage),
        )


def _compatibilities(observation: Observation, settings: Settings) -> Iterator[Finding]:
    required = fields(observation.task_definition.document).get("requiresCompatibilities")
    given = [str(item) for item in required] if isinstance(required, list) else []
    kinds = {
        provider.kind
        for item in settings.capacity
        if (provider := observation.surroundings.provider(item.provider)) is not None
    }
    wanted = "MANAGED_INSTANCES" if kinds == {ProviderKind.MANAGED_INSTANCES} else "EC2"
    if given and wanted not in given:
        yield finding(
            "task-definition.fargate-only",
            Grade.BLOCK,
            _STAGE,
            f'The revision was made for {", ".join(given)} only: ECS answers "Task definition does not support '
            f'launch_type {wanted}".',
            f"Register a revision with requiresCompatibilities [{wanted}, FARGATE] before stage 0, so that every "
            "stage and the way back run it.",
            in_task_definition("$.requiresCompatibilities", given[0] if len(given) == 1 else ", ".join(given)),
        )


def _of_the_service(observation: Observation) -> Iterator[Finding]:
    service, document = observation.service, fields(observation.service.document)
    if service.platform_version:
        yield finding(
            "service.platform-version-on-instances",
            Grade.WARN,
            _STAGE,
            f"The service names platform version {service.platform_version}, which exists on Fargate only.",
            "It has to be empty on EC2 (ECS: platform version must be null): check it in the preview of stage 3.",
            in_service("$.platformVersion", service.platform_version),
        )
    network = child(child(document, "networkConfiguration"), "awsvpcConfiguration")
    if network.get("assignPublicIp") == "ENABLED":
        yield finding(
            "service.public-ip-on-instances",
            Grade.BLOCK,
            _STAGE,
            "Tasks on EC2 in network mode awsvpc get no public address: assignPublicIp ENABLED is refused there, and "
            "without one they reach nothing outside the VPC.",
            "Give the subnets a NAT gateway or VPC endpoints (ECR, S3, CloudWatch Logs), set assignPublicIp DISABLED.",
            in_service("$.networkConfiguration.awsvpcConfiguration.assignPublicIp", "ENABLED"),
        )
    for index, volume in enumerate(children(document, "volumeConfigurations")):
        yield finding(
            "service.volume-on-instances",
            Grade.WARN,
            _STAGE,
            f"Volume {volume.get('name')} is an EBS volume attached at launch; on EC2 only Nitro instances with a "
            "recent ECS-optimized AMI attach one.",
            "Check the instances, and their limit of attached volumes, before stage 3.",
            in_service(f"$.volumeConfigurations[{index}].name", volume.get("name")),
        )
