"""Which event an end is, and that no end is without one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.core.notifications import NotifiedEvent, end_of, failure_of, start_of
from migrate.core.outcome import RunOutcome
from migrate.core.stages import Stage
from migrate.errors import BlockedError, ExitCode, HeldError
from tests.fakes.records import NOON, a_run

BY_CODE = {
    ExitCode.DONE: "stage-proven",
    ExitCode.FAULT: "refused",
    ExitCode.USAGE: "refused",
    ExitCode.BLOCKED: "refused",
    ExitCode.ROLLED_BACK: "rolled-back",
    ExitCode.ROLLBACK_INCOMPLETE: "rollback-incomplete",
    ExitCode.HELD: "held",
    ExitCode.LOCKED: "refused",
    ExitCode.WORLD_CHANGED: "refused",
    ExitCode.INTERRUPTED: "interrupted",
}


@pytest.mark.parametrize("code", ExitCode)
def test_every_end_is_an_event(code: ExitCode) -> None:
    told = end_of(a_run(), RunOutcome("run-1", code, Stage.IMAGE, "So it ended.", ("why",), "Then.", "g#i"), NOON)
    assert (told.event, told.exit_code) == (BY_CODE[code], code)
    assert (told.title, told.reasons, told.then, told.runbook) == ("web: So it ended.", ("why",), "Then.", "g#i")


@pytest.mark.parametrize(
    ("verb", "event"), [("apply", "stage-proven"), ("rollback", "went-back"), ("finish", "finished")]
)
def test_a_good_end_is_that_of_its_verb(verb: str, event: str) -> None:
    run = replace(a_run(), verb=verb, stage=-1)
    assert end_of(run, RunOutcome("run-1", ExitCode.DONE, Stage.ORIGINAL, "Done."), NOON).event == event


def test_an_error_is_told_with_what_to_do() -> None:
    told = failure_of(a_run(), BlockedError("No.", why="Because.", then="Wait.", runbook="x#y"), NOON)
    assert (told.event, told.text, told.reasons, told.then) == (NotifiedEvent.REFUSED, "No.", ("Because.",), "Wait.")
    assert failure_of(a_run(), HeldError("No.", then="Wait."), NOON).event is NotifiedEvent.HELD


def test_the_id_is_the_same_whenever_it_is_told() -> None:
    later = start_of(a_run(), NOON.replace(hour=23))
    assert start_of(a_run(), NOON).id == later.id == "run-1-started"


def test_a_document_stays_within_what_a_message_may_hold() -> None:
    outcome = RunOutcome("run-1", ExitCode.HELD, Stage.IMAGE, "Held.", ("x" * 100_000,) * 100)
    assert len(str(end_of(a_run(), outcome, NOON).document)) < 100_000


def test_an_arn_of_the_old_form_has_no_cluster() -> None:
    told = start_of(replace(a_run(), service="arn:aws:ecs:us-east-1:111122223333:service/web"), NOON).document
    assert (told["cluster"], told["name"], told["account"], told["region"]) == ("", "web", "111122223333", "us-east-1")
