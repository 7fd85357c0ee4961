"""Who is told what, on which stream: stdout is for the result, stderr for the story."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from migrate.cli import app
from migrate.cli.narrator import JsonNarrator, LineNarrator
from migrate.cli.options import Options
from migrate.cli.runs import confirmed, ended
from migrate.core.evidence import EventKind
from migrate.core.outcome import RunOutcome
from migrate.core.stages import Stage
from migrate.errors import BlockedError, ExitCode, HeldError
from tests.fakes.migration import Operator
from tests.fakes.records import an_event
from tests.fakes.story import PASSES, WAITING, measured

OUTCOME = RunOutcome("run-1", ExitCode.ROLLED_BACK, Stage.BASELINE, "Rolled back.", ("why",), "Next.", "gates#image")


def test_the_story_goes_to_stderr_and_says_nothing_twice(capsys: pytest.CaptureFixture[str]) -> None:
    narrator = LineNarrator(colour=False)
    for text in ("first", "first", "second"):
        narrator.tell(an_event(text))
    narrator.tell(an_event("the end", kind=EventKind.FINISHED))
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split()[-1] for line in err.splitlines()] == ["first", "second"]


def test_a_gate_is_told_when_it_changes_and_not_with_every_look(capsys: pytest.CaptureFixture[str]) -> None:
    narrator = LineNarrator(colour=False)
    for second in range(0, 45, 15):
        narrator.tell(measured(PASSES, after=second, soak_left=600.0 - second))
    narrator.tell(measured(WAITING, after=45))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["12:00:00", "12:00:45"]


def test_a_line_ends_between_words_in_a_terminal_and_nowhere_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    event = an_event("preview of the service stack: import cluster, import task-definition, import service")
    LineNarrator(colour=False, width=lambda: 60).tell(event)
    LineNarrator(colour=False).tell(event)
    assert capsys.readouterr().err.splitlines() == [
        "12:00:00  note     preview of the service stack: import",
        f"{'':19}cluster, import task-definition, import",
        f"{'':19}service",
        f"12:00:00  note     {event.text}",
    ]


def test_an_act_that_failed_is_not_told_as_done(capsys: pytest.CaptureFixture[str]) -> None:
    narrator = LineNarrator(colour=False)
    narrator.tell(an_event("read the tag back: done", kind=EventKind.OUTCOME))
    narrator.tell(an_event("read the tag back: failed: It is gone.", kind=EventKind.OUTCOME, error="NotFoundError"))
    assert [line.split("  ", 1)[1] for line in capsys.readouterr().err.splitlines()] == [
        "done     read the tag back",
        "failed   read the tag back: It is gone.",
    ]


def test_programs_get_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    narrator = JsonNarrator()
    narrator.tell(an_event("first"))
    narrator.tell(an_event("second", number=2))
    out, err = capsys.readouterr()
    assert out == ""
    assert [json.loads(line)["text"] for line in err.splitlines()] == ["first", "second"]


@pytest.mark.parametrize("output", ["text", "json"])
def test_the_outcome_is_the_result_and_its_exit_code_the_answer(
    output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(Options(output=output), OUTCOME) == ExitCode.ROLLED_BACK
    out, err = capsys.readouterr()
    assert err == ""
    assert "Rolled back." in out
    assert output == "text" or json.loads(out)["exit_code"] == 4


def test_nobody_at_the_terminal_means_no(capsys: pytest.CaptureFixture[str]) -> None:
    operator = Operator.of()
    with pytest.raises(HeldError, match="Nobody is there to say yes") as held:
        confirmed(Options(), operator.runtime, 0, yes=False)
    assert "--yes" in held.value.then
    out, err = capsys.readouterr()
    assert out == ""
    assert "Stage 0 baseline" in err
    assert operator.world.writes == []


def test_a_stage_out_of_order_is_refused_before_anybody_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BlockedError, match="stage 0 is not proven"):
        confirmed(Options(), Operator.of().runtime, 1, yes=False)
    assert capsys.readouterr() == ("", "")


def test_yes_asks_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    confirmed(Options(), Operator.of().runtime, 1, yes=True)
    assert capsys.readouterr() == ("", "")


def test_a_fault_of_the_tool_is_one_message_and_a_report(
    bare_environment: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(bare_environment))
    monkeypatch.setattr("tempfile.tempdir", None)

    @click.command("broken")
    def broken() -> None:
        raise ZeroDivisionError("a secret of nobody")

    monkeypatch.setitem(app.cli.commands, "broken", broken)
    monkeypatch.setattr(type(app.cli), "get_command", lambda _group, _context, _name: broken)
    code = app.run(["broken"])
    out, err = capsys.readouterr()
    assert (code, out) == (ExitCode.FAULT, "")
    assert "Traceback" not in err
    assert "ZeroDivisionError" in err
    (report,) = bare_environment.glob("migrate-fault-*.txt")
    assert "Traceback" in report.read_text()
