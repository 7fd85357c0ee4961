from __future__ import annotations

from typing import Any

from migrate.adapters.aws import application_autoscaling, parse_ecs
from migrate.core.surroundings import ScalableTarget, ScalingPolicy, ScheduledAction
from tests.unit.aws.recordings import STARTED, Recordings, a_service

SERVICE = parse_ecs.service(a_service())  # type: ignore[arg-type] # a recorded answer
DIMENSION = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
RESOURCE = {"ResourceId": "service/shop/web", **DIMENSION}
ARN = "arn:aws:autoscaling:eu-central-1:111122223333:made-up"


def a_target(**more: Any) -> dict[str, Any]:
    role = "arn:aws:iam::111122223333:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/Made"
    return {**RESOURCE, "MinCapacity": 2, "MaxCapacity": 20, "RoleARN": role, "CreationTime": STARTED, **more}


def test_c35_the_target_of_the_service_is_asked_by_cluster_and_name(aws: Recordings) -> None:
    suspended = {"DynamicScalingInSuspended": True, "ScheduledScalingSuspended": True}
    answer = {"ScalableTargets": [a_target(SuspendedState=suspended)]}
    asked = {"ResourceIds": ["service/shop/web"], **DIMENSION}
    aws.answer("application_autoscaling", "describe_scalable_targets", answer, **asked)
    seen = application_autoscaling.scalable_target(aws.session, SERVICE)
    assert seen == ScalableTarget(2, 20, scale_in_suspended=True, scheduled_suspended=True)


def test_a_service_that_nothing_scales_has_no_target(aws: Recordings) -> None:
    aws.answer("application_autoscaling", "describe_scalable_targets", {"ScalableTargets": []})
    assert application_autoscaling.scalable_target(aws.session, SERVICE) is None


def test_c47_scheduled_actions_come_with_limits_zone_and_times(aws: Recordings) -> None:
    made = {"ScheduledActionARN": ARN, "CreationTime": STARTED, **RESOURCE}
    up = {
        **made,
        "ScheduledActionName": "up",
        "Schedule": "cron(0 7 * * ? *)",
        "Timezone": "Europe/Berlin",
        "ScalableTargetAction": {"MinCapacity": 4},
        "StartTime": STARTED,
    }
    down = {
        **made,
        "ScheduledActionName": "down",
        "Schedule": "cron(0 20 * * ? *)",
        "ScalableTargetAction": {"MinCapacity": 0, "MaxCapacity": 0},
        "EndTime": STARTED,
    }
    first = {"ScheduledActions": [up], "NextToken": "more"}
    aws.answer("application_autoscaling", "describe_scheduled_actions", first, **RESOURCE)
    aws.answer(
        "application_autoscaling",
        "describe_scheduled_actions",
        {"ScheduledActions": [down]},
        **RESOURCE,
        NextToken="more",
    )
    assert application_autoscaling.scheduled_actions(aws.session, SERVICE) == (
        ScheduledAction("down", "cron(0 20 * * ? *)", "UTC", 0, 0, ends_at=STARTED),
        ScheduledAction("up", "cron(0 7 * * ? *)", "Europe/Berlin", 4, starts_at=STARTED),
    )


def test_policies_tell_their_kind_and_whether_they_scale_in(aws: Recordings) -> None:
    made = {"PolicyARN": ARN, "CreationTime": STARTED, **RESOURCE}
    tracking = {"TargetValue": 60.0, "DisableScaleIn": True}
    policies = [
        {**made, "PolicyName": "steps", "PolicyType": "StepScaling"},
        {
            **made,
            "PolicyName": "cpu",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": tracking,
        },
    ]
    aws.answer("application_autoscaling", "describe_scaling_policies", {"ScalingPolicies": policies}, **RESOURCE)
    assert application_autoscaling.scaling_policies(aws.session, SERVICE) == (
        ScalingPolicy("cpu", "TargetTrackingScaling", scale_in_disabled=True),
        ScalingPolicy("steps", "StepScaling"),
    )
