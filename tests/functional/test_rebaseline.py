"""Somebody else deployed in the middle of a migration (case C43): seen, never undone, and gone on from on purpose."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from migrate.core.documents import document, fields
from migrate.core.facts import StrategyItem
from migrate.core.stack.preview import IMAGE
from migrate.core.stages import Position, Stage
from migrate.errors import AccessError, BlockedError, ExitCode, WorldChangedError
from tests.fakes.aws_simulation import Fate
from tests.fakes.aws_world import REGISTRY, TAG, World
from tests.fakes.clock import FakeClock
from tests.fakes.image_content import AMD64_ELF, REPOSITORY, Entry
from tests.fakes.migration import Operator
from tests.functional.test_interruptions import crashed_at_every_point

VERSION = {"name": "VERSION", "value": "2"}


def ci_deploys(operator: Operator, *, tag: str = TAG, more: dict[str, Any] | None = None) -> str:
    """Let the team's pipeline deploy a new version of the app, still amd64, as it always did; return its revision."""
    content = {**fields(operator.record.baseline.task_definition.document), **(more or {})}
    containers: Any = content["containerDefinitions"]
    content["containerDefinitions"] = [
        {**containers[0], "image": f"{REGISTRY}/{REPOSITORY}:{tag}", "environment": [VERSION]}
    ]
    arn = operator.world.register(document(content)).arn
    operator.world.apply_update(task_definition=arn, force=True)
    operator.world.pass_time(timedelta(minutes=10))
    return arn


def version_of(operator: Operator) -> Any:
    containers: Any = fields(operator.world.revisions[operator.service.task_definition_arn].document)
    return containers["containerDefinitions"][0].get("environment")


@pytest.mark.parametrize("launch_type", ["FARGATE", None])
@pytest.mark.parametrize("reached", [0, 1, 2, 3])
def test_c43_their_revision_becomes_the_new_original_and_the_migration_goes_on_from_it(
    reached: int, launch_type: str | None
) -> None:
    operator = Operator.of(World.with_demo_service(FakeClock(), launch_type=launch_type))
    tag, found = operator.tag, operator.service
    operator.reach(reached)
    former = operator.record.baseline
    theirs = ci_deploys(operator)
    with pytest.raises(WorldChangedError) as refused_stage:
        operator.apply(min(reached + 1, 3))
    with pytest.raises(WorldChangedError) as refused_rollback:
        operator.roll_back()
    for error in (refused_stage.value, refused_rollback.value):
        assert "`migrate apply --stage 0 --rebaseline`" in error.then
    outcome = operator.rebaseline()
    assert outcome.exit_code is ExitCode.DONE, outcome
    assert operator.service.task_definition_arn == theirs
    assert operator.record.baseline.task_definition.arn == theirs
    assert operator.record.former == (former,)
    assert operator.record.position == Position(Stage.BASELINE)
    assert operator.tag == tag
    assert operator.world.digest_of_tag(operator.record.baseline.image.guard_tag) == former.image.digest
    assert operator.status().drift == ()
    for stage in (1, 2, 3):
        assert operator.apply(stage).exit_code is ExitCode.DONE
        assert version_of(operator) == [VERSION], "nobody else's change is ever put back"
    assert operator.status().architectures == (("arm64", 4),)
    assert operator.roll_back(Stage.ORIGINAL).exit_code is ExitCode.DONE
    assert operator.service.task_definition_arn == theirs
    assert (operator.service.launch_type, operator.service.strategy) == (found.launch_type, found.strategy)
    assert operator.tag == tag


@pytest.mark.parametrize("launch_type", ["FARGATE", None])
def test_c43_tasks_that_started_from_our_index_run_the_original_before_the_new_baseline_is_proven(
    launch_type: str | None,
) -> None:
    operator = Operator.of(World.with_demo_service(FakeClock(), launch_type=launch_type)).reach(1)
    operator.world.reporting.digest = "index"
    ci_deploys(operator)
    assert operator.record.index is not None
    assert {task.containers[0].image_digest for task in operator.tasks} == {operator.record.index.digest}
    assert operator.rebaseline().exit_code is ExitCode.DONE
    assert {task.containers[0].image_digest for task in operator.tasks} == {operator.record.baseline.image.digest}


def test_c43_an_index_that_stands_is_not_built_again() -> None:
    operator = Operator.of().reach(2)
    index = operator.record.index
    ci_deploys(operator)
    operator.rebaseline()
    previewed = len(operator.stacks.previewed)
    assert operator.apply(1).exit_code is ExitCode.DONE
    assert operator.record.index == index
    assert IMAGE not in {change.type for change in operator.stacks.previewed[previewed:]}


@pytest.mark.parametrize("reached", [0, 1, 3])
@pytest.mark.parametrize("tag", ["tag2", TAG], ids=["another tag", "the same tag, moved by them"])
def test_c43_their_image_is_guarded_and_built_upon(tag: str, reached: int) -> None:
    operator = Operator.of().reach(reached)
    first = operator.record.baseline.image
    operator.world.shelf.image("linux/amd64", Entry("app", AMD64_ELF), Entry("etc/version", b"2"), tag=tag)
    pushed = operator.world.digest_of_tag(tag)
    ci_deploys(operator, tag=tag)
    assert operator.rebaseline().exit_code is ExitCode.DONE
    image = operator.record.baseline.image
    assert (image.digest, image.reference.tag, operator.record.index) == (pushed, tag, None)
    assert operator.world.digest_of_tag(image.guard_tag) == pushed
    assert operator.world.digest_of_tag(first.guard_tag) == first.digest, "the former original stays guarded"
    assert operator.world.digest_of_tag(tag) == pushed
    for stage in (1, 2, 3):
        assert operator.apply(stage).exit_code is ExitCode.DONE
    assert operator.record.index is not None
    assert ("linux/amd64", pushed) in operator.record.index.children
    assert operator.roll_back(Stage.ORIGINAL).exit_code is ExitCode.DONE
    assert operator.world.digest_of_tag(tag) == pushed


def test_c43_a_stage_that_they_deployed_into_is_given_up_for_the_new_baseline() -> None:
    operator = Operator.of().reach(1)
    operator.world.clock.after(timedelta(minutes=1), lambda: ci_deploys(operator))
    held = operator.apply(2)
    assert (held.exit_code, operator.record.position.entered) == (ExitCode.HELD, Stage.ARCHITECTURE)
    theirs = operator.service.task_definition_arn
    assert "`migrate apply --stage 0 --rebaseline`" in held.then
    assert operator.rebaseline().exit_code is ExitCode.DONE
    assert operator.service.task_definition_arn == theirs
    assert operator.reach(3).status().architectures == (("arm64", 4),)


def test_c43_a_capacity_that_somebody_chose_is_the_new_originals() -> None:
    operator = Operator.of().reach(1)
    chosen = (StrategyItem("FARGATE", weight=1, base=2), StrategyItem("FARGATE_SPOT", weight=1))
    operator.world.apply_update(strategy=chosen, force=True)
    operator.world.pass_time(timedelta(minutes=10))
    with pytest.raises(WorldChangedError):
        operator.apply(2)
    assert operator.rebaseline().exit_code is ExitCode.DONE
    assert (operator.record.baseline.service.strategy, operator.service.strategy) == (chosen, chosen)


def test_c43_history_is_kept_over_several_deployments_of_others() -> None:
    operator = Operator.of().reach(1)
    for _ in range(3):
        ci_deploys(operator)
        operator.rebaseline()
    arns = [former.task_definition.arn.rpartition(":")[2] for former in operator.record.former]
    assert arns == ["1", "2", "3"]
    assert len(set(operator.stacks.aside)) == 3
    assert all(mark.startswith("until-20261125T") for mark in operator.stacks.aside)


def test_c43_a_new_baseline_that_fails_goes_back_to_their_revision() -> None:
    operator = Operator.of().reach(3)
    theirs = ci_deploys(operator)
    operator.world.next_deployment(Fate.EXEC_FORMAT)
    outcome = operator.rebaseline()
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert operator.service.task_definition_arn == theirs
    assert operator.record.position == Position()
    assert operator.status().drift == ()
    assert operator.apply(0).exit_code is ExitCode.DONE


def test_c43_a_new_baseline_that_died_anywhere_is_finished() -> None:
    start = Operator.of().reach(2)
    theirs = ci_deploys(start)
    whole = start.copied()
    assert whole.rebaseline().exit_code is ExitCode.DONE
    for operator in crashed_at_every_point(start, lambda operator: operator.rebaseline()):
        operator.world.pass_time(timedelta(minutes=5))
        begun = bool(operator.record.former)
        outcome = operator.apply(0) if begun else operator.rebaseline()
        assert outcome.exit_code is ExitCode.DONE, outcome
        assert operator.service.task_definition_arn == theirs
        assert (operator.tag, operator.record.position) == (whole.tag, Position(Stage.BASELINE))
        assert len(operator.record.former) == 1
        assert operator.status().drift == ()


def refused(operator: Operator) -> BlockedError:
    before = list(operator.world.writes), operator.record, list(operator.stacks.aside)
    with pytest.raises(BlockedError) as error:
        operator.rebaseline()
    assert (list(operator.world.writes), operator.record, list(operator.stacks.aside)) == before
    return error.value


@pytest.mark.parametrize("reached", [0, 1])
def test_c43_there_is_no_new_baseline_where_nobody_else_did_anything(reached: int) -> None:
    assert "nothing to take a new baseline from" in refused(Operator.of().reach(reached)).what


def test_c43_a_stage_that_is_held_is_not_forgotten_by_a_new_baseline() -> None:
    operator = Operator.of().reach(0)
    operator.world.script_alarm("web-errors", "INSUFFICIENT_DATA", after=timedelta(minutes=1))
    assert operator.apply(1).exit_code is ExitCode.HELD
    assert refused(operator).then == "Run `migrate apply --stage 1` to go on, or `migrate rollback`."


@pytest.mark.parametrize("reached", [2, 3])
def test_c43_our_own_arm64_revision_is_no_original(reached: int) -> None:
    operator = Operator.of().reach(reached)
    operator.world.apply_update(force=True)
    operator.world.pass_time(timedelta(minutes=10))
    error = refused(operator)
    assert "this migration's own ARM64 revision" in error.what
    assert "migrate rollback" in error.then


def test_c43_a_revision_of_theirs_that_carries_arm64_over_is_no_original() -> None:
    operator = Operator.of().reach(2)
    platform = {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    ci_deploys(operator, more={"runtimePlatform": platform})
    error = refused(operator)
    assert "runs on ARM64 already" in error.what
    assert operator.status().architectures == (("arm64", 4),)


def test_c43_their_deployment_has_to_be_over_first() -> None:
    operator = Operator.of().reach(1)
    content = fields(operator.record.baseline.task_definition.document)
    operator.world.apply_update(task_definition=operator.world.register(document(content)).arn, force=True)
    assert "service.deployment-in-progress" in refused(operator).why


def test_c43_before_stage_0_there_is_nothing_to_follow() -> None:
    operator = Operator.of()
    with pytest.raises(BlockedError, match="no baseline yet"):
        operator.rebaseline()


def test_c43_an_external_tag_is_looked_at_afresh_and_stays_where_it_is() -> None:
    from tests.functional.test_stages import EXTERNAL, _pushed_by_others

    world = World.with_demo_service(FakeClock())
    operator = Operator.of(world, EXTERNAL).reach(0)
    index = _pushed_by_others(world)
    assert operator.apply(1).exit_code is ExitCode.DONE
    ci_deploys(operator)
    assert operator.rebaseline().exit_code is ExitCode.DONE
    assert operator.record.baseline.image.digest == index
    assert operator.world.digest_of_tag(TAG) == index
    assert operator.apply(1).exit_code is ExitCode.DONE
    assert operator.apply(2).exit_code is ExitCode.DONE
    assert operator.status().architectures == (("arm64", 4),)


def test_c43_a_saved_strategy_of_ours_does_not_become_the_new_original() -> None:
    operator = Operator.of().reach(3)
    spot = operator.service.strategy
    ci_deploys(operator)
    assert operator.service.strategy == spot, "a pipeline that names no strategy keeps the one that is there"
    assert operator.rebaseline().exit_code is ExitCode.DONE
    assert operator.service.strategy == (StrategyItem("FARGATE", weight=1),)
    assert operator.record.baseline.service.launch_type == "FARGATE"
    assert replace(operator.record, found_capacity=()).baseline == operator.record.baseline


def test_c43_a_new_baseline_that_was_taken_back_before_it_was_adopted_keeps_its_history() -> None:
    operator = Operator.of().reach(2)
    theirs = ci_deploys(operator)
    operator.stacks.interrupt_after["set_aside"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        operator.rebaseline()
    operator.world.refuse("preview_service", AccessError("AWS refused.", then="Sign in."))
    with pytest.raises(AccessError):
        operator.rebaseline()
    assert operator.record.position == Position(entered=Stage.BASELINE)
    former, index = operator.record.former, operator.record.index
    assert operator.roll_back(Stage.ORIGINAL).exit_code is ExitCode.DONE
    assert operator.service.task_definition_arn == theirs
    assert operator.apply(0).exit_code is ExitCode.DONE
    assert (operator.record.former, operator.record.index) == (former, index)
    assert operator.reach(3).status().architectures == (("arm64", 4),)


@pytest.mark.parametrize("reached", [1, 2, 3])
def test_c43_a_new_baseline_that_failed_in_its_adoption_is_taken_back_from_tasks_of_our_index(reached: int) -> None:
    operator = Operator.of().reach(reached)
    operator.world.reporting.digest = "index"
    theirs = ci_deploys(operator)
    operator.stacks.interrupt_after["up_service"] = AccessError("The session has expired.", then="Sign in again.")
    assert operator.rebaseline().exit_code is ExitCode.HELD
    assert operator.roll_back(Stage.ORIGINAL).exit_code is ExitCode.DONE
    assert operator.service.task_definition_arn == theirs
