"""Application Auto Scaling, which MiniStack has not: scalable targets, their scheduled actions and policies.

Records only: nothing here changes a desired count.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from migrate.sandbox.front.http import AwsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from migrate.sandbox.front.http import Json, Scope
    from migrate.sandbox.front.world import Clock

    Resource = tuple[Scope, str, str, str]

APPLICATION_AUTOSCALING_TARGET = "AnyScaleFrontendService"

_NAMED = ("ServiceNamespace", "ResourceId", "ScalableDimension")
_SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_LINKED_ROLE = (
    "aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"
)


class ApplicationAutoScaling:
    """The operations on scalable targets."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._targets: dict[Resource, Json] = {}
        self._actions: dict[tuple[Resource, str], Json] = {}
        self._policies: dict[tuple[Resource, str], Json] = {}
        self.operations: dict[str, Callable[[Scope, Json], Awaitable[Json]]] = {
            "RegisterScalableTarget": self._register,
            "DeregisterScalableTarget": self._deregister,
            "DescribeScalableTargets": self._describe_targets,
            "PutScheduledAction": self._put_action,
            "DeleteScheduledAction": self._delete_action,
            "DescribeScheduledActions": self._describe_actions,
            "PutScalingPolicy": self._put_policy,
            "DescribeScalingPolicies": self._describe_policies,
        }

    async def _register(self, scope: Scope, request: Json) -> Json:
        """Create or change a target; both limits are needed for a new one (RegisterScalableTarget reference)."""
        resource = _resource(scope, request)
        known = self._targets.get(resource)
        given: Json = {name: request[name] for name in ("MinCapacity", "MaxCapacity", "RoleARN") if name in request}
        if known is None and not {"MinCapacity", "MaxCapacity"} <= given.keys():
            raise AwsError("ValidationException", "MinCapacity and MaxCapacity are required for a new scalable target.")
        merged = dict(self._made(scope, request) if known is None else known)
        merged.update(given)
        if merged["MinCapacity"] > merged["MaxCapacity"]:
            raise AwsError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
        suspended: Json = dict(merged["SuspendedState"])
        suspended.update(request.get("SuspendedState") or {})
        merged["SuspendedState"] = suspended
        self._targets[resource] = merged
        return {"ScalableTargetARN": merged["ScalableTargetARN"]}

    def _made(self, scope: Scope, request: Json) -> Json:
        made: Json = {name: request[name] for name in _NAMED}
        made["RoleARN"] = f"arn:aws:iam::{scope.account}:role/{_LINKED_ROLE}"
        made["CreationTime"] = self._clock()
        made["SuspendedState"] = dict.fromkeys(_SUSPENDED, False)
        made["ScalableTargetARN"] = scope.arn("application-autoscaling", f"scalable-target/{uuid.uuid4().hex}")
        return made

    async def _deregister(self, scope: Scope, request: Json) -> Json:
        resource = self._known(scope, request)
        del self._targets[resource]
        for records in (self._actions, self._policies):
            for key in [key for key in records if key[0] == resource]:
                del records[key]
        return {}

    async def _describe_targets(self, scope: Scope, request: Json) -> Json:
        wanted = request.get("ResourceIds")
        found = [
            target
            for (owner, space, name, _), target in self._targets.items()
            if owner == scope and space == request.get("ServiceNamespace") and (not wanted or name in wanted)
        ]
        return {"ScalableTargets": found}

    async def _put_action(self, scope: Scope, request: Json) -> Json:
        resource, name = self._known(scope, request), str(request.get("ScheduledActionName"))
        known = self._actions.get((resource, name), {"CreationTime": self._clock()})
        arn = scope.arn("autoscaling", f"scheduledAction:{uuid.uuid4()}:resource/ecs/{resource[2]}:{name}")
        if not request.get("Schedule") and "Schedule" not in known:
            raise AwsError("ValidationException", "Schedule is required for a new scheduled action.")
        self._actions[resource, name] = {"ScheduledActionARN": arn, **known, **request}
        return {}

    async def _delete_action(self, scope: Scope, request: Json) -> Json:
        key = (self._known(scope, request), str(request.get("ScheduledActionName")))
        if self._actions.pop(key, None) is None:
            raise AwsError("ObjectNotFoundException", f"No scheduled action found for {key[1]}")
        return {}

    async def _describe_actions(self, scope: Scope, request: Json) -> Json:
        return {"ScheduledActions": _matching(self._actions, scope, request)}

    async def _put_policy(self, scope: Scope, request: Json) -> Json:
        resource, name = self._known(scope, request), str(request.get("PolicyName"))
        arn = scope.arn("autoscaling", f"scalingPolicy:{uuid.uuid4()}:resource/ecs/{resource[2]}:policyName/{name}")
        known = self._policies.get((resource, name), {"PolicyARN": arn, "CreationTime": self._clock(), "Alarms": []})
        self._policies[resource, name] = {**known, "PolicyType": "StepScaling", **request}
        return {"PolicyARN": known["PolicyARN"], "Alarms": []}

    async def _describe_policies(self, scope: Scope, request: Json) -> Json:
        return {"ScalingPolicies": _matching(self._policies, scope, request)}

    def _known(self, scope: Scope, request: Json) -> Resource:
        resource = _resource(scope, request)
        if resource not in self._targets:
            message = f"No scalable target registered for service namespace: {resource[1]}, resource ID: {resource[2]}"
            raise AwsError("ObjectNotFoundException", f"{message}, scalable dimension: {resource[3]}")
        return resource


def _resource(scope: Scope, request: Json) -> Resource:
    space, name, dimension = (str(request.get(key) or "") for key in _NAMED)
    if not (space and name and dimension):
        raise AwsError("ValidationException", f"{', '.join(_NAMED)} are required.")
    return scope, space, name, dimension


def _matching(records: dict[tuple[Resource, str], Json], scope: Scope, request: Json) -> list[Json]:
    wanted = request.get("ResourceId")
    return [
        record
        for ((owner, space, name, _), _), record in records.items()
        if owner == scope and space == request.get("ServiceNamespace") and wanted in (None, name)
    ]
