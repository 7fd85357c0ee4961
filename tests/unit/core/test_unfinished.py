"""Which run is to be taken up, and what it left open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from migrate.core.documents import document
from migrate.core.evidence import NOTHING, Event, EventKind, Run
from migrate.core.gate.gate import GateState, Measurement, Outcome, Sample, assess, deadline_left, soak_left
from migrate.core.gate.unseen import after_gap
from migrate.core.run.unfinished import interrupted, left_open, predecessor
from migrate.core.settings import GateSettings

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
GATE = GateSettings(interval=timedelta(seconds=15), soak=timedelta(minutes=10), deadline=timedelta(minutes=30))


def runs(*statuses: str) -> tuple[Run, ...]:
    """Return runs, the newest first, each named for its place."""
    return tuple(
        Run(f"{number}", "arn", "apply", 2, NOON, "ada", "workstation", 1, status)
        for number, status in enumerate(statuses)
    )


@pytest.mark.parametrize(
    ("statuses", "found"),
    [
        ((), None),
        (("running",), "0"),
        (("interrupted",), "0"),
        (("done", "interrupted"), None),
        (("blocked", "interrupted"), "1"),
        (("world_changed", "locked", "running"), "2"),
        (("held", "running"), None),
        (("superseded", "running"), None),
    ],
)
def test_the_newest_run_that_was_not_refused_is_taken_up_if_it_did_not_end(
    statuses: tuple[str, ...], found: str | None
) -> None:
    run = interrupted(runs(*statuses))
    assert (run.id if run else None) == found


@pytest.mark.parametrize(
    ("statuses", "found"),
    [
        (("running",), None),
        (("running", "superseded"), "1"),
        (("running", "blocked", "interrupted"), "2"),
        (("running", "done", "superseded"), None),
        (("running", "rolled_back"), None),
    ],
)
def test_a_run_goes_on_from_the_one_before_it_if_that_did_not_end(statuses: tuple[str, ...], found: str | None) -> None:
    run = predecessor(runs(*statuses), "0")
    assert (run.id if run else None) == found


def told(*kinds: tuple[EventKind, str]) -> list[Event]:
    return [
        Event("run", NOON + timedelta(seconds=number), kind, step, "text") for number, (kind, step) in enumerate(kinds)
    ]


def test_only_the_act_that_was_begun_last_can_be_open() -> None:
    first, second = (EventKind.INTENT, "first"), (EventKind.INTENT, "second")
    ended = (EventKind.OUTCOME, "second")
    assert left_open([]) == (None, False)
    begun, unsure = left_open(told(first, second))
    assert (begun.step if begun else "", unsure) == ("second", True)
    begun, unsure = left_open(told(first, second, ended))
    assert (begun.step if begun else "", unsure) == ("second", False)
    failed = [
        *told(first, second),
        replace(told(ended)[0], at=NOON + timedelta(minutes=1), data=document({"error": "E"})),
    ]
    assert left_open(failed)[1]
    assert failed[0].data == NOTHING


def test_time_that_nobody_saw_is_no_soak_and_brings_no_deadline_nearer() -> None:
    state = GateState(started_at=NOON, passing_since=NOON, progressed_at=NOON)
    seen, back = NOON + timedelta(minutes=2), NOON + timedelta(hours=3)
    later, gate = after_gap(state, GATE, seen, back)
    assert soak_left(later, back, gate) == pytest.approx(8 * 60 - 15)
    assert deadline_left(later, back, gate) == pytest.approx(28 * 60 - 15)
    good = Sample(back, (Measurement("tasks", Outcome.PASS, "all run", "gates#tasks"),))
    assert assess(later, good, gate).verdict is None, "the way it was: proven by three hours that nobody looked at"


def test_a_look_that_takes_its_time_is_no_gap() -> None:
    state = GateState(started_at=NOON, passing_since=NOON)
    assert after_gap(state, GATE, NOON, NOON + timedelta(seconds=60)) == (state, GATE)
