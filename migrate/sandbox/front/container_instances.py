"""Container instances, capacity providers and account settings, as AWS answers them.

An instance is registered as its agent does it, by RegisterContainerInstance; MiniStack knows none.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING

from migrate.sandbox.front import lookup
from migrate.sandbox.front.http import AwsError
from migrate.sandbox.front.placement import provider_name
from migrate.sandbox.front.records import FARGATE_PROVIDERS
from migrate.sandbox.front.upstream import ECS_TARGET

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from migrate.sandbox.front.http import Json, Scope
    from migrate.sandbox.front.upstream import Upstream
    from migrate.sandbox.front.world import Clock

_MOST_DESCRIBED = 100
_GROUP = re.compile(r"<AutoScalingGroupName>([^<]+)</AutoScalingGroupName>")
_OFF_BY_DEFAULT = ("awsvpcTrunking",)
"""Account settings that AWS has off until somebody turns them on, and MiniStack has on."""


class ContainerInstances:
    """The operations on container instances, and what is strict about capacity providers and account settings."""

    def __init__(self, upstream: Upstream, clock: Clock) -> None:
        self._upstream = upstream
        self._clock = clock
        self._instances: dict[str, Json] = {}
        self.operations: dict[str, Callable[[Scope, Json], Awaitable[Json]]] = {
            "RegisterContainerInstance": self._register,
            "DeregisterContainerInstance": self._deregister,
            "UpdateContainerInstancesState": self._update_state,
            "ListContainerInstances": self._list,
            "DescribeContainerInstances": self._describe,
            "DescribeCapacityProviders": self._describe_providers,
            "ListAccountSettings": self._account_settings,
        }

    async def _register(self, scope: Scope, request: Json) -> Json:
        cluster = lookup.cluster_name(request)
        await lookup.describe_cluster(self._upstream, scope, cluster)
        instance = str(json.loads(request.get("instanceIdentityDocument") or "{}").get("instanceId", ""))
        arn = request.get("containerInstanceArn") or scope.arn(
            "ecs", f"container-instance/{cluster}/{uuid.uuid4().hex}"
        )
        resources = request.get("totalResources") or []
        self._instances[arn] = {
            "containerInstanceArn": arn,
            "ec2InstanceId": instance,
            "version": 1,
            "versionInfo": request.get("versionInfo") or {},
            "registeredResources": resources,
            "remainingResources": [dict(item) for item in resources],
            "status": "ACTIVE",
            "agentConnected": True,
            "runningTasksCount": 0,
            "pendingTasksCount": 0,
            "attributes": request.get("attributes") or [],
            "registeredAt": self._clock(),
            "attachments": [],
        }
        provider = await self._provider_of(scope, instance)
        if provider:
            self._instances[arn]["capacityProviderName"] = provider
        return {"containerInstance": self._instances[arn]}

    async def _provider_of(self, scope: Scope, instance: str) -> str | None:
        """Return the capacity provider whose Auto Scaling group the machine belongs to."""
        asked = {"InstanceIds.member.1": instance}
        text = await self._upstream.form(scope, "autoscaling", "DescribeAutoScalingInstances", asked)
        group = _GROUP.search(text)
        known = await self._upstream.api(scope, ECS_TARGET, "DescribeCapacityProviders", {})
        for provider in known["capacityProviders"] if group else ():
            arn = str((provider.get("autoScalingGroupProvider") or {}).get("autoScalingGroupArn", ""))
            if arn.rpartition("autoScalingGroupName/")[2] == group[1]:  # type: ignore[index] # there is a group
                return str(provider["name"])
        return None

    async def _deregister(self, scope: Scope, request: Json) -> Json:
        found = self._find(scope, lookup.cluster_name(request), str(request.get("containerInstance")))
        if found is None:
            raise AwsError("InvalidParameterException", "Referenced container instance was not found.")
        if found["runningTasksCount"] and not request.get("force"):
            raise AwsError("InvalidParameterException", "Found running tasks on the instance.")
        del self._instances[found["containerInstanceArn"]]
        return {"containerInstance": {**found, "status": "INACTIVE"}}

    async def _update_state(self, scope: Scope, request: Json) -> Json:
        found, failures = self._named(scope, request)
        for instance in found:
            instance["status"] = request.get("status", instance["status"])
        return {"containerInstances": found, "failures": failures}

    async def _list(self, scope: Scope, request: Json) -> Json:
        name, status = lookup.cluster_name(request), request.get("status")
        await lookup.describe_cluster(self._upstream, scope, name)
        prefix = scope.arn("ecs", f"container-instance/{name}/")
        found = [
            arn
            for arn, instance in self._instances.items()
            if arn.startswith(prefix) and status in (None, instance["status"])
        ]
        return {"containerInstanceArns": found}

    async def _describe(self, scope: Scope, request: Json) -> Json:
        if len(request.get("containerInstances") or []) > _MOST_DESCRIBED:
            message = f"Container instance Ids length should be less than or equal to {_MOST_DESCRIBED}."
            raise AwsError("InvalidParameterException", message)
        found, failures = self._named(scope, request)
        return {"containerInstances": found, "failures": failures}

    def _named(self, scope: Scope, request: Json) -> tuple[list[Json], list[Json]]:
        cluster, found, failures = lookup.cluster_name(request), [], []
        for reference in request.get("containerInstances") or []:
            instance = self._find(scope, cluster, reference)
            if instance is None:
                arn = scope.arn("ecs", f"container-instance/{cluster}/{reference.rpartition('/')[2]}")
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(instance)
        return found, failures

    def _find(self, scope: Scope, cluster: str, reference: str) -> Json | None:
        return self._instances.get(scope.arn("ecs", f"container-instance/{cluster}/{reference.rpartition('/')[2]}"))

    async def _describe_providers(self, scope: Scope, request: Json) -> Json:
        """Answer with failures for names that do not exist, and nothing of an Auto Scaling group for Fargate's."""
        answered = await self._upstream.api(scope, ECS_TARGET, "DescribeCapacityProviders", request)
        providers = [_as_aws_shows(item) for item in answered["capacityProviders"]]
        names = [provider_name(item) for item in request.get("capacityProviders") or []]
        there = {item["name"] for item in providers}
        failures = [
            {"arn": scope.arn("ecs", f"capacity-provider/{name}"), "reason": "MISSING"}
            for name in names
            if name not in there
        ]
        return {
            "capacityProviders": [item for item in providers if not names or item["name"] in names],
            "failures": failures,
        }

    async def _account_settings(self, scope: Scope, request: Json) -> Json:
        answered = await self._upstream.api(scope, ECS_TARGET, "ListAccountSettings", request)
        for setting in answered["settings"]:
            if setting["name"] in _OFF_BY_DEFAULT and setting.get("type") != "user":
                setting["value"] = "disabled"
        return answered


def _as_aws_shows(provider: Json) -> Json:
    if provider["name"] in FARGATE_PROVIDERS:
        return {
            name: value for name, value in provider.items() if name not in ("autoScalingGroupProvider", "updateStatus")
        }
    return provider
