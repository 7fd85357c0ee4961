from __future__ import annotations

from typing import Any

import pytest

from migrate.adapters.aws import ecs_capacity
from migrate.core.facts import Architecture
from migrate.core.surroundings import MISSING, CapacityProvider, ProviderKind
from tests.unit.aws.recordings import CLUSTER_ARN, PREFIX, Recordings

GROUP = "arn:aws:autoscaling:eu-central-1:111122223333:autoScalingGroup:0f1e:autoScalingGroupName/graviton"


def a_provider(**more: Any) -> dict[str, Any]:
    return {
        "capacityProviderArn": f"{PREFIX}:capacity-provider/graviton",
        "name": "graviton",
        "status": "ACTIVE",
        "autoScalingGroupProvider": {
            "autoScalingGroupArn": GROUP,
            "managedScaling": {"status": "ENABLED", "targetCapacity": 90},
            "managedTerminationProtection": "ENABLED",
            "managedDraining": "ENABLED",
        },
        "updateStatus": "UPDATE_FAILED",
        "updateStatusReason": "no role",
        **more,
    }


def an_instance(number: int, **more: Any) -> dict[str, Any]:
    return {
        "containerInstanceArn": instance_arn(number),
        "ec2InstanceId": f"i-{number}",
        "capacityProviderName": "graviton",
        "versionInfo": {"agentVersion": "1.90.0", "dockerVersion": "DockerVersion: 20.10.25"},
        "registeredResources": [
            {"name": "CPU", "type": "INTEGER", "integerValue": 2048},
            {"name": "MEMORY", "type": "INTEGER", "integerValue": 7800},
            {"name": "PORTS", "type": "STRINGSET", "stringSetValue": ["22"]},
        ],
        "remainingResources": [
            {"name": "CPU", "type": "INTEGER", "integerValue": 1024},
            {"name": "MEMORY", "type": "INTEGER", "integerValue": 3900},
        ],
        "status": "ACTIVE",
        "agentConnected": True,
        "runningTasksCount": 3,
        "attributes": [
            {"name": "ecs.instance-type", "value": "m7g.large"},
            {"name": "ecs.cpu-architecture", "value": "arm64"},
            {"name": "ecs.capability.ecr-auth"},
            {"name": "ecs.awsvpc-trunk-id", "value": "eni-1"},
        ],
        **more,
    }


def instance_arn(number: int) -> str:
    return f"{PREFIX}:container-instance/shop/{number:032x}"


def test_c52_a_provider_tells_its_group_and_what_is_managed(aws: Recordings) -> None:
    answer = {"capacityProviders": [a_provider()], "failures": [{"arn": "none", "reason": "MISSING"}]}
    aws.answer("ecs", "describe_capacity_providers", answer, capacityProviders=["none", "graviton"])
    missing, seen = ecs_capacity.capacity_providers(aws.session, ("none", "graviton"))
    assert missing == CapacityProvider("none", MISSING)
    assert seen == CapacityProvider(
        "graviton",
        "ACTIVE",
        ProviderKind.AUTO_SCALING_GROUP,
        update_status="UPDATE_FAILED",
        update_reason="no role",
        group_arn=GROUP,
        managed_scaling=True,
        target_capacity=90,
        managed_termination_protection=True,
        managed_draining=True,
    )


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"name": "FARGATE_SPOT", "autoScalingGroupProvider": {}}, ProviderKind.FARGATE),
        (
            {"autoScalingGroupProvider": {}, "managedInstancesProvider": {"propagateTags": "NONE"}},
            ProviderKind.MANAGED_INSTANCES,
        ),
        ({"autoScalingGroupProvider": {}}, ProviderKind.UNKNOWN),
    ],
)
def test_kinds_of_provider_are_told_apart(more: dict[str, Any], expected: ProviderKind) -> None:
    assert ecs_capacity.capacity_provider(a_provider(**more)).kind is expected  # type: ignore[arg-type] # recorded


def test_managed_scaling_that_is_not_mentioned_is_off() -> None:
    bare = a_provider(autoScalingGroupProvider={"autoScalingGroupArn": GROUP})
    assert not ecs_capacity.capacity_provider(bare).managed_scaling  # type: ignore[arg-type] # recorded


def test_container_instances_tell_resources_versions_and_attributes(aws: Recordings) -> None:
    arns = [instance_arn(2), instance_arn(1)]
    aws.answer("ecs", "list_container_instances", {"containerInstanceArns": arns}, cluster=CLUSTER_ARN, maxResults=100)
    answer = {"containerInstances": [an_instance(2), an_instance(1, capacityProviderName="x")], "failures": []}
    aws.answer("ecs", "describe_container_instances", answer, cluster=CLUSTER_ARN, containerInstances=arns)
    first, second = ecs_capacity.container_instances(aws.session, CLUSTER_ARN)
    assert [first.instance_id, second.instance_id] == ["i-1", "i-2"]
    assert (second.registered_cpu, second.registered_memory) == (2048, 7800)
    assert (second.remaining_cpu, second.remaining_memory, second.running_tasks) == (1024, 3900, 3)
    assert (second.agent_version, second.docker_version) == ("1.90.0", "20.10.25")
    assert (second.architecture, second.instance_type, second.trunked) == (Architecture.ARM64, "m7g.large", True)
    assert second.attribute("ecs.capability.ecr-auth") == ""
    assert second.attribute("ecs.os-type") is None


def test_many_instances_are_described_a_hundred_a_call(aws: Recordings) -> None:
    arns = [instance_arn(number) for number in range(101)]
    aws.answer("ecs", "list_container_instances", {"containerInstanceArns": arns[:100], "nextToken": "more"})
    aws.answer("ecs", "list_container_instances", {"containerInstanceArns": arns[100:]})
    for batch in (arns[:100], arns[100:]):
        gone = {"containerInstances": [], "failures": [{"arn": batch[0], "reason": "MISSING"}]}
        aws.answer("ecs", "describe_container_instances", gone, cluster="shop", containerInstances=batch)
    assert ecs_capacity.container_instances(aws.session, "shop") == ()


def test_an_empty_cluster_costs_one_call(aws: Recordings) -> None:
    aws.answer("ecs", "list_container_instances", {"containerInstanceArns": []})
    assert ecs_capacity.container_instances(aws.session, "shop") == ()


@pytest.mark.parametrize(("value", "expected"), [("enabled", True), ("disabled", False)])
def test_trunking_is_the_setting_in_effect(aws: Recordings, value: str, expected: bool) -> None:
    answer = {"settings": [{"name": "awsvpcTrunking", "value": value}]}
    aws.answer("ecs", "list_account_settings", answer, name="awsvpcTrunking", effectiveSettings=True)
    assert ecs_capacity.trunking(aws.session) is expected
