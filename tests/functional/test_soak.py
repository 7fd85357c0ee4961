"""What happens in a soak and is neither a failure of the migration by mistake nor a pass by accident."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from migrate.core.evidence import EventKind
from migrate.core.facts import StrategyItem
from migrate.core.gate.gate import Verdict
from migrate.core.stages import Position, Stage
from migrate.errors import ExitCode
from tests.fakes.migration import Operator

MIDST = timedelta(minutes=4)
"""Well within the soak: the rollout takes under two minutes of it."""
SOAK = timedelta(minutes=5)


def lose(operator: Operator, code: str, reason: str, exit_code: int | None = None, *, count: int = 1) -> None:
    demo = operator.world.demo
    running = [task for task in demo.living(demo.primary) if task.running_since is not None]
    chosen = sorted(running, key=lambda task: task.provider != "FARGATE_SPOT")[:count]
    for task in chosen:
        task.stop(operator.world.clock.now(), code, reason, exit_code)


def interrupted(operator: Operator, count: int = 1) -> None:
    lose(operator, "SpotInterruption", "Your Spot Task was interrupted.", count=count)


def crashed(operator: Operator) -> None:
    lose(operator, "EssentialContainerExited", "Essential container in task exited", 139)


def stopped_by_a_person(operator: Operator) -> None:
    lose(operator, "UserInitiated", "Task stopped by user")


def scaled_out(operator: Operator) -> None:
    operator.world.scale(7)


def scaled_in(operator: Operator) -> None:
    operator.world.scale(2)


def samples(operator: Operator) -> list[tuple[str, dict[str, Any]]]:
    """Return text and measurements, by check, of every sample of the run."""
    found = []
    for event in operator.events():
        if event.kind is EventKind.MEASUREMENT:
            data = json.loads(event.data)
            found.append((event.text, {item["check"]: item for item in data["measurements"]}))
    return found


def soaked(stage: int, meanwhile: Callable[[Operator], None]) -> tuple[Operator, timedelta]:
    """Apply a stage with something in the midst of its soak; return how long the stage took."""
    operator = Operator.of().reach(stage - 1)
    operator.gate(soak=SOAK)
    begun = operator.world.clock.elapsed
    operator.world.clock.after(MIDST, partial(meanwhile, operator))
    outcome = operator.apply(stage)
    assert outcome.exit_code is ExitCode.DONE, outcome
    return operator, operator.world.clock.elapsed - begun


def untouched(stage: int) -> timedelta:
    return soaked(stage, lambda _: None)[1]


@pytest.mark.parametrize(("stage", "meanwhile"), [(3, interrupted), (2, scaled_out), (3, scaled_out), (2, scaled_in)])
def test_c35_interruptions_and_auto_scaling_do_not_begin_the_soak_anew(
    stage: int, meanwhile: Callable[[Operator], None]
) -> None:
    operator, took = soaked(stage, meanwhile)
    assert took - untouched(stage) <= timedelta(seconds=75), "no more than the successors need to start"
    assert operator.service.running_count == operator.service.desired_count


def test_nothing_passes_while_the_successor_of_an_interrupted_task_is_on_its_way() -> None:
    operator = Operator.of().reach(2)
    operator.gate(soak=SOAK)
    begun = operator.world.clock.elapsed
    # Just before the end: without the wait the gate would pass with a task too few.
    operator.world.clock.after(untouched(3) - timedelta(seconds=5), partial(interrupted, operator))
    assert operator.apply(3).exit_code is ExitCode.DONE
    last, measured = samples(operator)[-1]
    assert all(item["outcome"] == "pass" for item in measured.values()), last
    assert "Spot interruption 1" in measured["stopped tasks"]["text"]
    assert operator.world.clock.elapsed - begun > untouched(3)


def test_a_task_that_a_person_stopped_begins_the_soak_anew_and_fails_nothing() -> None:
    _, took = soaked(2, stopped_by_a_person)
    assert took - untouched(2) > timedelta(minutes=1)


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_a_crash_in_the_soak_rolls_the_stage_back_and_says_how_it_ended(stage: int) -> None:
    operator = Operator.of().reach(stage - 1)
    operator.gate(soak=SOAK)
    operator.world.clock.after(MIDST, partial(crashed, operator))
    outcome = operator.apply(stage)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert any("essential container exited" in reason and "exit 139" in reason for reason in outcome.reasons)
    assert operator.record.position == Position(Stage(stage - 1))


def test_a_crash_that_is_allowed_only_begins_the_soak_anew() -> None:
    operator = Operator.of().reach(1)
    operator.gate(soak=SOAK, failure_limit=1)
    operator.world.clock.after(MIDST, partial(crashed, operator))
    assert operator.apply(2).exit_code is ExitCode.DONE


def test_more_interruptions_than_the_operator_allows_take_back_spot_and_keep_arm64() -> None:
    operator = Operator.of().reach(2)
    operator.gate(soak=SOAK, interruption_limit=25)
    operator.world.clock.after(MIDST, partial(interrupted, operator, 2))
    outcome = operator.apply(3)
    assert (outcome.exit_code, operator.verdicts()) == (ExitCode.ROLLED_BACK, [Verdict.FAIL, Verdict.PASS])
    assert any("Spot took 2 tasks away" in reason for reason in outcome.reasons)
    assert operator.service.strategy == (StrategyItem("FARGATE", weight=1),)
    assert operator.status().architectures == (("arm64", 4),)


def test_c57_a_rollout_that_stands_still_is_held_before_the_deadline() -> None:
    operator = Operator.of().reach(1)
    operator.gate(deadline=timedelta(hours=2), progress_deadline=timedelta(minutes=10))
    operator.world.demo.pace.start = timedelta(hours=1)
    begun = operator.world.clock.elapsed
    outcome = operator.apply(2)
    assert (outcome.exit_code, operator.verdicts()) == (ExitCode.HELD, [Verdict.INCONCLUSIVE])
    assert operator.world.clock.elapsed - begun < timedelta(minutes=11)
    assert (
        "the rollout made no progress for 600 s: 0 of 4 tasks of our deployment run, 4 of others" in outcome.reasons[0]
    )
    assert any("4 tasks neither run nor fail" in reason for reason in outcome.reasons)


def test_a_task_without_its_platform_fails_a_stage_before_the_circuit_breaker_does() -> None:
    operator = Operator.of().reach(1)
    operator.world.demo.breaker = False
    demo = operator.world.demo

    def cannot_start() -> None:
        reason = "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'"
        demo.living(demo.primary)[0].stop(operator.world.clock.now(), "TaskFailedToStart", reason)

    operator.world.clock.after(timedelta(seconds=20), cannot_start)
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert any("can never start" in reason and "architecture mismatch" in reason for reason in outcome.reasons)
