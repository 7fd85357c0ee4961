"""How much is asked, in which order, and what becomes of a part that is closed."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.adapters.aws import parse_ecs
from migrate.adapters.aws.surroundings import AwsSurroundingsReader
from migrate.core.facts import Architecture, Service
from migrate.core.surroundings import Launch, Surroundings, Unread
from migrate.errors import AccessError
from tests.fakes import facts
from tests.unit.aws.recordings import GROUP_ARN, Recordings, a_service, without
from tests.unit.aws.test_application_autoscaling import a_target
from tests.unit.aws.test_autoscaling import a_group
from tests.unit.aws.test_ec2 import a_version
from tests.unit.aws.test_ecs_capacity import a_provider, an_instance

CLUSTER = facts.observation().cluster
FARGATE = ("FARGATE", "FARGATE_SPOT")
TEMPLATE = {"LaunchTemplateId": "lt-1", "Version": "1"}
CALLS_ON_FARGATE = 2
"""What a plan costs more for the surroundings of a service on Fargate that nothing scales."""


def service(**more: Any) -> Service:
    return parse_ecs.service(a_service(**more))  # type: ignore[arg-type] # a recorded answer


def read(aws: Recordings, *wanted: str, mode: str = "awsvpc", of: Service | None = None) -> Surroundings:
    definition = facts.definition({"networkMode": mode, "containerDefinitions": []})
    return AwsSurroundingsReader(aws.session).read(of or service(), definition, CLUSTER, wanted)


def network_and_no_scaling(aws: Recordings) -> None:
    aws.answer("ec2", "describe_subnets", {"Subnets": [{"SubnetId": "subnet-1", "AvailabilityZoneId": "euc1-az2"}]})
    aws.answer("application_autoscaling", "describe_scalable_targets", {"ScalableTargets": []})


def the_group(aws: Recordings, **more: Any) -> None:
    aws.answer("ecs", "describe_capacity_providers", {"capacityProviders": [a_provider()]})
    aws.answer("autoscaling", "describe_auto_scaling_groups", {"AutoScalingGroups": [a_group(**more)]})


def the_machines(aws: Recordings, *kinds: str) -> None:
    aws.answer("ecs", "list_container_instances", {"containerInstanceArns": []}, cluster=CLUSTER.arn, maxResults=100)
    if kinds:
        shown = [{"InstanceType": kind} for kind in kinds]
        aws.answer("ec2", "describe_instance_types", {"InstanceTypes": shown})


def test_a_service_on_fargate_costs_two_calls(aws: Recordings) -> None:
    network_and_no_scaling(aws)
    seen = read(aws, *FARGATE, of=service(loadBalancers=[]))
    assert [item.zone_id for item in seen.subnets] == ["euc1-az2"]
    assert seen.container_instances is None
    assert seen.unread == ()
    assert aws.session.calls.by_operation == {
        "application-autoscaling:DescribeScalableTargets": 1,
        "ec2:DescribeSubnets": 1,
    }
    assert aws.session.calls.total == CALLS_ON_FARGATE


def test_a_target_group_in_front_of_spot_costs_one_more(aws: Recordings) -> None:
    network_and_no_scaling(aws)
    attributes = [
        {"Key": "stickiness.enabled", "Value": "false"},
        {"Key": "deregistration_delay.timeout_seconds", "Value": "300"},
    ]
    asked = {"TargetGroupArn": GROUP_ARN}
    aws.answer("elbv2", "describe_target_group_attributes", {"Attributes": attributes}, **asked)
    seen = read(aws, *FARGATE)
    assert (seen.deregistration_delays, seen.unread) == (((GROUP_ARN, 300),), ())
    assert aws.session.calls.total == CALLS_ON_FARGATE + 1


def test_a_delay_that_may_not_be_read_is_noted_and_a_group_without_one_left_out(aws: Recordings) -> None:
    network_and_no_scaling(aws)
    aws.refuse("elbv2", "describe_target_group_attributes", "AccessDenied")
    (unread,) = read(aws, *FARGATE).unread
    assert unread.permission == "elasticloadbalancing:DescribeTargetGroupAttributes"
    network_and_no_scaling(aws)
    aws.answer("elbv2", "describe_target_group_attributes", {"Attributes": []})
    assert read(aws, *FARGATE).deregistration_delays == ()


def test_c35_a_scaled_service_costs_two_more(aws: Recordings) -> None:
    aws.answer("ec2", "describe_subnets", {"Subnets": []})
    aws.answer("application_autoscaling", "describe_scalable_targets", {"ScalableTargets": [a_target()]})
    aws.answer("application_autoscaling", "describe_scheduled_actions", {"ScheduledActions": []})
    aws.answer("application_autoscaling", "describe_scaling_policies", {"ScalingPolicies": []})
    assert read(aws).scalable_target is not None
    assert aws.session.calls.total == CALLS_ON_FARGATE + 2


def test_c52_a_group_as_target_is_read_to_the_image_s_architecture(aws: Recordings) -> None:
    network_and_no_scaling(aws)
    the_group(aws, LaunchTemplate=TEMPLATE)
    shown = {"LaunchTemplateVersions": [a_version(1, InstanceType="t4g.small", ImageId="ami-1")]}
    aws.answer("ec2", "describe_launch_template_versions", shown)
    aws.answer("ec2", "describe_images", {"Images": [{"ImageId": "ami-1", "Architecture": "x86_64"}]})
    the_machines(aws, "t4g.small")
    aws.answer("ecs", "list_account_settings", {"settings": [{"name": "awsvpcTrunking", "value": "enabled"}]})
    seen = read(aws, "graviton")
    group = seen.group_of("graviton")
    assert group is not None
    assert group.launches == (Launch("t4g.small", "ami-1", "", Architecture.X86_64),)
    assert (seen.container_instances, seen.trunking, seen.unread) == ((), True, ())
    assert aws.session.calls.total == 9


def test_c52_a_public_parameter_needs_no_look_at_the_image(aws: Recordings) -> None:
    network_and_no_scaling(aws)
    the_group(aws, LaunchTemplate=TEMPLATE)
    parameter = "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id"
    data = a_version(1, InstanceType="m7g.large", ImageId=f"resolve:ssm:{parameter}")
    aws.answer("ec2", "describe_launch_template_versions", {"LaunchTemplateVersions": [data]})
    the_machines(aws, "m7g.large")
    group = read(aws, "graviton", mode="bridge").group_of("graviton")
    assert group is not None
    assert group.launches == (Launch("m7g.large", "", parameter, Architecture.ARM64),)


def test_c52_a_parameter_of_the_account_s_own_is_looked_up_by_ec2(aws: Recordings) -> None:
    network_and_no_scaling(aws)
    the_group(aws, LaunchTemplate=TEMPLATE)
    named = a_version(1, InstanceType="m7g.large", ImageId="resolve:ssm:/golden/ami")
    aws.answer("ec2", "describe_launch_template_versions", {"LaunchTemplateVersions": [named]})
    resolved = a_version(1, InstanceType="m7g.large", ImageId="ami-9")
    asked = {"Versions": ["1"], "LaunchTemplateId": "lt-1", "ResolveAlias": True}
    aws.answer("ec2", "describe_launch_template_versions", {"LaunchTemplateVersions": [resolved]}, **asked)
    aws.answer("ec2", "describe_images", {"Images": [{"ImageId": "ami-9", "Architecture": "arm64"}]})
    the_machines(aws, "m7g.large")
    group = read(aws, "graviton", mode="bridge").group_of("graviton")
    assert group is not None
    assert group.launches == (Launch("m7g.large", "ami-9", "/golden/ami", Architecture.ARM64),)


def test_c52_overrides_win_over_the_template_and_its_versions_are_asked_at_once(aws: Recordings) -> None:
    network_and_no_scaling(aws)
    other = {"LaunchTemplateId": "lt-1", "Version": "$Latest"}
    overrides = [
        {"InstanceType": "m5.large"},
        {"InstanceType": "m7g.large", "LaunchTemplateSpecification": other},
        {"InstanceType": "m7g.xlarge", "ImageId": "ami-3"},
    ]
    policy = {"LaunchTemplate": {"LaunchTemplateSpecification": TEMPLATE, "Overrides": overrides}}
    the_group(aws, MixedInstancesPolicy=policy)
    versions = [a_version(1, InstanceType="c5.large", ImageId="ami-1"), a_version(2, ImageId="ami-2")]
    asked = {"Versions": ["1", "$Latest"], "LaunchTemplateId": "lt-1"}
    aws.answer("ec2", "describe_launch_template_versions", {"LaunchTemplateVersions": versions}, **asked)
    aws.answer("ec2", "describe_images", {"Images": [{"ImageId": "ami-2", "Architecture": "arm64"}]})
    the_machines(aws, "m5.large", "m7g.large", "m7g.xlarge")
    group = read(aws, "graviton", mode="bridge").group_of("graviton")
    assert group is not None
    assert group.launches == (
        Launch("m5.large", "ami-1"),
        Launch("m7g.large", "ami-2", "", Architecture.ARM64),
        Launch("m7g.xlarge", "ami-3"),
    )


def test_c52_types_by_requirements_keep_what_the_image_tells(aws: Recordings) -> None:
    network_and_no_scaling(aws)
    the_group(aws, LaunchTemplate=TEMPLATE)
    requirements = {"VCpuCount": {"Min": 2}, "MemoryMiB": {"Min": 4096}}
    data = a_version(1, ImageId="ami-1", InstanceRequirements=requirements)
    aws.answer("ec2", "describe_launch_template_versions", {"LaunchTemplateVersions": [data]})
    aws.answer("ec2", "describe_images", {"Images": [{"ImageId": "ami-1", "Architecture": "arm64"}]})
    the_machines(aws)
    group = read(aws, "graviton", mode="bridge").group_of("graviton")
    assert group is not None
    assert group.launches == (Launch("", "ami-1", "", Architecture.ARM64),)


def test_an_old_launch_configuration_is_read_as_well(aws: Recordings) -> None:
    network_and_no_scaling(aws)
    the_group(aws, LaunchConfigurationName="old")
    configuration = {"LaunchConfigurationName": "old", "InstanceType": "m5.large", "ImageId": "ami-1"}
    made = configuration | {"CreatedTime": a_group()["CreatedTime"]}
    aws.answer("autoscaling", "describe_launch_configurations", {"LaunchConfigurations": [made]})
    aws.answer("ec2", "describe_images", {"Images": [{"ImageId": "ami-1", "Architecture": "x86_64"}]})
    the_machines(aws, "m5.large")
    group = read(aws, "graviton", mode="bridge").group_of("graviton")
    assert group is not None
    assert group.launches == (Launch("m5.large", "ami-1", "", Architecture.X86_64),)


@pytest.mark.parametrize("kind", ["DAEMON", "EC2"])
def test_c48_daemons_and_launch_type_ec2_show_the_cluster_s_instances(aws: Recordings, kind: str) -> None:
    aws.answer("ec2", "describe_subnets", {"Subnets": []})
    more = {"schedulingStrategy": "DAEMON"} if kind == "DAEMON" else {}
    if kind == "EC2":
        aws.answer("application_autoscaling", "describe_scalable_targets", {"ScalableTargets": []})
    aws.answer("ecs", "list_container_instances", {"containerInstanceArns": ["one"]})
    aws.answer("ecs", "describe_container_instances", {"containerInstances": [an_instance(1)]})
    aws.answer("ec2", "describe_instance_types", {"InstanceTypes": [{"InstanceType": "m7g.large"}]})
    seen = read(aws, *FARGATE, mode="bridge", of=service(launchType="EC2", **more))
    assert seen.every_instance_is_arm64 is True
    assert seen.oldest_docker_version == "20.10.25"


def test_what_is_denied_or_unknown_is_listed_and_the_rest_is_read(aws: Recordings) -> None:
    message = "User: x is not authorized to perform: ec2:DescribeSubnets"
    aws.refuse("ec2", "describe_subnets", "UnauthorizedOperation", message)
    aws.refuse("application_autoscaling", "describe_scalable_targets", "AccessDeniedException", "no")
    aws.answer("ecs", "describe_capacity_providers", {"capacityProviders": [a_provider()]})
    aws.refuse("autoscaling", "describe_auto_scaling_groups", "InvalidAction", "what?")
    aws.answer("ecs", "list_container_instances", {"containerInstanceArns": []})
    aws.refuse("ecs", "list_account_settings", "AccessDeniedException", "no")
    seen = read(aws, "graviton")
    assert seen.provider("graviton") is not None
    assert seen.container_instances == ()
    assert [(item.what, item.permission) for item in seen.unread] == [
        ("the subnets", "ec2:DescribeSubnets"),
        ("whether the service is scaled automatically", "application-autoscaling:DescribeScalableTargets"),
        ("the Auto Scaling groups graviton", "autoscaling:DescribeAutoScalingGroups"),
        ("the account setting awsvpcTrunking", "ecs:ListAccountSettings"),
    ]
    assert "UnauthorizedOperation" in seen.unread[0].why


def test_instances_that_may_not_be_read_are_none_and_not_no_instances(aws: Recordings) -> None:
    network_and_no_scaling(aws)
    aws.answer("ecs", "describe_capacity_providers", {"capacityProviders": []})
    aws.refuse("ecs", "list_container_instances", "AccessDeniedException", "no")
    seen = read(aws, "graviton", mode="bridge")
    assert seen.container_instances is None
    assert isinstance(seen.unread[0], Unread)


@pytest.mark.parametrize("code", ["ExpiredToken", "UnrecognizedClientException", "ThrottlingException"])
def test_credentials_and_throttling_end_the_run_like_anywhere(aws: Recordings, code: str) -> None:
    aws.refuse("ec2", "describe_subnets", code, "no")
    with pytest.raises(AccessError):
        read(aws)


def test_a_service_without_a_network_of_its_own_asks_for_no_subnet(aws: Recordings) -> None:
    aws.answer("application_autoscaling", "describe_scalable_targets", {"ScalableTargets": []})
    bare = parse_ecs.service(without(a_service(), "networkConfiguration"))  # type: ignore[arg-type] # recorded
    assert read(aws, of=bare).subnets == ()
