"""The way back in bad company: images, revisions, tokens, locks, unfinished operations, defaults, other people."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

import pytest

from migrate.core.facts import StrategyItem
from migrate.core.settings import ArchitectureMode
from migrate.core.stages import Position, Stage
from migrate.errors import AccessError, BlockedError, EngineError, ExitCode, MigrateError, WorldChangedError
from migrate.workflows.durable import InMemory
from tests.fakes.aws_simulation import Fate
from tests.fakes.aws_world import TAG, World
from tests.fakes.clock import FakeClock
from tests.fakes.image_content import AMD64_ELF, Entry
from tests.fakes.migration import SETTINGS, Operator
from tests.fakes.mortal_steps import Died, MortalSteps

T = TypeVar("T")

SPOT = (StrategyItem("FARGATE_SPOT", weight=1),)
EXPIRED = AccessError("The session has expired.", why="ExpiredTokenException", then="Sign in again.")
REACHED = [1, 2, 3]


def back_at_the_original(operator: Operator) -> None:
    """Go on from wherever it is, and see that the original runs as it was found."""
    outcome = operator.roll_back(Stage.ORIGINAL)
    assert outcome.exit_code is ExitCode.DONE, outcome
    image, found = operator.record.baseline.image, operator.record.baseline.service
    assert operator.tag == (image.media_type, image.manifest.encode())
    assert (operator.service.launch_type, operator.service.strategy) == (found.launch_type, found.strategy)
    assert operator.status().architectures == (("x86_64", 4),)
    assert operator.record.position == Position()


def lose(operator: Operator, digest: str) -> None:
    operator.world.shelf.manifests.pop(digest)


def arm64_of(operator: Operator) -> str:
    index = operator.record.index
    assert index is not None
    return dict(index.children)["linux/arm64"]


# The arm64 image is gone


@pytest.mark.parametrize("mode", list(ArchitectureMode))
@pytest.mark.parametrize("to", [Stage.IMAGE, Stage.BASELINE, Stage.ORIGINAL])
def test_c20_amd64_comes_back_though_the_arm64_image_is_gone(mode: ArchitectureMode, to: Stage) -> None:
    operator = Operator.of(settings=replace(SETTINGS, architecture=mode)).reach(2)
    lose(operator, arm64_of(operator))
    outcome = operator.roll_back(to)
    assert outcome.exit_code is ExitCode.DONE, outcome
    assert operator.status().architectures == (("x86_64", 4),)
    if to is not Stage.ORIGINAL:
        back_at_the_original(operator)


def test_c20_no_way_back_leads_to_an_arm64_image_that_is_gone_and_the_digest_is_named() -> None:
    operator = Operator.of().reach(3)
    gone = arm64_of(operator)
    lose(operator, gone)
    writes = list(operator.world.writes)
    with pytest.raises(BlockedError) as refused:
        operator.roll_back(Stage.ARCHITECTURE)
    assert f"{gone} of team/app is gone" in refused.value.what
    assert operator.world.writes == writes
    back_at_the_original(operator)


# The token has expired

READS = ["service", "tasks", "task_definition", "service_deployments", "target_health"]
WRITES = ["restore_tag", "return_to_launch_type"]
ENGINE = ["refresh", "preview_service", "up_service", "preview_image", "up_image"]


@pytest.mark.parametrize("call", READS + WRITES + ENGINE)
@pytest.mark.parametrize("after", [timedelta(0), timedelta(seconds=50)], ids=["from the start", "on the way"])
def test_a_token_that_expires_is_named_with_what_runs_and_the_way_back_goes_on_after_a_login(
    call: str, after: timedelta
) -> None:
    operator = Operator.of().reach(3)
    expires = partial(operator.world.refuse, call, EXPIRED, times=500)
    operator.world.clock.after(after, expires)
    operator.world.pass_time(timedelta(0))
    before = list(operator.world.writes)
    with suppress(AccessError):
        outcome = operator.roll_back(Stage.ORIGINAL)
        before = operator.world.writes
        if outcome.exit_code is not ExitCode.DONE:
            assert outcome.exit_code is ExitCode.ROLLBACK_INCOMPLETE
            assert "ROLLBACK NOT COMPLETE" in outcome.text
            assert any("The session has expired." in reason for reason in outcome.reasons), outcome
    assert operator.world.writes == before, "a run that was refused has changed nothing"
    operator.world._refusals.clear()
    operator.world.pass_time(timedelta(minutes=10))
    if operator.record.position != Position():
        back_at_the_original(operator)


# The stack is locked


@pytest.mark.parametrize("reached", REACHED)
def test_c41_a_stack_that_somebody_else_holds_stops_the_way_back_which_says_who_and_goes_on_later(reached: int) -> None:
    operator = Operator.of().reach(reached)
    runs = operator.service.task_definition_arn
    operator.stacks.locked_by = "grace@elsewhere (pid 4711)"
    outcome = operator.roll_back(Stage.ORIGINAL)
    assert outcome.exit_code is ExitCode.ROLLBACK_INCOMPLETE
    assert runs in outcome.text, "what runs meanwhile"
    assert "Lock created by grace@elsewhere (pid 4711)" in "; ".join(outcome.reasons)
    assert outcome.then == "Wait for it to end."
    assert operator.service.task_definition_arn == runs
    operator.stacks.locked_by = ""
    back_at_the_original(operator)


def test_c41_a_run_that_died_in_the_engine_leaves_a_way_back_that_needs_nobody() -> None:
    # What the dead engine leaves of locks and unfinished operations is the adapter's business (tests/contracts).
    operator = Operator.of().reach(1)
    operator.stacks.interrupt_after["up_service"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        operator.apply(2)
    back_at_the_original(operator)


# An operation is pending


@pytest.mark.parametrize("reached", REACHED)
def test_c41_the_world_is_read_into_the_state_before_any_preview_of_a_way_back(reached: int) -> None:
    operator = Operator.of().reach(reached)
    said = "the stack has 1 pending operations"
    pending = EngineError("The service stack was interrupted earlier.", why=said, then="Refresh.")
    operator.world.refuse("preview_service", pending, times=99)
    seen = len(operator.stacks.calls)
    refresh = operator.stacks.refresh

    def settles() -> None:
        operator.world._refusals.clear()
        refresh()

    operator.stacks.refresh = settles  # type: ignore[method-assign] # a refresh that ends what was pending
    back_at_the_original(operator)
    assert operator.stacks.calls[seen] == "refresh"


# The cluster's default strategy


@pytest.mark.parametrize("launch_type", ["FARGATE", None])
@pytest.mark.parametrize("reached", REACHED)
def test_the_clusters_default_strategy_acts_on_no_stage_and_no_way_back(reached: int, launch_type: str | None) -> None:
    world = World.with_demo_service(FakeClock(), launch_type=launch_type)
    world.cluster = replace(world.cluster, default_strategy=SPOT)
    operator = Operator.of(world).reach(reached)
    for stage in (Stage(number) for number in range(reached - 1, -1, -1)):
        assert operator.roll_back(stage).exit_code is ExitCode.DONE
        providers = {provider for provider, _ in operator.status().split}
        assert providers == ({"FARGATE"} if stage < Stage.CAPACITY else providers)
    back_at_the_original(operator)


def test_a_default_strategy_that_takes_the_launch_types_place_is_no_success_and_is_said() -> None:
    operator = Operator.of().reach(3)
    operator.world.cluster = replace(operator.world.cluster, default_strategy=SPOT)
    returned = operator.stacks.refresh

    def taken_over() -> None:
        if operator.service.launch_type is not None:
            operator.world.apply_update(strategy=SPOT, force=True)
        returned()

    operator.stacks.refresh = taken_over  # type: ignore[method-assign] # right after the launch type was given back
    outcome = operator.roll_back(Stage.ORIGINAL)
    assert outcome.exit_code is ExitCode.ROLLBACK_INCOMPLETE, outcome
    assert "capacityProviderStrategies" in "; ".join(outcome.reasons)
    assert operator.record.position != Position()


# Somebody else has deployed since


@pytest.mark.parametrize("reached", [0, *REACHED])
def test_c43_a_revision_that_somebody_else_deployed_since_is_not_undone(reached: int) -> None:
    operator = Operator.of().reach(reached)
    operator.world.deploy()
    operator.world.pass_time(timedelta(minutes=10))
    theirs, writes = operator.service.task_definition_arn, list(operator.world.writes)
    with pytest.raises(WorldChangedError, match="Somebody else") as refused:
        operator.roll_back(Stage.ORIGINAL)
    assert theirs in refused.value.why
    assert "Nothing was changed" in refused.value.then
    assert (operator.service.task_definition_arn, operator.world.writes) == (theirs, writes)


def pushed_by_others(operator: Operator) -> None:
    operator.world.shelf.image("linux/amd64", Entry("app", AMD64_ELF), Entry("etc/version", b"2"), tag=TAG)


def test_c43_a_push_during_the_build_is_not_replaced_by_the_index() -> None:
    operator = Operator.of().reach(0)
    operator.stacks.build_time = timedelta(minutes=20)
    operator.world.clock.after(timedelta(minutes=10), partial(pushed_by_others, operator))
    outcome = operator.apply(1)
    theirs = operator.world.digest_of_tag(TAG)
    assert outcome.exit_code is ExitCode.HELD, outcome
    assert f"The tag now points at {theirs}, which this migration did not push" in outcome.reasons[0]
    assert theirs not in {operator.record.baseline.image.digest, None}


def test_c43_a_deployment_during_the_build_is_not_undone() -> None:
    operator = Operator.of().reach(0)
    operator.stacks.build_time = timedelta(minutes=20)
    operator.world.clock.after(timedelta(minutes=10), operator.world.deploy)
    outcome = operator.apply(1)
    assert outcome.exit_code is ExitCode.HELD, outcome
    assert "which this migration did not deploy" in outcome.reasons[0]
    assert operator.service.task_definition_arn not in operator.record.own_revisions


def test_c43_a_push_in_the_middle_of_a_way_back_is_not_replaced() -> None:
    operator = Operator.of().reach(2)
    operator.world.clock.after(timedelta(seconds=50), partial(pushed_by_others, operator))
    outcome = operator.roll_back(Stage.BASELINE)
    theirs = operator.world.digest_of_tag(TAG)
    assert outcome.exit_code is ExitCode.ROLLBACK_INCOMPLETE
    assert f"The tag now points at {theirs}, which this migration did not push." in outcome.reasons
    assert theirs != operator.record.baseline.image.digest


# The running deployment is stopped first


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_the_deployment_that_runs_is_stopped_before_anything_else_of_the_way_back(stage: int) -> None:
    operator = Operator.of().reach(stage - 1)
    operator.world.next_deployment(Fate.STUCK)
    operator.world.clock.stop_after(timedelta(seconds=90))
    assert operator.apply(stage).exit_code is ExitCode.INTERRUPTED
    before, calls = len(operator.world.writes), len(operator.stacks.calls)
    back_at_the_original(operator)
    assert operator.world.writes[before] == "stop deployment"
    assert operator.stacks.calls[calls] == "refresh"


# From every act of every stage, whatever it fails with

FAILURES = (EXPIRED, EngineError("Pulumi could not do it.", why="error: update failed", then="Read the log."))


class FailingSteps(MortalSteps):
    """Steps of which one fails, before or after it took effect; which way it fails changes from step to step."""

    def step(self, name: str, act: Callable[[], T]) -> T:
        try:
            return super().step(name, act)
        except Died:
            raise FAILURES[len(self.results) % len(FAILURES)] from None


@pytest.mark.parametrize(
    ("stage", "mode"),
    [*((stage, ArchitectureMode.ROLLING) for stage in range(4)), (2, ArchitectureMode.CANARY)],
)
def test_a_stage_that_failed_at_any_of_its_steps_can_be_rolled_back_to_the_original(
    stage: int, mode: ArchitectureMode
) -> None:
    start = Operator.of(settings=replace(SETTINGS, architecture=mode)).reach(stage - 1)
    tried = 0
    for after in (False, True):
        for number in range(1, 200):
            operator, steps = start.copied(), FailingSteps(number, after)
            operator.durable = steps
            with suppress(MigrateError):
                operator.apply(stage)
            if steps.left > 0:
                break
            tried += 1
            operator.durable = InMemory()
            operator.world.pass_time(timedelta(minutes=5))
            if operator.store.record(operator.service.arn) is not None:
                back_at_the_original(operator)
    assert tried > 20
