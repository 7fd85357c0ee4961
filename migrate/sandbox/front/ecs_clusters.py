"""Clusters, their capacity providers, task definitions and tags: MiniStack's records under AWS's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.sandbox.front import lookup
from migrate.sandbox.front.http import AwsError
from migrate.sandbox.front.placement import check_strategy, normalised, provider_name
from migrate.sandbox.front.records import FARGATE_PROVIDERS
from migrate.sandbox.front.upstream import ECS_TARGET

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from migrate.sandbox.front.http import Json, Scope
    from migrate.sandbox.front.upstream import Upstream
    from migrate.sandbox.front.world import World

_MEMORY_STEPS = {256: (512, 1024, 2048), 512: range(1024, 4097, 1024), 1024: range(2048, 8193, 1024)}
_MEMORY_STEPS |= {2048: range(4096, 16385, 1024), 4096: range(8192, 30721, 1024), 8192: range(16384, 61441, 4096)}
_MEMORY_STEPS |= {16384: range(32768, 122881, 8192), 32768: (61440, 122880, 249856)}
_ARCHITECTURES = ("X86_64", "ARM64")


class Clusters:
    """The operations on clusters, capacity providers, task definitions and tags."""

    def __init__(self, world: World, upstream: Upstream) -> None:
        self._world = world
        self._upstream = upstream
        self.operations: dict[str, Callable[[Scope, Json], Awaitable[Json]]] = {
            "DescribeClusters": self._describe_clusters,
            "DeleteCluster": self._delete_cluster,
            "PutClusterCapacityProviders": self._put_capacity_providers,
            "RegisterTaskDefinition": self._register,
            "DescribeTaskDefinition": self._describe_definition,
            "ListTaskDefinitions": self._list_definitions,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._tags,
        }

    async def _describe_clusters(self, scope: Scope, request: Json) -> Json:
        answered = await self._upstream.api(scope, ECS_TARGET, "DescribeClusters", request)
        for cluster in answered["clusters"]:
            tasks = [
                task for task in self._world.tasks.values() if task.alive and task.cluster == cluster["clusterArn"]
            ]
            cluster["runningTasksCount"] = sum(task.running for task in tasks)
            cluster["pendingTasksCount"] = len(tasks) - cluster["runningTasksCount"]
            cluster["activeServicesCount"] = len(self._services(scope, cluster["clusterName"]))
        return answered

    def _services(self, scope: Scope, cluster: str) -> list[str]:
        return [
            service.name
            for (owner, name, _), service in self._world.services.items()
            if owner == scope and name == cluster and service.status != "INACTIVE"
        ]

    async def _delete_cluster(self, scope: Scope, request: Json) -> Json:
        name = lookup.cluster_name(request)
        await lookup.describe_cluster(self._upstream, scope, name)
        if self._services(scope, name):
            message = "The Cluster cannot be deleted while Services are active."
            raise AwsError("ClusterContainsServicesException", message)
        if any(task.alive and task.cluster.endswith(f"/{name}") for task in self._world.tasks.values()):
            raise AwsError("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
        return await self._upstream.api(scope, ECS_TARGET, "DeleteCluster", request)

    async def _put_capacity_providers(self, scope: Scope, request: Json) -> Json:
        """Facts F12: both lists are required, all names must exist, and a provider in use cannot be left out."""
        for key in ("capacityProviders", "defaultCapacityProviderStrategy"):
            if not isinstance(request.get(key), list):
                raise AwsError("InvalidParameterException", f"{key} is required and must be a list.")
        name = lookup.cluster_name(request)
        cluster = await lookup.describe_cluster(self._upstream, scope, name)
        wanted = [provider_name(item) for item in request["capacityProviders"]]
        known = await self._upstream.api(scope, ECS_TARGET, "DescribeCapacityProviders", {})
        names = {*FARGATE_PROVIDERS, *(item["name"] for item in known["capacityProviders"])}
        missing = next((item for item in wanted if item not in names), None)
        if missing is not None:
            message = f"The specified capacity provider '{missing}' was not found. Specify a valid name or ARN and try "
            raise AwsError("InvalidParameterException", f"{message}again.")
        strategy = normalised(request["defaultCapacityProviderStrategy"])
        if strategy:
            check_strategy(strategy, wanted)
        left_out = set(cluster.get("capacityProviders") or []) - set(wanted)
        if left_out & self._in_use(scope, name):
            message = "The specified capacity provider is in use and cannot be removed."
            raise AwsError("ResourceInUseException", message)
        changed = {**request, "capacityProviders": wanted, "defaultCapacityProviderStrategy": strategy}
        return await self._upstream.api(scope, ECS_TARGET, "PutClusterCapacityProviders", changed)

    def _in_use(self, scope: Scope, cluster: str) -> set[str]:
        arn = scope.arn("ecs", f"cluster/{cluster}")
        used = {task.provider for task in self._world.tasks.values() if task.alive and task.cluster == arn}
        for (owner, name, _), service in self._world.services.items():
            if owner == scope and name == cluster and service.status == "ACTIVE":
                used |= {item["capacityProvider"] for item in service.strategy}
        return {provider for provider in used if provider}

    async def _register(self, scope: Scope, request: Json) -> Json:
        architecture = (request.get("runtimePlatform") or {}).get("cpuArchitecture") or "X86_64"
        if architecture not in _ARCHITECTURES:
            message = f"Invalid runtimePlatform: cpuArchitecture '{architecture}' is not one of X86_64, ARM64."
            raise AwsError("ClientException", message)
        if "FARGATE" in (request.get("requiresCompatibilities") or []):
            _check_fargate(request)
        answered = await self._upstream.api(scope, ECS_TARGET, "RegisterTaskDefinition", request)
        return {**answered, "taskDefinition": _lean(answered["taskDefinition"])}

    async def _describe_definition(self, scope: Scope, request: Json) -> Json:
        reference = str(request.get("taskDefinition", ""))
        if ":" not in reference.rpartition("/")[2]:
            try:
                reference = (await lookup.usable_definition(self._upstream, scope, reference))["taskDefinitionArn"]
            except AwsError as error:
                raise AwsError("ClientException", "Unable to describe task definition.") from error
        asked = {**request, "taskDefinition": reference}
        answered = await self._upstream.api(scope, ECS_TARGET, "DescribeTaskDefinition", asked)
        if "TAGS" not in (request.get("include") or []):
            answered.pop("tags", None)
        return {**answered, "taskDefinition": _lean(answered["taskDefinition"])}

    async def _list_definitions(self, scope: Scope, request: Json) -> Json:
        """List the revisions of exactly the family: MiniStack takes its name for a prefix."""
        answered = await self._upstream.api(scope, ECS_TARGET, "ListTaskDefinitions", request)
        family, arns = request.get("familyPrefix"), answered["taskDefinitionArns"]
        exact = [arn for arn in arns if family in (None, arn.rpartition("/")[2].rpartition(":")[0])]
        return {**answered, "taskDefinitionArns": exact}

    async def _tag(self, scope: Scope, request: Json) -> Json:
        service = lookup.service_of_arn(self._world, request.get("resourceArn", ""))
        if service is None:
            return await self._upstream.api(scope, ECS_TARGET, "TagResource", request)
        added = {tag["key"]: tag for tag in request.get("tags") or []}
        service.tags = [tag for tag in service.tags if tag["key"] not in added] + list(added.values())
        return {}

    async def _untag(self, scope: Scope, request: Json) -> Json:
        service = lookup.service_of_arn(self._world, request.get("resourceArn", ""))
        if service is None:
            return await self._upstream.api(scope, ECS_TARGET, "UntagResource", request)
        service.tags = [tag for tag in service.tags if tag["key"] not in (request.get("tagKeys") or [])]
        return {}

    async def _tags(self, scope: Scope, request: Json) -> Json:
        service = lookup.service_of_arn(self._world, request.get("resourceArn", ""))
        if service is None:
            return await self._upstream.api(scope, ECS_TARGET, "ListTagsForResource", request)
        return {"tags": service.tags}


def _check_fargate(request: Json) -> None:
    if request.get("networkMode") != "awsvpc":
        raise AwsError("ClientException", "Fargate only supports network mode 'awsvpc'.")
    if not request.get("cpu") or not request.get("memory"):
        raise AwsError("ClientException", "Fargate requires that 'cpu' be defined at the task level.")
    try:
        fits = int(request["memory"]) in _MEMORY_STEPS.get(int(request["cpu"]), ())
    except ValueError:
        return  # "1 vCPU" and "2 GB" are legal spellings that this check does not read
    if not fits:
        raise AwsError("ClientException", "No Fargate configuration exists for given values.")


def _lean(definition: Json) -> Json:
    """Return a task definition without the members that AWS leaves out when they were not given."""
    return {name: value for name, value in definition.items() if value not in (None, "")}
