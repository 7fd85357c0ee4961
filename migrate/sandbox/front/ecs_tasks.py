"""RunTask, StopTask, DescribeTasks, ListTasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.sandbox.front import lookup
from migrate.sandbox.front.http import AwsError
from migrate.sandbox.front.placement import BOTH_CHOICES, check_strategy, next_provider, normalised
from migrate.sandbox.front.records import FARGATE_PROVIDERS
from migrate.sandbox.front.views import task_view

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from migrate.sandbox.front.http import Json, Scope
    from migrate.sandbox.front.records import Task
    from migrate.sandbox.front.upstream import Upstream
    from migrate.sandbox.front.world import World

_MOST_DESCRIBED = 100


class Tasks:
    """The operations on tasks."""

    def __init__(self, world: World, upstream: Upstream) -> None:
        self._world = world
        self._upstream = upstream
        self.operations: dict[str, Callable[[Scope, Json], Awaitable[Json]]] = {
            "RunTask": self._run,
            "StopTask": self._stop,
            "DescribeTasks": self._describe,
            "ListTasks": self._list,
        }

    async def _run(self, scope: Scope, request: Json) -> Json:
        cluster = await lookup.describe_cluster(self._upstream, scope, lookup.cluster_name(request))
        definition = await lookup.usable_definition(self._upstream, scope, request.get("taskDefinition", ""))
        strategy = normalised(request.get("capacityProviderStrategy") or [])
        if strategy and request.get("launchType"):
            raise AwsError("InvalidParameterException", BOTH_CHOICES)
        check_strategy(strategy, cluster.get("capacityProviders") or []) if strategy else None
        provider = next_provider(strategy, {}) if strategy else None
        launch_type = request.get("launchType") or ("FARGATE" if provider in FARGATE_PROVIDERS else "EC2")
        pulls = self._world.pull_all(scope, definition, launch_type)
        failure = next((pull.error for pull in pulls.values() if pull.error), "")
        tasks = [
            self._world.new_task(
                scope,
                cluster["clusterName"],
                definition,
                group=request.get("group") or f"family:{definition['family']}",
                started_by=request.get("startedBy") or "",
                launch_type=launch_type,
                provider=provider,
                pulls=pulls,
                failure=failure,
            )
            for _ in range(int(request.get("count", 1)))
        ]
        for task in tasks:
            self._world.bring_to_life(task)
        return {"tasks": [task_view(self._world, task) for task in tasks], "failures": []}

    async def _stop(self, scope: Scope, request: Json) -> Json:
        task = lookup.find_task(self._world, scope, request, request.get("task", ""))
        if task is None:
            raise AwsError("InvalidParameterException", "The referenced task was not found.")
        task.stop(self._world.clock(), "UserInitiated", request.get("reason") or "Task stopped by user")
        return {"task": task_view(self._world, task)}

    async def _describe(self, scope: Scope, request: Json) -> Json:
        await lookup.describe_cluster(self._upstream, scope, lookup.cluster_name(request))
        references = request.get("tasks") or []
        if not 0 < len(references) <= _MOST_DESCRIBED:
            raise AwsError("InvalidParameterException", "Tasks must have between 1 and 100 elements.")
        found = [(reference, lookup.find_task(self._world, scope, request, reference)) for reference in references]
        return {
            "tasks": [task_view(self._world, task) for _, task in found if task],
            "failures": [{"arn": reference, "reason": "MISSING"} for reference, task in found if task is None],
        }

    async def _list(self, scope: Scope, request: Json) -> Json:
        name = lookup.cluster_name(request)
        await lookup.describe_cluster(self._upstream, scope, name)
        cluster, desired = scope.arn("ecs", f"cluster/{name}"), request.get("desiredStatus", "RUNNING")
        arns = [
            task.arn
            for task in self._world.tasks.values()
            if task.cluster == cluster and task.alive == (desired != "STOPPED") and _passes(task, request)
        ]
        start, limit = int(request.get("nextToken") or 0), int(request.get("maxResults") or 100)
        following = {"nextToken": str(start + limit)} if start + limit < len(arns) else {}
        return {"taskArns": arns[start : start + limit], **following}


def _passes(task: Task, request: Json) -> bool:
    service = lookup.service_name(request.get("serviceName") or "")
    return (
        (not service or task.group == f"service:{service}")
        and request.get("family") in (None, task.definition["family"])
        and request.get("startedBy") in (None, task.started_by)
        and request.get("launchType") in (None, task.launch_type)
    )
