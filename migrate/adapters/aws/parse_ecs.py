"""ECS API answers into core facts: pure, so that a recorded answer is a test.

Shapes: Amazon ECS API reference. Fields that AWS, or an endpoint that speaks like it, may leave out have the meaning
that the reference gives to their absence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrate.core.documents import Document, document
from migrate.core.facts import (
    Cluster,
    Deployment,
    RuntimePlatform,
    Service,
    ServiceDeployment,
    ServiceEvent,
    Strategy,
    StrategyItem,
    Task,
    TaskContainer,
    TaskDefinition,
)

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import (
        CapacityProviderStrategyItemTypeDef,
        ClusterTypeDef,
        ContainerTypeDef,
        DeploymentTypeDef,
        DescribeTaskDefinitionResponseTypeDef,
        ServiceDeploymentBriefTypeDef,
        ServiceEventTypeDef,
        ServiceTypeDef,
        TagTypeDef,
        TaskTypeDef,
    )

UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for a time that an answer does not hold; older than anything real."""

STATE_FIELDS = frozenset(
    {
        "capacityProviderStrategy",
        "createdAt",
        "currentServiceDeployment",
        "currentServiceRevisions",
        "deployments",
        "desiredCount",
        "events",
        "launchType",
        "pendingCount",
        "platformFamily",
        "runningCount",
        "status",
        "taskDefinition",
        "taskSets",
    }
)
"""What a service answer holds beside settings, and what has a field of its own in Service because stages move it."""

DEPLOYMENT_SETTINGS = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")
"""Settings of a service that DescribeServices shows on its deployments only."""

ARCHITECTURE_ATTRIBUTE = "ecs.cpu-architecture"


def service(answer: ServiceTypeDef) -> Service:
    """Return a service of DescribeServices."""
    strategy = strategy_of(answer.get("capacityProviderStrategy", []))
    deployments = tuple(_deployment(item) for item in answer.get("deployments", []))
    return Service(
        arn=answer["serviceArn"],
        name=answer["serviceName"],
        cluster_arn=answer["clusterArn"],
        status=answer.get("status", ""),
        task_definition_arn=answer.get("taskDefinition", ""),
        desired_count=answer.get("desiredCount", 0),
        running_count=answer.get("runningCount", 0),
        pending_count=answer.get("pendingCount", 0),
        # A strategy and a launch type exclude each other; some answers show the strategy's underlying type.
        launch_type=None if strategy else answer.get("launchType"),
        strategy=strategy,
        platform_version=answer.get("platformVersion"),
        scheduling_strategy=answer.get("schedulingStrategy", "REPLICA"),
        deployment_controller=answer.get("deploymentController", {"type": "ECS"}).get("type", "ECS"),
        target_group_arns=_target_groups(answer),
        alarm_names=_deployment_alarms(answer),
        deployments=deployments,
        events=tuple(_event(item) for item in answer.get("events", [])),
        document=settings_of(answer),
    )


def settings_of(answer: ServiceTypeDef) -> Document:
    """Return the settings of a service: equal documents mean that nobody changed a setting."""
    settings: dict[str, Any] = {name: value for name, value in answer.items() if name not in STATE_FIELDS}
    primary: Mapping[str, Any] = next(
        (item for item in answer.get("deployments", []) if item.get("status") == "PRIMARY"), {}
    )
    settings.update({name: primary[name] for name in DEPLOYMENT_SETTINGS if primary.get(name)})
    return document(plain(settings))


def _target_groups(answer: ServiceTypeDef) -> tuple[str, ...]:
    arns = (item.get("targetGroupArn") for item in answer.get("loadBalancers", []))
    return tuple(dict.fromkeys(arn for arn in arns if arn))


def _deployment_alarms(answer: ServiceTypeDef) -> tuple[str, ...]:
    alarms = answer.get("deploymentConfiguration", {}).get("alarms")
    return tuple(alarms.get("alarmNames", [])) if alarms and alarms.get("enable", True) else ()


def _deployment(answer: DeploymentTypeDef) -> Deployment:
    return Deployment(
        id=answer.get("id", ""),
        status=answer.get("status", ""),
        task_definition_arn=answer.get("taskDefinition", ""),
        rollout_state=answer.get("rolloutState"),
        rollout_state_reason=answer.get("rolloutStateReason", ""),
        desired_count=answer.get("desiredCount", 0),
        running_count=answer.get("runningCount", 0),
        pending_count=answer.get("pendingCount", 0),
        failed_tasks=answer.get("failedTasks", 0),
        created_at=utc(answer.get("createdAt")),
    )


def _event(answer: ServiceEventTypeDef) -> ServiceEvent:
    return ServiceEvent(answer.get("id", ""), utc(answer.get("createdAt")), answer.get("message", ""))


def task_definition(answer: DescribeTaskDefinitionResponseTypeDef) -> TaskDefinition:
    """Return a revision of DescribeTaskDefinition; its tags stand beside it in the answer."""
    revision = answer["taskDefinition"]
    platform = revision.get("runtimePlatform", {})
    return TaskDefinition(
        arn=revision["taskDefinitionArn"],
        family=revision["family"],
        revision=revision["revision"],
        status=revision.get("status", "ACTIVE"),
        runtime_platform=RuntimePlatform(platform.get("cpuArchitecture"), platform.get("operatingSystemFamily")),
        document=document(plain(revision)),
        tags=_tags(answer.get("tags", [])),
    )


def _tags(tags: Iterable[TagTypeDef]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((tag.get("key", ""), tag.get("value", "")) for tag in tags))


def task(answer: TaskTypeDef) -> Task:
    """Return a task of DescribeTasks."""
    attributes = {item["name"]: item.get("value") for item in answer.get("attributes", [])}
    return Task(
        arn=answer["taskArn"],
        task_definition_arn=answer.get("taskDefinitionArn", ""),
        last_status=answer.get("lastStatus", ""),
        health_status=answer.get("healthStatus", "UNKNOWN"),
        architecture=attributes.get(ARCHITECTURE_ATTRIBUTE),
        provider=answer.get("capacityProviderName"),
        launch_type=answer.get("launchType"),
        platform_version=answer.get("platformVersion"),
        started_by=answer.get("startedBy", ""),
        containers=tuple(_container(item) for item in answer.get("containers", [])),
        stop_code=answer.get("stopCode", ""),
        stopped_reason=answer.get("stoppedReason", ""),
        created_at=_time(answer.get("createdAt")),
        started_at=_time(answer.get("startedAt")),
        # A task that still stops has only the former of both times.
        stopped_at=_time(answer.get("stoppedAt", answer.get("stoppingAt"))),
        addresses=tuple(_addresses(answer)),
    )


def _addresses(answer: TaskTypeDef) -> Iterator[str]:
    """Yield what the details of an attached network interface name so (ECS API reference, Attachment)."""
    for attachment in answer.get("attachments", []):
        for detail in attachment.get("details", []):
            if detail.get("name") in {"privateIPv4Address", "privateIPv6Address"} and detail.get("value"):
                yield detail["value"]


def _container(answer: ContainerTypeDef) -> TaskContainer:
    return TaskContainer(
        name=answer.get("name", ""),
        image=answer.get("image", ""),
        image_digest=answer.get("imageDigest") or None,
        last_status=answer.get("lastStatus", ""),
        exit_code=answer.get("exitCode"),
        reason=answer.get("reason", ""),
        health_status=answer.get("healthStatus", ""),
    )


def cluster(answer: ClusterTypeDef) -> Cluster:
    """Return a cluster of DescribeClusters."""
    return Cluster(
        arn=answer["clusterArn"],
        name=answer["clusterName"],
        capacity_providers=tuple(answer.get("capacityProviders", [])),
        default_strategy=strategy_of(answer.get("defaultCapacityProviderStrategy", [])),
    )


def service_deployments(answer: Iterable[ServiceDeploymentBriefTypeDef]) -> tuple[ServiceDeployment, ...]:
    """Return the deployments of ListServiceDeployments, newest first."""
    found = (
        ServiceDeployment(
            arn=item["serviceDeploymentArn"],
            status=item.get("status", ""),
            status_reason=item.get("statusReason", ""),
            target_service_revision_arn=item.get("targetServiceRevisionArn", ""),
            created_at=utc(item.get("createdAt")),
            started_at=_time(item.get("startedAt")),
            finished_at=_time(item.get("finishedAt")),
        )
        for item in answer
    )
    return tuple(sorted(found, key=lambda deployment: deployment.created_at, reverse=True))


def strategy_of(items: Sequence[CapacityProviderStrategyItemTypeDef]) -> Strategy:
    """Return a strategy in the order AWS gave; weight and base are 0 where they are not set (facts F13)."""
    return tuple(
        StrategyItem(item["capacityProvider"], weight=item.get("weight", 0), base=item.get("base", 0)) for item in items
    )


def utc(time: datetime | None) -> datetime:
    """Return a time in UTC; botocore answers in the zone of the machine."""
    return UNKNOWN_TIME if time is None else time.astimezone(UTC)


def _time(time: datetime | None) -> datetime | None:
    return None if time is None else utc(time)


def plain(value: Any) -> Any:
    """Return an answer with its times as ISO texts in UTC, so that the same fact has the same text everywhere."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return utc(value).isoformat() if isinstance(value, datetime) else value
