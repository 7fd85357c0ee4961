"""Reads Application Auto Scaling: who else sets a service's desired count, and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import TYPE_CHECKING, Literal, TypedDict, TypeVar

from migrate.adapters.aws.arns import name_of
from migrate.adapters.aws.ecs import batches
from migrate.adapters.aws.errors import translated
from migrate.adapters.aws.parse_ecs import utc
from migrate.adapters.aws.session import AwsSession
from migrate.core.facts import Service
from migrate.core.surroundings import ScalableTarget, ScalingPolicy, ScheduledAction

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling.type_defs import (
        ScalableTargetTypeDef,
        ScalingPolicyTypeDef,
        ScheduledActionTypeDef,
    )


_Named = TypeVar("_Named", ScheduledAction, ScalingPolicy)

TARGETS_PER_CALL = 50
"""DescribeScalableTargets reference, ResourceIds."""


class _Dimension(TypedDict):
    ServiceNamespace: Literal["ecs"]
    ScalableDimension: Literal["ecs:service:DesiredCount"]


_DESIRED_COUNT: _Dimension = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}


def resource_id(service: Service) -> str:
    """Return how Application Auto Scaling names a service (RegisterScalableTarget reference, ResourceId)."""
    return f"service/{name_of(service.cluster_arn)}/{service.name}"


def scalable_target(session: AwsSession, service: Service) -> ScalableTarget | None:
    """Return the service's scalable target, None where nothing scales it. Raises AccessError."""
    with _translated(session):
        found = session.application_autoscaling().describe_scalable_targets(
            ResourceIds=[resource_id(service)], **_DESIRED_COUNT
        )["ScalableTargets"]
    return target(found[0]) if found else None


def scalable_targets(session: AwsSession, resources: Sequence[str]) -> dict[str, ScalableTarget]:
    """Return the scalable targets of many services by resource id, fifty a call. Raises AccessError."""
    found: dict[str, ScalableTarget] = {}
    for batch in batches(resources, TARGETS_PER_CALL):
        with _translated(session):
            pager = session.application_autoscaling().get_paginator("describe_scalable_targets")
            for page in pager.paginate(ResourceIds=batch, **_DESIRED_COUNT):
                found.update({item["ResourceId"]: target(item) for item in page["ScalableTargets"]})
    return found


def target(answer: ScalableTargetTypeDef) -> ScalableTarget:
    """Return a target of DescribeScalableTargets."""
    suspended = answer.get("SuspendedState", {})
    return ScalableTarget(
        minimum=answer["MinCapacity"],
        maximum=answer["MaxCapacity"],
        scale_in_suspended=suspended.get("DynamicScalingInSuspended", False),
        scale_out_suspended=suspended.get("DynamicScalingOutSuspended", False),
        scheduled_suspended=suspended.get("ScheduledScalingSuspended", False),
    )


def scheduled_actions(session: AwsSession, service: Service) -> tuple[ScheduledAction, ...]:
    """Return the service's scheduled actions, sorted by name. Raises AccessError."""
    with _translated(session):
        pager = session.application_autoscaling().get_paginator("describe_scheduled_actions")
        pages = pager.paginate(ResourceId=resource_id(service), **_DESIRED_COUNT)
        found = [action(item) for page in pages for item in page["ScheduledActions"]]
    return _by_name(found)


def all_scheduled_actions(session: AwsSession, most: int) -> dict[str, tuple[ScheduledAction, ...]] | None:
    """Return the scheduled actions of all services by resource id; None if that takes more than ``most`` calls.

    Raises AccessError.
    """
    with _translated(session):
        pages = session.application_autoscaling().get_paginator("describe_scheduled_actions").paginate(**_DESIRED_COUNT)
        found: dict[str, list[ScheduledAction]] = {}
        for page in islice(pages, most):
            for item in page["ScheduledActions"]:
                found.setdefault(item["ResourceId"], []).append(action(item))
            if "NextToken" not in page:
                return {name: _by_name(several) for name, several in found.items()}
    return None


def action(answer: ScheduledActionTypeDef) -> ScheduledAction:
    """Return an action of DescribeScheduledActions; without a time zone its schedule is in UTC."""
    change = answer.get("ScalableTargetAction", {})
    starts, ends = answer.get("StartTime"), answer.get("EndTime")
    return ScheduledAction(
        name=answer["ScheduledActionName"],
        schedule=answer["Schedule"],
        timezone=answer.get("Timezone") or "UTC",
        minimum=change.get("MinCapacity"),
        maximum=change.get("MaxCapacity"),
        starts_at=None if starts is None else utc(starts),
        ends_at=None if ends is None else utc(ends),
    )


def scaling_policies(session: AwsSession, service: Service) -> tuple[ScalingPolicy, ...]:
    """Return the service's scaling policies, sorted by name. Raises AccessError."""
    with _translated(session):
        pager = session.application_autoscaling().get_paginator("describe_scaling_policies")
        pages = pager.paginate(ResourceId=resource_id(service), **_DESIRED_COUNT)
        found = [policy(item) for page in pages for item in page["ScalingPolicies"]]
    return _by_name(found)


def all_scaling_policies(session: AwsSession, most: int) -> dict[str, tuple[ScalingPolicy, ...]] | None:
    """Return the scaling policies of all services by resource id; None if that takes more than ``most`` calls.

    Raises AccessError.
    """
    with _translated(session):
        pages = session.application_autoscaling().get_paginator("describe_scaling_policies").paginate(**_DESIRED_COUNT)
        found: dict[str, list[ScalingPolicy]] = {}
        for page in islice(pages, most):
            for item in page["ScalingPolicies"]:
                found.setdefault(item["ResourceId"], []).append(policy(item))
            if "NextToken" not in page:
                return {name: _by_name(several) for name, several in found.items()}
    return None


def policy(answer: ScalingPolicyTypeDef) -> ScalingPolicy:
    """Return a policy of DescribeScalingPolicies."""
    tracking = answer.get("TargetTrackingScalingPolicyConfiguration", {})
    return ScalingPolicy(answer["PolicyName"], answer["PolicyType"], bool(tracking.get("DisableScaleIn")))


def _by_name(found: Iterable[_Named]) -> tuple[_Named, ...]:
    return tuple(sorted(found, key=lambda item: item.name))


def _translated(session: AwsSession) -> AbstractContextManager[None]:
    return translated("application-autoscaling", session.region.name)
