"""A run whose process was killed is taken up, from wherever it was, and comes to the end of an undisturbed one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from migrate.core.evidence import EventKind, Run
from migrate.core.outcome import RunOutcome
from migrate.core.run.unfinished import interrupted
from migrate.core.stages import Stage
from migrate.errors import ExitCode
from migrate.workflows.apply import apply_stage, rebaseline
from migrate.workflows.durable import Durable
from migrate.workflows.finish import finish
from migrate.workflows.rollback import roll_back
from migrate.workflows.runtime import Runtime
from tests.fakes.aws_simulation import Fate
from tests.fakes.killed_runs import Killed, Machine
from tests.fakes.migration import Operator

A_LUNCH, A_MOMENT = timedelta(hours=3), timedelta(seconds=5)
"""ECS itself takes a deployment back that fails for longer than a moment."""

Carried = Callable[[Runtime, Durable, Run], RunOutcome]


def to_original(runtime: Runtime, durable: Durable, run: Run) -> RunOutcome:
    return roll_back(runtime, durable, run, Stage.ORIGINAL)


def at(stage: int) -> Operator:
    return Operator.of().reach(stage)


def with_a_bad_deployment() -> Operator:
    operator = at(1)
    operator.world.next_deployment(Fate.NO_PLATFORM)
    return operator


def with_a_revision_of_others() -> Operator:
    operator = at(1)
    operator.world.deploy()
    operator.world.pass_time(timedelta(minutes=10))
    return operator


STORIES: dict[str, tuple[Callable[[], Operator], str, int, Carried]] = {
    **{f"stage {stage}": ((lambda stage=stage: at(stage - 1)), "apply", stage, apply_stage) for stage in range(4)},  # type: ignore[misc]
    "taken back": (with_a_bad_deployment, "apply", 2, apply_stage),
    "to the original": (lambda: at(3), "rollback", -1, to_original),
    "new baseline": (with_a_revision_of_others, "apply", 0, rebaseline),
    "finish": (lambda: at(3), "finish", 3, finish),
}


def end(operator: Operator, run: Run) -> dict[str, object]:
    """Return what two runs that came to the same end have in common: the world, the record, and the evidence."""
    service, record = operator.service, operator.record
    events = operator.store.events(run.id)
    return {
        "service": (service.task_definition_arn, service.launch_type, service.strategy, service.desired_count),
        "deployments": len(operator.world.demo.history),
        "revisions": len(operator.world.revisions),
        "tag": (operator.tag[0], operator.status().platforms),
        "images": len({body for _, body in operator.world.shelf.manifests.values()}),
        "record": (record.position, record.adopted, record.published, record.over, record.applied_capacity),
        "drift": operator.status().drift,
        "run": next(item.status for item in operator.store.runs(run.service) if item.id == run.id),
        "outcomes": Counter(event.step for event in events if event.kind is EventKind.OUTCOME),
        "verdicts": [event.text.partition(":")[0] for event in events if event.kind is EventKind.VERDICT],
        "ends": sum(event.kind is EventKind.FINISHED for event in events),
    }


@pytest.mark.parametrize("story", STORIES)
def test_killed_at_any_event_and_taken_up_it_ends_as_if_nothing_had_been(story: str) -> None:
    begin, verb, stage, carried = STORIES[story]
    start = begin()
    whole = start.copied()
    undisturbed = whole.run(verb, stage)
    outcome = carried(whole.runtime, whole.durable, undisturbed)
    wanted = end(whole, undisturbed)
    for number in range(1, 400):
        machine = Machine(start.copied())
        run = machine.operator.run(verb, stage)
        if not machine.killed_at(number, run, carried):
            break
        if interrupted(machine.operator.store.runs(run.service)) is None:
            continue  # its end was written: there is nothing to take up
        machine.operator.world.pass_time(A_MOMENT if story == "taken back" else A_LUNCH)
        found = machine.taken_up(run, carried)
        assert replace(found, reasons=()) == replace(outcome, reasons=()), number
        assert _twice_at_most(end(machine.operator, run)) == _twice_at_most(wanted), number
    assert number > 3, "there was something to kill"


def _twice_at_most(found: dict[str, object]) -> dict[str, object]:
    """Leave out how often the act under way stands in the evidence: its end may have been written, and not known."""
    return {**found, "outcomes": set(found["outcomes"])}  # type: ignore[call-overload]


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_killed_within_an_up_it_registers_no_second_revision_and_deploys_once(stage: int) -> None:
    """All was done in the world, and nothing of it stands in the state: not the revision, not why it was forced."""
    machine = Machine(at(stage - 1))
    whole = machine.operator.copied()
    whole.apply(stage)
    run = machine.operator.run("apply", stage)
    machine.operator.stacks.killed_in_up = Killed()
    assert machine.killed_at(0, run, apply_stage)
    left = machine.operator.stacks.pending()
    assert [item.name for item in left] == (["task-definition-arm64"] if stage == 2 else [])
    assert machine.taken_up(run, apply_stage).exit_code is ExitCode.DONE
    assert len(machine.operator.world.revisions) == len(whole.world.revisions)
    assert len(machine.operator.world.demo.history) == len(whole.world.demo.history)
    assert machine.operator.stacks.pending() == ()
    assert machine.operator.apply(stage).text.endswith("nothing was changed.")
