from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.core.facts import Architecture
from migrate.core.surroundings import (
    NOTHING_READ,
    Surroundings,
    architecture_of,
    group_name,
    own_providers,
    subnet_ids,
    version_numbers,
)
from tests.fakes import facts
from tests.fakes.surroundings import instance, machines, on_subnets, subnet


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("arm64", Architecture.ARM64),
        ("ARM64", Architecture.ARM64),
        ("x86_64", Architecture.X86_64),
        ("i386", None),
        ("x86_64_mac", None),
        ("", None),
        (None, None),
    ],
)
def test_architectures_are_compared_without_case(text: str | None, expected: Architecture | None) -> None:
    assert architecture_of(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20.10.25", (20, 10, 25)),
        ("DockerVersion: 25.0.8", (25, 0, 8)),
        ("v1.90.0", (1, 90, 0)),
        ("24.0.5-ce", (24, 0, 5)),
        ("", ()),
        ("dev", ()),
    ],
)
def test_versions_are_compared_by_number(text: str, expected: tuple[int, ...]) -> None:
    assert version_numbers(text) == expected


def test_c12_the_oldest_docker_is_by_number_and_not_by_text() -> None:
    seen = machines(None, *(instance(n, docker_version=text) for n, text in enumerate(("25.0.8", "9.1.0", "20.10.25"))))
    assert seen.oldest_docker_version == "9.1.0"
    assert machines(None, instance(docker_version="")).oldest_docker_version is None
    assert NOTHING_READ.oldest_docker_version is None


def test_c48_a_daemon_s_cluster_is_arm64_only_where_every_instance_is_known_to_be() -> None:
    assert machines(None, instance(1), instance(2)).every_instance_is_arm64 is True
    mixed = machines(None, instance(1), instance(2, "m5.large"))
    assert mixed.every_instance_is_arm64 is False
    assert [item.instance_id for item in mixed.instances_that_are_not_arm64] == ["i-2"]
    assert machines(None, instance(1), replace(instance(2), attributes=())).every_instance_is_arm64 is False
    assert machines(None).every_instance_is_arm64 is None
    assert Surroundings(container_instances=None).every_instance_is_arm64 is None


def test_groups_are_named_by_arn_or_by_name() -> None:
    arn = "arn:aws:autoscaling:us-east-1:111122223333:autoScalingGroup:0f1e:autoScalingGroupName/my/group"
    assert group_name(arn) == "my/group"
    assert group_name("my-group") == "my-group"


def test_own_providers_are_those_that_are_not_fargate_s_each_once() -> None:
    assert own_providers(["FARGATE", "b", "a", "b", "", "FARGATE_SPOT"]) == ("b", "a")


def test_subnets_are_those_of_the_awsvpc_configuration() -> None:
    assert subnet_ids(on_subnets(subnet(1), subnet(2)).service) == ("subnet-1", "subnet-2")
    assert subnet_ids(facts.service()) == ()
