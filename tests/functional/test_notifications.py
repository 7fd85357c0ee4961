"""Others are told of a run: each event once, whatever cuts the run short, and never at the cost of the migration."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.core.evidence import EventKind
from migrate.core.notifications import NotificationSettings, NotifiedEvent, WebhookTarget
from migrate.core.run.unfinished import interrupted
from migrate.core.stages import Stage
from migrate.errors import AccessError, BlockedError, ExitCode
from migrate.workflows.apply import apply_stage
from migrate.workflows.finish import finish
from tests.fakes.aws_simulation import Fate
from tests.fakes.killed_runs import Machine
from tests.fakes.migration import Operator

TOPIC, BUS, HOOK = "arn:aws:sns:us-east-1:111122223333:all", "default", "https://example.com/hooks/of-a-secret"
TOLD = NotificationSettings(topics=(TOPIC,), event_buses=(BUS,), webhooks=(WebhookTarget(HOOK),))


def telling(reached: int = -1, settings: NotificationSettings = TOLD) -> Operator:
    operator = Operator.of().reach(reached)
    operator.settings = replace(operator.settings, notifications=settings)
    return operator


def notes(operator: Operator) -> list[str]:
    return [event.text for event in operator.listener.heard if event.step == "notify"]


def test_every_target_is_told_that_a_stage_begins_and_that_it_is_proven() -> None:
    operator = telling()
    outcome = operator.apply(0)
    for target in (TOPIC, BUS, HOOK):
        assert operator.channels.events(target) == ["started", "stage-proven"]
    start, *_, end = [notification for _, notification in operator.channels.told]
    assert (start.text, start.exit_code) == ("Stage 0 (baseline) begins.", None)
    assert (end.text, end.exit_code, end.stage) == (outcome.text, ExitCode.DONE, 0)
    assert notes(operator)[:3] == [
        f"SNS topic {TOPIC} was told: started",
        "event bus default was told: started",
        "webhook example.com was told: started",
    ]


def test_nobody_is_told_where_nobody_is_named_and_nothing_that_was_not_asked_for() -> None:
    for settings, events in (
        (NotificationSettings(), []),
        (replace(TOLD, events=()), []),
        (NotificationSettings(events=(NotifiedEvent.STAGE_PROVEN,), topics=(TOPIC,)), ["stage-proven"]),
    ):
        operator = telling(settings=settings)
        operator.apply(0)
        assert operator.channels.events() == events


def test_a_stage_that_is_rolled_back_one_that_is_held_and_a_way_back_are_told() -> None:
    operator = telling(1, replace(TOLD, event_buses=(), webhooks=()))
    operator.world.next_deployment(Fate.NO_PLATFORM)
    assert operator.apply(2).exit_code is ExitCode.ROLLED_BACK
    assert operator.channels.events() == ["started", "rolled-back"]
    operator.channels.told.clear()
    operator.roll_back(Stage.ORIGINAL)
    assert operator.channels.events() == ["started", "went-back"]
    assert operator.channels.told[0][1].text == "The way back begins."


def test_a_way_back_that_fails_is_told_as_what_it_is() -> None:
    operator = telling(2, replace(TOLD, event_buses=(), webhooks=()))
    operator.stacks.interrupt_after["refresh"] = AccessError("The engine is gone.", then="Look.")
    assert operator.roll_back().exit_code is ExitCode.ROLLBACK_INCOMPLETE
    assert operator.channels.events() == ["started", "rollback-incomplete"]


def test_the_end_of_a_migration_is_told() -> None:
    operator = telling(3, replace(TOLD, event_buses=(), webhooks=()))
    finish(operator.runtime, operator.durable, operator.run("finish", 3))
    assert operator.channels.events() == ["started", "finished"]


def test_a_run_that_is_refused_never_started_and_one_with_nothing_to_do_tells_nobody() -> None:
    operator = telling(0, replace(TOLD, event_buses=(), webhooks=()))
    with pytest.raises(BlockedError):
        operator.apply(3)
    (told,) = [notification for _, notification in operator.channels.told]
    assert (told.event, told.exit_code, told.stage) == ("refused", ExitCode.BLOCKED, 3)
    operator.channels.told.clear()
    assert operator.apply(0).exit_code is ExitCode.DONE
    assert operator.channels.told == []


@pytest.mark.parametrize("fault", [AccessError("It is gone.", then="Look."), RuntimeError("a fault of ours")])
def test_whoever_cannot_be_told_stops_nothing_and_it_is_said(fault: Exception) -> None:
    operator = telling()
    operator.channels.refusal[TOPIC] = operator.channels.refusal[HOOK] = fault
    assert operator.apply(0).exit_code is ExitCode.DONE
    assert operator.channels.events() == ["started", "stage-proven"]
    said = [text for text in notes(operator) if "not told" in text]
    assert len(said) == 4
    assert all(str(fault) in text and "of-a-secret" not in text for text in said)


def test_killed_at_any_event_and_taken_up_it_tells_every_event_once() -> None:
    """At an event that is written in the middle of the telling, the whole of it is told again, under the same ids."""
    start = telling(0)
    for number in range(1, 200):
        machine = Machine(start.copied())
        operator = machine.operator
        run = operator.run("apply", 1)
        if not machine.killed_at(number, run, apply_stage):
            break
        if interrupted(operator.store.runs(run.service)) is None:
            continue
        last = operator.store.events(run.id)[-1]
        machine.taken_up(run, apply_stage)
        ids = {notification.id for _, notification in operator.channels.told}
        assert ids == {f"{run.id}-started", f"{run.id}-stage-proven"}, number
        again = 3 if last.kind is EventKind.NOTE and last.step == "notify" else 0
        assert len(operator.channels.told) == 6 + again, number
    assert number > 10, "there was something to kill"
