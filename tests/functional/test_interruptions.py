"""A run may end between any two steps; the next one takes up what is there and does nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest

from migrate.core.stages import Position, Stage
from migrate.errors import AccessError, ExitCode, InterruptedRunError
from migrate.workflows.apply import apply_stage
from migrate.workflows.durable import InMemory
from tests.fakes.migration import Operator
from tests.fakes.mortal_steps import Died, MortalSteps

T = TypeVar("T")


def crashed_at_every_point(start: Operator, act: Callable[[Operator], object]) -> list[Operator]:
    """Return an operator for each point between two steps at which the process may have died."""
    left: list[Operator] = []
    for after in (False, True):
        for number in range(1, 200):
            operator = start.copied()
            operator.durable = MortalSteps(number, after)
            try:
                act(operator)
            except Died:
                operator.durable = InMemory()
                left.append(operator)
            else:
                break
    assert len(left) > 10
    return left


def deployments(operator: Operator) -> int:
    return len(operator.world.demo.history)


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_a_stage_that_died_anywhere_is_finished_by_the_next_apply_and_deploys_once(stage: int) -> None:
    start = Operator.of().reach(stage - 1)
    whole = start.copied()
    whole.apply(stage)
    for operator in crashed_at_every_point(start, lambda operator: operator.apply(stage)):
        operator.world.pass_time(timedelta(minutes=5))
        outcome = operator.apply(stage)
        assert outcome.exit_code is ExitCode.DONE, outcome
        assert operator.status().platforms == whole.status().platforms
        assert deployments(operator) == deployments(whole)
        assert len(operator.world.revisions) == len(whole.world.revisions)
        assert operator.record.position == Position(Stage(stage))
        assert operator.status().drift == ()


def test_a_rollback_that_died_anywhere_is_finished_by_the_next_one() -> None:
    start = Operator.of().reach(3)
    whole = start.copied()
    whole.roll_back(Stage.ORIGINAL)
    for operator in crashed_at_every_point(start, lambda operator: operator.roll_back(Stage.ORIGINAL)):
        operator.world.pass_time(timedelta(minutes=5))
        outcome = operator.roll_back(Stage.ORIGINAL)
        assert outcome.exit_code is ExitCode.DONE, outcome
        assert operator.tag == whole.tag
        assert operator.service.launch_type == "FARGATE"
        assert operator.record.position == Position()
        assert operator.status().drift == ()


def test_a_run_that_is_taken_up_with_its_memory_repeats_no_step() -> None:
    operator = Operator.of().reach(1)
    memory, run = MortalSteps(), operator.run("apply", 2)
    operator.stacks.interrupt_after["up_service"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        apply_stage(operator.runtime, memory, run)
    calls = len(operator.stacks.calls)
    assert apply_stage(operator.runtime, memory.restarted(), run).exit_code is ExitCode.DONE
    assert operator.stacks.calls[calls:] == ["refresh", "preview_service"], "looked first, and found it done"
    assert deployments(operator) == 4


def test_a_run_that_is_taken_up_does_not_wait_again_for_what_was_measured_before() -> None:
    operator = Operator.of().reach(1)
    operator.gate(soak=timedelta(minutes=30), deadline=timedelta(hours=1))
    whole = operator.copied()
    whole.apply(2)
    memory, run = MortalSteps(100), operator.run("apply", 2)
    with pytest.raises(Died):
        apply_stage(operator.runtime, memory, run)
    assert apply_stage(operator.runtime, memory.restarted(), run).exit_code is ExitCode.DONE
    assert operator.world.clock.elapsed == whole.world.clock.elapsed


def test_an_interrupted_stage_joins_the_deployment_that_is_under_way() -> None:
    operator = Operator.of().reach(1)
    operator.world.clock.stop_after(timedelta(seconds=40))
    outcome = operator.apply(2)
    assert (outcome.exit_code, operator.record.position.entered) == (ExitCode.INTERRUPTED, Stage.ARCHITECTURE)
    running = operator.service.primary
    assert running is not None
    assert running.rollout_state == "IN_PROGRESS"
    assert operator.apply(2).exit_code is ExitCode.DONE
    assert operator.service.primary is not None
    assert operator.service.primary.id == running.id


def test_aws_that_cannot_be_asked_after_an_act_leaves_the_stage_to_be_taken_up() -> None:
    operator = Operator.of().reach(1)
    operator.stacks.interrupt_after["up_service"] = AccessError("The token has expired.", then="Log in.")
    outcome = operator.apply(2)
    assert (outcome.exit_code, outcome.then) == (ExitCode.HELD, "Log in.")
    assert operator.record.position == Position(Stage.IMAGE, entered=Stage.ARCHITECTURE)
    assert operator.apply(2).exit_code is ExitCode.DONE


@pytest.mark.parametrize("to", [Stage.IMAGE, Stage.ORIGINAL])
def test_a_way_back_knows_the_revision_that_an_interrupted_up_had_registered(to: Stage) -> None:
    operator = Operator.of().reach(1)
    operator.stacks.interrupt_after["up_service"] = InterruptedRunError("Pulumi was interrupted.", then="")
    assert operator.apply(2).exit_code is ExitCode.INTERRUPTED
    operator.world.pass_time(timedelta(minutes=5))
    assert {task.architecture for task in operator.tasks} == {"arm64"}
    outcome = operator.roll_back(to)
    assert outcome.exit_code is ExitCode.DONE, outcome
    assert {task.architecture for task in operator.tasks} == {"x86_64"}
    revisions = len(operator.world.revisions)
    if to is Stage.IMAGE:
        assert operator.apply(2).exit_code is ExitCode.DONE
        assert len(operator.world.revisions) == revisions
