"""What Ctrl-C and SIGTERM do to a run over a fleet, and where it is shown."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rich.console import Console

from migrate.adapters.store.fleet_store import SqlFleetStore
from migrate.adapters.store.record_store import SqlRecordStore
from migrate.adapters.system_clock import SystemClock
from migrate.cli.fleet_runs import Looking
from migrate.cli.fleet_screen import FleetJson, FleetLines, FleetTable
from migrate.cli.hearing import AT_ONCE, Heard, hearing
from migrate.config import read_environment
from migrate.core.fleet.report import FleetReport
from migrate.core.fleet.run import MemberState, Worker, decide
from migrate.worker_wiring import FleetPlace
from migrate.workflows.fleet import report
from migrate.workflows.fleet_worker import FleetTools, FleetWorker
from tests.fakes.clock import FakeClock
from tests.fakes.fleet import NOON, ListedQueue, ScriptedRunner, a_fleet_run, a_member

RUN, ENTRIES = a_fleet_run([a_member("api"), a_member("web")])


@dataclass
class Scene:
    place: FleetPlace
    heard: Heard
    runner: ScriptedRunner
    looking: Looking

    def look(self) -> bool:
        return self.looking.on(report(self.place.store, RUN))

    @property
    def held(self) -> bool:
        run = self.place.store.fleet_run(RUN.id)
        return run is not None and run.hold


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    url = f"sqlite:///{tmp_path / 'migrate.sqlite'}"
    environment = read_environment({"MIGRATE_DATABASE_URL": url}, directory=tmp_path)
    with SqlFleetStore(url, lambda: NOON) as store, SqlRecordStore(url) as records:
        store.begin(RUN, ENTRIES)
        place, heard, runner = FleetPlace(environment, store, records, SystemClock()), Heard(), ScriptedRunner()
        tools = FleetTools(store, ListedQueue(), runner, FakeClock(), lambda _: False, lambda _: None)
        worker = FleetWorker(tools, Worker("w", "here", 1, "machine", None, 1))
        yield Scene(place, heard, runner, Looking(place, FleetLines(), heard, worker))


def test_it_looks_on_while_nothing_is_said(scene: Scene) -> None:
    assert scene.look()
    assert (scene.held, scene.runner.held) == (False, False)


def test_ctrl_c_lets_nobody_else_begin_and_those_under_way_go_on(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.heard.presses = 1
    assert scene.look()
    assert scene.look()
    assert (scene.held, scene.runner.held) == (True, False)
    assert capsys.readouterr().err.count("Holding: no further service begins") == 1


def test_ctrl_c_once_more_stops_those_of_this_process(scene: Scene) -> None:
    scene.heard.presses = 2
    assert not scene.look()
    assert scene.runner.held


def test_sigterm_leaves_the_run_to_other_workers(scene: Scene) -> None:
    scene.heard.told_to_end = True
    assert not scene.look()
    assert (scene.held, scene.runner.held) == (False, True)


def test_signals_are_put_down_and_the_third_ctrl_c_stops_at_once() -> None:
    with hearing() as heard:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        assert (heard.told_to_end, heard.presses) == (True, 1)
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        assert heard.presses == AT_ONCE


def looks() -> tuple[FleetReport, FleetReport]:
    running = (replace(ENTRIES[0], state=MemberState.RUNNING, worker="w", text="up"), ENTRIES[1])
    before, after = (
        FleetReport(RUN, entries, decide(RUN, [entry.standing for entry in entries])) for entries in (ENTRIES, running)
    )
    return before, after


def test_json_tells_a_member_again_when_it_stands_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    screen = FleetJson()
    for look in (*looks(), looks()[1]):
        screen.show(look, {})
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(item["document"], item["service"], item["state"]) for item in told] == [
        ("fleet_event", "api", "waiting"),
        ("fleet_event", "web", "waiting"),
        ("fleet_event", "api", "running"),
    ]


def test_a_table_is_redrawn_and_what_is_said_stays() -> None:
    out = io.StringIO()
    screen = FleetTable(Console(file=out, force_terminal=True, width=100, height=12, highlight=False))
    for look in looks():
        screen.show(look, {"w": "build-1:7"})
    screen.say("Holding.")
    screen.close()
    assert "build-1:7" in out.getvalue()
    assert "Holding." in out.getvalue()
