from __future__ import annotations

from dataclasses import replace

from migrate.core.documents import document, fields
from migrate.core.facts import StrategyItem
from migrate.core.findings import Grade
from migrate.core.surroundings import Surroundings, Unread
from tests.fakes import facts
from tests.fakes.surroundings import found, grades, on_subnets, subnet, to_graviton

ZONE, MISSING, ADDRESSES = "network.zone-without-arm64", "network.subnet-missing", "network.addresses"


def test_arm64_is_refused_where_every_subnet_lies_in_a_zone_without_it() -> None:
    seen = found(on_subnets(subnet(1, "use1-az3"), subnet(2, "use1-az3")))[ZONE]
    assert (seen.grade, seen.stage) == (Grade.BLOCK, 2)
    assert ("subnet-1", "us-east-1a (use1-az3)") in seen.evidence
    assert ("service", "$.networkConfiguration.awsvpcConfiguration.subnets") in seen.evidence


def test_a_subnet_among_others_in_such_a_zone_is_a_warning_that_names_it() -> None:
    seen = found(on_subnets(subnet(1), subnet(2, "use1-az3")))[ZONE]
    assert seen.grade is Grade.WARN
    assert "subnet-2" in seen.text
    assert "subnet-1" not in seen.text


def test_other_zones_are_fine_whatever_the_letter_of_their_name() -> None:
    assert found(on_subnets(subnet(1), subnet(2, "euc1-az3"))) == {}


def test_a_service_that_never_runs_arm64_on_fargate_is_not_bound_by_fargate_s_zones() -> None:
    ec2 = facts.service(strategy=(StrategyItem("m5-group", weight=1),))
    assert ZONE not in grades(on_subnets(subnet(1, "use1-az3"), service=ec2), to_graviton())
    assert ZONE in grades(on_subnets(subnet(1, "use1-az3"), service=ec2))
    # Stage 2 comes before stage 3: there its ARM64 tasks still run on Fargate.
    assert ZONE in grades(on_subnets(subnet(1, "use1-az3")), to_graviton())


def test_subnets_that_are_gone_stop_deployments_where_none_is_left() -> None:
    gone = found(on_subnets(named=("subnet-1",)))[MISSING]
    assert (gone.grade, gone.stage) == (Grade.BLOCK, 0)
    assert grades(on_subnets(subnet(1), named=("subnet-1", "subnet-2"))) == {MISSING: Grade.WARN}


def test_subnets_that_could_not_be_read_are_unknown_and_nothing_else() -> None:
    denied = Surroundings(unread=(Unread("the subnets", "ec2:DescribeSubnets", "AccessDenied"),))
    seen = found(on_subnets(named=("subnet-1",), surroundings=denied))
    assert {code: item.grade for code, item in seen.items()} == {"surroundings.unread": Grade.UNKNOWN}
    assert "ec2:DescribeSubnets" in seen["surroundings.unread"].advice
    assert seen["surroundings.unread"].evidence == (("ec2:DescribeSubnets", "the subnets: AccessDenied"),)


def test_a_deployment_needs_an_address_for_each_task_beside_the_running_ones() -> None:
    whole = fields(facts.service().document) | {
        "deploymentConfiguration": {"minimumHealthyPercent": 100, "maximumPercent": 200}
    }
    doubled = replace(facts.service(), document=document(whole), desired_count=4)
    short = found(on_subnets(subnet(1, free=2), subnet(2, free=1), service=doubled))[ADDRESSES]
    assert short.grade is Grade.WARN
    assert "4 tasks" in short.text
    assert "3 free" in short.text
    assert ADDRESSES not in found(on_subnets(subnet(1, free=2), subnet(2, free=2), service=doubled))
    assert ADDRESSES not in found(on_subnets(subnet(1, free=2), subnet(2, free=None), service=doubled))


def test_a_service_without_subnets_has_nothing_to_say() -> None:
    assert found(facts.observation()) == {}
