"""Asks, before anything starts, whether the caller may do what the stages need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from migrate.core.documents import fields
from migrate.core.facts import Account, Repository, Service, TaskDefinition
from migrate.core.image.names import ImageReference
from migrate.core.observation import Observation
from migrate.core.permission.answers import PermissionAnswers, Question, is_root, questions, simulated_principal
from migrate.core.permission.needed import OF_AN_OWNER, OF_METRICS, PUSHING
from migrate.core.permission.policy import Scope, twin_of
from migrate.core.repository.guarding import registry_host
from migrate.core.service_settings import service_tags
from migrate.core.settings import ImageMode, Settings
from migrate.core.stages import Stage
from migrate.core.task_definition import containers
from migrate.errors import AccessError
from migrate.ports import PermissionReader
from migrate.workflows.runtime import Readers

_LOOKUPS = ("ecr:DescribeImages", "ecr:ListTagsForResource", "ecr:PutImage")


def with_permissions(
    runtime: Readers,
    observation: Observation,
    stages: Iterable[Stage],
    prepared: tuple[Question, ...] | None = None,
) -> Observation:
    """Return the observation together with what IAM says about the caller and the stages.

    ``prepared`` are the questions about them where somebody has made them already.

    Few calls, made once before a run and never while a gate is watched. Where IAM may not be asked, that is part of
    the observation, not an error.
    """
    caller, wanted = observation.account.caller_arn, tuple(stages)
    if not wanted or is_root(caller):
        return observation
    asked = questions_about(observation, runtime.settings, wanted) if prepared is None else prepared
    return replace(observation, permissions=_answers(runtime.permissions, observation, asked))


def _answers(reader: PermissionReader, observation: Observation, asked: tuple[Question, ...]) -> PermissionAnswers:
    caller = observation.account.caller_arn
    principal = simulated_principal(caller)
    if principal is None:
        return PermissionAnswers(
            caller, problem="IAM simulates users and roles only, and these credentials are neither."
        )
    scope = scope_of(observation)
    try:
        found = reader.answers(principal, asked)
    except AccessError as error:
        return PermissionAnswers(principal, problem=str(error))
    on_repository = any(item.question.on_repository and not item.is_allowed for item in found.answers)
    if on_repository and scope.repository:
        found = replace(found, repository_policy=reader.has_repository_policy(scope.repository))
    return found


def questions_about(observation: Observation, settings: Settings, stages: Iterable[Stage]) -> tuple[Question, ...]:
    """Return what to ask IAM about the caller before the stages are applied to the service that was seen."""
    scope = scope_of(observation)
    scope = replace(scope, twin=twin_of(settings, scope.service))
    return questions(stages, scope, not_needed=_not_needed(observation, settings))


def _not_needed(observation: Observation, settings: Settings) -> Iterator[str]:
    """Yield the actions that this service has no use for, though another one would."""
    present = observation.cluster.capacity_providers
    if all(name in present for name in ("FARGATE", *(item.provider for item in settings.capacity))):
        yield "ecs:PutClusterCapacityProviders"
    if not observation.task_definition.tags and not service_tags(observation.service.document):
        yield "ecs:TagResource"
    if settings.service.is_external:
        yield from OF_AN_OWNER
    if settings.image.mode is ImageMode.EXTERNAL or observation.repository is None:
        yield from PUSHING
    if observation.repository is None:
        yield from _LOOKUPS
    if not any(check.kind == "metric" for check in settings.gate.checks):
        yield from OF_METRICS


def scope_of(observation: Observation) -> Scope:
    """Return the scope of a policy for the service that was seen."""
    references = tuple(image.reference for image in observation.images)
    return _scope(
        observation.account,
        observation.service,
        observation.task_definition,
        observation.repository,
        references,
    )


def read_scope(runtime: Readers) -> Scope:
    """Return the scope of a policy for the service of the settings, from the few calls that tell it."""
    wanted = runtime.settings
    account = runtime.services.account()
    service = runtime.services.service(wanted.service.cluster, wanted.service.name)
    definition = runtime.services.task_definition(service.task_definition_arn)
    images = {str(item.get("name")): str(item.get("image", "")) for item in containers(definition.document)}
    references = {name: ImageReference.parse(image) for name, image in images.items()}
    main = references.get(wanted.image.container)
    repository = runtime.repositories.repository(main) if main else None
    scope = _scope(account, service, definition, repository, tuple(references.values()))
    told = wanted.notifications
    twin = twin_of(wanted, service.name)
    return replace(scope, twin=twin, topics=told.topics, event_buses=told.event_buses)


def _scope(
    account: Account,
    service: Service,
    definition: TaskDefinition,
    repository: Repository | None,
    references: tuple[ImageReference, ...],
) -> Scope:
    document = fields(definition.document)
    roles = (document.get("taskRoleArn"), document.get("executionRoleArn"))
    main = repository_arn(repository, account.region) if repository else ""
    images = (main, *(ecr_arn(reference) for reference in references))
    return Scope(
        region=account.region,
        account=account.account_id,
        cluster=service.cluster_arn.rpartition("/")[2],
        service=service.name,
        service_arn=service.arn,
        family=definition.family,
        repository=main,
        images=tuple(dict.fromkeys(arn for arn in images if arn)),
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
    host = registry_host(image.registry)
    if host is None:
        return ""
    partition = Scope(region=host.region).partition
    return f"arn:{partition}:ecr:{host.region}:{host.account_id}:repository/{image.repository}"
