"""The way back, from every stage to every smaller one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import pytest

from migrate.core.evidence import EventKind
from migrate.core.facts import StrategyItem
from migrate.core.image.index import FetchedManifest, ImageReference
from migrate.core.settings import ImageMode
from migrate.core.stages import Position, Stage
from migrate.errors import AccessError, BlockedError, ExitCode, InterruptedRunError, WorldChangedError
from migrate.workflows.apply import apply_stage
from tests.fakes.aws_simulation import Fate
from tests.fakes.aws_world import TAG, World
from tests.fakes.clock import FakeClock
from tests.fakes.image_content import AMD64_ELF, ARM64_ELF, Entry, Shelf, digest_of
from tests.fakes.image_registry import FakeImageRegistry
from tests.fakes.migration import SETTINGS, Operator

ALL = [(reached, to) for reached in range(4) for to in Stage if to < reached]


@pytest.mark.parametrize("launch_type", ["FARGATE", None])
@pytest.mark.parametrize(("reached", "to"), ALL)
def test_every_smaller_stage_is_brought_back_as_it_was(reached: int, to: Stage, launch_type: str | None) -> None:
    operator = Operator.of(World.with_demo_service(FakeClock(), launch_type=launch_type))
    looks = {Stage.ORIGINAL: (operator.service, operator.tag, operator.status())}
    for stage in range(reached + 1):
        operator.reach(0) if stage == 0 else operator.apply(stage)
        looks[Stage(stage)] = (operator.service, operator.tag, operator.status())
    service, tag, status = looks[to]
    outcome = operator.roll_back(to)
    now = operator.status()
    assert outcome.exit_code is ExitCode.DONE, outcome
    assert operator.tag == tag
    assert (operator.service.launch_type, operator.service.strategy) == (service.launch_type, service.strategy)
    assert (now.revision, now.architectures, now.split) == (status.revision, status.architectures, status.split)
    assert (now.position, now.drift) == (Position(to), ())


def test_the_original_comes_back_with_launch_type_revision_and_the_bytes_of_the_tag() -> None:
    operator = Operator.of()
    media_type, body = operator.tag
    revision = operator.service.task_definition_arn
    operator.reach(3).roll_back(Stage.ORIGINAL)
    assert operator.tag == (media_type, body)
    assert digest_of(body) == operator.record.baseline.image.digest
    assert (operator.service.launch_type, operator.service.strategy) == ("FARGATE", ())
    assert operator.service.task_definition_arn == revision
    assert {task.architecture for task in operator.tasks} == {"x86_64"}


def test_without_a_wish_a_rollback_goes_one_stage_back() -> None:
    operator = Operator.of().reach(3)
    for stage in (Stage.ARCHITECTURE, Stage.IMAGE, Stage.BASELINE, Stage.ORIGINAL):
        assert operator.roll_back().stage is stage
        assert operator.record.position == Position(stage)
    assert "nothing was changed" in operator.roll_back().text


def test_a_migration_that_came_back_can_start_again_and_makes_nothing_twice() -> None:
    operator = Operator.of().reach(3)
    index, revisions = operator.record.index, len(operator.world.revisions)
    operator.roll_back(Stage.ORIGINAL)
    operator.reach(3)
    assert operator.record.index == index
    assert len(operator.world.revisions) == revisions


def test_arm64_tasks_keep_their_index_until_amd64_tasks_have_taken_over() -> None:
    operator = Operator.of().reach(2)
    operator.roll_back(Stage.BASELINE)
    steps = [event.step for event in operator.events() if event.kind is EventKind.OUTCOME]
    gates = [event.step for event in operator.events() if event.kind is EventKind.VERDICT]
    assert gates == ["gate back to 1", "gate back to 0"]
    restored = next(i for i, event in enumerate(operator.events()) if event.step == "restore tag")
    proven = next(i for i, event in enumerate(operator.events()) if event.kind is EventKind.VERDICT)
    assert proven < restored
    assert "restore tag" in steps


def test_c32_a_copy_is_deployed_where_the_original_revision_is_inactive() -> None:
    operator = Operator.of().reach(2)
    original = operator.record.baseline.task_definition
    operator.world.deregister(original.arn)
    outcome = operator.roll_back(Stage.IMAGE)
    assert outcome.exit_code is ExitCode.DONE, outcome
    copy = operator.world.revisions[operator.service.task_definition_arn]
    assert copy.arn == operator.record.replacement_task_definition_arn
    assert (copy.status, copy.revision) == ("ACTIVE", 3)
    assert {task.architecture for task in operator.tasks} == {"x86_64"}
    assert [item.status for item in operator.world.revisions.values()] == ["INACTIVE", "ACTIVE", "ACTIVE"]


def test_c32_the_copy_serves_every_later_stage_and_rollback() -> None:
    operator = Operator.of().reach(2)
    operator.world.deregister(operator.record.baseline.task_definition.arn)
    operator.roll_back(Stage.ORIGINAL)
    operator.reach(3)
    assert operator.roll_back(Stage.ORIGINAL).exit_code is ExitCode.DONE
    assert len(operator.world.revisions) == 3


def test_c32_a_revision_that_aws_has_deleted_is_replaced_by_a_copy_too() -> None:
    operator = Operator.of().reach(2)
    del operator.world.revisions[operator.record.baseline.task_definition.arn]
    assert operator.roll_back(Stage.IMAGE).exit_code is ExitCode.DONE
    assert operator.service.task_definition_arn == operator.record.replacement_task_definition_arn


def test_c32_the_original_may_be_lost_before_a_step_that_does_not_need_it() -> None:
    operator = Operator.of().reach(3)
    operator.world.deregister(operator.record.baseline.task_definition.arn)
    for stage in (Stage.ARCHITECTURE, Stage.IMAGE, Stage.ORIGINAL):
        assert operator.roll_back(stage).exit_code is ExitCode.DONE
    assert len(operator.world.revisions) == 3


def test_c32_an_arm64_revision_that_is_inactive_is_registered_again() -> None:
    operator = Operator.of().reach(3)
    first = operator.record.arm64_task_definition_arn
    operator.world.deregister(str(first))
    assert operator.roll_back(Stage.ARCHITECTURE).exit_code is ExitCode.DONE
    assert operator.record.arm64_task_definition_arn not in {None, first}
    assert operator.status().architectures == (("arm64", 4),)


def test_c32_a_revision_of_ours_that_ecs_went_back_to_by_itself_is_still_ours() -> None:
    operator = Operator.of().reach(3)
    first = str(operator.record.arm64_task_definition_arn)
    operator.world.deregister(first)
    operator.world.next_deployment(Fate.UNHEALTHY)
    assert operator.roll_back(Stage.ARCHITECTURE).exit_code is ExitCode.ROLLBACK_INCOMPLETE
    operator.world.pass_time(timedelta(minutes=10))
    assert operator.service.task_definition_arn == first, "by the circuit breaker"
    assert operator.roll_back(Stage.ORIGINAL).exit_code is ExitCode.DONE
    assert operator.service.task_definition_arn == operator.record.baseline.task_definition.arn


@pytest.mark.parametrize("same_amd64", [True, False])
def test_an_external_tag_is_never_moved_by_the_way_back(same_amd64: bool) -> None:
    world = World.with_demo_service(FakeClock())
    operator = Operator.of(world, replace(SETTINGS, image=replace(SETTINGS.image, mode=ImageMode.EXTERNAL)))
    operator.reach(0)
    amd64 = operator.world.shelf.image("linux/amd64", Entry("app", AMD64_ELF), Entry("etc/new", b"new"))
    if same_amd64:
        media_type, body = operator.tag
        amd64 = {**amd64, "mediaType": media_type, "digest": digest_of(body), "size": len(body)}
    arm64 = world.shelf.image("linux/arm64", Entry("app", ARM64_ELF))
    world.shelf.index(amd64, arm64, tag=TAG)
    pushed = operator.tag
    assert operator.apply(1).exit_code is ExitCode.DONE
    assert operator.apply(2).exit_code is ExitCode.DONE
    outcome = operator.roll_back(Stage.ORIGINAL)
    assert outcome.exit_code is ExitCode.DONE, outcome
    assert operator.tag == pushed
    assert {task.architecture for task in operator.tasks} == {"x86_64"}


def test_there_is_nothing_to_roll_back_where_nothing_was_applied() -> None:
    with pytest.raises(BlockedError, match="nothing to roll back"):
        Operator.of().roll_back()


STOPS = [KeyboardInterrupt(), InterruptedRunError("The run was stopped while Pulumi was busy.", then="Again.")]


@pytest.mark.parametrize("stop", STOPS, ids=["between two acts", "in the engine"])
@pytest.mark.parametrize("to", [Stage.ORIGINAL, Stage.BASELINE])
def test_a_rollback_that_was_interrupted_says_what_runs_and_is_finished_by_the_next(
    stop: BaseException, to: Stage
) -> None:
    operator = Operator.of().reach(3)
    operator.stacks.interrupt_after["up_service"] = stop
    outcome = operator.roll_back(to)
    assert outcome.exit_code is ExitCode.INTERRUPTED
    assert outcome.text.startswith("ROLLBACK INTERRUPTED")
    assert f"4 of 4 tasks of {operator.service.task_definition_arn}" in outcome.text
    wish = "--to original" if to is Stage.ORIGINAL else "--to-stage 0"
    assert f"`migrate rollback {wish}`" in outcome.then
    assert operator.roll_back(to).exit_code is ExitCode.DONE
    assert operator.status().architectures == (("x86_64", 4),)
    assert operator.record.position == Position(to)


@pytest.mark.parametrize("stop", STOPS, ids=["between two acts", "in the engine"])
def test_ctrl_c_during_an_automatic_rollback_is_resumable_and_names_the_command(stop: BaseException) -> None:
    operator = Operator.of().reach(1)
    operator.world.next_deployment(Fate.EXEC_FORMAT)
    operator.stacks.interrupt_after["refresh"] = stop
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.INTERRUPTED, outcome
    assert "ROLLBACK INTERRUPTED" in outcome.text
    assert "no longer PRIMARY" in outcome.reasons[0], "why it was going back is still told"
    assert "`migrate rollback --to-stage 1`" in outcome.then
    assert operator.roll_back(Stage.IMAGE).exit_code is ExitCode.DONE
    assert operator.record.position == Position(Stage.IMAGE)


@dataclass
class Silent(FakeImageRegistry):
    """A registry that stops to answer for manifests, for a number of questions."""

    shelf: Shelf
    questions: int = 1000

    def manifest(self, reference: ImageReference) -> FetchedManifest:
        self.questions -= 1
        if self.questions >= 0:
            raise AccessError("The registry does not answer.", then="Wait.")
        return super().manifest(reference)


@pytest.mark.parametrize(("questions", "code"), [(3, ExitCode.DONE), (1000, ExitCode.HELD)])
def test_c30_a_registry_that_does_not_answer_at_the_end_of_a_gate_is_asked_again(
    questions: int, code: ExitCode
) -> None:
    operator = Operator.of().reach(1)
    runtime = replace(operator.runtime, registry=Silent(operator.world.shelf, questions))
    outcome = apply_stage(runtime, operator.durable, operator.run("apply", 2))
    assert outcome.exit_code is code, outcome


def original_is_deleted(operator: Operator) -> None:
    """Let a lifecycle policy, or somebody, take the original manifest away with all its tags (case C20)."""
    digest = operator.record.baseline.image.digest
    manifests = operator.world.shelf.manifests
    for name in [name for name, (_, body) in manifests.items() if digest_of(body) == digest]:
        del manifests[name]


LAYERS_GONE = BlockedError("ECR refuses the tag.", why="A layer of the image is gone.", then="Push it again.")


def test_c20_a_rollback_finds_first_that_the_original_is_gone_and_says_what_is_lost() -> None:
    operator = Operator.of().reach(1)
    original_is_deleted(operator)
    operator.world.refuse("put_guard_tag", LAYERS_GONE)
    before = list(operator.world.writes), operator.service.deployments, operator.tag, list(operator.stacks.calls)
    with pytest.raises(BlockedError) as refused:
        operator.roll_back(Stage.BASELINE)
    assert f"{operator.record.baseline.image.digest} of team/app is gone" in refused.value.what
    assert "the way back to every stage below 1" in refused.value.what
    assert "A layer of the image is gone" in refused.value.why
    assert "the tasks that run now, and the tag, are as they were" in refused.value.why
    assert refused.value.runbook == "rollback#image-gone"
    after = list(operator.world.writes), operator.service.deployments, operator.tag, list(operator.stacks.calls)
    assert after == before
    assert operator.record.position == Position(Stage.IMAGE)


def test_c20_a_manifest_whose_layers_are_still_there_is_put_back_from_the_record() -> None:
    operator = Operator.of().reach(1)
    media_type = operator.record.baseline.image.media_type
    body = operator.record.baseline.image.manifest.encode()
    original_is_deleted(operator)
    assert operator.roll_back(Stage.BASELINE).exit_code is ExitCode.DONE
    assert operator.tag == (media_type, body)


def test_c20_a_tag_that_went_with_its_image_comes_back_though_a_former_try_ended_between_the_two() -> None:
    operator = Operator.of().reach(1)
    operator.roll_back(Stage.BASELINE)
    before = operator.tag
    original_is_deleted(operator)
    operator.world.refuse("restore_tag", AccessError("AWS throttled the call.", then="Wait a minute."))
    with pytest.raises(AccessError, match="throttled"):
        operator.roll_back(Stage.ORIGINAL)
    assert operator.world.digest_of_tag(TAG) is None
    assert operator.roll_back(Stage.ORIGINAL).exit_code is ExitCode.DONE
    assert operator.tag == before


def test_a_registry_that_does_not_answer_does_not_keep_a_service_from_going_back() -> None:
    operator = Operator.of().reach(1)
    operator.world.next_deployment(Fate.EXEC_FORMAT)
    runtime = replace(operator.runtime, registry=Silent(operator.world.shelf))
    outcome = apply_stage(runtime, operator.durable, operator.run("apply", 2))
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert any("going back all the same" in event.text for event in operator.events())


def test_c20_an_automatic_way_back_without_an_image_is_the_loudest_end() -> None:
    operator = Operator.of().reach(0)
    operator.world.next_deployment(Fate.EXEC_FORMAT)
    operator.world.clock.after(timedelta(seconds=30), partial(original_is_deleted, operator))
    operator.world.refuse("put_guard_tag", LAYERS_GONE)
    outcome = operator.apply(1)
    # Stage 1 wrote no guard tag of its own, so that the refusal met the way back.
    assert outcome.exit_code is ExitCode.ROLLBACK_INCOMPLETE, outcome
    assert "is gone from the registry" in "; ".join(outcome.reasons)


def test_a_deployment_in_flight_is_stopped_before_the_way_back() -> None:
    operator = Operator.of().reach(1)
    operator.world.clock.after(timedelta(seconds=20), operator.world.settle)
    operator.world.clock.stop_after(timedelta(seconds=40))
    assert operator.apply(2).exit_code is ExitCode.INTERRUPTED
    operator.roll_back()
    assert "stop deployment" in operator.world.writes
    assert operator.status().position == Position(Stage.IMAGE)


def test_the_way_back_is_not_judged_by_alarms_that_still_ring() -> None:
    operator = Operator.of().reach(2)
    operator.world.script_alarm("web-errors", "ALARM")
    assert operator.roll_back().exit_code is ExitCode.DONE


OTHERS = (StrategyItem("FARGATE", weight=1, base=2), StrategyItem("FARGATE_SPOT", weight=1))


@pytest.mark.parametrize("reached", [0, 1, 2, 3])
def test_c43_a_capacity_that_somebody_chose_is_not_undone(reached: int) -> None:
    operator = Operator.of().reach(reached)
    operator.world.apply_update(strategy=OTHERS, force=True)
    operator.world.pass_time(timedelta(minutes=10))
    with pytest.raises(WorldChangedError, match="FARGATE weight 1 base 2") as refused:
        operator.roll_back()
    assert refused.value.runbook == "rollback#somebody-else"
    assert operator.service.strategy == OTHERS


def test_a_service_that_was_moved_off_spot_by_hand_goes_back_as_any_other() -> None:
    operator = Operator.of().reach(3)
    operator.world.apply_update(strategy=(StrategyItem("FARGATE", weight=1),), force=True)
    operator.world.pass_time(timedelta(minutes=10))
    assert operator.roll_back().exit_code is ExitCode.DONE
    assert operator.status().split == (("FARGATE", 4),)


@pytest.mark.parametrize("reached", [1, 2, 3])
def test_c43_an_image_that_somebody_pushed_to_the_tag_is_not_replaced(reached: int) -> None:
    operator = Operator.of().reach(reached)
    operator.world.shelf.image("linux/amd64", Entry("app", AMD64_ELF), Entry("etc/new", b"new"), tag=TAG)
    theirs = operator.tag
    with pytest.raises(WorldChangedError, match="which this migration did not push"):
        operator.roll_back(Stage.ORIGINAL)
    assert operator.tag == theirs


@pytest.mark.parametrize(("reached", "to"), [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2)])
def test_no_stage_that_runs_from_the_index_is_gone_back_to_where_the_tag_holds_the_original(
    reached: int, to: int
) -> None:
    operator = Operator.of().reach(reached)
    _push_the_original_once_more(operator)
    with pytest.raises(WorldChangedError, match="does not hold the index") as refused:
        operator.roll_back(Stage(to))
    assert "`migrate rollback --to-stage 0`" in refused.value.then
    assert operator.record.position == Position(Stage(reached))
    assert operator.roll_back(Stage.BASELINE).exit_code is ExitCode.DONE
    assert operator.record.position == Position(Stage.BASELINE)
    assert operator.apply(1).exit_code is ExitCode.DONE


@pytest.mark.parametrize("stage", [2, 3])
def test_a_stage_that_fails_while_the_tag_holds_the_original_goes_back_to_where_that_is_right(stage: int) -> None:
    operator = Operator.of().reach(stage - 1)
    operator.world.clock.after(timedelta(seconds=20), lambda: _push_the_original_once_more(operator))
    operator.world.script_alarm("web-errors", "ALARM", after=timedelta(seconds=30))
    operator.settings = replace(operator.settings, gate=replace(operator.settings.gate, alarms=("web-errors",)))
    outcome = operator.apply(stage)
    assert (outcome.exit_code, outcome.stage) == (ExitCode.ROLLED_BACK, Stage.BASELINE)
    assert "was rolled back to stage 0 (baseline)" in outcome.text
    assert operator.record.position == Position(Stage.BASELINE)
    assert operator.status().architectures == (("x86_64", 4),)
    assert operator.status().drift == ()


def _push_the_original_once_more(operator: Operator) -> None:
    image = operator.record.baseline.image
    operator.world.push(TAG, image.media_type, image.manifest.encode())


def test_at_a_stage_already_is_said_of_the_world_and_not_of_the_record() -> None:
    operator = Operator.of().reach(2)
    assert "nothing was changed" in operator.roll_back(Stage.ARCHITECTURE).text
    operator.world.deploy()
    with pytest.raises(WorldChangedError):
        operator.roll_back(Stage.ARCHITECTURE)


def test_c20_a_tag_that_went_with_its_image_is_given_back_with_it() -> None:
    operator = Operator.of().reach(0)
    before = operator.tag
    original_is_deleted(operator)
    assert operator.roll_back(Stage.ORIGINAL).exit_code is ExitCode.DONE
    assert operator.tag == before


@pytest.mark.parametrize("to", [Stage.BASELINE, Stage.ORIGINAL])
@pytest.mark.parametrize("reached", [2, 3])
def test_c20_the_original_comes_back_though_the_index_is_gone(reached: int, to: Stage) -> None:
    operator = Operator.of().reach(reached)
    image, index = operator.record.baseline.image, operator.record.index
    assert index is not None
    manifests = operator.world.shelf.manifests
    for name in [name for name, (_, body) in manifests.items() if digest_of(body) == index.digest]:
        del manifests[name]
    with pytest.raises(BlockedError) as refused:
        operator.roll_back(Stage.IMAGE)
    assert "`migrate rollback --to-stage 0`" in refused.value.then
    assert operator.roll_back(to).exit_code is ExitCode.DONE
    assert operator.tag == (image.media_type, image.manifest.encode())
    assert operator.status().architectures == (("x86_64", 4),)


def test_a_rollback_that_fails_names_what_runs_in_its_first_line() -> None:
    operator = Operator.of().reach(3)
    operator.world.next_deployment(Fate.EXEC_FORMAT)
    outcome = operator.roll_back(Stage.ARCHITECTURE)
    assert outcome.exit_code is ExitCode.ROLLBACK_INCOMPLETE
    assert operator.service.task_definition_arn in outcome.text
    assert "arm64 4; FARGATE" in outcome.text
    assert "targets healthy" in outcome.text
    expired = AccessError("The session has expired.", then="Sign in.")
    operator.world.clock.after(timedelta(seconds=20), partial(operator.world.refuse, "tasks", expired, times=100))
    blind = operator.roll_back(Stage.ARCHITECTURE)
    assert blind.exit_code is ExitCode.ROLLBACK_INCOMPLETE
    assert "more could not be read: The session has expired." in blind.text
