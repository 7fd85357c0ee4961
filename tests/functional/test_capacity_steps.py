"""Stage 3 in steps of weight: each is proven before the next, taken up after a kill, and undone from anywhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from migrate.core.evidence import Event, EventKind
from migrate.core.facts import Strategy, StrategyItem
from migrate.core.gate.gate import Verdict
from migrate.core.stages import Position, Stage
from migrate.errors import BlockedError, ExitCode, WorldChangedError
from migrate.render import text
from tests.fakes.aws_simulation import Fate
from tests.fakes.aws_world import World
from tests.fakes.clock import FakeClock
from tests.fakes.migration import SETTINGS, Listener, Operator

SPOT = (StrategyItem("FARGATE", weight=1, base=1), StrategyItem("FARGATE_SPOT", weight=3))
ONLY_SPOT = (StrategyItem("FARGATE_SPOT", weight=1),)


def strategy(fargate: int, spot: int, base: int = 0) -> Strategy:
    return (StrategyItem("FARGATE", fargate, base), StrategyItem("FARGATE_SPOT", spot))


QUARTER, HALF = strategy(13, 3, 1), strategy(5, 3, 1)


def ready(desired: int = 12, **more: object) -> Operator:
    """Return an operator before stage 3 of a service that is large enough for every step to move a task."""
    world = World.with_demo_service(FakeClock(), desired=desired)
    return Operator.of(world, replace(SETTINGS, **more)).reach(2)  # type: ignore[arg-type]


def deployed(operator: Operator) -> list[Strategy]:
    """Return the strategies of the deployments that stage 3 started, rollbacks by ECS left out."""
    return [item.strategy for item in operator.world.demo.history[4:] if item.undoes is None]


def test_stage_3_goes_in_steps_and_a_gate_follows_each() -> None:
    operator = ready()
    outcome = operator.apply(3)
    assert outcome.exit_code is ExitCode.DONE, outcome
    assert operator.verdicts() == [Verdict.PASS] * 3
    assert deployed(operator) == [QUARTER, HALF, SPOT]
    assert operator.service.strategy == SPOT
    assert (operator.record.applied_capacity, operator.record.capacity_way) == (SPOT, ())
    notes = [event.text for event in operator.events() if event.kind is EventKind.NOTE]
    assert "step 1 of 3: FARGATE weight 13 base 1, FARGATE_SPOT weight 3" in notes


def test_tasks_on_spot_become_more_from_step_to_step() -> None:
    operator = ready()
    seen: list[dict[str, int]] = []

    class Watching(Listener):
        """Look at the tasks at each verdict."""

        def tell(self, event: Event) -> None:
            if event.kind is EventKind.VERDICT:
                seen.append(dict(operator.status().split))

    operator.listener = Watching()
    operator.apply(3)
    assert seen == [
        {"FARGATE": 10, "FARGATE_SPOT": 2},
        {"FARGATE": 8, "FARGATE_SPOT": 4},
        {"FARGATE": 3, "FARGATE_SPOT": 9},
    ]


def test_the_steps_that_are_planned_are_the_steps_that_are_taken() -> None:
    operator = ready()
    planned = operator.plan().stage(Stage.CAPACITY)
    steps = [change for change in planned.changes if change.what.startswith("step")]
    operator.apply(3)
    assert planned.deploys == len(steps) == len(deployed(operator)) == 3
    assert steps[0].before == "FARGATE weight 1"
    assert [change.after for change in steps] == [
        "FARGATE weight 13 base 1, FARGATE_SPOT weight 3",
        "FARGATE weight 5 base 1, FARGATE_SPOT weight 3",
        "FARGATE weight 1 base 1, FARGATE_SPOT weight 3",
    ]


def test_a_step_may_have_a_soak_of_its_own() -> None:
    slow, quick = ready(), ready(step_soak=timedelta(0))
    began = slow.world.clock.now(), quick.world.clock.now()
    slow.apply(3)
    quick.apply(3)
    saved = (slow.world.clock.now() - began[0]) - (quick.world.clock.now() - began[1])
    assert saved == 2 * SETTINGS.gate.soak
    assert "every step before the last: all of it for 0 s" in ready(step_soak=timedelta(0)).plan().stages[-1].gate


@pytest.mark.parametrize(
    ("desired", "more", "says"),
    [
        (12, {"capacity_steps": ()}, None),
        (1, {}, "0 on the way: a step that moves none of 1 tasks is left out"),
    ],
    ids=["no steps", "one task"],
)
def test_without_a_step_that_moves_anything_stage_3_goes_at_once(
    desired: int, more: dict[str, object], says: str | None
) -> None:
    operator = ready(desired, **more)
    changes = {change.what: change.after for change in operator.plan().stages[-1].changes}
    assert changes.get("steps") == says
    operator.apply(3)
    assert deployed(operator) == [SPOT]


def test_from_fargate_to_an_auto_scaling_group_it_goes_at_once_and_the_plan_says_why() -> None:
    operator = ready(capacity=(StrategyItem("graviton", weight=1),))
    stage = operator.plan().stage(Stage.CAPACITY)
    assert stage.deploys == 1
    assert stage.changes[1].after == "at once: Fargate and Auto Scaling group providers cannot stand in one strategy"


@pytest.mark.parametrize(("good", "at"), [(0, "step 1 of 3"), (1, "step 2 of 3"), (2, "")])
def test_a_step_that_fails_is_rolled_back_to_stage_2_whatever_was_proven_before(good: int, at: str) -> None:
    operator = ready()
    for _ in range(good):
        operator.world.next_deployment(Fate.HEALTHY)
    operator.world.next_deployment(Fate.UNHEALTHY)
    outcome = operator.apply(3)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert any(reason.startswith(f"at {at} (") for reason in outcome.reasons) is bool(at)
    assert operator.status().split == (("FARGATE", 12),)
    assert operator.service.strategy == (StrategyItem("FARGATE", weight=1),)
    assert operator.record.position == Position(Stage.ARCHITECTURE)
    assert operator.record.capacity_way == ()
    assert operator.status().drift == ()
    assert operator.apply(3).exit_code is ExitCode.DONE


def held_at(operator: Operator, number: int) -> Operator:
    """Leave stage 3 at a step that did not come to an end."""
    for _ in range(number - 1):
        operator.world.next_deployment(Fate.HEALTHY)
    operator.world.next_deployment(Fate.STUCK)
    operator.world.demo.breaker = False
    operator.gate(deadline=timedelta(minutes=10))
    operator.world.clock.stop_after(timedelta(minutes=2) + number * timedelta(minutes=4))
    assert operator.apply(3).exit_code is ExitCode.INTERRUPTED
    operator.world.demo.breaker = True
    operator.world.demo.primary.fate = Fate.HEALTHY
    return operator


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_step_that_was_begun_is_looked_at_again_and_the_way_goes_on_from_it(number: int) -> None:
    operator = held_at(ready(), number)
    ways = [QUARTER, HALF, SPOT]
    assert operator.record.capacity_step == ways[number - 1]
    assert operator.status().capacity_step == ways[number - 1]
    assert operator.status().drift == ()
    shown = text.shown(text.status(operator.status()), width=200, colour=False)
    assert f"stage 3 (capacity) begun and not proven, at the step FARGATE weight {ways[number - 1][0].weight}" in shown
    assert operator.apply(3).exit_code is ExitCode.DONE
    assert deployed(operator) == ways, "every step is deployed once"


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("to", [None, Stage.ORIGINAL])
def test_every_step_can_be_rolled_back(number: int, to: Stage | None) -> None:
    operator = held_at(ready(), number)
    outcome = operator.roll_back(to)
    assert outcome.exit_code is ExitCode.DONE, outcome
    assert operator.record.position == Position(Stage.ARCHITECTURE if to is None else Stage.ORIGINAL)
    assert {provider for provider, _ in operator.status().split} == {"FARGATE"}
    assert operator.status().drift == ()


def test_a_strategy_of_somebody_else_is_still_told_from_a_step() -> None:
    operator = held_at(ready(), 2)
    operator.world.apply_update(strategy=strategy(1, 9), force=True)
    with pytest.raises(WorldChangedError, match="no longer what this migration knows"):
        operator.apply(3)


def test_a_target_that_was_changed_at_a_step_is_gone_to_from_there() -> None:
    operator = held_at(ready(), 2)
    operator.settings = replace(operator.settings, capacity=ONLY_SPOT)
    assert operator.apply(3).exit_code is ExitCode.DONE
    assert operator.service.strategy == ONLY_SPOT
    assert operator.status().drift == ()


def test_a_new_target_after_stage_3_is_gone_to_in_steps_from_the_old_one() -> None:
    operator = ready().reach(3)
    operator.settings = replace(operator.settings, capacity=ONLY_SPOT)
    before = len(operator.world.demo.history)
    assert operator.apply(3).exit_code is ExitCode.DONE
    spot = [item.strategy for item in operator.world.demo.history[before:]]
    shares = [step[-1].weight / sum(item.weight for item in step) for step in spot]
    assert spot[-1] == ONLY_SPOT
    assert shares == sorted(shares)
    assert shares[0] > 3 / 4, "nothing of what was on Spot goes back"


def test_auto_scaling_between_steps_does_not_lose_the_way() -> None:
    operator = ready(4)
    operator.world.clock.after(timedelta(minutes=3), partial(operator.world.scale, 16))
    assert operator.apply(3).exit_code is ExitCode.DONE
    assert operator.service.strategy == SPOT


def test_c60_without_spot_capacity_the_first_step_stops_the_way_while_most_tasks_run() -> None:
    operator = ready()
    operator.world.demo.lacking.add("FARGATE_SPOT")
    outcome = operator.apply(3)
    assert outcome.exit_code is ExitCode.ROLLED_BACK
    told = next(reason for reason in outcome.reasons if reason.startswith("capacity:"))
    assert "10 of 12 tasks could be placed" in told
    assert operator.status().split == (("FARGATE", 12),)


def test_a_preview_that_is_refused_leaves_no_step_behind() -> None:
    operator = ready()
    operator.world.refuse("preview_service", BlockedError("No.", then="Look."))
    with pytest.raises(BlockedError):
        operator.apply(3)
    assert operator.record.position == Position(Stage.ARCHITECTURE)
    assert operator.status().drift == ()
    assert operator.apply(3).exit_code is ExitCode.DONE
