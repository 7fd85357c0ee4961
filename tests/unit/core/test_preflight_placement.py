from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrate.core.findings import Finding, Grade, blocking
from migrate.core.observation import Observation
from migrate.core.preflight import findings
from migrate.core.surroundings import Surroundings
from tests.fakes.preflight import ON_EC2, SETTINGS, TO_EC2, described, found, instance

TYPE = "attribute:ecs.instance-type"
OF_X86 = f"{TYPE} =~ m5.*"


def member_of(*expressions: str) -> list[dict[str, str]]:
    return [{"type": "memberOf", "expression": text} for text in expressions]


def on_ec2(*expressions: str, of_the_revision: tuple[str, ...] = (), **more: Any) -> Observation:
    return described(
        {"placementConstraints": member_of(*expressions)},
        {"placementConstraints": member_of(*of_the_revision)},
        **(ON_EC2 | more),
    )


def placed(now: Observation) -> dict[str, Finding]:
    return {code: item for code, item in found(now, TO_EC2).items() if code.startswith("placement.")}


@pytest.mark.parametrize(
    "text",
    [
        "attribute:ecs.cpu-architecture == x86_64",
        OF_X86,
        f"{TYPE} in [m5.large, c6i.xlarge]",
        f"{TYPE} == m5.large",
        f"not({TYPE} =~ .*g\\..*) and {TYPE} != a1.large and {TYPE} =~ m5.*",
        f"attribute:ecs.cpu-architecture != arm64 or {TYPE} =~ c5.*",
    ],
)
def test_c50_what_no_graviton_instance_satisfies_blocks_stage_2_and_is_quoted(text: str) -> None:
    seen = findings(on_ec2(text), TO_EC2)
    finding = next(item for item in seen if item.code == "placement.no-arm64")
    assert (finding.grade, finding.stage) == (Grade.BLOCK, 2)
    assert f"`{text}`" in finding.text
    assert "x86 ones do" in finding.text
    assert finding.evidence == (("service", "$.placementConstraints[0].expression"), ("expression", text))
    assert finding not in blocking(seen, 1)


def test_c50_a_constraint_of_the_task_definition_counts_as_well() -> None:
    finding = placed(on_ec2(of_the_revision=(OF_X86,)))["placement.no-arm64"]
    assert finding.evidence[0] == ("task definition", "$.placementConstraints[0].expression")


@pytest.mark.parametrize(
    "text",
    [
        "attribute:ecs.cpu-architecture == arm64",
        f"{TYPE} =~ (m5|m7g)\\..*",
        f"{TYPE} in [m5.large, m7g.large]",
        f"{TYPE} != m5.large",
        f"not({TYPE} =~ m5.*)",
        f"{TYPE} =~ t4g.* or attribute:stack == prod",
        "attribute:ecs.os-type == linux",
    ],
)
def test_c50_what_some_graviton_instance_satisfies_is_no_finding(text: str) -> None:
    assert placed(on_ec2(text)) == {}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("attribute:stack == prod", "attribute:stack"),
        ("attribute:ecs.availability-zone == us-east-1a", "attribute:ecs.availability-zone"),
        ("task:group == service:production", "task:group"),
        (f"{TYPE} =~ m7g.* and attribute:stack == prod", "attribute:stack"),
    ],
)
def test_c50_an_attribute_that_is_not_known_cannot_be_decided(text: str, named: str) -> None:
    finding = placed(on_ec2(text))["placement.undecided"]
    assert finding.grade is Grade.UNKNOWN
    assert named in finding.text
    assert "cannot be decided" in finding.text


def test_c50_a_registered_arm64_instance_that_satisfies_it_decides() -> None:
    around = Surroundings(container_instances=(instance("m7g.large", "arm64", stack="prod"),))
    assert placed(on_ec2("attribute:stack == prod", around={"surroundings": around})) == {}
    other = Surroundings(container_instances=(instance("m5.large", "x86_64", stack="prod"),))
    assert "placement.undecided" in placed(on_ec2("attribute:stack == prod", around={"surroundings": other}))


@pytest.mark.parametrize("text", [f"{TYPE} =~ m9g.*", f"{TYPE} == q12gd.large"])
def test_c50_a_graviton_family_from_after_this_release_is_neither_refused_nor_waved_through(text: str) -> None:
    finding = placed(on_ec2(text))["placement.undecided"]
    assert "not known here" in finding.text


def test_c50_what_cannot_be_read_is_unknown() -> None:
    finding = placed(on_ec2("attribute:stack ~= prod"))["placement.unreadable"]
    assert finding.grade is Grade.UNKNOWN
    assert "character" in finding.text


def test_c50_constraints_that_contradict_each_other_are_named_together() -> None:
    finding = placed(on_ec2(f"{TYPE} =~ m7g.*", of_the_revision=(f"{TYPE} =~ c7g.*",)))["placement.contradiction"]
    assert (finding.grade, finding.stage) == (Grade.BLOCK, 2)
    assert "`attribute:ecs.instance-type =~ m7g.*` and `attribute:ecs.instance-type =~ c7g.*`" in finding.text
    assert "unsatisfied" in finding.text


def test_c50_only_the_guilty_one_of_two_constraints_is_quoted() -> None:
    finding = placed(on_ec2("attribute:ecs.os-type == linux", OF_X86))["placement.no-arm64"]
    assert finding.evidence == (("service", "$.placementConstraints[1].expression"), ("expression", OF_X86))


def test_c50_distinct_instances_are_counted() -> None:
    settings = {"placementConstraints": [{"type": "distinctInstance"}]}
    unknown = found(described(settings, **ON_EC2), TO_EC2)["placement.distinct-instance"]
    assert (unknown.grade, "4 tasks need 4 arm64 instances" in unknown.text) == (Grade.INFO, True)
    around = Surroundings(container_instances=(instance("m7g.large", "arm64"), instance("m5.large", "x86_64")))
    few = found(described(settings, around={"surroundings": around}, **ON_EC2), TO_EC2)["placement.distinct-instance"]
    assert (few.grade, "1 are registered" in few.text) == (Grade.WARN, True)


def test_c50_constraints_are_not_valid_on_fargate() -> None:
    there = found(on_ec2("attribute:ecs.os-type == linux"), SETTINGS)["placement.not-on-fargate"]
    assert (there.grade, there.stage) == (Grade.BLOCK, 3)
    here = described({"placementConstraints": member_of(OF_X86)})
    seen = found(here, SETTINGS)
    assert seen["placement.not-on-fargate"].grade is Grade.WARN
    assert "placement.no-arm64" not in seen


def test_c50_a_service_without_constraints_has_no_such_finding() -> None:
    assert placed(described({}, **ON_EC2)) == {}
    assert placed(replace(described({}, **ON_EC2), surroundings=Surroundings())) == {}
