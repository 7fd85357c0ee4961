"""Asks, before anything starts, whether the caller may do what the stages need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from migrate.core.documents import fields
from migrate.core.facts import Repository
from migrate.core.image_names import ImageReference
from migrate.core.observation import Observation
from migrate.core.permission_answers import PermissionAnswers, is_root, questions, simulated_principal
from migrate.core.permission_policy import Scope
from migrate.core.settings import ImageMode, Settings
from migrate.core.stages import Stage
from migrate.errors import AccessError
from migrate.ports import PermissionReader
from migrate.workflows.runtime import Readers

_PUSHES = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
)
_LOOKUPS = ("ecr:DescribeImages", "ecr:ListTagsForResource", "ecr:PutImage")


def with_permissions(runtime: Readers, observation: Observation, stages: Iterable[Stage]) -> Observation:
    """Return the observation together with what IAM says about the caller and the stages.

    Few calls, made once before a run and never while a gate is watched. Where IAM may not be asked, that is part of
    the observation, not an error.
    """
    caller, wanted = observation.account.caller_arn, tuple(stages)
    if not wanted or is_root(caller):
        return observation
    return replace(observation, permissions=_answers(runtime.permissions, observation, runtime.settings, wanted))


def _answers(
    reader: PermissionReader, observation: Observation, settings: Settings, stages: tuple[Stage, ...]
) -> PermissionAnswers:
    caller = observation.account.caller_arn
    principal = simulated_principal(caller)
    if principal is None:
        return PermissionAnswers(
            caller, problem="IAM simulates users and roles only, and these credentials are neither."
        )
    scope = scope_of(observation)
    asked = questions(stages, scope, not_needed=_not_needed(observation, settings))
    try:
        found = reader.answers(principal, asked)
    except AccessError as error:
        return PermissionAnswers(principal, problem=str(error))
    on_repository = any(item.question.on_repository and not item.is_allowed for item in found.answers)
    if on_repository and scope.repository:
        found = replace(found, repository_policy=reader.has_repository_policy(scope.repository))
    return found


def _not_needed(observation: Observation, settings: Settings) -> Iterator[str]:
    """Yield the actions that this service has no use for, though another one would."""
    present = observation.cluster.capacity_providers
    if all(name in present for name in ("FARGATE", *(item.provider for item in settings.capacity))):
        yield "ecs:PutClusterCapacityProviders"
    if not observation.task_definition.tags:
        yield "ecs:TagResource"
    if settings.image.mode is ImageMode.EXTERNAL or observation.repository is None:
        yield from _PUSHES
    if observation.repository is None:
        yield from _LOOKUPS


def scope_of(observation: Observation) -> Scope:
    """Return the scope of a policy for the service that was seen."""
    account, service = observation.account, observation.service
    document = fields(observation.task_definition.document)
    roles = (document.get("taskRoleArn"), document.get("executionRoleArn"))
    repository = observation.repository
    main = repository_arn(repository, account.region) if repository else ""
    images = (ecr_arn(item.reference) for item in observation.images)
    return Scope(
        region=account.region,
        account=account.account_id,
        cluster=observation.cluster.name,
        service=service.name,
        service_arn=service.arn,
        family=observation.task_definition.family,
        repository=main,
        images=tuple(dict.fromkeys(arn for arn in (main, *images) if arn)),
        roles=tuple(dict.fromkeys(str(role) for role in roles if role)),
        caller=simulated_principal(account.caller_arn) or "",
    )


def repository_arn(repository: Repository, region: str) -> str:
    """Return the ARN of an ECR repository; its region is the one that its URI names."""
    known = ecr_arn(ImageReference.parse(repository.uri))
    if known:
        return known
    partition = Scope(region=region).partition
    return f"arn:{partition}:ecr:{region}:{repository.registry_id}:repository/{repository.name}"


def ecr_arn(image: ImageReference) -> str:
    """Return the ARN of the repository that an image is in; empty where its host is no registry of ECR."""
    labels = image.registry.split(".")
    if len(labels) < 6 or not labels[0].isdecimal() or labels[2:3] not in (["ecr"], ["ecr-fips"]):  # noqa: PLR2004
        return ""
    region = labels[3]
    return f"arn:{Scope(region=region).partition}:ecr:{region}:{labels[0]}:repository/{image.repository}"
