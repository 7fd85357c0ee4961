"""What an operator says to a run that works: every choice is heeded between two acts, and kept as evidence."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from migrate.core.documents import fields
from migrate.core.evidence import Event, EventKind
from migrate.core.run.orders import Choice, Order
from migrate.core.stages import Position, Stage
from migrate.errors import ExitCode, InterruptedRunError, RollBackAskedError
from migrate.workflows.apply import apply_stage
from migrate.workflows.engine import Asked, engine
from migrate.workflows.orders import GivenOrders
from tests.fakes.migration import Listener, Operator
from tests.fakes.mortal_steps import MortalSteps

SOAKING = timedelta(minutes=3)


class FakeEngine:
    """An engine that remembers how it was spoken to."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def interrupt(self) -> None:
        self.told.append("interrupt")

    def go_on(self) -> None:
        self.told.append("go on")


def listening(operator: Operator) -> GivenOrders:
    orders = GivenOrders()
    operator.orders = orders
    return orders


def said(operator: Operator, orders: GivenOrders, after: timedelta, *choices: Choice) -> None:
    for choice in choices:
        operator.world.clock.after(after, partial(orders.give, Order(choice, "Ctrl-C, answered")))


def kept(operator: Operator) -> list[object]:
    return [fields(event.data)["choice"] for event in operator.events() if event.step == "operator"]


def test_to_keep_going_changes_nothing_but_the_evidence() -> None:
    operator = Operator.of().reach(1)
    orders = listening(operator)
    engine = orders.engine = FakeEngine()
    said(operator, orders, SOAKING, Choice.KEEP_GOING, Choice.KEEP_GOING)
    assert operator.apply(2).exit_code is ExitCode.DONE
    assert kept(operator) == ["keep going", "keep going"]
    assert (engine.told, orders.stopping.is_set()) == ([], False)


def test_to_hold_leaves_the_stage_to_be_taken_up() -> None:
    operator = Operator.of().reach(1)
    said(operator, listening(operator), SOAKING, Choice.HOLD)
    outcome = operator.apply(2)
    assert (outcome.exit_code, outcome.runbook) == (ExitCode.INTERRUPTED, "errors#interrupted")
    assert operator.record.position == Position(Stage.IMAGE, entered=Stage.ARCHITECTURE)
    assert kept(operator) == ["hold"]
    deployments = len(operator.world.demo.history)
    listening(operator)
    assert operator.apply(2).exit_code is ExitCode.DONE
    assert len(operator.world.demo.history) == deployments


def test_to_roll_back_goes_back_at_once_and_says_that_it_was_asked_to() -> None:
    operator = Operator.of().reach(1)
    orders = listening(operator)
    engine = orders.engine = FakeEngine()
    said(operator, orders, SOAKING, Choice.ROLL_BACK)
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.ROLLED_BACK
    assert outcome.text == "Stage 2 (architecture) was given up, as you asked, and was rolled back to stage 1 (image)."
    assert outcome.runbook == "rollback#asked-for"
    assert operator.record.position == Position(Stage.IMAGE)
    assert {task.architecture for task in operator.tasks} == {"x86_64"}
    assert kept(operator) == ["roll back"]
    assert engine.told == ["interrupt", "go on"], "the engine may work again on the way back"
    assert not orders.stopping.is_set()


def test_an_engine_that_was_interrupted_for_a_way_back_is_not_a_hold() -> None:
    operator = Operator.of().reach(1)
    orders = listening(operator)

    class PressedDuringTheUp(Listener):
        def tell(self, event: Event) -> None:
            if event.kind is EventKind.INTENT and event.text.startswith("service stack to stage 2"):
                orders.give(Order(Choice.ROLL_BACK, "Ctrl-C, answered"))

    operator.listener = PressedDuringTheUp()
    operator.stacks.interrupt_after["up_service"] = InterruptedRunError("Pulumi was interrupted.", then="")
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert {task.architecture for task in operator.tasks} == {"x86_64"}


def test_a_choice_before_the_first_act_leaves_nothing_to_undo() -> None:
    for choice, error in ((Choice.HOLD, InterruptedRunError), (Choice.ROLL_BACK, RollBackAskedError)):
        operator = Operator.of().reach(1)
        listening(operator).give(Order(choice, "Ctrl-C, answered"))
        writes = list(operator.world.writes)
        with pytest.raises(error):
            operator.apply(2)
        assert operator.record.position == Position(Stage.IMAGE)
        assert operator.world.writes == writes


def test_what_an_earlier_run_began_is_taken_back_even_before_this_one_begins() -> None:
    operator = Operator.of().reach(1)
    said(operator, listening(operator), SOAKING, Choice.HOLD)
    operator.apply(2)
    listening(operator).give(Order(Choice.ROLL_BACK, "Ctrl-C, answered"))
    assert operator.apply(2).exit_code is ExitCode.ROLLED_BACK
    assert operator.record.position == Position(Stage.IMAGE)


def test_a_way_back_that_is_left_says_what_runs_and_to_roll_back_there_is_to_keep_going() -> None:
    operator = Operator.of().reach(2)
    orders = listening(operator)
    said(operator, orders, timedelta(seconds=20), Choice.ROLL_BACK)
    said(operator, orders, timedelta(seconds=30), Choice.HOLD)
    outcome = operator.roll_back()
    assert (outcome.exit_code, outcome.text.split(":")[0]) == (ExitCode.INTERRUPTED, "ROLLBACK INTERRUPTED")
    assert "tasks of" in outcome.text
    assert kept(operator) == ["keep going", "hold"]
    listening(operator)
    assert operator.roll_back(Stage.IMAGE).exit_code is ExitCode.DONE


def test_a_run_that_is_taken_up_meets_the_choice_at_the_same_step() -> None:
    operator = Operator.of().reach(1)
    memory, run = MortalSteps(), operator.run("apply", 2)
    said(operator, listening(operator), SOAKING, Choice.ROLL_BACK)
    outcome = apply_stage(operator.runtime, memory, run)
    listening(operator)
    assert apply_stage(operator.runtime, memory.restarted(), run) == outcome


def test_the_choices_on_the_durable_engine(tmp_path: Path) -> None:
    operator = Operator.of().reach(1)
    orders = listening(operator)
    said(operator, orders, SOAKING, Choice.KEEP_GOING, Choice.ROLL_BACK)
    run = operator.run("apply", 2)
    with engine(f"sqlite:///{tmp_path / 'state.db'}", operator.runtimes) as running:
        outcome = running.start(Asked("apply"), run)
        assert running.start(Asked("apply"), run) == outcome
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
