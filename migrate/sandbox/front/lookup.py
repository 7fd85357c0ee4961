"""Names and ARNs of a request to the things they mean, with AWS's errors where they mean nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.sandbox.front.http import AwsError
from migrate.sandbox.front.upstream import ECS_TARGET

if TYPE_CHECKING:
    from migrate.sandbox.front.http import Json, Scope
    from migrate.sandbox.front.records import Service, Task
    from migrate.sandbox.front.upstream import Upstream
    from migrate.sandbox.front.world import World


def cluster_name(request: Json) -> str:
    """Return the cluster that a request names, by name or ARN; ``default`` when it names none."""
    return str(request.get("cluster") or "default").rpartition("/")[2]


async def describe_cluster(upstream: Upstream, scope: Scope, name: str) -> Json:
    """Return the cluster as MiniStack keeps it; raises ClusterNotFoundException."""
    answered = await upstream.api(scope, ECS_TARGET, "DescribeClusters", {"clusters": [name], "include": ["SETTINGS"]})
    cluster: Json | None = next(iter(answered["clusters"]), None)
    if cluster is None or cluster["status"] != "ACTIVE":
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    return cluster


async def usable_definition(upstream: Upstream, scope: Scope, reference: str) -> Json:
    """Return an ACTIVE task definition; raises ClientException for a missing or an INACTIVE one (case C32)."""
    if ":" not in reference.rpartition("/")[2]:
        reference = await _newest_active(upstream, scope, reference)
    try:
        answered = await upstream.api(scope, ECS_TARGET, "DescribeTaskDefinition", {"taskDefinition": reference})
    except AwsError as error:
        raise AwsError("ClientException", "TaskDefinition not found.") from error
    definition: Json = answered["taskDefinition"]
    if definition["status"] != "ACTIVE":
        raise AwsError("ClientException", "TaskDefinition is inactive")
    return definition


async def _newest_active(upstream: Upstream, scope: Scope, family: str) -> str:
    family = family.rpartition("/")[2]
    answered = await upstream.api(scope, ECS_TARGET, "ListTaskDefinitions", {"familyPrefix": family})
    exact = [arn for arn in answered["taskDefinitionArns"] if arn.rpartition("/")[2].rpartition(":")[0] == family]
    if not exact:
        raise AwsError("ClientException", "TaskDefinition not found.")
    return str(max(exact, key=lambda arn: int(arn.rpartition(":")[2])))


def service_name(reference: str) -> str:
    """Return the name in a service's name or ARN."""
    return reference.rpartition("/")[2]


def find_service(world: World, scope: Scope, request: Json) -> Service:
    """Return the service a request names; raises ServiceNotFoundException or ServiceNotActiveException."""
    service = world.services.get((scope, cluster_name(request), service_name(request.get("service", ""))))
    if service is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    if service.status != "ACTIVE":
        raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
    return service


def service_of_arn(world: World, arn: str) -> Service | None:
    """Return the service with this ARN."""
    return next((service for service in world.services.values() if service.arn == arn), None)


def find_task(world: World, scope: Scope, request: Json, reference: str) -> Task | None:
    """Return the task of the request's cluster with this id or ARN."""
    cluster = scope.arn("ecs", f"cluster/{cluster_name(request)}")
    wanted = reference.rpartition("/")[2]
    return next((task for task in world.tasks.values() if task.cluster == cluster and task.id == wanted), None)
