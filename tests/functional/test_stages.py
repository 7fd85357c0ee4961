"""All stages over the scripted world, forwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

import pytest

from migrate.core.evidence import EventKind
from migrate.core.facts import StrategyItem
from migrate.core.gate.gate import Verdict
from migrate.core.image.index import Platform
from migrate.core.settings import ImageMode
from migrate.core.stack.preview import IMAGE, INDEX, SERVICE, TASK_DEFINITION
from migrate.core.stages import Position, Stage
from migrate.errors import BlockedError, ExitCode
from tests.fakes.aws_world import World
from tests.fakes.clock import FakeClock
from tests.fakes.migration import SETTINGS, Operator

T = TypeVar("T")

EXTERNAL = replace(SETTINGS, image=replace(SETTINGS.image, mode=ImageMode.EXTERNAL))
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def test_all_stages_lead_from_amd64_on_a_launch_type_to_arm64_on_spot() -> None:
    operator = Operator.of()
    former, first = operator.tag, operator.service.task_definition_arn
    seen = []
    for stage in range(4):
        outcome = operator.apply(stage)
        steps = 2 if stage == Stage.CAPACITY else 1
        assert (outcome.exit_code, operator.verdicts()) == (ExitCode.DONE, [Verdict.PASS] * steps), outcome
        status = operator.status()
        seen.append((status.architectures, status.split, len(status.platforms)))
    assert seen == [
        ((("x86_64", 4),), (("FARGATE", 4),), 1),
        ((("x86_64", 4),), (("FARGATE", 4),), 2),
        ((("arm64", 4),), (("FARGATE", 4),), 2),
        ((("arm64", 4),), (("FARGATE", 1), ("FARGATE_SPOT", 3)), 2),
    ]
    assert operator.record.position == Position(Stage.CAPACITY)
    assert operator.world.revisions[first].status == "ACTIVE"
    media_type, body = operator.tag
    assert media_type == OCI_INDEX
    assert json.loads(body)["manifests"][0]["digest"] == operator.record.baseline.image.digest
    assert operator.record.baseline.image.manifest.encode() == former[1]


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_a_stage_that_is_not_proven_blocks_the_next(stage: int) -> None:
    operator = Operator.of().reach(stage - 2) if stage > 1 else Operator.of()
    before = list(operator.world.writes)
    with pytest.raises(BlockedError, match=f"Stage {stage} cannot start"):
        operator.apply(stage)
    assert operator.world.writes == before


@pytest.mark.parametrize("reached", [0, 1, 2, 3])
def test_a_stage_that_is_done_changes_nothing(reached: int) -> None:
    operator = Operator.of().reach(reached)
    for stage in range(reached + 1):
        writes, version, service = list(operator.world.writes), operator.record.version, operator.service
        ups = [call for call in operator.stacks.calls if call.startswith("up")]
        outcome = operator.apply(stage)
        assert outcome.exit_code is ExitCode.DONE
        assert "nothing was changed" in outcome.text
        assert (operator.world.writes, operator.record.version) == (writes, version)
        assert operator.service.primary == service.primary
        assert [call for call in operator.stacks.calls if call.startswith("up")] == ups
        assert not [event for event in operator.events() if event.kind is EventKind.INTENT]


def test_an_adoption_is_an_import_without_any_change() -> None:
    operator = Operator.of()
    operator.apply(0)
    adopted = operator.stacks.previewed[: len({TASK_DEFINITION, SERVICE})]
    assert [(change.type, change.operation) for change in adopted] == [
        (TASK_DEFINITION, "import"),
        (SERVICE, "import"),
    ]


def test_no_preview_of_a_whole_migration_replaces_or_deletes_anything() -> None:
    operator = Operator.of().reach(3)
    operator.roll_back(Stage.ORIGINAL)
    assert {change.operation for change in operator.stacks.previewed} == {"import", "create", "update"}
    assert {change.type for change in operator.stacks.previewed} >= {SERVICE, TASK_DEFINITION, IMAGE, INDEX}
    assert {item.status for item in operator.world.revisions.values()} == {"ACTIVE"}


def test_c37_providers_are_associated_before_the_service_uses_them() -> None:
    world = World.with_demo_service(FakeClock())
    world.associate(["somebody-elses"])
    operator = Operator.of(world).reach(3)
    assert world.cluster.capacity_providers == ("somebody-elses", "FARGATE", "FARGATE_SPOT")
    assert operator.service.launch_type is None
    assert {item.provider for item in operator.service.strategy} == {"FARGATE", "FARGATE_SPOT"}


@dataclass
class Meanwhile:
    """Runs steps; right before the first one of that name somebody else does something."""

    name: str
    act: Callable[[], None]

    def step(self, name: str, act: Callable[[], T]) -> T:
        if name.startswith(self.name):
            self.name = "\0"
            self.act()
        return act()


def test_c37_a_service_of_the_same_cluster_may_associate_providers_between_the_record_and_the_adoption() -> None:
    world = World.with_demo_service(FakeClock())
    world.associate(["theirs"])
    operator = Operator.of(world)
    operator.durable = Meanwhile("adopt: preview", lambda: world.associate(["theirs", "FARGATE", "FARGATE_SPOT"]))
    operator.apply(0)
    assert operator.record.position == Position(Stage.BASELINE)
    assert world.cluster.capacity_providers == ("theirs", "FARGATE", "FARGATE_SPOT")
    assert operator.reach(3).record.position == Position(Stage.CAPACITY)


def test_c37_a_provider_that_somebody_associates_meanwhile_stays_whatever_stage_or_way_back_follows() -> None:
    world = World.with_demo_service(FakeClock())
    world.associate(["theirs"])
    operator = Operator.of(world).reach(1)
    world.associate([*world.cluster.capacity_providers, "second"])
    operator.apply(2)
    assert set(world.cluster.capacity_providers) == {"theirs", "second", "FARGATE", "FARGATE_SPOT"}
    world.associate([*world.cluster.capacity_providers, "third"])
    operator.roll_back(Stage.ORIGINAL)
    assert set(world.cluster.capacity_providers) == {"theirs", "second", "third", "FARGATE", "FARGATE_SPOT"}


def test_c37_a_strategy_is_changed_with_a_forced_deployment_only() -> None:
    operator = Operator.of().reach(2)
    before = operator.service.primary
    operator.apply(3)
    assert operator.service.primary != before
    assert operator.verdicts() == [Verdict.PASS] * 2


def test_c37_spot_with_a_base_on_demand_of_no_weight_is_reached_from_a_launch_type() -> None:
    target = (StrategyItem("FARGATE_SPOT", weight=1), StrategyItem("FARGATE", weight=0, base=1))
    world = World.with_demo_service(FakeClock())
    world.associate(["FARGATE"])
    operator = Operator.of(world, replace(SETTINGS, capacity=target)).reach(3)
    assert "FARGATE_SPOT" in world.cluster.capacity_providers
    assert (operator.service.launch_type, set(operator.service.strategy)) == (None, set(target))
    assert operator.status().split == (("FARGATE", 1), ("FARGATE_SPOT", 3))


def test_c39_the_same_tag_is_deployed_and_a_new_deployment_insisted_on() -> None:
    operator = Operator.of().reach(0)
    before = operator.service
    operator.apply(1)
    after = operator.service
    assert after.task_definition_arn == before.task_definition_arn
    assert after.primary is not None
    assert before.primary is not None
    assert after.primary.id != before.primary.id
    assert operator.record.last_deployment_id == after.primary.id


def test_an_index_that_the_teams_ci_pushes_is_proven_and_deployed() -> None:
    world = World.with_demo_service(FakeClock())
    operator = Operator.of(world, EXTERNAL).reach(0)
    pushed = _pushed_by_others(world)
    before = operator.service.primary
    operator.apply(1)
    assert operator.verdicts() == [Verdict.PASS]
    assert operator.service.primary != before
    assert operator.record.index is not None
    assert operator.record.index.digest == pushed


def test_c39_a_deployment_is_forced_where_the_program_alone_starts_none() -> None:
    world = World.with_demo_service(FakeClock())
    _pushed_by_others(world)
    operator = Operator.of(world, EXTERNAL).reach(0)
    before, previewed = operator.service.primary, len(operator.stacks.previewed)
    operator.apply(1)
    after = operator.service.primary
    assert operator.stacks.previewed[previewed:] == [], "the program alone has nothing to change"
    assert after is not None
    assert after != before
    assert operator.record.last_deployment_id == after.id


def _pushed_by_others(world: World) -> str:
    """Let the team's CI push an index that keeps the amd64 manifest; return its digest."""
    other = Operator.of(World.with_demo_service(FakeClock())).reach(1)
    world.shelf.blobs.update(other.world.shelf.blobs)
    world.shelf.manifests.update(other.world.shelf.manifests)
    assert other.record.index is not None
    return other.record.index.digest


def test_c03_an_index_of_one_platform_does_not_count_as_stage_1() -> None:
    world = World.with_demo_service(FakeClock())
    _, body = world.shelf.manifests["tag1"]
    entry = {"mediaType": json.loads(body)["mediaType"], "size": len(body), "platform": _platform("amd64")}
    digest = world.digest_of_tag("tag1")
    world.shelf.index({**entry, "digest": digest}, tag="tag1")
    operator = Operator.of(world)
    plan = operator.plan()
    assert "image.single-platform" in {finding.code for finding in plan.findings}
    operator.reach(0)
    with pytest.raises(BlockedError):
        operator.apply(2)
    operator.apply(1)
    assert operator.status().platforms == ("linux/amd64", "linux/arm64")
    assert json.loads(operator.tag[1])["manifests"][0]["digest"] == digest


def _platform(architecture: str) -> dict[str, str]:
    platform = Platform("linux", architecture)
    return {"os": platform.os, "architecture": platform.architecture}


def test_a_service_on_a_strategy_keeps_it_until_stage_3() -> None:
    operator = Operator.of(World.with_demo_service(FakeClock(), launch_type=None)).reach(0)
    first = operator.service.primary
    assert operator.world.writes == [f"tag {operator.record.baseline.image.guard_tag}"]
    operator.apply(1)
    operator.apply(2)
    assert operator.service.primary != first
    assert operator.service.strategy == (StrategyItem("FARGATE", weight=1),)
    operator.apply(3)
    assert operator.status().position == Position(Stage.CAPACITY)


def test_a_new_target_strategy_makes_stage_3_new() -> None:
    operator = Operator.of().reach(3)
    spot = (StrategyItem("FARGATE_SPOT", weight=1),)
    operator.settings = replace(operator.settings, capacity=spot)
    outcome = operator.apply(3)
    assert (outcome.exit_code, operator.service.strategy) == (ExitCode.DONE, spot)
    assert operator.status().split == (("FARGATE_SPOT", 4),)


@pytest.mark.parametrize("mode", list(ImageMode))
def test_stage_1_in_every_image_mode_that_builds(mode: ImageMode) -> None:
    if mode is ImageMode.EXTERNAL:
        return
    operator = Operator.of(settings=replace(SETTINGS, image=replace(SETTINGS.image, mode=mode))).reach(1)
    kept = json.loads(operator.tag[1])["manifests"][0]["digest"] == operator.record.baseline.image.digest
    assert operator.status().platforms == ("linux/amd64", "linux/arm64")
    assert kept or mode is ImageMode.REBUILD


def test_c35_auto_scaling_during_a_rollout_is_left_alone() -> None:
    operator = Operator.of().reach(1)
    for minute, count in ((1, 10), (2, 14), (4, 6)):
        operator.world.clock.after(timedelta(minutes=minute), partial(operator.world.scale, count))
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.DONE
    assert operator.service.desired_count == 6
