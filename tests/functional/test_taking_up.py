"""Which run is taken up, by whom, and under which id: on the durable engine, with both kinds of databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from migrate.core.evidence import EventKind, Run
from migrate.core.outcome import RunOutcome
from migrate.core.run.unfinished import interrupted
from migrate.core.stages import Position, Stage
from migrate.errors import BlockedError, ExitCode, LockedError
from migrate.workflows.durable import Durable
from migrate.workflows.engine import Asked, engine, queues_for
from migrate.workflows.resume import carried_out, nothing_to_take_up, taken_up
from migrate.workflows.runtime import Runtime
from tests.fakes.killed_runs import Machine
from tests.fakes.migration import GATE, Operator

APPLY = Asked("apply")
AFTER_THE_UP = 4
"""The event that tells the outcome of the first up: its step has no record yet."""


def killed(machine: Machine, url: str, asked: Asked, stage: int) -> Run:
    """Let a process with the durable engine be killed in a run, and return the run."""

    def carried(runtime: Runtime, _: Durable, run: Run) -> None:
        with engine(url, lambda _: runtime) as running:
            running.start(asked, run)

    run = machine.operator.run(asked.workflow, stage)
    assert machine.killed_at(AFTER_THE_UP, run, carried)
    machine.operator.world.pass_time(timedelta(minutes=5))
    return run


def resumed(machine: Machine, url: str) -> RunOutcome:
    """Take up what is there to be taken up, as another process."""
    former = interrupted(machine.operator.store.runs(next(iter(machine.operator.world.services))))
    assert former is not None
    with engine(url, machine.runtimes, queues=queues_for(former)) as running:
        return taken_up(running, machine.runtimes, former, machine.operator.run("apply", 0))


def asked_again(machine: Machine, url: str, asked: Asked, stage: int) -> RunOutcome:
    """Type a command, as another process."""
    run = machine.operator.run(asked.workflow, stage)
    queues = queues_for(interrupted(machine.operator.store.runs(run.service)))
    with engine(url, machine.runtimes, queues=queues) as running:
        return carried_out(running, machine.runtimes, run, asked)


def statuses(machine: Machine) -> list[str]:
    return [run.status for run in machine.operator.store.runs(next(iter(machine.operator.world.services)))]


def test_a_killed_run_goes_on_under_its_own_id_and_does_nothing_again(database_url: str) -> None:
    machine = Machine(Operator.of().reach(1))
    run = killed(machine, database_url, APPLY, 2)
    calls, deployments = len(machine.operator.stacks.calls), len(machine.operator.world.demo.history)
    outcome = resumed(machine, database_url)
    assert (outcome.exit_code, outcome.run_id) == (ExitCode.DONE, run.id)
    assert "up_service" not in machine.operator.stacks.calls[calls:]
    assert len(machine.operator.world.demo.history) == deployments
    newest = machine.operator.store.runs(run.service)[0]
    assert (newest.id, newest.operator, newest.status) == (run.id, "grace", "done")
    told = [event.text for event in machine.operator.store.events(run.id) if event.step == "taken up"]
    assert told == ["taken up by grace on workstation (process 4712); what is on record is not done again"]


def test_the_same_command_takes_the_killed_run_up(database_url: str) -> None:
    machine = Machine(Operator.of().reach(1))
    run = killed(machine, database_url, APPLY, 2)
    assert asked_again(machine, database_url, APPLY, 2).run_id == run.id
    assert statuses(machine)[:2] == ["done", "done"]


@pytest.mark.parametrize("stage", [1, 3])
def test_the_command_for_another_stage_does_not_stand_for_the_one_that_was_cut_off(
    database_url: str, stage: int
) -> None:
    machine = Machine(Operator.of().reach(1))
    run = killed(machine, database_url, APPLY, 2)
    with pytest.raises(BlockedError, match="stage 2 was begun and is not proven"):
        asked_again(machine, database_url, APPLY, stage)
    assert machine.operator.record.position == Position(Stage.IMAGE, Stage.ARCHITECTURE)
    assert resumed(machine, database_url).stage is Stage.ARCHITECTURE
    assert run.id in {item.id for item in machine.operator.store.runs(run.service) if item.status == "done"}


def test_another_command_follows_a_killed_run_which_thereby_ends(database_url: str) -> None:
    machine = Machine(Operator.of().reach(1))
    run = killed(machine, database_url, APPLY, 2)
    outcome = asked_again(machine, database_url, Asked("rollback", (Stage.IMAGE,)), 1)
    assert (outcome.exit_code, outcome.run_id != run.id) == (ExitCode.DONE, True)
    assert statuses(machine)[:2] == ["done", "superseded"]
    assert machine.operator.record.position == Position(Stage.IMAGE)
    assert {task.architecture for task in machine.operator.tasks} == {"x86_64"}


def test_under_other_settings_a_new_run_goes_on_from_the_record(database_url: str) -> None:
    machine = Machine(Operator.of().reach(1))
    run = killed(machine, database_url, APPLY, 2)
    machine.operator.settings = replace(machine.operator.settings, gate=replace(GATE, soak=timedelta(minutes=1)))
    deployments = len(machine.operator.world.demo.history)
    outcome = resumed(machine, database_url)
    assert (outcome.exit_code, outcome.run_id != run.id) == (ExitCode.DONE, True)
    assert len(machine.operator.world.demo.history) == deployments
    assert statuses(machine)[:2] == ["done", "superseded"]


def test_after_ctrl_c_a_new_run_goes_on_and_says_from_which(database_url: str) -> None:
    machine = Machine(Operator.of().reach(1))
    machine.operator.world.clock.stop_after(timedelta(seconds=40))
    first = machine.operator.run("apply", 2)
    with engine(database_url, machine.runtimes) as running:
        assert running.start(APPLY, first).exit_code is ExitCode.INTERRUPTED
    outcome = resumed(machine, database_url)
    assert (outcome.exit_code, outcome.run_id != first.id, outcome.stage) == (ExitCode.DONE, True, Stage.ARCHITECTURE)
    notes = [event.text for event in machine.operator.store.events(outcome.run_id) if event.kind is EventKind.NOTE]
    assert f"goes on from run {first.id}, which did not come to its end" in notes
    assert statuses(machine)[:2] == ["done", "interrupted"]


def test_a_run_that_may_still_be_at_work_is_not_taken_up(database_url: str) -> None:
    machine = Machine(Operator.of().reach(1))
    killed(machine, database_url, APPLY, 2)
    machine.processes.running[4711] = "tick"
    machine.operator.store._claims = {
        arn: replace(claim, process_started="tick") for arn, claim in machine.operator.store._claims.items()
    }
    calls = len(machine.operator.stacks.calls)
    with pytest.raises(LockedError):
        resumed(machine, database_url)
    assert machine.operator.stacks.calls[calls:] == []


def test_where_all_is_ended_there_is_nothing_to_take_up() -> None:
    operator = Operator.of().reach(1)
    arn = next(iter(operator.world.services))
    assert interrupted(operator.store.runs(arn)) is None
    outcome = nothing_to_take_up(operator.runtime, arn)
    assert (outcome.exit_code, outcome.stage) == (ExitCode.DONE, Stage.IMAGE)
    assert outcome.reasons == ("The last run (apply) ended: done.",)
    assert nothing_to_take_up(Operator.of().runtime, arn).reasons == ("There was no run yet.",)
