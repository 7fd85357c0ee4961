"""Reads EC2 Auto Scaling: the groups behind capacity providers, and what each may start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.adapters.aws.ec2 import LaunchData, TemplateName, image_of
from migrate.adapters.aws.ecs import batches
from migrate.adapters.aws.errors import translated
from migrate.adapters.aws.session import AwsSession
from migrate.core.surroundings import AutoScalingGroup

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import (
        AutoScalingGroupTypeDef,
        LaunchTemplateOverridesOutputTypeDef,
        LaunchTemplateSpecificationTypeDef,
    )

GROUPS_PER_CALL = 50
"""Most names of one DescribeAutoScalingGroups (its reference, AutoScalingGroupNames)."""

DEFAULT_VERSION = "$Default"


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """A launch template's version as a group uses it; what the group sets itself wins over the template.

    ``own`` is what an override of a mixed instances policy says; its empty fields are the template's.
    """

    template: TemplateName
    version: str
    own: LaunchData


@dataclass(frozen=True, slots=True)
class Group:
    """A group without its launches, and where those are found: templates, or an old launch configuration."""

    facts: AutoScalingGroup
    uses: tuple[TemplateUse, ...] = ()
    launch_configuration: str = ""


def groups(session: AwsSession, names: Sequence[str]) -> tuple[Group, ...]:
    """Return the groups that exist, in the order of ``names``. Raises AccessError."""
    found: dict[str, Group] = {}
    for batch in batches(tuple(dict.fromkeys(names)), GROUPS_PER_CALL):
        with translated("autoscaling", session.region.name):
            pager = session.autoscaling().get_paginator("describe_auto_scaling_groups")
            for page in pager.paginate(AutoScalingGroupNames=batch):
                found.update({item["AutoScalingGroupName"]: group(item) for item in page["AutoScalingGroups"]})
    return tuple(found[name] for name in dict.fromkeys(names) if name in found)


def group(answer: AutoScalingGroupTypeDef) -> Group:
    """Return a group of DescribeAutoScalingGroups."""
    instances = answer.get("Instances", [])
    uses = tuple(_uses(answer))
    facts = AutoScalingGroup(
        arn=answer.get("AutoScalingGroupARN", ""),
        name=answer["AutoScalingGroupName"],
        minimum=answer["MinSize"],
        maximum=answer["MaxSize"],
        desired=answer["DesiredCapacity"],
        instances=sum(item.get("LifecycleState") == "InService" for item in instances),
        suspended_processes=tuple(sorted(item.get("ProcessName", "") for item in answer.get("SuspendedProcesses", []))),
        protects_new_instances=answer.get("NewInstancesProtectedFromScaleIn", False),
    )
    return Group(facts, uses, "" if uses else answer.get("LaunchConfigurationName", ""))


def _uses(answer: AutoScalingGroupTypeDef) -> Iterator[TemplateUse]:
    """Yield what the group may start: each override of a mixed instances policy, or the one template."""
    policy = answer.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    common = policy.get("LaunchTemplateSpecification") or answer.get("LaunchTemplate")
    if not common:
        return
    overrides = policy.get("Overrides", [])
    for item in overrides:
        yield _use(item.get("LaunchTemplateSpecification") or common, _own(item))
    if not overrides:
        yield _use(common, LaunchData())


def _own(answer: LaunchTemplateOverridesOutputTypeDef) -> LaunchData:
    image, parameter = image_of(answer.get("ImageId", ""))
    return LaunchData(answer.get("InstanceType", ""), image, parameter, bool(answer.get("InstanceRequirements")))


def _use(answer: LaunchTemplateSpecificationTypeDef, own: LaunchData) -> TemplateUse:
    name = TemplateName(answer.get("LaunchTemplateId", ""), answer.get("LaunchTemplateName", ""))
    return TemplateUse(name, answer.get("Version") or DEFAULT_VERSION, own)


def launch_configurations(session: AwsSession, names: Sequence[str]) -> dict[str, LaunchData]:
    """Return launch configurations by name. Raises AccessError."""
    found: dict[str, LaunchData] = {}
    for batch in batches(tuple(dict.fromkeys(names)), GROUPS_PER_CALL):
        with translated("autoscaling", session.region.name):
            pager = session.autoscaling().get_paginator("describe_launch_configurations")
            for page in pager.paginate(LaunchConfigurationNames=batch):
                for item in page["LaunchConfigurations"]:
                    image, parameter = image_of(item.get("ImageId", ""))
                    name = item["LaunchConfigurationName"]
                    found[name] = LaunchData(item.get("InstanceType", ""), image, parameter)
    return found
