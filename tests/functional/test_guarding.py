"""What a plan says of the repository, and what it does not need to read for other things (case C20)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from migrate.core.documents import Document
from migrate.core.findings import Finding, Grade
from migrate.core.stages import Stage
from migrate.errors import AccessError, BlockedError, ExitCode
from tests.fakes.aws_world import REGISTRY, World
from tests.fakes.clock import FakeClock
from tests.fakes.image_content import REPOSITORY
from tests.fakes.migration import Operator
from tests.functional.test_stages import EXTERNAL, _pushed_by_others


def policy(status: str, count_type: str, number: int, **more: Any) -> str:
    selection = {"tagStatus": status, "countType": count_type, "countNumber": number, **more}
    return json.dumps({"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]})


def found(operator: Operator) -> dict[str, Finding]:
    return {item.code: item for item in operator.plan().findings}


def test_c20_a_policy_that_takes_the_original_stops_stage_1_and_changes_nothing() -> None:
    operator = Operator.of()
    operator.world.ecr.lifecycle_policy = policy("any", "sinceImagePushed", 1, countUnit="days")
    finding = found(operator)["lifecycle.way-back-expires"]
    assert (finding.grade, finding.stage) == (Grade.BLOCK, 1)
    assert operator.apply(0).exit_code is ExitCode.DONE
    before = operator.tag
    with pytest.raises(BlockedError, match="way-back-expires") as blocked:
        operator.apply(1)
    assert blocked.value.runbook == "findings#lifecycle-way-back-expires"
    assert operator.tag == before


def test_c20_a_whole_migration_under_a_policy_for_untagged_images_stays_possible() -> None:
    operator = Operator.of()
    operator.world.ecr.lifecycle_policy = policy("untagged", "sinceImagePushed", 1, countUnit="days")
    assert found(operator)["lifecycle.harmless"].grade is Grade.INFO
    operator.reach(3)
    assert "lifecycle.way-back-expires" not in found(operator)
    assert operator.roll_back(Stage.ORIGINAL).exit_code is ExitCode.DONE


@pytest.mark.parametrize("permission", ["ecr:GetLifecyclePolicy", "ecr:DescribeImages", "ecr:DescribeRegistry"])
def test_a_read_that_is_denied_is_a_finding_and_no_error(permission: str) -> None:
    operator = Operator.of()
    operator.world.ecr.denied.add(permission)
    assert permission in found(operator)["repository.unread"].advice
    assert operator.apply(0).exit_code is ExitCode.DONE


def test_a_repository_that_may_not_be_described_is_a_finding_and_no_error() -> None:
    operator = Operator.of()
    denied = AccessError("The credentials may not do it.", then="Allow it.", runbook="errors#permission")
    operator.world.refuse("repository", denied)
    assert "ecr:DescribeRepositories" in found(operator)["repository.unread"].advice


def test_expired_credentials_stay_an_error() -> None:
    operator = Operator.of()
    operator.world.refuse("repository", AccessError("Expired.", then="Sign in.", runbook="errors#expired"))
    with pytest.raises(AccessError, match="Expired"):
        operator.plan()


def test_status_and_the_way_back_do_without_the_images_of_the_repository() -> None:
    operator = Operator.of().reach(1)
    operator.world.refuse("contents", AccessError("Throttled.", then="Wait."), times=99)
    assert operator.status() is not None
    assert operator.roll_back(Stage.BASELINE).exit_code is ExitCode.DONE


def test_an_image_of_another_registry_is_migrated_in_mode_external_and_nothing_is_written_to_it() -> None:
    world = World.with_demo_service(FakeClock())
    (arn, revision), *_ = world.revisions.items()
    moved = revision.document.replace(f"{REGISTRY}/{REPOSITORY}", f"ghcr.io/{REPOSITORY}")
    world.revisions[arn] = replace(revision, document=Document(moved))
    _pushed_by_others(world)
    operator = Operator.of(world, EXTERNAL)
    plan = operator.plan()
    assert [item.code for item in plan.findings if item.grade is Grade.BLOCK] == []
    assert "guard tag" not in {change.what for change in plan.stage(Stage.BASELINE).changes}
    operator.reach(3)
    assert [write for write in world.writes if write.startswith("tag ")] == []
    assert operator.record.baseline.image.guard_tag == ""
    assert operator.roll_back(Stage.ORIGINAL).exit_code is ExitCode.DONE
