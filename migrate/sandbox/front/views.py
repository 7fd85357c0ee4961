"""Records in the shapes of the ECS API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.sandbox.front.faults import FaultKind
from migrate.sandbox.front.records import Rollout, Status
from migrate.sandbox.front.rollout import breaker_threshold
from migrate.sandbox.front.settings import TaskDigest

if TYPE_CHECKING:
    from migrate.sandbox.front.http import Json
    from migrate.sandbox.front.records import Deployment, LiveContainer, Service, ServiceDeployment, Task
    from migrate.sandbox.front.world import World

_CPU = {"X86_64": "x86_64", "ARM64": "arm64"}


def _present(**fields: object) -> Json:
    """Return the fields that have a value: AWS leaves the others out."""
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def _counts(world: World, service: Service, deployment: Deployment) -> tuple[int, int]:
    mine = [task for task in world.tasks_of(service) if task.started_by == deployment.id]
    running = sum(task.running for task in mine)
    return running, len(mine) - running


def deployment_view(world: World, service: Service, deployment: Deployment) -> Json:
    """One entry of ``deployments``."""
    running, pending = _counts(world, service, deployment)
    return {
        "id": deployment.id,
        "status": "PRIMARY" if deployment.primary else "ACTIVE",
        "taskDefinition": deployment.definition["taskDefinitionArn"],
        "desiredCount": service.desired if deployment.primary else deployment.desired,
        "pendingCount": pending,
        "runningCount": running,
        "failedTasks": deployment.failed,
        "createdAt": deployment.created,
        "updatedAt": deployment.updated,
        "rolloutState": deployment.state.value,
        "rolloutStateReason": deployment.reason,
        **_present(
            launchType=deployment.launch_type,
            capacityProviderStrategy=deployment.strategy,
            platformVersion=deployment.platform_version,
            platformFamily="Linux" if deployment.platform_version else None,
            networkConfiguration=deployment.network or None,
        ),
    }


def service_view(world: World, service: Service, *, tags: bool) -> Json:
    """One service of DescribeServices."""
    living = world.tasks_of(service)
    running = sum(task.running for task in living)
    current = [item for item in service.deployments if item.state is not Rollout.FAILED]
    return {
        **service.settings,
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster_arn,
        "status": service.status,
        "desiredCount": service.desired,
        "runningCount": running,
        "pendingCount": len(living) - running,
        "taskDefinition": service.definition["taskDefinitionArn"],
        "deployments": [deployment_view(world, service, item) for item in service.deployments],
        "events": service.events,
        "createdAt": service.created,
        "createdBy": f"arn:aws:iam::{service.scope.account}:root",
        "currentServiceRevisions": [revision_count(world, service, item) for item in current],
        **_present(
            launchType=service.launch_type,
            capacityProviderStrategy=service.strategy,
            platformVersion=service.platform_version,
            platformFamily="Linux" if service.platform_version else None,
            currentServiceDeployment=next((item.arn for item in service.history if item.status.running), None),
            tags=service.tags if tags else None,
        ),
    }


def revision_arn(service: Service, deployment: Deployment) -> str:
    """Return the ARN of the service revision that a deployment brings; it shares the deployment id's number."""
    return service.scope.arn("ecs", f"service-revision/{service.cluster}/{service.name}/{deployment.number}")


def revision_count(world: World, service: Service, deployment: Deployment) -> Json:
    """Return a service revision with its task counts."""
    running, pending = _counts(world, service, deployment)
    return {
        "arn": revision_arn(service, deployment),
        "requestedTaskCount": deployment.desired,
        "runningTaskCount": running,
        "pendingTaskCount": pending,
    }


def revision_view(service: Service, deployment: Deployment) -> Json:
    """One entry of DescribeServiceRevisions."""
    images = [
        _present(containerName=item["name"], image=item["image"], imageDigest=deployment.pulls[item["name"]].digest)
        for item in deployment.definition["containerDefinitions"]
    ]
    return {
        "serviceRevisionArn": revision_arn(service, deployment),
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "taskDefinition": deployment.definition["taskDefinitionArn"],
        "containerImages": images,
        "createdAt": deployment.created,
        "networkConfiguration": deployment.network,
        "loadBalancers": service.settings.get("loadBalancers") or [],
        **_present(
            launchType=deployment.launch_type,
            capacityProviderStrategy=deployment.strategy,
            platformVersion=deployment.platform_version,
            platformFamily="Linux" if deployment.platform_version else None,
        ),
    }


def service_deployment_brief(service: Service, item: ServiceDeployment) -> Json:
    """One entry of ListServiceDeployments."""
    return {
        "serviceDeploymentArn": item.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "createdAt": item.created,
        "startedAt": item.created,
        "targetServiceRevisionArn": revision_arn(service, item.deployment),
        "status": item.status.value,
        **_present(statusReason=item.reason, finishedAt=item.finished),
    }


def service_deployment_view(world: World, service: Service, item: ServiceDeployment) -> Json:
    """One entry of DescribeServiceDeployments."""
    brief = service_deployment_brief(service, item)
    brief.pop("targetServiceRevisionArn")
    rollback = None
    if item.rolled_back_to is not None:
        rollback = {
            "reason": item.rollback_reason,
            "startedAt": item.rollback_started,
            "serviceRevisionArn": revision_arn(service, item.rolled_back_to),
        }
    return {
        **brief,
        "updatedAt": item.updated,
        "sourceServiceRevisions": [revision_count(world, service, item.source)] if item.source else [],
        "targetServiceRevision": revision_count(world, service, item.deployment),
        "deploymentConfiguration": service.settings["deploymentConfiguration"],
        "deploymentCircuitBreaker": {
            "status": _breaker_status(service, item),
            "failureCount": item.deployment.failed,
            "threshold": breaker_threshold(item.deployment.desired),
        },
        **_present(stoppedAt=item.stopped, rollback=rollback),
    }


def _breaker_status(service: Service, item: ServiceDeployment) -> str:
    if not service.breaker.get("enable"):
        return "DISABLED"
    if "circuit breaker" in item.reason:
        return "TRIGGERED"
    return "MONITORING" if item.status is Status.IN_PROGRESS else "MONITORING_COMPLETE"


def task_view(world: World, task: Task) -> Json:
    """One task of DescribeTasks (facts F24)."""
    runtime = task.definition.get("runtimePlatform") or {}
    live = task.live
    architecture = (live.architecture if live else "") or _CPU[runtime.get("cpuArchitecture") or "X86_64"]
    strange = world.faults.find(FaultKind.OTHER_ARCHITECTURE, task.group.removeprefix("service:"))
    if strange and strange.strikes(task.started_by):
        architecture = next(other for other in _CPU.values() if other != architecture)
    stopped = task.stopped if live is None else live.ended
    return {
        "taskArn": task.arn,
        "clusterArn": task.cluster,
        "taskDefinitionArn": task.definition["taskDefinitionArn"],
        "group": task.group,
        "lastStatus": _status(task),
        "desiredStatus": "RUNNING" if task.alive else "STOPPED",
        "launchType": task.launch_type,
        "availabilityZone": f"{task.arn.split(':')[3]}a",
        "connectivity": "CONNECTED",
        "containers": [_container(world, task, item) for item in task.definition["containerDefinitions"]],
        "attachments": [_interface(task)] if task.definition.get("networkMode") == "awsvpc" else [],
        "enableExecuteCommand": task.execute_command,
        "overrides": task.overrides or {"containerOverrides": [], "inferenceAcceleratorOverrides": []},
        "tags": [],
        "version": 3,
        "createdAt": task.created,
        **({"attributes": [_attribute(architecture)]} if world.settings.attributes else {}),
        **_present(
            startedBy=task.started_by,
            cpu=task.definition.get("cpu"),
            memory=task.definition.get("memory"),
            capacityProviderName=task.provider,
            platformVersion=task.platform_version,
            platformFamily="Linux" if task.platform_version else None,
            startedAt=task.started,
            pullStartedAt=task.created if task.started else None,
            pullStoppedAt=task.started,
            stoppingAt=task.stopped,
            stoppedAt=stopped,
            executionStoppedAt=stopped,
            stopCode=task.stop_code,
            stoppedReason=task.stopped_reason,
        ),
    }


def _attribute(architecture: str) -> Json:
    return {"name": "ecs.cpu-architecture", "value": architecture}


def _status(task: Task) -> str:
    """Return the status of the containers where there are some, which go on for a while after a task has to stop."""
    if task.live is None or task.running:
        return task.status
    if task.alive:
        return "PENDING"
    return task.live.status if task.live.status in {"DEACTIVATING", "STOPPING", "STOPPED"} else "DEACTIVATING"


def _container(world: World, task: Task, container: Json) -> Json:
    pull = task.pulls.get(container["name"])
    live = task.live.containers.get(container["name"]) if task.live else None
    digest = None
    if pull is not None:
        child = (live.child if live else "") or pull.child
        digest = child if world.settings.task_digest is TaskDigest.CHILD else pull.digest
    failed = task.failure and not task.alive
    status = _status(task)
    return {
        "containerArn": f"{task.arn.replace(':task/', ':container/')}/{task.id[:8]}",
        "taskArn": task.arn,
        "name": container["name"],
        "image": container["image"],
        "lastStatus": status if status != "PROVISIONING" else "PENDING",
        "networkInterfaces": [{"attachmentId": task.id[:16], "privateIpv4Address": task.address}],
        "healthStatus": "UNKNOWN",
        **_present(
            imageDigest=digest,
            runtimeId=live.id if live else f"{task.id}-{len(container['name'])}" if task.started else None,
            exitCode=live.exit_code if live else task.exit_code if failed else None,
            reason=_why(task, live) if live or task.live else task.failure if failed else None,
        ),
    }


def _why(task: Task, live: LiveContainer | None) -> str | None:
    if live is not None and live.exit_code:
        return live.reason or None
    code, reason = task.live.outcome or ("", "") if task.live else ("", "")
    return reason if code == "TaskFailedToStart" else None


def _interface(task: Task) -> Json:
    return {
        "id": task.id[:16],
        "type": "ElasticNetworkInterface",
        "status": "ATTACHED" if task.running else "DELETED" if not task.alive else "PRECREATED",
        "details": [{"name": "privateIPv4Address", "value": task.address}],
    }
