"""One suite over the scripted surroundings and over the real adapter on the sandbox's endpoint."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.core.facts import Architecture
from migrate.core.surroundings import ScheduledAction
from tests.contracts.surroundings_scenes import ARM64_IMAGE, X86_IMAGE, Around, FakeAround, FrontAround, Graviton

ARM64, X86_64 = Architecture.ARM64, Architecture.X86_64


@pytest.fixture(params=["scripted", "front"])
def around(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Around:
    if request.param == "scripted":
        return FakeAround()
    host = request.getfixturevalue("live_front")
    monkeypatch.setenv("AWS_ENDPOINT_URL", host.url)
    return FrontAround(host)


def test_a_service_on_fargate_shows_its_zones_and_no_machines(around: Around) -> None:
    seen = around.read("FARGATE", "FARGATE_SPOT")
    assert [(item.zone, item.zone_id) for item in seen.subnets] == [
        ("us-east-1a", "use1-az1"),
        ("us-east-1b", "use1-az2"),
    ]
    assert seen.scalable_target is None
    assert seen.container_instances is None
    assert (seen.capacity_providers, seen.groups, seen.trunking) == ((), (), None)
    assert seen.unread == ()


def test_a_subnet_that_is_gone_is_left_out_and_no_error(around: Around) -> None:
    seen = around.without_subnets()
    assert (seen.subnets, seen.unread) == ((), ())


def test_c35_who_scales_the_service_is_seen(around: Around) -> None:
    around.scale(2, 20)
    seen = around.read()
    assert seen.scalable_target is not None
    assert (seen.scalable_target.minimum, seen.scalable_target.maximum) == (2, 20)
    assert not seen.scalable_target.scale_out_suspended
    assert [(item.name, item.kind, item.scale_in_disabled) for item in seen.scaling_policies] == [
        ("cpu", "TargetTrackingScaling", True)
    ]
    around.suspend()
    later = around.read().scalable_target
    assert later == replace(seen.scalable_target, scale_out_suspended=True)


def test_c47_scheduled_actions_are_seen_with_their_zone(around: Around) -> None:
    around.scale(0, 4)
    around.schedule("up", "cron(0 7 * * ? *)", 4, 4)
    around.schedule("down", "cron(0 20 * * ? *)", 0, 0)
    assert around.read().scheduled_actions == (
        ScheduledAction("down", "cron(0 20 * * ? *)", "Europe/Berlin", 0, 0),
        ScheduledAction("up", "cron(0 7 * * ? *)", "Europe/Berlin", 4, 4),
    )


def test_c52_a_provider_shows_its_group_its_types_and_the_image_s_architecture(around: Around) -> None:
    around.add_provider(Graviton(types=("t4g.small",), image=X86_IMAGE, maximum=3, desired=1))
    seen = around.read(around.provider)
    provider, group = seen.provider(around.provider), seen.group_of(around.provider)
    assert provider is not None
    assert (provider.status, provider.kind.value) == ("ACTIVE", "Auto Scaling group")
    assert (provider.managed_scaling, provider.target_capacity) == (True, 100)
    assert group is not None
    assert (group.minimum, group.maximum, group.desired, group.instances) == (0, 3, 1, 1)
    (launch,) = group.launches
    assert (launch.instance_type, launch.image_parameter) == ("t4g.small", X86_IMAGE)
    assert launch.image_architecture is X86_64
    kind = seen.instance_type("t4g.small")
    assert kind is not None
    assert (kind.architectures, kind.vcpus, kind.memory_mib, kind.network_interfaces) == ((ARM64,), 2, 2048, 3)
    assert seen.container_instances == ()
    assert seen.trunking is False
    assert seen.unread == ()


def test_c52_a_mixed_instances_policy_shows_each_type(around: Around) -> None:
    around.add_provider(Graviton(types=("m5.large", "m7g.large"), image=ARM64_IMAGE))
    group = around.read(around.provider).group_of(around.provider)
    assert group is not None
    assert [item.instance_type for item in group.launches] == ["m5.large", "m7g.large"]
    assert {item.image_architecture for item in group.launches} == {ARM64}


def test_a_provider_that_does_not_exist_is_missing_and_no_error(around: Around) -> None:
    seen = around.read("graviton-of-another-account")
    provider = seen.provider("graviton-of-another-account")
    assert provider is not None
    assert (provider.status, seen.group_of(provider.name)) == ("MISSING", None)
    assert seen.unread == ()


def test_container_instances_show_provider_resources_attributes_and_docker(around: Around) -> None:
    around.add_provider(Graviton(desired=2))
    around.add_instance("m7g.large", "25.0.8")
    around.add_instance("m7g.large", "20.10.25")
    around.add_instance("m5.large", "24.0.1", of_the_provider=False)
    seen = around.read(around.provider)
    assert seen.container_instances is not None
    told = [
        (item.provider, item.instance_type, item.architecture, item.remaining_cpu, item.remaining_memory)
        for item in seen.container_instances
    ]
    assert sorted(told, key=str) == sorted(
        [
            (around.provider, "m7g.large", ARM64, 2048, 7782),
            (around.provider, "m7g.large", ARM64, 2048, 7782),
            (None, "m5.large", X86_64, 2048, 7782),
        ],
        key=str,
    )
    assert seen.oldest_docker_version == "20.10.25"
    assert {item.name for item in seen.instance_types} == {"m5.large", "m7g.large"}


def test_c48_whether_every_instance_is_arm64_is_told(around: Around) -> None:
    around.add_provider(Graviton(desired=2))
    assert around.read(around.provider).every_instance_is_arm64 is None
    around.add_instance("m7g.large", "25.0.8")
    assert around.read(around.provider).every_instance_is_arm64 is True
    around.add_instance("m5.large", "25.0.8")
    after = around.read(around.provider)
    assert after.every_instance_is_arm64 is False
    assert [item.instance_type for item in after.instances_that_are_not_arm64] == ["m5.large"]
