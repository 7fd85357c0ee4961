"""The provider's functions (reference/provider.md section 9)."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import TYPE_CHECKING, Any

from migrate.sandbox.aws_plugin import container_definitions, tags
from migrate.sandbox.aws_plugin.errors import ApiError, PluginError
from migrate.sandbox.aws_plugin.resources.cluster_api import find_cluster
from migrate.sandbox.aws_plugin.resources.repository import encryption_state, find_repository
from migrate.sandbox.aws_plugin.resources.service_shapes import read_network
from migrate.sandbox.aws_plugin.resources.service_wait import find_service

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.sandbox.aws_plugin.resource import Session
    from migrate.sandbox.aws_plugin.values import Props

_NOTHING = "Your query returned no results. Please change your search criteria and try again."
_TOO_MANY = (
    "Your query returned more than one result. Please try a more specific search criteria, or set `most_recent` "
    "attribute to true."
)
_REGIONS = {"us-east-1": "US East (N. Virginia)", "us-west-2": "US West (Oregon)", "eu-west-1": "Europe (Ireland)"}


def get_authorization_token(session: Session, args: Props) -> Props:
    """GetAuthorizationToken; a new token at each call."""
    registry = args.get("registryId")
    answered = session.call("ecr", "GetAuthorizationToken", registryIds=[registry] if registry else None)
    data = answered["authorizationData"][0]
    parts = base64.b64decode(data["authorizationToken"]).decode().split(":")
    if len(parts) != 2:  # noqa: PLR2004 - user and password
        raise PluginError("unknown ECR authorization token format")
    return {
        "id": session.region,
        "region": session.region,
        "registryId": registry,
        "authorizationToken": data["authorizationToken"],
        "userName": parts[0],
        "password": parts[1],
        "proxyEndpoint": data["proxyEndpoint"],
        "expiresAt": _rfc3339(data["expiresAt"]),
    }


def get_credentials(session: Session, args: Props) -> Props:
    """Give the older form of the token, which knows no region."""
    found = get_authorization_token(session, args)
    return {name: found[name] for name in ("id", "registryId", "authorizationToken", "proxyEndpoint", "expiresAt")} | {
        "userName": found["userName"],
        "password": found["password"],
    }


def get_repository(session: Session, args: Props) -> Props:
    """Describe a repository and its newest image's tags."""
    name = str(args["name"])
    repository = find_repository(session, name, args.get("registryId"))
    if repository is None:
        raise PluginError(f"reading ECR Repository ({name}): couldn't find resource")
    images = session.call("ecr", "DescribeImages", repositoryName=name).get("imageDetails") or []
    newest: Props = max(images, key=lambda item: _epoch(item["imagePushedAt"]), default={})
    arn = repository["repositoryArn"]
    tagged = session.call("ecr", "ListTagsForResource", resourceArn=arn).get("tags") or []
    scanning = repository.get("imageScanningConfiguration")
    return {
        "id": name,
        "name": name,
        "arn": arn,
        "region": session.region,
        "registryId": repository["registryId"],
        "repositoryUrl": repository["repositoryUri"],
        "imageTagMutability": repository["imageTagMutability"],
        "imageTagMutabilityExclusionFilters": repository.get("imageTagMutabilityExclusionFilters") or [],
        "imageScanningConfigurations": [scanning] if scanning else [],
        "encryptionConfigurations": encryption_state(repository),
        "mostRecentImageTags": newest.get("imageTags") or [],
        "tags": tags.state_of(session.aws.configuration, "ecr", tagged)["tagsAll"],
    }


def get_image(session: Session, args: Props) -> Props:
    """Find one image by digest, tag, or as the newest."""
    name, digest, tag = str(args["repositoryName"]), args.get("imageDigest"), args.get("imageTag")
    newest = bool(args.get("mostRecent"))
    if not (digest or tag or newest):
        raise PluginError("one of `image_digest`, `image_tag`, or `most_recent` must be specified")
    if newest and (digest or tag):
        raise PluginError('"most_recent": conflicts with image_digest, image_tag')
    wanted = {key: value for key, value in (("imageDigest", digest), ("imageTag", tag)) if value}
    try:
        answered = session.call(
            "ecr",
            "DescribeImages",
            repositoryName=name,
            registryId=args.get("registryId"),
            imageIds=[wanted] if wanted else None,
        )
    except ApiError as error:
        raise PluginError(f"reading ECR Images: {error.what}") from error
    images = answered.get("imageDetails") or []
    if not images:
        raise PluginError(_NOTHING)
    if len(images) > 1 and not newest:
        raise PluginError(_TOO_MANY)
    image = max(images, key=lambda item: _epoch(item["imagePushedAt"]))
    repository = find_repository(session, name, args.get("registryId")) or {}
    return {
        **args,
        "id": image["imageDigest"],
        "region": session.region,
        "registryId": image["registryId"],
        "imageDigest": image["imageDigest"],
        "imagePushedAt": int(_epoch(image["imagePushedAt"])),
        "imageSizeInBytes": image.get("imageSizeInBytes", 0),
        "imageTags": image.get("imageTags") or [],
        "imageUri": f"{repository.get('repositoryUri', '')}@{image['imageDigest']}",
    }


_SERVICE_TEXTS = (
    "availabilityZoneRebalancing",
    "createdBy",
    "launchType",
    "platformFamily",
    "platformVersion",
    "propagateTags",
    "schedulingStrategy",
    "taskDefinition",
)
_SERVICE_COUNTS = ("desiredCount", "pendingCount", "runningCount", "healthCheckGracePeriodSeconds")


def get_service(session: Session, args: Props) -> Props:
    """Describe a service, INACTIVE ones too."""
    service = find_service(session, str(args["serviceName"]), str(args["clusterArn"]), tags=True)
    if service is None:
        raise PluginError("no matching ECS Service found")
    network = read_network(service.get("networkConfiguration"))
    deployment, controller = service.get("deploymentConfiguration"), service.get("deploymentController")
    balancers = service.get("loadBalancers") or []
    return {
        **{name: service.get(name, "") for name in _SERVICE_TEXTS},
        **{name: service.get(name, 0) for name in _SERVICE_COUNTS},
        **{name: service[name] for name in ("serviceName", "clusterArn", "status")},
        "id": service["serviceArn"],
        "arn": service["serviceArn"],
        "region": session.region,
        "capacityProviderStrategies": service.get("capacityProviderStrategy") or [],
        "createdAt": _plain(service.get("createdAt", "")),
        "deploymentConfigurations": [_deployment_configuration(deployment)] if deployment else [],
        "deploymentControllers": [controller] if controller else [],
        "deployments": [_deployment(item) for item in service.get("deployments") or []],
        "enableEcsManagedTags": bool(service.get("enableECSManagedTags")),
        "enableExecuteCommand": bool(service.get("enableExecuteCommand")),
        "events": [{name: _plain(value) for name, value in item.items()} for item in service.get("events") or []],
        "iamRole": service.get("roleArn", ""),
        "loadBalancers": [{"targetGroupArn": "", "elbName": "", "advancedConfigurations": [], **i} for i in balancers],
        "networkConfigurations": [network] if network else [],
        "orderedPlacementStrategies": service.get("placementStrategy") or [],
        "placementConstraints": service.get("placementConstraints") or [],
        "serviceRegistries": service.get("serviceRegistries") or [],
        "tags": tags.state_of(session.aws.configuration, "ecs", service.get("tags") or [])["tagsAll"],
        "taskSets": [],
    }


def _deployment(item: Props) -> Props:
    texts = ("id", "status", "taskDefinition", "createdAt", "updatedAt")
    counts = ("desiredCount", "pendingCount", "runningCount")
    return {name: _plain(item[name]) for name in (*texts, *counts)}


def _deployment_configuration(deployment: Props) -> Props:
    breaker, alarms = deployment.get("deploymentCircuitBreaker"), deployment.get("alarms")
    return {
        "alarms": [alarms] if alarms else [],
        "bakeTimeInMinutes": str(deployment.get("bakeTimeInMinutes", "")),
        "canaryConfigurations": [deployment["canaryConfiguration"]] if deployment.get("canaryConfiguration") else [],
        "deploymentCircuitBreakers": [breaker] if breaker else [],
        "lifecycleHooks": deployment.get("lifecycleHooks") or [],
        "linearConfigurations": [deployment["linearConfiguration"]] if deployment.get("linearConfiguration") else [],
        "maximumPercent": deployment.get("maximumPercent", 0),
        "minimumHealthyPercent": deployment.get("minimumHealthyPercent", 0),
        "strategy": deployment.get("strategy", ""),
    }


def get_task_definition(session: Session, args: Props) -> Props:
    """Describe a revision, INACTIVE ones too; a family means its newest ACTIVE one."""
    reference = str(args["taskDefinition"])
    try:
        answered = session.call("ecs", "DescribeTaskDefinition", taskDefinition=reference)
    except ApiError as error:
        raise PluginError(f"reading ECS Task Definition ({reference}): {error.what}") from error
    definition = answered["taskDefinition"]
    arn, storage = str(definition["taskDefinitionArn"]), definition.get("ephemeralStorage")
    runtime, proxy = definition.get("runtimePlatform"), definition.get("proxyConfiguration")
    plain = (
        "family",
        "cpu",
        "memory",
        "networkMode",
        "executionRoleArn",
        "taskRoleArn",
        "ipcMode",
        "pidMode",
        "status",
    )
    return {
        "id": arn,
        "arn": arn,
        "arnWithoutRevision": arn.rpartition(":")[0],
        "region": session.region,
        "taskDefinition": reference,
        "revision": definition["revision"],
        **{name: definition.get(name, "") for name in plain},
        "containerDefinitions": container_definitions.written(definition["containerDefinitions"]),
        "enableFaultInjection": bool(definition.get("enableFaultInjection")),
        "ephemeralStorages": [{"sizeInGib": storage["sizeInGiB"]}] if storage else [],
        "placementConstraints": definition.get("placementConstraints") or [],
        "proxyConfigurations": [proxy] if proxy else [],
        "requiresCompatibilities": definition.get("requiresCompatibilities") or [],
        "runtimePlatforms": [runtime] if runtime else [],
        "volumes": definition.get("volumes") or [],
    }


def get_cluster(session: Session, args: Props) -> Props:
    """Describe a cluster; missing or INACTIVE is an error."""
    name = str(args["clusterName"])
    cluster = find_cluster(session, name)
    if cluster is None:
        raise PluginError(f"reading ECS Cluster ({name}): couldn't find resource")
    connect = cluster.get("serviceConnectDefaults")
    return {
        "id": cluster["clusterArn"],
        "arn": cluster["clusterArn"],
        "clusterName": cluster["clusterName"],
        "region": session.region,
        "status": cluster["status"],
        "pendingTasksCount": cluster.get("pendingTasksCount", 0),
        "runningTasksCount": cluster.get("runningTasksCount", 0),
        "registeredContainerInstancesCount": cluster.get("registeredContainerInstancesCount", 0),
        "settings": cluster.get("settings") or [],
        "serviceConnectDefaults": [connect] if connect else [],
        "tags": tags.state_of(session.aws.configuration, "ecs", cluster.get("tags") or [])["tagsAll"],
    }


def get_caller_identity(session: Session, _args: Props) -> Props:
    """GetCallerIdentity."""
    answered = session.aws.call("sts", "GetCallerIdentity")
    account = answered["Account"]
    return {"id": account, "accountId": account, "arn": answered["Arn"], "userId": answered["UserId"]}


def get_region(session: Session, args: Props) -> Props:
    """Describe a region; the provider's when none is named."""
    name = args.get("region") or args.get("name") or session.region
    endpoint = f"ec2.{name}.amazonaws.com"
    if args.get("endpoint") not in (None, "", endpoint):
        raise PluginError(f"region not found for endpoint: {args['endpoint']}")
    description = _REGIONS.get(name, name)
    return {"id": name, "name": name, "region": name, "endpoint": endpoint, "description": description}


FUNCTIONS: dict[str, tuple[tuple[str, ...], Callable[[Session, Props], Props]]] = {
    "aws:ecr/getAuthorizationToken:getAuthorizationToken": ((), get_authorization_token),
    "aws:ecr/getCredentials:getCredentials": (("registryId",), get_credentials),
    "aws:ecr/getImage:getImage": (("repositoryName",), get_image),
    "aws:ecr/getRepository:getRepository": (("name",), get_repository),
    "aws:ecs/getCluster:getCluster": (("clusterName",), get_cluster),
    "aws:ecs/getService:getService": (("clusterArn", "serviceName"), get_service),
    "aws:ecs/getTaskDefinition:getTaskDefinition": (("taskDefinition",), get_task_definition),
    "aws:index/getCallerIdentity:getCallerIdentity": ((), get_caller_identity),
    "aws:index/getRegion:getRegion": ((), get_region),
}
"""Token to required arguments and function."""


def _epoch(moment: Any) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else float(moment)


def _rfc3339(moment: Any) -> str:
    return moment.isoformat().replace("+00:00", "Z") if isinstance(moment, datetime) else str(moment)


def _plain(value: Any) -> Any:
    return _rfc3339(value) if isinstance(value, datetime) else value
