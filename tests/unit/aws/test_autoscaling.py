from __future__ import annotations

from typing import Any

from migrate.adapters.aws import autoscaling
from migrate.adapters.aws.autoscaling import TemplateUse
from migrate.adapters.aws.ec2 import LaunchData, TemplateName
from tests.unit.aws.recordings import STARTED, Recordings

ARN = "arn:aws:autoscaling:eu-central-1:111122223333:autoScalingGroup:0f1e:autoScalingGroupName/graviton"
TEMPLATE = {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "graviton", "Version": "4"}
NAME = TemplateName("lt-1", "graviton")


def a_group(**more: Any) -> dict[str, Any]:
    """Return a group as DescribeAutoScalingGroups shows it."""
    return {
        "AutoScalingGroupName": "graviton",
        "AutoScalingGroupARN": ARN,
        "MinSize": 0,
        "MaxSize": 6,
        "DesiredCapacity": 2,
        "DefaultCooldown": 300,
        "AvailabilityZones": ["eu-central-1a"],
        "HealthCheckType": "EC2",
        "CreatedTime": STARTED,
        **more,
    }


def an_instance(state: str) -> dict[str, Any]:
    return {
        "InstanceId": "i-1",
        "AvailabilityZone": "eu-central-1a",
        "LifecycleState": state,
        "HealthStatus": "Healthy",
        "ProtectedFromScaleIn": True,
    }


def test_c52_a_group_tells_its_limits_and_what_is_in_service(aws: Recordings) -> None:
    shown = a_group(
        LaunchTemplate=TEMPLATE,
        Instances=[an_instance("InService"), an_instance("Pending")],
        SuspendedProcesses=[{"ProcessName": "Launch"}, {"ProcessName": "AZRebalance"}],
        NewInstancesProtectedFromScaleIn=True,
    )
    asked = ["graviton", "gone"]
    aws.answer(
        "autoscaling", "describe_auto_scaling_groups", {"AutoScalingGroups": [shown]}, AutoScalingGroupNames=asked
    )
    (seen,) = autoscaling.groups(aws.session, ("graviton", "gone", "graviton"))
    assert (seen.facts.arn, seen.facts.name) == (ARN, "graviton")
    assert (seen.facts.minimum, seen.facts.maximum, seen.facts.desired, seen.facts.instances) == (0, 6, 2, 1)
    assert seen.facts.suspended_processes == ("AZRebalance", "Launch")
    assert seen.facts.protects_new_instances
    assert seen.uses == (TemplateUse(NAME, "4", LaunchData()),)


def test_c52_each_override_of_a_mixed_policy_is_a_launch_of_its_own() -> None:
    arm = {"LaunchTemplateName": "graviton-arm"}
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": TEMPLATE,
            "Overrides": [
                {"InstanceType": "m5.large"},
                {"InstanceType": "m7g.large", "LaunchTemplateSpecification": arm},
                {"InstanceType": "m7g.xlarge", "ImageId": "ami-arm"},
                {"InstanceRequirements": {"VCpuCount": {"Min": 2}, "MemoryMiB": {"Min": 4096}}},
            ],
        }
    }
    seen = autoscaling.group(a_group(MixedInstancesPolicy=policy))  # type: ignore[arg-type] # a recorded answer
    assert seen.uses == (
        TemplateUse(NAME, "4", LaunchData("m5.large")),
        TemplateUse(TemplateName(name="graviton-arm"), "$Default", LaunchData("m7g.large")),
        TemplateUse(NAME, "4", LaunchData("m7g.xlarge", "ami-arm")),
        TemplateUse(NAME, "4", LaunchData(by_requirements=True)),
    )


def test_a_mixed_policy_without_overrides_starts_what_its_template_says() -> None:
    policy = {"LaunchTemplate": {"LaunchTemplateSpecification": TEMPLATE}}
    seen = autoscaling.group(a_group(MixedInstancesPolicy=policy))  # type: ignore[arg-type] # a recorded answer
    assert seen.uses == (TemplateUse(NAME, "4", LaunchData()),)


def test_old_groups_have_a_launch_configuration(aws: Recordings) -> None:
    seen = autoscaling.group(a_group(LaunchConfigurationName="old"))  # type: ignore[arg-type] # a recorded answer
    assert (seen.uses, seen.launch_configuration) == ((), "old")
    shown = {
        "LaunchConfigurationName": "old",
        "InstanceType": "m5.large",
        "ImageId": "ami-1",
        "CreatedTime": STARTED,
    }
    answer = {"LaunchConfigurations": [shown]}
    aws.answer("autoscaling", "describe_launch_configurations", answer, LaunchConfigurationNames=["old"])
    assert autoscaling.launch_configurations(aws.session, ["old"]) == {"old": LaunchData("m5.large", "ami-1")}
    assert autoscaling.launch_configurations(aws.session, []) == {}
