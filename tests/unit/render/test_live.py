"""The live view, whole and at any size: a change of a word shows in the snapshots."""

from __future__ import annotations

from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from migrate.core.evidence import Event, EventKind
from migrate.core.run.view import RunView, seen
from migrate.render.live import live, question
from migrate.render.text import shown
from tests.fakes.records import NOON
from tests.fakes.story import ALARM, PASSES, WAITING, measured, resource, told

BEGIN = RunView("stage 2 (architecture) of demo/web", NOON)
BACK = RunView("rollback of demo/web", NOON, going_back=True)
UP = told(EventKind.INTENT, "up", "service stack to stage 2 (architecture)", 5)
UNDER_WAY = (UP, resource("task-definition-arm64", "done", 9), resource("service", "started", 10))
ROLLING = measured(WAITING, after=30)
SOAKING = measured(PASSES, ("alarms", "pass", "1 of 1 alarms OK"), after=90, soak_left=420.0)
BROKEN = measured(PASSES, ALARM, ("probe", "error", "no answer\x1b[2J"), after=95)

SCENES: dict[str, tuple[RunView, tuple[Event, ...]]] = {
    "begin": (BEGIN, ()),
    "pulumi": (BEGIN, UNDER_WAY),
    "rolling": (BEGIN, (ROLLING,)),
    "soaking": (BEGIN, (SOAKING,)),
    "broken": (BEGIN, (SOAKING, BROKEN)),
    "verdict": (BEGIN, (SOAKING, told(EventKind.VERDICT, "gate 2", "pass: all 4 tasks run ARM64", 100))),
    "back": (BACK, (told(EventKind.INTENT, "refresh", "read what runs into the service stack", 98),)),
}


def view(scene: str) -> RunView:
    state, events = SCENES[scene]
    for event in events:
        state = seen(state, event)
    return state


def drawn(scene: str, width: int, height: int) -> str:
    now = NOON + timedelta(seconds=100)
    return shown(live(view(scene), now, width=width, height=height), width=width, colour=False)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("width", [100, 40])
def test_what_people_see(scene: str, width: int, snapshot: SnapshotAssertion) -> None:
    assert drawn(scene, width, 24) == snapshot


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("width", [1, 7, 20, 59, 60, 200])
@pytest.mark.parametrize("height", [1, 2, 5, 8, 50])
def test_it_fits_into_any_terminal(scene: str, width: int, height: int) -> None:
    lines = drawn(scene, width, height).splitlines()
    assert len(lines) <= height
    assert all(len(line) <= width for line in lines)


def test_where_there_is_no_room_for_all_the_checks_that_pass_are_left_out() -> None:
    told_small = drawn("broken", 100, 9)
    assert "ok  " not in told_small
    assert all(word in told_small for word in ("web-5xx", "soak", "deadline", "Ctrl-C"))


def test_texts_of_others_bring_no_control_characters() -> None:
    assert "\x1b" not in drawn("broken", 100, 24)


def test_the_clocks_go_on_between_two_samples() -> None:
    later = NOON + timedelta(seconds=120)
    told_later = shown(live(view("soaking"), later, width=100, height=24), width=100, colour=False)
    assert "6:30 left of 10:00" in told_later
    assert "38:00 left" in told_later


@pytest.mark.parametrize("scene", ["rolling", "back"])
def test_what_ctrl_c_asks(scene: str, snapshot: SnapshotAssertion) -> None:
    assert shown(question(view(scene), 60), width=100, colour=False) == snapshot
