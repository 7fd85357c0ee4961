"""ListServiceDeployments, DescribeServiceDeployments, DescribeServiceRevisions, StopServiceDeployment (facts F17)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.sandbox.front import lookup, rollout
from migrate.sandbox.front.http import AwsError
from migrate.sandbox.front.records import Deployment, Rollout, Status
from migrate.sandbox.front.views import (
    revision_arn,
    revision_view,
    service_deployment_brief,
    service_deployment_view,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from migrate.sandbox.front.http import Json, Scope
    from migrate.sandbox.front.records import Service, ServiceDeployment
    from migrate.sandbox.front.world import World

_MOST_DESCRIBED = 20


class ServiceDeployments:
    """The operations on service deployments and service revisions."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.operations: dict[str, Callable[[Scope, Json], Awaitable[Json]]] = {
            "ListServiceDeployments": self._list,
            "DescribeServiceDeployments": self._describe,
            "DescribeServiceRevisions": self._revisions,
            "StopServiceDeployment": self._stop,
        }

    async def _list(self, scope: Scope, request: Json) -> Json:
        key = (scope, lookup.cluster_name(request), lookup.service_name(request.get("service", "")))
        service = self._world.services.get(key)
        if service is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        wanted, span = request.get("status") or list(Status), request.get("createdAt") or {}
        after, before = float(span.get("after", 0)), float(span.get("before", "inf"))
        found = [item for item in service.history if item.status in wanted and after <= item.created <= before]
        return {"serviceDeployments": [service_deployment_brief(service, item) for item in found]}

    async def _describe(self, scope: Scope, request: Json) -> Json:
        found, failures = [], []
        for arn in _bounded(request, "serviceDeploymentArns"):
            match = self._find(scope, arn)
            if match is None:
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(service_deployment_view(self._world, *match))
        return {"serviceDeployments": found, "failures": failures}

    async def _revisions(self, scope: Scope, request: Json) -> Json:
        wanted = _bounded(request, "serviceRevisionArns")
        known: dict[str, tuple[Service, Deployment]] = {}
        for (owner, _, _), service in self._world.services.items():
            if owner == scope:
                for deployment in (*service.deployments, *service.past):
                    known[revision_arn(service, deployment)] = (service, deployment)
        return {
            "serviceRevisions": [revision_view(*known[arn]) for arn in wanted if arn in known],
            "failures": [{"arn": arn, "reason": "MISSING"} for arn in wanted if arn not in known],
        }

    async def _stop(self, scope: Scope, request: Json) -> Json:
        arn = request.get("serviceDeploymentArn", "")
        match = self._find(scope, arn)
        if match is None:
            raise AwsError("ServiceDeploymentNotFoundException", "The service deployment was not found.")
        service, item = match
        if not item.status.running:
            message = f"The service deployment cannot be stopped because its status is {item.status.value}."
            raise AwsError("ConflictException", message)
        now, kind = self._world.clock(), request.get("stopType") or "ROLLBACK"
        if kind == "ROLLBACK" and item.status is Status.IN_PROGRESS:
            if service.last_completed is None:
                message = (
                    "The service deployment cannot be rolled back: there is no completed deployment to go back to."
                )
                raise AwsError("InvalidParameterException", message)
            rollout.roll_back(self._world, service, now, "Service deployment stopped by user.", "Service deployment")
        elif kind == "ABORT":
            item.finish(Status.STOPPED, now, "Service deployment stopped by user.")
            item.deployment.state = Rollout.FAILED
        rollout.advance_all(self._world)
        return {"serviceDeploymentArn": arn}

    def _find(self, scope: Scope, arn: str) -> tuple[Service, ServiceDeployment] | None:
        for (owner, _, _), service in self._world.services.items():
            for item in service.history:
                if owner == scope and item.arn == arn:
                    return service, item
        return None


def _bounded(request: Json, key: str) -> list[str]:
    arns = list(request.get(key) or [])
    if len(arns) > _MOST_DESCRIBED:
        raise AwsError("InvalidParameterException", f"{key} cannot have more than 20 elements.")
    return arns
