"""Looking back at runs asks the database alone: no account, no network, no session."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from migrate.adapters.store.record_store import SqlRecordStore
from migrate.cli.app import run
from migrate.errors import ExitCode
from tests.fakes.records import NOON, SERVICE_ARN, a_run
from tests.fakes.story import STORY

_SETTINGS = """
[service]
cluster = "demo"
name = "web"
region = "us-east-1"
[image]
container = "app"
context = "."
"""
ENDED = replace(a_run("7d1c0a54-1"), status="rollback_incomplete", finished_at=NOON + timedelta(seconds=3700))


@pytest.fixture
def place(bare_environment: Path) -> Path:
    (bare_environment / "migrate.toml").write_text(_SETTINGS)
    url = f"sqlite:///{bare_environment / '.migrate' / 'migrate.sqlite'}"
    with SqlRecordStore(url) as store:
        for found in (ENDED, a_run("7e"), a_run("7f", service=SERVICE_ARN.replace("/web", "/worker"))):
            store.claim(found.service, found)
            store.release(found.service, found.id)
        for event in STORY:
            store.append(replace(event, run_id=ENDED.id))
    return bare_environment


@pytest.mark.usefixtures("place")
def test_the_runs_of_the_service_and_of_no_other_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["history"]) == ExitCode.DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == SERVICE_ARN
    assert [line.split()[0] for line in lines[2:]] == ["7e", "7d1c0a54"]
    assert run(["history", "--limit", "1", "--output", "json"]) == ExitCode.DONE
    assert [item["id"] for item in json.loads(capsys.readouterr().out)["runs"]] == ["7e"]


@pytest.mark.usefixtures("place")
def test_a_run_is_shown_by_the_beginning_of_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "7d"]) == ExitCode.DONE
    assert "tag1 to the original manifest: no outcome is known" in capsys.readouterr().out
    assert run(["show", "7d", "--output", "json"]) == ExitCode.DONE
    shown = json.loads(capsys.readouterr().out)
    assert (shown["run"]["id"], shown["run"]["seconds"]) == (ENDED.id, 3700)
    assert [entry["count"] for entry in shown["entries"] if entry["kind"] == "samples"] == [2, 3, 1]


def test_the_last_run_of_the_service_is_reported_to_a_file_or_to_stdout(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", "-o", str(place / "report.html")]) == ExitCode.DONE
    assert (place / "report.html").read_text().startswith("<!DOCTYPE html>")
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"Wrote {place / 'report.html'}.\n")
    assert run(["report", "7d", "--output", "json"]) == ExitCode.DONE
    shown = json.loads(capsys.readouterr().out)
    assert (shown["document"], shown["run"]["id"]) == ("report", ENDED.id)
    assert [item["check"] for item in shown["checks"]] == ["deployment", "alarms"]


def test_a_report_on_no_run_and_to_no_place_ends_in_words(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "9"]) == ExitCode.BLOCKED
    assert run(["report", "-o", str(place / "not" / "there.html")]) == ExitCode.USAGE
    (place / "migrate.toml").write_text(_SETTINGS.replace('"web"', '"other"'))
    assert run(["report"]) == ExitCode.BLOCKED
    told = capsys.readouterr()
    assert "No run has touched other." in told.err
    assert "Traceback" not in told.err


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(("prefix", "code"), [("7", ExitCode.USAGE), ("9", ExitCode.BLOCKED), ("", ExitCode.USAGE)])
def test_what_means_no_run_or_several_ends_in_words(
    prefix: str, code: ExitCode, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["show", prefix]) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" not in told.err


def test_a_service_without_a_past_is_no_fault_and_leaves_nothing_behind(
    bare_environment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bare_environment / "migrate.toml").write_text(_SETTINGS)
    assert run(["history"]) == ExitCode.DONE
    assert capsys.readouterr().out == "No run has touched web.\n"
    assert [path.name for path in bare_environment.iterdir()] == ["migrate.toml"]


@pytest.mark.usefixtures("place")
def test_metrics_are_of_the_service_or_of_all_and_go_to_a_file_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["metrics"]) == ExitCode.DONE
    printed = capsys.readouterr().out
    assert 'service="web"' in printed
    assert 'service="worker"' not in printed
    file = tmp_path / "migrate.prom"
    assert run(["metrics", "-o", str(file)]) == ExitCode.DONE
    assert file.read_text() == printed
    assert [path.name for path in tmp_path.iterdir() if "prom" in path.name] == [file.name]
    assert run(["metrics", "--all"]) == ExitCode.DONE
    assert 'service="worker"' in capsys.readouterr().out
    assert run(["metrics", "-o", str(tmp_path / "no" / "such" / "place")]) == ExitCode.USAGE
    assert "cannot be written" in " ".join(capsys.readouterr().err.split())
