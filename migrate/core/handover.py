"""What stays of a migration in the service, for the code of whoever owns it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from migrate.core.documents import Json
from migrate.core.facts import Strategy
from migrate.core.observation import Observation
from migrate.core.provider.service import service_arguments
from migrate.core.provider.task_definition import task_definition_arguments
from migrate.core.provider.translation import Arguments
from migrate.core.task_definition import registrable


class OwnersTool(StrEnum):
    """The tool that the code is for."""

    PULUMI = "pulumi"
    TERRAFORM = "terraform"
    CLOUDFORMATION = "cloudformation"


@dataclass(frozen=True, slots=True)
class Handover:
    """The service and its revision as they run; ``task_definition`` is the registrable part of the revision."""

    cluster: str
    cluster_arn: str
    service: str
    service_arn: str
    revision_arn: str
    family: str
    task_definition: dict[str, Json]
    strategy: Strategy
    launch_type: str | None
    architecture: str
    image: str
    service_arguments: Arguments
    task_definition_arguments: Arguments


def handover(observation: Observation, container: str) -> Handover:
    """Return what an observation of the service leaves to its owner; ``container`` is the one whose image moved."""
    service, definition = observation.service, observation.task_definition
    image = observation.image(container)
    return Handover(
        cluster=observation.cluster.name,
        cluster_arn=service.cluster_arn,
        service=service.name,
        service_arn=service.arn,
        revision_arn=definition.arn,
        family=definition.family,
        task_definition=registrable(definition.document),
        strategy=service.strategy,
        launch_type=None if service.strategy else service.launch_type,
        architecture=definition.runtime_platform.cpu_architecture or "X86_64",
        image=str(image.reference) if image else "",
        service_arguments=service_arguments(service.document),
        task_definition_arguments=task_definition_arguments(definition.document, definition.tags),
    )
