"""The port SurroundingsReader: only what this service depends on, and never an error for one part that is closed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from botocore.exceptions import ClientError

from migrate.adapters.aws import application_autoscaling, autoscaling, ec2, ecs_capacity, elbv2
from migrate.adapters.aws.autoscaling import Group
from migrate.adapters.aws.ec2 import LaunchData, TemplateName
from migrate.adapters.aws.errors import EXPIRED, INVALID_CREDENTIALS, THROTTLED, code_of
from migrate.adapters.aws.session import AwsSession
from migrate.core.cost.cost import SPOT
from migrate.core.documents import fields
from migrate.core.facts import Cluster, Service, TaskDefinition
from migrate.core.surroundings import (
    AutoScalingGroup,
    Launch,
    Surroundings,
    Unread,
    group_name,
    own_providers,
    subnet_ids,
)
from migrate.errors import MigrateError

T = TypeVar("T")

_DAEMON = "DAEMON"
_ON_MACHINES = ("EC2", "EXTERNAL")

DRAINS = "elasticloadbalancing:DescribeTargetGroupAttributes"

_OF_THE_RUN = EXPIRED | INVALID_CREDENTIALS | THROTTLED
"""Refusals that say nothing about one part: they end the run like anywhere else."""


@dataclass
class _Attempts:
    """Reads that may fail one by one."""

    session: AwsSession
    failed: list[Unread] = field(default_factory=list)

    def read(self, what: str, permission: str, about: Hashable, act: Callable[[], T]) -> T | None:
        """Return what ``act`` reads, or None and keep a note of what is missing; ``about`` names what is read.

        Raises AccessError.
        """
        try:
            return self.session.once(permission, about, act)
        except MigrateError as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and code_of(cause) in _OF_THE_RUN:
                raise
            self.failed.append(Unread(what, permission, error.why or error.what))
            return None


class AwsSurroundingsReader:
    """The port SurroundingsReader over boto3."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def read(
        self, service: Service, definition: TaskDefinition, cluster: Cluster, wanted: Sequence[str]
    ) -> Surroundings:
        """Return what lies around the service; ``wanted`` are the capacity providers it is to move to.

        A service that is and stays on Fargate costs two calls, and two more where it is scaled automatically.
        Raises AccessError when the credentials are not accepted or AWS throttles through every retry.
        """
        session, attempts = self._session, _Attempts(self._session)
        ids = subnet_ids(service)
        subnets = attempts.read("the subnets", "ec2:DescribeSubnets", ids, lambda: ec2.subnets(session, ids))
        found = replace(self._scaling(attempts, service), subnets=subnets or ())
        if SPOT in wanted and service.target_group_arns:
            delays = attempts.read(
                "how long the target groups let connections drain",
                DRAINS,
                service.target_group_arns,
                lambda: elbv2.deregistration_delays(session, service.target_group_arns),
            )
            found = replace(found, deregistration_delays=delays or ())
        own = own_providers([*(item.provider for item in service.strategy), *wanted])
        if own or service.scheduling_strategy == _DAEMON or service.launch_type in _ON_MACHINES:
            found = _machines(session, attempts, found, own, cluster)
            if fields(definition.document).get("networkMode") == "awsvpc":
                what, permission = "the account setting awsvpcTrunking", "ecs:ListAccountSettings"
                found = replace(
                    found, trunking=attempts.read(what, permission, "", lambda: ecs_capacity.trunking(session))
                )
        return replace(found, unread=tuple(attempts.failed))

    def _scaling(self, attempts: _Attempts, service: Service) -> Surroundings:
        # ECS scales DAEMON services by their instances alone (ECS developer guide, "Daemon scheduling strategy").
        if service.scheduling_strategy == _DAEMON:
            return Surroundings()
        session, resource = self._session, application_autoscaling.resource_id(service)
        target = attempts.read(
            "whether the service is scaled automatically",
            "application-autoscaling:DescribeScalableTargets",
            resource,
            lambda: application_autoscaling.scalable_target(session, service),
        )
        if target is None:
            return Surroundings()
        actions = attempts.read(
            "scheduled scaling actions",
            "application-autoscaling:DescribeScheduledActions",
            resource,
            lambda: application_autoscaling.scheduled_actions(session, service),
        )
        policies = attempts.read(
            "scaling policies",
            "application-autoscaling:DescribeScalingPolicies",
            resource,
            lambda: application_autoscaling.scaling_policies(session, service),
        )
        return Surroundings(scalable_target=target, scheduled_actions=actions or (), scaling_policies=policies or ())


def _machines(
    session: AwsSession, attempts: _Attempts, found: Surroundings, own: Sequence[str], cluster: Cluster
) -> Surroundings:
    providers = attempts.read(
        f"the capacity providers {', '.join(own)}",
        "ecs:DescribeCapacityProviders",
        tuple(own),
        lambda: ecs_capacity.capacity_providers(session, own),
    )
    groups = _groups(session, attempts, [group_name(item.group_arn) for item in providers or () if item.group_arn])
    instances = attempts.read(
        "the container instances of the cluster",
        "ecs:ListContainerInstances and ecs:DescribeContainerInstances",
        cluster.arn,
        lambda: ecs_capacity.container_instances(session, cluster.arn),
    )
    names = {launch.instance_type for group in groups for launch in group.launches if launch.instance_type}
    names |= {item.instance_type for item in instances or () if item.instance_type}
    types = attempts.read(
        "the instance types",
        "ec2:DescribeInstanceTypes",
        frozenset(names),
        lambda: ec2.instance_types(session, names),
    )
    return replace(
        found,
        capacity_providers=providers or (),
        groups=groups,
        instance_types=types or (),
        container_instances=instances,
    )


def _groups(session: AwsSession, attempts: _Attempts, names: Sequence[str]) -> tuple[AutoScalingGroup, ...]:
    found = attempts.read(
        f"the Auto Scaling groups {', '.join(names)}",
        "autoscaling:DescribeAutoScalingGroups",
        tuple(names),
        lambda: autoscaling.groups(session, names),
    )
    if not found:
        return ()
    starting = {group.facts.name: data for group, data in zip(found, _starting(session, attempts, found), strict=True)}
    images = [data.image_id for several in starting.values() for data in several if data.image_id]
    read = attempts.read(
        "the machine images",
        "ec2:DescribeImages",
        tuple(images),
        lambda: ec2.image_architectures(session, images),
    )
    architectures = read or {}
    return tuple(
        replace(
            group.facts,
            launches=tuple(
                Launch(
                    data.instance_type,
                    data.image_id,
                    data.image_parameter,
                    architectures.get(data.image_id) or ec2.parameter_architecture(data.image_parameter),
                )
                for data in starting[group.facts.name]
                if data.instance_type or data.by_requirements
            ),
        )
        for group in found
    )


def _starting(session: AwsSession, attempts: _Attempts, groups: Sequence[Group]) -> list[tuple[LaunchData, ...]]:
    """Return what each group may start, its templates and launch configurations looked up."""
    old = [group.launch_configuration for group in groups if group.launch_configuration]
    read = attempts.read(
        f"the launch configurations {', '.join(old)}",
        "autoscaling:DescribeLaunchConfigurations",
        tuple(old),
        lambda: autoscaling.launch_configurations(session, old),
    )
    configurations = read or {}
    versions: dict[TemplateName, list[str]] = {}
    for use in (use for group in groups for use in group.uses):
        versions.setdefault(use.template, []).append(use.version)
    templates = {
        template: _template(session, attempts, template, tuple(dict.fromkeys(wanted)))
        for template, wanted in versions.items()
    }
    nothing = LaunchData()
    return [
        tuple(_merged(use.own, templates[use.template].get(use.version, nothing)) for use in group.uses)
        or (configurations.get(group.launch_configuration, nothing),)
        for group in groups
    ]


def _template(
    session: AwsSession, attempts: _Attempts, template: TemplateName, versions: Sequence[str]
) -> dict[str, LaunchData]:
    shown, permission = f"the launch template {template.name or template.id}", "ec2:DescribeLaunchTemplateVersions"
    about = (template, tuple(versions))
    found = attempts.read(shown, permission, about, lambda: ec2.launch_data(session, template, versions)) or {}
    # A parameter of the account's own says nothing by its name: EC2 looks up what it holds.
    unnamed = [
        name
        for name, data in found.items()
        if data.image_parameter and ec2.parameter_architecture(data.image_parameter) is None
    ]
    if not unnamed:
        return found
    resolved = attempts.read(
        f"the image behind a parameter of {shown}",
        f"{permission} and ssm:GetParameters",
        about,
        lambda: ec2.launch_data(session, template, unnamed, resolve=True),
    )
    return found | {
        name: replace(found[name], image_id=data.image_id) for name, data in (resolved or {}).items() if data.image_id
    }


def _merged(own: LaunchData, base: LaunchData) -> LaunchData:
    """Return a template's data with what an override says itself."""
    image = own if own.image_id or own.image_parameter else base
    typed = own if own.instance_type or own.by_requirements else base
    return LaunchData(typed.instance_type, image.image_id, image.image_parameter, typed.by_requirements)
