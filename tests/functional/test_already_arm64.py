"""A service that is ARM64 from the start: stages 1 and 2 change nothing and are proven on what runs (case C53)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from migrate.core.documents import document
from migrate.core.evidence import EventKind
from migrate.core.facts import StrategyItem
from migrate.core.gate.gate import Verdict
from migrate.core.settings import ImageMode
from migrate.core.stages import Position, Stage
from migrate.errors import BlockedError, ExitCode
from tests.fakes.aws_world import TAG, World
from tests.fakes.clock import FakeClock
from tests.fakes.image_content import ARM64_ELF, REPOSITORY, Entry
from tests.fakes.migration import SETTINGS, Operator
from tests.fakes.records import REGISTRY

EXTERNAL = replace(SETTINGS, image=replace(SETTINGS.image, mode=ImageMode.EXTERNAL))


def arm64_world(*, launch_type: str | None = "FARGATE", **platform: str) -> World:
    world = World(FakeClock())
    world.shelf.image("linux/arm64", Entry("app", ARM64_ELF), tag=TAG)
    content: dict[str, Any] = {
        "family": "web",
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX", **platform},
        "containerDefinitions": [{"name": "web", "image": f"{REGISTRY}/{REPOSITORY}:{TAG}", "essential": True}],
    }
    first = world.register(document(content))
    strategy = () if launch_type else (StrategyItem("FARGATE", weight=1),)
    world.add_service("web", first.arn, desired=4, launch_type=launch_type, strategy=strategy)
    world.script_alarm("web-errors", "OK")
    world.pass_time(timedelta(minutes=10))
    return world


@pytest.mark.parametrize("launch_type", ["FARGATE", None])
def test_c53_stages_1_and_2_are_skipped_with_evidence_and_stage_3_goes_to_spot(launch_type: str | None) -> None:
    operator = Operator.of(arm64_world(launch_type=launch_type), EXTERNAL)
    first, tag = operator.service.task_definition_arn, operator.tag
    operator.reach(0)
    deployed = operator.service.primary
    for stage in (1, 2):
        outcome = operator.apply(stage)
        assert (outcome.exit_code, operator.verdicts()) == (ExitCode.DONE, [Verdict.PASS]), outcome
        assert operator.service.primary == deployed
        assert operator.status().architectures == (("arm64", 4),)
        assert any("arm64" in event.data for event in operator.events() if event.kind is EventKind.MEASUREMENT)
    outcome = operator.apply(3)
    assert outcome.exit_code is ExitCode.DONE, outcome
    assert operator.status().split == (("FARGATE", 1), ("FARGATE_SPOT", 3))
    assert operator.record.position == Position(Stage.CAPACITY)
    assert (operator.service.task_definition_arn, operator.tag) == (first, tag)
    assert list(operator.world.revisions) == [first]


@pytest.mark.parametrize("to", [Stage.BASELINE, Stage.ORIGINAL])
def test_c53_the_way_back_leads_to_the_arm64_baseline(to: Stage) -> None:
    operator = Operator.of(arm64_world(), EXTERNAL)
    first, tag = operator.service.task_definition_arn, operator.tag
    operator.reach(3)
    outcome = operator.roll_back(to)
    assert outcome.exit_code is ExitCode.DONE, outcome
    assert operator.status().architectures == (("arm64", 4),)
    assert (operator.service.task_definition_arn, operator.tag) == (first, tag)
    assert operator.service.launch_type == ("FARGATE" if to is Stage.ORIGINAL else None)


def test_c53_a_mode_that_would_build_is_refused_before_anything_and_told_what_to_set() -> None:
    operator = Operator.of(arm64_world())
    with pytest.raises(BlockedError, match="already-arm64") as caught:
        operator.apply(0)
    assert 'image.mode = "external"' in caught.value.then
    assert operator.world.writes == []


def test_c53_the_plan_says_what_is_skipped() -> None:
    plan = Operator.of(arm64_world(), EXTERNAL).plan()
    for stage in (Stage.IMAGE, Stage.ARCHITECTURE):
        shown = plan.stage(stage)
        assert (shown.deploys, shown.writes) == (0, ())
        assert "skipped" in shown.changes[0].after
    assert plan.stage(Stage.CAPACITY).deploys == 2
    finding = next(item for item in plan.findings if item.code == "task-definition.already-arm64")
    assert ("running tasks on arm64", "4") in finding.evidence
    assert not [item for item in plan.findings if item.grade.value == "block"]
