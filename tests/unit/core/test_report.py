"""A run's evidence as a report tells it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from migrate.core.evidence import EventKind
from migrate.core.run.report import MOST_POINTS, CheckPoint, report, thinned
from tests.fakes.records import NOON, a_run
from tests.fakes.reported import a_report, a_rolled_back_run
from tests.fakes.story import STORY

SECOND = timedelta(seconds=1)


def test_a_report_holds_what_the_run_saw_over_time() -> None:
    found = a_report()
    assert [series.check for series in found.checks if series.numeric] == ["targets", "orders failed, %", "targets"]
    numbers = next(series for series in found.checks if series.check == "orders failed, %")
    assert [limit.bound for limit in numbers.limits] == [1.0]
    assert {point.value for point in numbers.points} == {0.4, 0.8, 0.6}
    assert {(group.architecture, group.provider) for point in found.tasks for group in point.groups} == {
        ("arm64", "FARGATE"),
        ("x86_64", "FARGATE"),
    }
    assert found.events
    assert {task.cause for task in found.stopped} == {"replaced or scaled in"}
    assert [entry.step for entry in found.decisions] == ["gate 2", "roll back", "gate back to 1", "finished"]
    assert len(found.runs) == 3


def test_what_a_resumed_run_told_again_is_told_once() -> None:
    run, events, runs = a_rolled_back_run()
    first = next(event for event in events if event.kind is EventKind.MEASUREMENT and '"message"' in event.data)
    again = [*events, replace(first, at=first.at + timedelta(hours=1))]
    assert report(run, again, runs).events == report(run, events, runs).events


def test_evidence_of_an_older_version_is_reported_without_what_it_lacks() -> None:
    found = report(a_run(), STORY, ())
    assert (found.events, found.stopped, found.preflight) == ((), (), None)
    assert [series.check for series in found.checks] == ["deployment", "alarms"]
    assert report(a_run(), (), ()).end == a_run().started_at


def test_a_series_keeps_what_changes_and_of_too_many_the_worst_and_the_extremes() -> None:
    same = [CheckPoint(NOON + number * SECOND, "pass", "", 1.0) for number in range(1000)]
    assert thinned(same) == (same[0], same[-1])
    many = [CheckPoint(NOON + number * SECOND, "pass", "", float(number % 7)) for number in range(5000)]
    many[1234] = replace(many[1234], outcome="fail")
    many[3000] = replace(many[3000], value=99.0)
    kept = thinned(many)
    assert len(kept) <= MOST_POINTS
    assert {many[0], many[1234], many[3000], many[-1]} <= set(kept)
    assert list(kept) == sorted(kept, key=lambda point: point.at)
