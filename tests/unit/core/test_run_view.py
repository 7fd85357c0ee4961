"""What a run looks like after each event, and which events are worth a line."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from migrate.core.evidence import Event, EventKind
from migrate.core.run.view import RunView, Telling, running_now, seen
from tests.fakes.facts import NEW, OLD, tasks
from tests.fakes.records import NOON
from tests.fakes.story import ALARM, PASSES, WAITING, counted, measured, resource, told

BEGIN = RunView("stage 2 (architecture) of demo/web", NOON)
UP = told(EventKind.INTENT, "up", "service stack to stage 2", 5)


def after(*events: Event) -> RunView:
    view = BEGIN
    for event in events:
        view = seen(view, event)
    return view


def lines(*events: Event) -> list[str]:
    telling = Telling()
    return [event.text for event in events if telling.worth(event)]


def test_an_act_is_shown_from_its_intent_to_its_outcome_with_what_the_engine_says_of_each_resource() -> None:
    view = after(UP, resource("service", "started"), resource("revision", "done"), resource("service", "done"))
    assert (view.doing, view.doing_since) == ("service stack to stage 2", NOON + timedelta(seconds=5))
    assert [text for _, text in view.resources] == ["update revision: done", "update service: done"]
    view = seen(view, told(EventKind.OUTCOME, "up", "done"))
    assert view.doing == ""
    assert seen(view, UP).resources == ()


def test_only_the_last_resources_are_kept() -> None:
    view = after(UP, *(resource(f"r{number}", "done") for number in range(40)))
    assert len(view.resources) == 6
    assert view.resources[-1][0] == "urn:r39"


def test_a_check_that_was_not_due_keeps_its_last_outcome() -> None:
    view = after(measured(WAITING, ALARM), measured(PASSES, after=15, soak_left=600.0))
    assert view.gate is not None
    assert [(item.check, item.outcome) for item in view.gate.checks] == [("deployment", "pass"), ("alarms", "fail")]
    assert (view.gate.soak_left, view.gate.deadline_left, view.gate.desired) == (600.0, 2385.0, 4)


def test_a_way_back_begins_with_a_gate_of_its_own() -> None:
    view = after(measured(ALARM), told(EventKind.VERDICT, "gate", "fail: alarms"))
    assert view.verdict == "fail: alarms"
    view = seen(view, told(EventKind.NOTE, "roll back", "going back"))
    assert (view.going_back, view.gate, view.verdict) == (True, None, "")


def test_what_runs_is_said_in_words() -> None:
    assert running_now(BEGIN) == ""
    assert running_now(after(measured(WAITING))) == "3 x86_64 on FARGATE (old), 1 arm64 on FARGATE_SPOT (new)"


def test_a_countdown_is_no_news_but_once_a_minute_the_run_shows_that_it_lives() -> None:
    samples = [measured(PASSES, after=15 * number, soak_left=600.0 - 15 * number) for number in range(9)]
    named = [replace(event, text=f"{number}") for number, event in enumerate(samples)]
    assert lines(*named) == ["0", "4", "8"]


def test_a_change_of_one_check_is_told_at_once_and_one_that_was_not_due_is_no_change() -> None:
    first, second = measured(PASSES, ALARM), measured(PASSES, after=15)
    third = measured(PASSES, (*ALARM[:1], "pass", "1 of 1 alarms OK"), after=30)
    assert lines(first, second, third) == [first.text, third.text]


def test_the_age_of_a_check_that_was_not_due_is_no_news() -> None:
    fresh = measured(PASSES, ("page", "pass", "2 of 2 answers"))
    older = [measured(PASSES, ("page", "pass", f"2 of 2 answers ({age} s ago)"), after=age) for age in (15, 30)]
    assert lines(fresh, *older) == [fresh.text]


def test_what_repeats_the_line_before_is_left_out_and_so_is_the_end_which_the_result_tells() -> None:
    note = told(EventKind.NOTE, "n", "same")
    end = told(EventKind.FINISHED, "finished", "proven")
    assert lines(note, note, resource("service", "started"), resource("service", "done"), end) == [
        "same",
        "update service: done",
    ]


def test_tasks_are_counted_by_age_architecture_and_provider() -> None:
    old, new = tasks(3, OLD), tasks(3, NEW, architecture="arm64", provider="FARGATE_SPOT")
    old = tuple(replace(task, started_by="ecs-svc/1") for task in old)
    states = ("RUNNING", "PROVISIONING", "DEPROVISIONING")
    new = tuple(
        replace(task, started_by="ecs-svc/2", last_status=state) for task, state in zip(new, states, strict=True)
    )
    assert counted((*new, *old), "ecs-svc/2") == {
        (False, "x86_64", "FARGATE"): (3, 0, 0),
        (True, "arm64", "FARGATE_SPOT"): (1, 1, 1),
    }
