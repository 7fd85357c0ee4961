"""Which bucket a call is counted in, and how long a fleet's calls take at least."""

from __future__ import annotations

import pytest

from migrate.core.permission.calls import calls_of
from migrate.core.rate_limits import GROUPS, SHARE, Rate, api_group, least_seconds


@pytest.mark.parametrize(
    ("operation", "burst", "refill"),
    [
        ("ecs:UpdateService", 50, 5),
        ("ecs:DescribeServices", 100, 20),
        ("ecs:ListTasks", 100, 20),
        ("ecs:DescribeTaskDefinition", 50, 20),
        ("ecs:DescribeClusters", 50, 20),
        ("ecs:ListServiceDeployments", 50, 20),
        ("ecs:DescribeServiceRevisions", 50, 20),
    ],
)
def test_f21_the_documented_rates_of_ecs(operation: str, burst: float, refill: float) -> None:
    assert api_group(operation).rate == Rate(burst, refill)


def test_operations_of_one_group_share_its_bucket_and_others_have_their_own() -> None:
    assert api_group("ecs:ListServices") == api_group("ecs:DescribeServices")
    assert api_group("ec2:DescribeSubnets").name != api_group("ec2:DescribeImages").name
    assert api_group("iam:SimulatePrincipalPolicy").rate.refill < api_group("ecr:DescribeImages").rate.refill


def test_every_call_that_a_verb_makes_leaves_room_for_others() -> None:
    for name in calls_of("apply") | GROUPS.keys():
        group = api_group(name)
        assert group.source
        assert group.paced.refill == pytest.approx(group.rate.refill * SHARE)
        assert 1 <= group.paced.burst <= group.rate.burst


def test_the_slowest_bucket_decides_how_long_a_fleet_takes() -> None:
    calls = {"ecs:DescribeServices": 100, "ecs:ListServices": 20, "ecs:DescribeTaskDefinition": 1000}
    assert least_seconds(calls) == pytest.approx((1000 - 50) / 20)
    assert least_seconds({"ecs:DescribeServices": 100, "ecs:ListServices": 20}) == pytest.approx(1.0)
    assert least_seconds({}) == 0
