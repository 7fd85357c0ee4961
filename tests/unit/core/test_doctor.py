"""What is well, doubtful and ill, at the borders."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from migrate.core.build.facts import Builder, BuilderNode
from migrate.core.doctor import (
    Diagnoses,
    Diagnosis,
    Health,
    of_builder,
    of_clock,
    of_disk,
    of_permissions,
    of_plugin,
    of_schema,
)
from migrate.core.image.names import Platform
from migrate.core.permission.answers import Answer, PermissionAnswers, Question
from migrate.errors import ExitCode

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
BUILDER = Builder("b", "docker-container", named=True, nodes=(BuilderNode("b0", "x", (AMD64, ARM64), asked=True),))


@pytest.mark.parametrize(
    ("seconds", "health"),
    [(0, "well"), (29, "well"), (-29, "well"), (30, "doubtful"), (-299, "doubtful"), (300, "ill"), (-9000, "ill")],
)
def test_a_clock_is_ill_where_aws_refuses_its_signatures(seconds: int, health: str) -> None:
    found = of_clock(timedelta(seconds=seconds))
    assert found.health == health
    assert bool(found.then) == (health != "well")
    assert ("behind" in found.text) == (seconds <= -30)


@pytest.mark.parametrize(("mib", "health"), [(2048, "well"), (2047, "doubtful"), (200, "doubtful"), (199, "ill")])
def test_a_disk_is_ill_where_the_record_would_not_fit(mib: int, health: str) -> None:
    assert of_disk("/state", mib << 20).health == health


@pytest.mark.parametrize(("found", "health"), [(None, "well"), (4, "well"), (3, "well"), (5, "ill")])
def test_a_database_of_a_newer_version_is_ill(found: int | None, health: str) -> None:
    assert of_schema("sqlite:///x", found, 4).health == health
    assert ("brought to 4" in of_schema("x", 3, 4).text) is True


def test_a_builder_is_ill_by_the_rules_of_preflight_and_doubtful_where_it_cannot_execute_arm64() -> None:
    assert of_builder(BUILDER).health is Health.WELL
    amd64 = replace(BUILDER, nodes=(BuilderNode("b0", "x", (AMD64,), asked=True),))
    assert of_builder(amd64).health is Health.DOUBTFUL
    assert "qemu-user-static" in of_builder(amd64).then
    missing = Builder("gone", "", named=True)
    assert (of_builder(missing).health, of_builder(missing).runbook) == (Health.ILL, "findings#build-builder-missing")
    silent = replace(BUILDER, nodes=(replace(BUILDER.nodes[0], problem="no answer."),))
    assert of_builder(silent).health is Health.ILL


def test_a_plugin_that_pulumi_would_fetch_is_doubtful() -> None:
    assert of_plugin("aws", "7.51.1", "/plugins/aws").health is Health.WELL
    assert of_plugin("aws", "7.51.1", "").then == "Fetch it now: `pulumi plugin install resource aws 7.51.1`."


def test_missing_permissions_are_named_with_their_stage_and_what_could_not_be_asked_is_skipped() -> None:
    def answer(action: str, stage: int, decision: str) -> Answer:
        return Answer(Question(action, "*", stage=stage), decision)

    asked = PermissionAnswers(
        "me", (answer("ecs:UpdateService", 0, "allowed"), answer("ecr:PutImage", 1, "implicitDeny"))
    )
    found = of_permissions(asked)
    assert (found.health, found.text) == (Health.DOUBTFUL, "Missing: ecr:PutImage (stage 1).")
    assert of_permissions(PermissionAnswers("me", asked.answers[:1])).health is Health.WELL
    assert of_permissions(PermissionAnswers("me", problem="no.")).health is Health.SKIPPED
    many = PermissionAnswers("me", tuple(answer(f"ecs:A{number}", 2, "explicitDeny") for number in range(10)))
    assert of_permissions(many).text.endswith("and 2 more.")


def test_only_what_is_ill_blocks() -> None:
    shown = [Diagnosis("a", health, "x") for health in Health]
    assert Diagnoses(tuple(shown)).exit_code is ExitCode.BLOCKED
    assert Diagnoses(tuple(item for item in shown if item.health is not Health.ILL)).exit_code is ExitCode.DONE
