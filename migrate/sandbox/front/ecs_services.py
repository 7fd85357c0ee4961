"""CreateService, UpdateService, DeleteService, DescribeServices, ListServices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.sandbox.front import lookup, rollout
from migrate.sandbox.front.http import AwsError
from migrate.sandbox.front.placement import BOTH_CHOICES, MUST_FORCE, check_strategy, normalised, same_strategy
from migrate.sandbox.front.records import FARGATE_PROVIDERS, Service
from migrate.sandbox.front.views import service_view

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from migrate.sandbox.front.http import Json, Scope
    from migrate.sandbox.front.upstream import Upstream
    from migrate.sandbox.front.world import World

_MOST_DESCRIBED = 10
_DEPLOYMENT = {
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "strategy": "ROLLING",
    "bakeTimeInMinutes": 0,
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
}
_DEFAULTS: Json = {
    "loadBalancers": [],
    "serviceRegistries": [],
    "placementConstraints": [],
    "placementStrategy": [],
    "schedulingStrategy": "REPLICA",
    "deploymentController": {"type": "ECS"},
    "healthCheckGracePeriodSeconds": 0,
    "enableECSManagedTags": False,
    "enableExecuteCommand": False,
    "propagateTags": "NONE",
    "availabilityZoneRebalancing": "ENABLED",
}
_KEPT = (*_DEFAULTS, "networkConfiguration", "serviceConnectConfiguration", "volumeConfigurations")
# Settings whose change starts a deployment by itself (API reference of UpdateService).
_DEPLOYED = (
    "networkConfiguration",
    "loadBalancers",
    "serviceRegistries",
    "propagateTags",
    "enableECSManagedTags",
    "serviceConnectConfiguration",
    "volumeConfigurations",
)


def _refuse(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


class Services:
    """The operations on services."""

    def __init__(self, world: World, upstream: Upstream) -> None:
        self._world = world
        self._upstream = upstream
        self.operations: dict[str, Callable[[Scope, Json], Awaitable[Json]]] = {
            "CreateService": self._create,
            "UpdateService": self._update,
            "DeleteService": self._delete,
            "DescribeServices": self._describe,
            "ListServices": self._list,
        }

    async def _create(self, scope: Scope, request: Json) -> Json:
        cluster = await lookup.describe_cluster(self._upstream, scope, lookup.cluster_name(request))
        key = (scope, cluster["clusterName"], request.get("serviceName", ""))
        existing = self._world.services.get(key)
        if existing is not None and existing.status != "INACTIVE":
            draining = existing.status == "DRAINING"
            text = "Unable to Start a service that is still Draining." if draining else "Creation of service was not "
            raise _refuse(text if draining else f"{text}idempotent.")
        definition = await lookup.usable_definition(self._upstream, scope, request.get("taskDefinition", ""))
        launch_type, strategy = _choice(request, cluster)
        _check_fit(request, definition, launch_type, strategy)
        daemon = request.get("schedulingStrategy") == "DAEMON"
        settings = {**_DEFAULTS, **{name: request[name] for name in _KEPT if request.get(name) is not None}}
        settings["deploymentConfiguration"] = {**_DEPLOYMENT, **(request.get("deploymentConfiguration") or {})}
        settings["networkConfiguration"] = _network(request)
        if request.get("role"):
            settings["roleArn"] = request["role"]
        fargate = _is_fargate(launch_type, strategy)
        now = self._world.clock()
        service = Service(
            scope=scope,
            cluster=cluster["clusterName"],
            name=key[2],
            definition=definition,
            desired=1 if daemon else int(request.get("desiredCount", 0)),
            launch_type=launch_type,
            original_launch_type=launch_type or ("FARGATE" if fargate else "EC2"),
            strategy=strategy,
            platform_version=(request.get("platformVersion") or "LATEST") if fargate else None,
            created=now,
            settings=settings,
            tags=list(request.get("tags") or []),
        )
        self._world.services[key] = service
        self._world.begin_tracked(service, now)
        rollout.advance_all(self._world)
        return {"service": service_view(self._world, service, tags=True)}

    async def _update(self, scope: Scope, request: Json) -> Json:
        cluster = await lookup.describe_cluster(self._upstream, scope, lookup.cluster_name(request))
        service = lookup.find_service(self._world, scope, request)
        forced = bool(request.get("forceNewDeployment"))
        definition = service.definition
        if request.get("taskDefinition"):
            definition = await lookup.usable_definition(self._upstream, scope, request["taskDefinition"])
        launch_type, strategy = service.launch_type, service.strategy
        if "capacityProviderStrategy" in request and not _same_choice(service, request):
            if not forced:
                raise _refuse(MUST_FORCE)
            strategy = normalised(request["capacityProviderStrategy"])
            # An empty list goes back to the launch type that the service was created with (facts F2).
            launch_type = None if strategy else service.original_launch_type
            if strategy:
                check_strategy(strategy, cluster.get("capacityProviders") or [])
        checked = {**service.settings, **request}
        _check_fit(checked, definition, launch_type, strategy)
        deploys = self._apply(service, request) or forced
        deploys |= definition["taskDefinitionArn"] != service.definition["taskDefinitionArn"]
        service.definition, service.launch_type, service.strategy = definition, launch_type, strategy
        if "desiredCount" in request:
            service.desired = int(request["desiredCount"])
            service.primary.desired, service.steady = service.desired, False
        if deploys:
            self._world.begin_tracked(service, self._world.clock())
        rollout.advance_all(self._world)
        return {"service": service_view(self._world, service, tags=True)}

    def _apply(self, service: Service, request: Json) -> bool:
        """Take the plain settings over; True when one of them starts a deployment."""
        before = dict(service.settings)
        for name in _KEPT:
            if request.get(name) is not None:
                service.settings[name] = request[name]
        if request.get("networkConfiguration"):
            service.settings["networkConfiguration"] = _network(request)
        changes = request.get("deploymentConfiguration") or {}
        service.settings["deploymentConfiguration"] = {**service.settings["deploymentConfiguration"], **changes}
        platform = request.get("platformVersion", service.platform_version)
        moved = platform != service.platform_version
        service.platform_version = platform
        return moved or any(before.get(name) != service.settings.get(name) for name in _DEPLOYED)

    async def _delete(self, scope: Scope, request: Json) -> Json:
        service = lookup.find_service(self._world, scope, request)
        if service.desired > 0 and not request.get("force"):
            raise _refuse("The service cannot be stopped while it is scaled above 0.")
        if any(len(service.deployments) > 1 and not item.primary for item in service.deployments):
            raise _refuse("The service cannot be stopped while deployments are active.")
        now = self._world.clock()
        service.desired, service.status = 0, "DRAINING"
        for task in self._world.tasks_of(service):
            task.stop(now, "ServiceSchedulerInitiated", "Task stopped by (service deleted)")
        view = service_view(self._world, service, tags=True)
        rollout.advance_all(self._world)
        return {"service": view}

    async def _describe(self, scope: Scope, request: Json) -> Json:
        name = lookup.cluster_name(request)
        await lookup.describe_cluster(self._upstream, scope, name)
        references = request.get("services") or []
        if not references:
            raise _refuse("Services cannot be empty.")
        if len(references) > _MOST_DESCRIBED:
            raise _refuse("Services cannot have more than 10 elements.")
        found, failures = [], []
        for reference in references:
            service = self._world.services.get((scope, name, lookup.service_name(reference)))
            if service is None:
                arn = scope.arn("ecs", f"service/{name}/{lookup.service_name(reference)}")
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(service_view(self._world, service, tags="TAGS" in (request.get("include") or [])))
        return {"services": found, "failures": failures}

    async def _list(self, scope: Scope, request: Json) -> Json:
        name = lookup.cluster_name(request)
        await lookup.describe_cluster(self._upstream, scope, name)
        arns = [
            service.arn
            for (owner, cluster, _), service in self._world.services.items()
            if owner == scope
            and cluster == name
            and service.status != "INACTIVE"
            and request.get("launchType") in (None, service.launch_type)
        ]
        start, limit = int(request.get("nextToken") or 0), int(request.get("maxResults") or 10)
        following = {"nextToken": str(start + limit)} if start + limit < len(arns) else {}
        return {"serviceArns": arns[start : start + limit], **following}


def _choice(request: Json, cluster: Json) -> tuple[str | None, list[Json]]:
    """Launch type or strategy of a new service; with neither, the cluster's default strategy, else EC2 (facts F3)."""
    launch_type, strategy = request.get("launchType"), request.get("capacityProviderStrategy") or []
    if launch_type and strategy:
        raise _refuse(BOTH_CHOICES)
    if request.get("schedulingStrategy") == "DAEMON" and strategy:
        message = "Specifying a capacity provider strategy is not supported when you create a service using the DAEMON "
        raise _refuse(f"{message}scheduling strategy.")
    if strategy:
        check_strategy(strategy, cluster.get("capacityProviders") or [])
        return None, normalised(strategy)
    if launch_type:
        return str(launch_type), []
    default = normalised(cluster.get("defaultCapacityProviderStrategy") or [])
    return (None, default) if default else ("EC2", [])


def _same_choice(service: Service, request: Json) -> bool:
    return same_strategy(service.strategy, request["capacityProviderStrategy"] or [])


def _is_fargate(launch_type: str | None, strategy: list[Json]) -> bool:
    return launch_type == "FARGATE" or any(item["capacityProvider"] in FARGATE_PROVIDERS for item in strategy)


def _check_fit(request: Json, definition: Json, launch_type: str | None, strategy: list[Json]) -> None:
    """Refuse a task definition, network or platform version that does not fit where the tasks are to run."""
    fargate = _is_fargate(launch_type, strategy)
    compatible = definition.get("compatibilities") or definition.get("requiresCompatibilities") or []
    if fargate and "FARGATE" not in compatible:
        raise _refuse("Task definition does not support launch_type FARGATE.")
    if definition.get("networkMode") == "awsvpc" and not (request.get("networkConfiguration") or {}):
        raise _refuse("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if not fargate and request.get("platformVersion"):
        raise _refuse("The platform version must be null when specifying an EC2 launch type.")


def _network(request: Json) -> Json:
    given = (request.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if not given:
        return {}
    return {"awsvpcConfiguration": {"assignPublicIp": "DISABLED", "securityGroups": [], **given}}
