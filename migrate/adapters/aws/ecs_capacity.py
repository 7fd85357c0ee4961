"""Reads what ECS places tasks on: capacity providers and container instances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from migrate.adapters.aws.ecs import PER_PAGE, batches
from migrate.adapters.aws.errors import translated
from migrate.adapters.aws.session import AwsSession
from migrate.core.surroundings import MISSING, CapacityProvider, ContainerInstance, ProviderKind, kind_of

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import CapacityProviderTypeDef, ContainerInstanceTypeDef, ResourceOutputTypeDef

PROVIDERS_PER_CALL = 100
INSTANCES_PER_CALL = 100
"""Most names and ARNs of one call (DescribeCapacityProviders and DescribeContainerInstances references)."""

_ENABLED = "ENABLED"


def capacity_providers(session: AwsSession, names: Sequence[str]) -> tuple[CapacityProvider, ...]:
    """Return the named capacity providers; one that does not exist has the status MISSING. Raises AccessError."""
    found: dict[str, CapacityProvider] = {}
    for batch in batches(tuple(dict.fromkeys(names)), PROVIDERS_PER_CALL):
        with _translated(session):
            answer = session.ecs().describe_capacity_providers(capacityProviders=batch)
        found.update({item["name"]: capacity_provider(item) for item in answer["capacityProviders"]})
    return tuple(found.get(name, CapacityProvider(name, MISSING, kind_of(name))) for name in dict.fromkeys(names))


def capacity_provider(answer: CapacityProviderTypeDef) -> CapacityProvider:
    """Return a provider of DescribeCapacityProviders."""
    group = answer.get("autoScalingGroupProvider", {})
    scaling = group.get("managedScaling", {})
    return CapacityProvider(
        name=answer["name"],
        status=answer.get("status", ""),
        kind=_kind(answer),
        update_status=answer.get("updateStatus", ""),
        update_reason=answer.get("updateStatusReason", ""),
        group_arn=group.get("autoScalingGroupArn", ""),
        managed_scaling=scaling.get("status") == _ENABLED,
        target_capacity=scaling.get("targetCapacity"),
        managed_termination_protection=group.get("managedTerminationProtection") == _ENABLED,
        managed_draining=group.get("managedDraining") == _ENABLED,
    )


def _kind(answer: CapacityProviderTypeDef) -> ProviderKind:
    if kind_of(answer["name"]) is ProviderKind.FARGATE:
        return ProviderKind.FARGATE
    if answer.get("managedInstancesProvider"):
        return ProviderKind.MANAGED_INSTANCES
    return ProviderKind.AUTO_SCALING_GROUP if answer.get("autoScalingGroupProvider") else ProviderKind.UNKNOWN


def container_instances(session: AwsSession, cluster: str) -> tuple[ContainerInstance, ...]:
    """Return every container instance of a cluster that is not INACTIVE, sorted by ARN. Raises AccessError."""
    client = session.ecs()
    with _translated(session):
        pager = client.get_paginator("list_container_instances")
        pages = pager.paginate(cluster=cluster, PaginationConfig={"PageSize": PER_PAGE})
        arns = [arn for page in pages for arn in page["containerInstanceArns"]]
        # One that is deregistered between both calls comes back as a failure: it is gone, which is no error.
        found = [
            container_instance(item)
            for batch in batches(arns, INSTANCES_PER_CALL)
            for item in client.describe_container_instances(cluster=cluster, containerInstances=batch)[
                "containerInstances"
            ]
        ]
    return tuple(sorted(found, key=lambda item: item.arn))


def container_instance(answer: ContainerInstanceTypeDef) -> ContainerInstance:
    """Return an instance of DescribeContainerInstances; the agent writes ``DockerVersion: 20.10.25``."""
    versions = answer.get("versionInfo", {})
    registered, remaining = answer.get("registeredResources", []), answer.get("remainingResources", [])
    return ContainerInstance(
        arn=answer.get("containerInstanceArn", ""),
        status=answer.get("status", ""),
        agent_connected=answer.get("agentConnected", False),
        instance_id=answer.get("ec2InstanceId", ""),
        provider=answer.get("capacityProviderName"),
        agent_version=versions.get("agentVersion", ""),
        docker_version=versions.get("dockerVersion", "").rpartition(" ")[2],
        registered_cpu=_amount(registered, "CPU"),
        registered_memory=_amount(registered, "MEMORY"),
        remaining_cpu=_amount(remaining, "CPU"),
        remaining_memory=_amount(remaining, "MEMORY"),
        running_tasks=answer.get("runningTasksCount", 0),
        attributes=tuple(sorted((item["name"], item.get("value", "")) for item in answer.get("attributes", []))),
    )


def _amount(resources: Iterable[ResourceOutputTypeDef], name: str) -> int:
    return next((item.get("integerValue", 0) for item in resources if item.get("name") == name), 0)


def trunking(session: AwsSession) -> bool:
    """Tell whether the account setting awsvpcTrunking is on for the caller. Raises AccessError.

    Instances get a trunk by the setting of the role that starts them, which is the account's default unless that role
    has one of its own (ECS developer guide, "Elastic network interface trunking").
    """
    with _translated(session):
        answer = session.ecs().list_account_settings(name="awsvpcTrunking", effectiveSettings=True)
    return any(item.get("value") == "enabled" for item in answer["settings"])


def _translated(session: AwsSession) -> AbstractContextManager[None]:
    return translated("ecs", session.region.name)
