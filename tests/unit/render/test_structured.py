from __future__ import annotations

import json
from datetime import timedelta

from syrupy.assertion import SnapshotAssertion

from migrate.core.evidence import EventKind
from migrate.core.outcome import RunOutcome
from migrate.core.plan.binding import binding
from migrate.core.plan.detail import stage_details
from migrate.core.plan.plan import make_plan
from migrate.core.stages import Stage
from migrate.core.status import status_of
from migrate.errors import BlockedError, ExitCode
from migrate.render.structured import (
    error_document,
    event_line,
    outcome_document,
    plan_document,
    status_document,
    to_json,
)
from tests.fakes.facts import observation, settings
from tests.fakes.records import a_run, an_event

SETTINGS = settings(soak=timedelta(minutes=2))


def test_a_plan_for_programs(snapshot: SnapshotAssertion) -> None:
    plan = make_plan(observation(), SETTINGS, None)
    shown = to_json(plan_document(plan, stage_details(plan, SETTINGS), binding(plan, SETTINGS)))
    assert "record" not in json.loads(shown)
    assert shown == snapshot


def test_a_status_for_programs(snapshot: SnapshotAssertion) -> None:
    shown = json.loads(to_json(status_document(status_of(observation(), None, SETTINGS, a_run()))))
    assert (shown["architectures"], shown["split"]) == ({"x86_64": 4}, {"FARGATE": 4})
    assert shown["position"] == {"proven": -1, "entered": None}
    assert shown["price_known"] is True
    assert to_json(shown) == snapshot


def test_an_outcome_and_an_error_for_programs() -> None:
    outcome = RunOutcome("run-1", ExitCode.HELD, Stage.IMAGE, "Held.", ("because",))
    assert json.loads(to_json(outcome_document(outcome))) == {
        "format": 1,
        "document": "outcome",
        "run_id": "run-1",
        "exit_code": 6,
        "stage": 1,
        "text": "Held.",
        "reasons": ["because"],
        "then": "",
        "runbook": "",
    }
    error = BlockedError("No.", why="Because.", then="Wait.")
    assert json.loads(to_json(error_document(error))) == {
        "format": 1,
        "document": "error",
        "error": "BlockedError",
        "exit_code": 3,
        "what": "No.",
        "why": "Because.",
        "then": "Wait.",
        "runbook": "errors#blocked",
    }


def test_an_event_is_one_line_with_its_data_as_an_object() -> None:
    line = event_line(an_event("said\nso", kind=EventKind.NOTE, number=1))
    assert "\n" not in line
    assert json.loads(line)["data"] == {"number": 1}
