"""What lies around a service reaches the plan, and stops the stages that it has to stop."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from migrate.core.facts import Architecture, ServiceEvent, StrategyItem
from migrate.core.findings import Finding, Grade
from migrate.core.gate.trouble import lack_of_capacity
from migrate.core.surroundings import ScalableTarget, ScheduledAction, Subnet, Surroundings, Unread
from migrate.errors import AccessError, BlockedError, ExitCode
from tests.fakes import facts
from tests.fakes.aws_world import World
from tests.fakes.clock import FakeClock
from tests.fakes.migration import SETTINGS, Operator
from tests.fakes.records import NOON
from tests.fakes.surroundings import PROVIDER, group, instance, launch, machines

GRAVITON = replace(SETTINGS, capacity=(StrategyItem(PROVIDER, weight=1),))


def found(operator: Operator) -> dict[str, Finding]:
    return {item.code: item for item in operator.plan().findings}


def in_zones(*zone_ids: str) -> Operator:
    world = World.with_demo_service(FakeClock())
    subnets = tuple(Subnet(f"subnet-{number}", "us-east-1x", zone) for number, zone in enumerate(zone_ids))
    configuration = {"awsvpcConfiguration": {"subnets": [item.id for item in subnets]}}
    next(iter(world.settings.values()))["networkConfiguration"] = configuration
    world.surroundings = Surroundings(subnets=subnets)
    return Operator.of(world)


def test_a_service_in_a_zone_without_arm64_stops_before_stage_2() -> None:
    operator = in_zones("use1-az3").reach(1)
    with pytest.raises(BlockedError, match="use1-az3"):
        operator.apply(2)
    assert operator.service.task_definition_arn == operator.record.baseline.task_definition.arn


def test_one_zone_without_arm64_among_others_stops_nothing() -> None:
    operator = in_zones("use1-az1", "use1-az3")
    assert found(operator)["network.zone-without-arm64"].grade is Grade.WARN
    operator.reach(2)


def test_c35_a_scaled_service_is_moved_at_whatever_count_it_has() -> None:
    world = World.with_demo_service(FakeClock(), desired=3)
    world.surroundings = Surroundings(scalable_target=ScalableTarget(2, 20))
    operator = Operator.of(world)
    assert found(operator)["scaling.desired-count"].grade is Grade.INFO
    operator.reach(1)
    world.scale(10)
    world.pass_time(timedelta(minutes=5))
    assert "now 10, between 2 and 20" in found(operator)["scaling.desired-count"].text
    operator.reach(3)
    assert operator.service.desired_count == 10
    assert not [write for write in world.writes if "desired" in write]


def test_c47_a_service_scheduled_down_at_night_is_told_when_it_comes_back() -> None:
    world = World.with_demo_service(FakeClock())
    world.surroundings = Surroundings(
        scalable_target=ScalableTarget(0, 4),
        scheduled_actions=(
            ScheduledAction("down", "cron(0 20 * * ? *)", minimum=0, maximum=0),
            ScheduledAction("up", "cron(0 7 * * ? *)", minimum=4, maximum=4),
        ),
    )
    operator = Operator.of(world)
    world.scale(0)
    world.pass_time(timedelta(minutes=5))
    told = found(operator)
    assert "up (at least 4, at most 4) at" in told["scaling.to-zero"].text
    assert "07:00 UTC" in told["scaling.to-zero"].text
    assert operator.service.desired_count == 0


def test_c52_a_graviton_group_as_target_is_judged_before_anything_is_touched() -> None:
    world = World.with_demo_service(FakeClock())
    world.surroundings = machines(group(launch("t4g.small", Architecture.X86_64), maximum=0))
    told = found(Operator.of(world, GRAVITON))
    assert told["instances.image-architecture"].stage == 3
    assert told["instances.group-maximum"].grade is Grade.BLOCK
    world.surroundings = machines(group(instances=4, desired=4), *(instance(number) for number in range(4)))
    told = found(Operator.of(world, GRAVITON))
    against = [item for code, item in told.items() if code.startswith(("instances.", "capacity-provider."))]
    assert {item.grade for item in against} <= {Grade.INFO}
    assert told["cluster.provider-missing"].grade is Grade.INFO


def test_c52_a_time_out_without_a_machine_explains_the_path_from_zero() -> None:
    text = "(service web) was unable to place a task. No Container Instances were found in your capacity provider."
    service = replace(facts.service(desired_count=4), events=(ServiceEvent("e1", NOON, text),))
    told = lack_of_capacity(service, 0, NOON, GRAVITON.capacity)
    assert "0 of 4 tasks could be placed" in told
    assert "up to 15 minutes for its first" in told
    assert "findings#instances-none-registered" in told
    other = replace(
        service, events=(ServiceEvent("e1", NOON, "unable to place a task. Reason: Capacity is unavailable"),)
    )
    assert "for its first" not in lack_of_capacity(other, 0, NOON, GRAVITON.capacity)


def test_what_may_not_be_read_is_one_finding_and_stops_nothing() -> None:
    world = World.with_demo_service(FakeClock())
    world.surroundings = Surroundings(
        unread=(
            Unread("the subnets", "ec2:DescribeSubnets", "UnauthorizedOperation"),
            Unread(
                "whether the service is scaled automatically",
                "application-autoscaling:DescribeScalableTargets",
                "AccessDeniedException",
            ),
        )
    )
    operator = Operator.of(world)
    told = found(operator)["surroundings.unread"]
    assert told.grade is Grade.UNKNOWN
    assert "ec2:DescribeSubnets, application-autoscaling:DescribeScalableTargets" in told.advice
    operator.reach(3)


def test_a_way_back_asks_for_nothing_that_it_does_not_need() -> None:
    operator = Operator.of().reach(2)
    operator.world.refuse("surroundings", AccessError("AWS throttled the call.", then="Wait."), times=99)
    assert operator.status().position.proven == 2
    assert operator.roll_back().exit_code is ExitCode.DONE
