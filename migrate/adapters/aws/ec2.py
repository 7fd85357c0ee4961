"""Reads EC2: subnets, and what the machines behind an Auto Scaling group are.

Names that no longer exist are asked for by filter, not by id: one that is gone is then missing from the answer, where
by id it would take the whole answer with it (EC2 API reference, "Error codes").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.adapters.aws.ecs import batches
from migrate.adapters.aws.errors import translated
from migrate.adapters.aws.session import AwsSession
from migrate.core.facts import Architecture
from migrate.core.surroundings import InstanceType, Subnet, architecture_of

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import (
        DescribeLaunchTemplateVersionsRequestTypeDef,
        FilterTypeDef,
        InstanceTypeInfoTypeDef,
        ResponseLaunchTemplateDataTypeDef,
        SubnetTypeDef,
    )

VALUES_PER_FILTER = 200
"""Most values of one filter (EC2 API reference, Filter)."""

_PARAMETER = "resolve:ssm:"
_OFFICIAL = "/aws/service/"
_ARM64_PARAMETER = re.compile(r"(^|[/_-])(arm64|aarch64)([/_-]|$)")


@dataclass(frozen=True, slots=True)
class TemplateName:
    """A launch template by id, or by name where there is no id."""

    id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class LaunchData:
    """The part of a launch template version that decides what is started.

    ``image_parameter`` is the Systems Manager parameter that the template names in place of an image.
    """

    instance_type: str = ""
    image_id: str = ""
    image_parameter: str = ""
    by_requirements: bool = False


def subnets(session: AwsSession, ids: Sequence[str]) -> tuple[Subnet, ...]:
    """Return the subnets that exist, in the order of ``ids``. Raises AccessError."""
    found: dict[str, Subnet] = {}
    for batch in batches(tuple(dict.fromkeys(ids)), VALUES_PER_FILTER):
        with _translated(session):
            pages = session.ec2().get_paginator("describe_subnets").paginate(Filters=_filters("subnet-id", batch))
            found.update({item["SubnetId"]: subnet(item) for page in pages for item in page.get("Subnets", [])})
    return tuple(found[name] for name in dict.fromkeys(ids) if name in found)


def subnet(answer: SubnetTypeDef) -> Subnet:
    """Return a subnet of DescribeSubnets."""
    return Subnet(
        id=answer["SubnetId"],
        zone=answer.get("AvailabilityZone", ""),
        zone_id=answer.get("AvailabilityZoneId", ""),
        free_addresses=answer.get("AvailableIpAddressCount"),
    )


def launch_data(
    session: AwsSession, template: TemplateName, versions: Sequence[str], *, resolve: bool = False
) -> dict[str, LaunchData]:
    """Return versions of one launch template by the name asked for, ``$Latest`` and ``$Default`` included.

    With ``resolve`` EC2 looks up the parameter behind ``resolve:ssm:``, which needs ssm:GetParameters as well; without
    it the parameter's name comes back. Raises AccessError, also for a template that is gone.
    """
    asked: DescribeLaunchTemplateVersionsRequestTypeDef = {"Versions": list(versions)}
    if template.id:
        asked["LaunchTemplateId"] = template.id
    else:
        asked["LaunchTemplateName"] = template.name
    if resolve:
        asked["ResolveAlias"] = True
    with _translated(session):
        answer = session.ec2().describe_launch_template_versions(**asked)["LaunchTemplateVersions"]
    found: dict[str, LaunchData] = {}
    # The newest is the highest of those asked for, wherever it was asked for.
    for item in sorted(answer, key=lambda item: item.get("VersionNumber", 0)):
        data = _launch(item.get("LaunchTemplateData", {}))
        found[str(item.get("VersionNumber", ""))] = data
        found["$Latest"] = data
        if item.get("DefaultVersion"):
            found["$Default"] = data
    return {name: found[name] for name in versions if name in found}


def _launch(answer: ResponseLaunchTemplateDataTypeDef) -> LaunchData:
    image, parameter = image_of(answer.get("ImageId", ""))
    return LaunchData(answer.get("InstanceType", ""), image, parameter, bool(answer.get("InstanceRequirements")))


def image_of(text: str) -> tuple[str, str]:
    """Return image id and parameter name of an ``ImageId``, of which one is empty."""
    return ("", text.removeprefix(_PARAMETER)) if text.startswith(_PARAMETER) else (text, "")


def parameter_architecture(parameter: str) -> Architecture | None:
    """Return what a public parameter's name says about its image; None for parameters of the account's own.

    The ECS-optimized AMIs and Bottlerocket name arm64 in the path; without it the AMI is for x86_64 (ECS developer
    guide, "Retrieving Amazon ECS-optimized Linux AMI metadata").
    """
    if _ARM64_PARAMETER.search(parameter):
        return Architecture.ARM64
    return Architecture.X86_64 if parameter.startswith(_OFFICIAL) else None


def image_architectures(session: AwsSession, ids: Sequence[str]) -> dict[str, Architecture]:
    """Return the architecture of each image that exists and may be seen. Raises AccessError."""
    found: dict[str, Architecture] = {}
    for batch in batches(tuple(dict.fromkeys(ids)), VALUES_PER_FILTER):
        with _translated(session):
            answer = session.ec2().describe_images(Filters=_filters("image-id", batch), IncludeDeprecated=True)
        for item in answer.get("Images", []):
            architecture = architecture_of(item.get("Architecture"))
            if architecture is not None:
                found[item["ImageId"]] = architecture
    return found


def instance_types(session: AwsSession, names: Iterable[str]) -> tuple[InstanceType, ...]:
    """Return the instance types that the region has, sorted by name. Raises AccessError."""
    found: list[InstanceType] = []
    for batch in batches(sorted(set(names)), VALUES_PER_FILTER):
        with _translated(session):
            pages = (
                session.ec2()
                .get_paginator("describe_instance_types")
                .paginate(Filters=_filters("instance-type", batch))
            )
            found += [instance_type(item) for page in pages for item in page.get("InstanceTypes", [])]
    return tuple(sorted(found, key=lambda item: item.name))


def instance_type(answer: InstanceTypeInfoTypeDef) -> InstanceType:
    """Return a type of DescribeInstanceTypes; i386 and the Macs' architectures are none that ECS runs Linux on."""
    supported = answer.get("ProcessorInfo", {}).get("SupportedArchitectures", [])
    return InstanceType(
        name=answer.get("InstanceType", ""),
        architectures=tuple(item for item in map(architecture_of, supported) if item is not None),
        vcpus=answer.get("VCpuInfo", {}).get("DefaultVCpus", 0),
        memory_mib=answer.get("MemoryInfo", {}).get("SizeInMiB", 0),
        network_interfaces=answer.get("NetworkInfo", {}).get("MaximumNetworkInterfaces", 0),
    )


def _filters(name: str, values: list[str]) -> list[FilterTypeDef]:
    return [{"Name": name, "Values": values}]


def _translated(session: AwsSession) -> AbstractContextManager[None]:
    return translated("ec2", session.region.name)
