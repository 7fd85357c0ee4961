"""Automatic scaling, capacity providers and machines as AWS answers about them: fake and real MiniStack."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from migrate.sandbox.front.machines import INSTANCE_TYPES
from tests.fakes.front_account import Account

NOBODY = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def named(account: Account) -> dict[str, str]:
    return {**NOBODY, "ResourceId": f"service/{account.cluster}/{account.name}"}


def test_a_new_scalable_target_needs_both_limits_in_order(account: Account) -> None:
    scaling, name = account.host.client("application-autoscaling"), named(account)
    assert refused(scaling.register_scalable_target, **name, MinCapacity=1) == "ValidationException"
    assert refused(scaling.register_scalable_target, **name, MinCapacity=3, MaxCapacity=2) == "ValidationException"
    scaling.register_scalable_target(**name, MinCapacity=1, MaxCapacity=2)
    scaling.register_scalable_target(**name, MaxCapacity=9)
    asked = {"ServiceNamespace": "ecs", "ResourceIds": [name["ResourceId"]]}
    (target,) = scaling.describe_scalable_targets(**asked)["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 9)
    assert not any(target["SuspendedState"].values())
    scaling.deregister_scalable_target(**name)
    assert scaling.describe_scalable_targets(**asked)["ScalableTargets"] == []


def test_actions_and_policies_need_a_target_and_go_with_it(account: Account) -> None:
    scaling, name = account.host.client("application-autoscaling"), named(account)
    put = {"ScheduledActionName": "up", "Schedule": "cron(0 7 * * ? *)", "ScalableTargetAction": {"MinCapacity": 4}}
    assert refused(scaling.put_scheduled_action, **name, **put) == "ObjectNotFoundException"
    scaling.register_scalable_target(**name, MinCapacity=1, MaxCapacity=2)
    scaling.put_scheduled_action(**name, **put)
    scaling.put_scheduled_action(**name, ScheduledActionName="up", ScalableTargetAction={"MinCapacity": 5})
    resource = {"ServiceNamespace": "ecs", "ResourceId": name["ResourceId"]}
    (action,) = scaling.describe_scheduled_actions(**resource)["ScheduledActions"]
    assert (action["Schedule"], action["ScalableTargetAction"]) == ("cron(0 7 * * ? *)", {"MinCapacity": 5})
    scaling.delete_scheduled_action(**name, ScheduledActionName="up")
    assert refused(scaling.delete_scheduled_action, **name, ScheduledActionName="up") == "ObjectNotFoundException"
    scaling.put_scaling_policy(**name, PolicyName="cpu", PolicyType="StepScaling")
    scaling.deregister_scalable_target(**name)
    assert scaling.describe_scaling_policies(**resource)["ScalingPolicies"] == []


def test_capacity_providers_that_do_not_exist_are_failures_and_fargate_s_have_no_group(account: Account) -> None:
    names = ["FARGATE", "nothing"]
    answer = account.ecs.describe_capacity_providers(capacityProviders=names)
    (fargate,) = answer["capacityProviders"]
    assert (fargate["name"], fargate["status"]) == ("FARGATE", "ACTIVE")
    assert "autoScalingGroupProvider" not in fargate
    assert [(item["arn"].rpartition("/")[2], item["reason"]) for item in answer["failures"]] == [("nothing", "MISSING")]


def test_an_instance_is_registered_described_drained_and_gone(account: Account) -> None:
    ecs = account.ecs
    registered = ecs.register_container_instance(
        cluster=account.cluster,
        instanceIdentityDocument=json.dumps({"instanceId": "i-0123"}),
        totalResources=[{"name": "CPU", "type": "INTEGER", "integerValue": 2048}],
        attributes=[{"name": "ecs.cpu-architecture", "value": "arm64"}],
    )["containerInstance"]
    arn = registered["containerInstanceArn"]
    assert ecs.list_container_instances(cluster=account.cluster)["containerInstanceArns"] == [arn]
    asked = {"cluster": account.cluster, "containerInstances": [arn, "elsewhere"]}
    answer = ecs.describe_container_instances(**asked)
    (seen,) = answer["containerInstances"]
    assert (seen["ec2InstanceId"], seen["status"], seen["agentConnected"]) == ("i-0123", "ACTIVE", True)
    assert seen["remainingResources"][0]["integerValue"] == 2048
    assert [item["reason"] for item in answer["failures"]] == ["MISSING"]
    ecs.update_container_instances_state(cluster=account.cluster, containerInstances=[arn], status="DRAINING")
    draining = {"cluster": account.cluster, "status": "DRAINING"}
    assert ecs.list_container_instances(**draining)["containerInstanceArns"] == [arn]
    ecs.deregister_container_instance(cluster=account.cluster, containerInstance=arn)
    assert ecs.list_container_instances(cluster=account.cluster)["containerInstanceArns"] == []
    assert refused(ecs.list_container_instances, cluster="nowhere") == "ClusterNotFoundException"


def test_trunking_is_off_until_somebody_turns_it_on(account: Account) -> None:
    asked = {"name": "awsvpcTrunking", "effectiveSettings": True}
    assert account.ecs.list_account_settings(**asked)["settings"][0]["value"] == "disabled"


def test_instance_types_are_true_and_unknown_ones_refused_by_name_but_not_by_filter(account: Account) -> None:
    ec2 = account.host.client("ec2")
    (seen,) = ec2.describe_instance_types(InstanceTypes=["t4g.small"])["InstanceTypes"]
    assert seen["ProcessorInfo"]["SupportedArchitectures"] == ["arm64"]
    assert (seen["VCpuInfo"]["DefaultVCpus"], seen["MemoryInfo"]["SizeInMiB"]) == (2, 2048)
    assert seen["NetworkInfo"]["MaximumNetworkInterfaces"] == 3
    assert refused(ec2.describe_instance_types, InstanceTypes=["m99.large"]) == "InvalidInstanceType"
    filters = [{"Name": "instance-type", "Values": ["m5.large", "m99.large"]}]
    found = ec2.describe_instance_types(Filters=filters)["InstanceTypes"]
    assert [item["InstanceType"] for item in found] == ["m5.large"]
    assert len(ec2.describe_instance_types()["InstanceTypes"]) == len(INSTANCE_TYPES)


def test_a_group_remembers_its_mixed_instances_policy(live_front: Any) -> None:
    account = Account(live_front)
    ec2, groups = live_front.client("ec2"), live_front.client("autoscaling")
    data = {"InstanceType": "m7g.large", "ImageId": "ami-1"}
    made = ec2.create_launch_template(LaunchTemplateName=account.name, LaunchTemplateData=data)["LaunchTemplate"]
    specification = {"LaunchTemplateId": made["LaunchTemplateId"], "Version": "$Latest"}
    overrides = [{"InstanceType": "m7g.large", "WeightedCapacity": "2"}, {"InstanceType": "m6g.large"}]
    template = {"LaunchTemplateSpecification": specification, "Overrides": overrides}
    policy = {"LaunchTemplate": template, "InstancesDistribution": {"OnDemandBaseCapacity": 1}}
    where = {"AvailabilityZones": ["us-east-1a"], "MinSize": 0, "MaxSize": 2}
    groups.create_auto_scaling_group(AutoScalingGroupName=account.name, MixedInstancesPolicy=policy, **where)
    plain = f"{account.name}-plain"
    groups.create_auto_scaling_group(AutoScalingGroupName=plain, LaunchTemplate=specification, **where)
    names = [account.name, plain]
    first, second = groups.describe_auto_scaling_groups(AutoScalingGroupNames=names)["AutoScalingGroups"]
    assert first["MixedInstancesPolicy"] == policy
    assert "MixedInstancesPolicy" not in second
