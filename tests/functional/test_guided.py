"""A walk through a runbook: command by command, remembered at every point, safe to be cut off anywhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from migrate.adapters.runbook_files import parsed
from migrate.core.runbook.runbooks import Section
from migrate.core.runbook.walk import AfterStep, BeforeStep
from migrate.errors import HeldError, InterruptedRunError
from migrate.runbook_ports import Answered
from migrate.workflows.guided import GuidedWalk
from tests.fakes.clock import FakeClock
from tests.fakes.walking import FakeCommands, FakeOperator, FakeWalks

TEXT = """\
# Stage 9

## Go

### Diagnosis
Look first.
```sh
look $CLUSTER
```
Expected: exit 0, and `steady`.

### Mitigation
Then act.
```sh
act --on $CLUSTER --task $TASK
PROOF=$(prove it)
keep "$PROOF"
```
All is well.
"""
WELL = Answered(0, "steady\n")
Walking = Callable[..., GuidedWalk]


def section(text: str = TEXT) -> Section:
    return parsed("stage-9", text).sections[0]


@pytest.fixture
def walking() -> Walking:
    walks = FakeWalks()

    def start(operator: FakeOperator, commands: FakeCommands, text: str = TEXT, key: str = "shop/web") -> GuidedWalk:
        return GuidedWalk("stage-9", key, section(text), {"CLUSTER": "shop"}, operator, commands, walks, FakeClock())

    return start


def test_each_command_is_shown_with_its_values_run_and_checked(walking: Walking) -> None:
    operator = FakeOperator(BeforeStep.RUN, "a b", BeforeStep.RUN)
    commands = FakeCommands([WELL, Answered(0, ""), Answered(0, "one\ntwo"), Answered(0, "")])
    walk = walking(operator, commands)
    walk.go()
    assert commands.ran == [
        "look shop",
        "act --on shop --task 'a b'",
        'PROOF=$(prove it) && printf %s "$PROOF"',
        'keep "$PROOF"',
    ]
    assert commands.variables[-1]["PROOF"] == "one\ntwo"
    assert [(shown.number, shown.count) for shown in operator.shown] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert operator.shown[0].expectation == "Expected: exit 0, and `steady`."
    assert operator.asked_for == ["TASK"]
    assert operator.told[-1].startswith("All is well.")
    assert walk.walks.walk("shop/web") is None


def test_who_stops_goes_on_from_there_with_what_was_given(walking: Walking) -> None:
    operator = FakeOperator(BeforeStep.RUN, "task-1", BeforeStep.RUN, BeforeStep.STOP)
    with pytest.raises(InterruptedRunError, match="step 3") as raised:
        walking(operator, FakeCommands([WELL])).go()
    assert "migrate runbook stage-9 --guided" in raised.value.then
    again, commands = FakeOperator(True), FakeCommands()
    walking(again, commands).go()
    assert again.came_back_to[0].step == 2
    assert not again.came_back_to[0].under_way
    assert again.asked_for == []
    assert len(commands.ran) == 2


def test_who_begins_anew_begins_at_the_first_command(walking: Walking) -> None:
    with pytest.raises(InterruptedRunError):
        walking(FakeOperator(BeforeStep.SKIP, "t", BeforeStep.STOP), FakeCommands()).go()
    operator, commands = FakeOperator(False, BeforeStep.RUN, "other"), FakeCommands([WELL])
    walking(operator, commands).go()
    assert commands.ran[:2] == ["look shop", "act --on shop --task other"]


def test_a_kill_in_the_middle_of_a_command_is_told_to_who_comes_back(walking: Walking) -> None:
    with pytest.raises(KeyboardInterrupt):
        walking(FakeOperator(), FakeCommands(raises=KeyboardInterrupt())).go()
    operator = FakeOperator(True, BeforeStep.STOP)
    with pytest.raises(InterruptedRunError, match="step 1"):
        walking(operator, FakeCommands()).go()
    assert operator.came_back_to[0].under_way


def test_other_commands_in_the_runbook_begin_anew_without_asking(walking: Walking) -> None:
    with pytest.raises(InterruptedRunError):
        walking(FakeOperator(BeforeStep.SKIP, "t", BeforeStep.STOP), FakeCommands()).go()
    operator = FakeOperator(BeforeStep.STOP)
    with pytest.raises(InterruptedRunError, match="step 1"):
        walking(operator, FakeCommands(), text=TEXT.replace("look $CLUSTER", "look twice $CLUSTER")).go()
    assert operator.came_back_to == []


def test_another_service_has_a_walk_of_its_own(walking: Walking) -> None:
    with pytest.raises(InterruptedRunError):
        walking(FakeOperator(BeforeStep.SKIP, "t", BeforeStep.STOP), FakeCommands()).go()
    operator = FakeOperator(BeforeStep.STOP)
    with pytest.raises(InterruptedRunError):
        walking(operator, FakeCommands(), key="shop/api").go()
    assert operator.came_back_to == []


def test_a_command_that_ends_otherwise_can_be_run_again_or_passed_over(walking: Walking) -> None:
    operator = FakeOperator(BeforeStep.RUN, AfterStep.AGAIN, AfterStep.AGAIN, AfterStep.GO_ON, "t", BeforeStep.STOP)
    commands = FakeCommands([Answered(3, "steady"), Answered(0, "moving"), Answered(7, "")])
    with pytest.raises(InterruptedRunError, match="step 2"):
        walking(operator, commands).go()
    assert commands.ran == ["look shop"] * 3
    assert [len(unmet) for unmet in operator.unmet] == [1, 1, 2]


def test_who_stops_at_a_command_that_ended_otherwise_is_held_there(walking: Walking) -> None:
    operator = FakeOperator(BeforeStep.RUN, AfterStep.STOP)
    with pytest.raises(HeldError, match="Step 1 did not end as expected") as raised:
        walking(operator, FakeCommands([Answered(4, "")])).go()
    assert "ended with 4" in raised.value.why
    assert "from step 1" in raised.value.then


def test_a_variable_that_a_failed_command_did_not_set_is_not_kept(walking: Walking) -> None:
    operator = FakeOperator(BeforeStep.SKIP, "t", BeforeStep.SKIP, BeforeStep.RUN, AfterStep.GO_ON, "by hand")
    commands = FakeCommands([Answered(1, "")])
    walking(operator, commands).go()
    assert operator.asked_for == ["TASK", "PROOF"]
    assert commands.variables[-1]["PROOF"] == "by hand"


def test_a_variable_that_the_shell_has_by_itself_is_not_asked_for(walking: Walking) -> None:
    operator, commands = FakeOperator(), FakeCommands([WELL])
    walk = walking(operator, commands)
    walk.surrounding = frozenset({"TASK"})
    walk.go()
    assert operator.asked_for == []
    assert commands.ran[1] == "act --on shop --task $TASK"
