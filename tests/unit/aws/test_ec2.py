from __future__ import annotations

from typing import Any

import pytest

from migrate.adapters.aws import ec2
from migrate.adapters.aws.ec2 import LaunchData, TemplateName
from migrate.core.facts import Architecture
from migrate.core.surroundings import InstanceType, Subnet
from tests.unit.aws.recordings import Recordings

TEMPLATE = TemplateName("lt-0123", "graviton")
PUBLIC = "/aws/service/ecs/optimized-ami/amazon-linux-2023"


def by(name: str, *values: str) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": list(values)}]


def a_version(number: int, *, default: bool = False, **data: Any) -> dict[str, Any]:
    return {"VersionNumber": number, "DefaultVersion": default, "LaunchTemplateData": data}


def test_subnets_are_asked_by_filter_so_that_one_that_is_gone_takes_no_other_with_it(aws: Recordings) -> None:
    there = {
        "SubnetId": "subnet-2",
        "AvailabilityZone": "us-east-1e",
        "AvailabilityZoneId": "use1-az3",
        "AvailableIpAddressCount": 11,
    }
    aws.answer("ec2", "describe_subnets", {"Subnets": [there]}, Filters=by("subnet-id", "subnet-1", "subnet-2"))
    seen = ec2.subnets(aws.session, ("subnet-1", "subnet-2", "subnet-1"))
    assert seen == (Subnet("subnet-2", "us-east-1e", "use1-az3", 11),)


def test_nothing_is_asked_about_nothing(aws: Recordings) -> None:
    assert ec2.subnets(aws.session, ()) == ()
    assert ec2.instance_types(aws.session, ()) == ()
    assert ec2.image_architectures(aws.session, ()) == {}
    assert aws.session.calls.total == 0


def test_versions_of_a_template_come_under_the_name_they_were_asked_by(aws: Recordings) -> None:
    answer = {
        "LaunchTemplateVersions": [
            a_version(7, InstanceType="m7g.large", ImageId="ami-7"),
            a_version(3, default=True, InstanceType="m5.large", ImageId="ami-3"),
        ]
    }
    asked = ["$Latest", "$Default", "3"]
    aws.answer("ec2", "describe_launch_template_versions", answer, Versions=asked, LaunchTemplateId="lt-0123")
    newest, old = LaunchData("m7g.large", "ami-7"), LaunchData("m5.large", "ami-3")
    assert ec2.launch_data(aws.session, TEMPLATE, asked) == {"$Latest": newest, "$Default": old, "3": old}


def test_a_template_without_an_id_is_asked_by_name_and_a_parameter_is_no_image(aws: Recordings) -> None:
    data = a_version(1, default=True, ImageId=f"resolve:ssm:{PUBLIC}/arm64/recommended/image_id:3")
    requirements = data["LaunchTemplateData"] | {"InstanceRequirements": {"VCpuCount": {"Min": 2}}}
    answer = {"LaunchTemplateVersions": [data | {"LaunchTemplateData": requirements}]}
    aws.answer("ec2", "describe_launch_template_versions", answer, Versions=["$Default"], LaunchTemplateName="graviton")
    seen = ec2.launch_data(aws.session, TemplateName(name="graviton"), ["$Default"])
    parameter = f"{PUBLIC}/arm64/recommended/image_id:3"
    assert seen == {"$Default": LaunchData("", "", parameter, by_requirements=True)}


def test_a_parameter_is_looked_up_by_ec2_on_request(aws: Recordings) -> None:
    answer = {"LaunchTemplateVersions": [a_version(1, ImageId="ami-1")]}
    aws.answer(
        "ec2",
        "describe_launch_template_versions",
        answer,
        Versions=["1"],
        LaunchTemplateId="lt-0123",
        ResolveAlias=True,
    )
    assert ec2.launch_data(aws.session, TEMPLATE, ["1"], resolve=True)["1"].image_id == "ami-1"


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        (f"{PUBLIC}/arm64/recommended/image_id", Architecture.ARM64),
        (f"{PUBLIC}/recommended/image_id", Architecture.X86_64),
        ("/aws/service/ecs/optimized-ami/amazon-linux-2/recommended/image_id", Architecture.X86_64),
        ("/aws/service/bottlerocket/aws-ecs-2/arm64/latest/image_id", Architecture.ARM64),
        ("/aws/service/bottlerocket/aws-ecs-2/x86_64/latest/image_id", Architecture.X86_64),
        ("/our/golden-arm64/ami", Architecture.ARM64),
        ("/our/golden/ami", None),
        ("/our/charm64/ami", None),
        ("", None),
    ],
)
def test_c52_a_public_parameter_tells_the_architecture_by_its_name(
    parameter: str, expected: Architecture | None
) -> None:
    assert ec2.parameter_architecture(parameter) is expected


def test_c52_images_that_are_gone_or_macs_have_no_architecture(aws: Recordings) -> None:
    images = [{"ImageId": "ami-1", "Architecture": "arm64"}, {"ImageId": "ami-2", "Architecture": "x86_64_mac"}]
    filters = by("image-id", "ami-1", "ami-2", "ami-3")
    aws.answer("ec2", "describe_images", {"Images": images}, Filters=filters, IncludeDeprecated=True)
    assert ec2.image_architectures(aws.session, ("ami-1", "ami-2", "ami-3")) == {"ami-1": Architecture.ARM64}


def test_c52_instance_types_tell_architecture_size_and_interfaces(aws: Recordings) -> None:
    answer = {
        "InstanceTypes": [
            {
                "InstanceType": "t4g.small",
                "ProcessorInfo": {"SupportedArchitectures": ["arm64"]},
                "VCpuInfo": {"DefaultVCpus": 2},
                "MemoryInfo": {"SizeInMiB": 2048},
                "NetworkInfo": {"MaximumNetworkInterfaces": 3},
            },
            {"InstanceType": "t2.micro", "ProcessorInfo": {"SupportedArchitectures": ["i386", "x86_64"]}},
        ]
    }
    aws.answer("ec2", "describe_instance_types", answer, Filters=by("instance-type", "t2.micro", "t4g.small"))
    assert ec2.instance_types(aws.session, ["t4g.small", "t2.micro", "t4g.small"]) == (
        InstanceType("t2.micro", (Architecture.X86_64,)),
        InstanceType("t4g.small", (Architecture.ARM64,), 2, 2048, 3),
    )


def test_pages_are_followed(aws: Recordings) -> None:
    first, second = {"SubnetId": "subnet-1"}, {"SubnetId": "subnet-2"}
    aws.answer("ec2", "describe_subnets", {"Subnets": [first], "NextToken": "more"})
    aws.answer("ec2", "describe_subnets", {"Subnets": [second]})
    assert [item.id for item in ec2.subnets(aws.session, ("subnet-2", "subnet-1"))] == ["subnet-2", "subnet-1"]
