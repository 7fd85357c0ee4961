"""What stays of a migration in the service and its twin, for the code of whoever owns them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from migrate.core.documents import Json
from migrate.core.facts import Service, Strategy, TaskDefinition
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
class LeftService:
    """A service and its revision as they run; ``task_definition`` is the registrable part of the revision.

    ``is_twin``: the one that mode mixed leaves beside the service.
    """

    is_twin: bool
    name: str
    arn: str
    revision_arn: str
    task_definition: dict[str, Json]
    strategy: Strategy
    launch_type: str | None
    architecture: str
    service_arguments: Arguments
    task_definition_arguments: Arguments


@dataclass(frozen=True, slots=True)
class Handover:
    """What stays: the service, and after it the twin where there is one."""

    cluster: str
    cluster_arn: str
    services: tuple[LeftService, ...]


def handover(observation: Observation, twin_definition: TaskDefinition | None = None) -> Handover:
    """Return what an observation leaves to its owner; ``twin_definition`` is the revision that its twin runs."""
    service, twin = observation.service, observation.twin
    left = [_left(service, observation.task_definition)]
    if twin is not None and twin_definition is not None:
        left.append(_left(twin, twin_definition, is_twin=True))
    return Handover(observation.cluster.name, service.cluster_arn, tuple(left))


def _left(service: Service, definition: TaskDefinition, *, is_twin: bool = False) -> LeftService:
    return LeftService(
        is_twin=is_twin,
        name=service.name,
        arn=service.arn,
        revision_arn=definition.arn,
        task_definition=registrable(definition.document),
        strategy=service.strategy,
        launch_type=None if service.strategy else service.launch_type,
        architecture=definition.runtime_platform.cpu_architecture or "X86_64",
        service_arguments=service_arguments(service.document),
        task_definition_arguments=task_definition_arguments(definition.document, definition.tags),
    )
