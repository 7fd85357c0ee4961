"""What people read, whole: a change of a word shows in the snapshots."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import RenderableType
from syrupy.assertion import SnapshotAssertion

from migrate.core.cost.cost import UnknownPrice
from migrate.core.evidence import EventKind
from migrate.core.outcome import RunOutcome
from migrate.core.stages import Position, Stage
from migrate.core.status import Status, status_of
from migrate.errors import BlockedError, ExitCode, RollbackIncompleteError, SettingsError
from migrate.render import text
from tests.fakes.facts import (
    ARM64,
    NEW,
    SPOT,
    built,
    definition,
    deployment,
    multi_platform,
    observation,
    record,
    service,
    settings,
    tasks,
)
from tests.fakes.facts import IMAGE as REFERENCE
from tests.fakes.records import NOON, a_run, an_event

SETTINGS = settings(soak=timedelta(minutes=2), alarms=("web-errors",))


def a_status() -> Status:
    from migrate.core.observation import ContainerImage

    now = observation(
        service=service(deployment("D9", NEW), strategy=SPOT),
        task_definition=definition(architecture=ARM64.value, arn=NEW),
        tasks=(*tasks(1, NEW, architecture="arm64"), *tasks(3, NEW, architecture="arm64", provider="FARGATE_SPOT")),
        images=(ContainerImage("app", REFERENCE, multi_platform()),),
    )
    known = record(
        adopted=True,
        index=built(),
        arm64_task_definition_arn=NEW,
        position=Position(Stage.ARCHITECTURE, entered=Stage.CAPACITY),
    )
    run = replace(a_run(), status="held", finished_at=NOON + timedelta(minutes=3))
    return status_of(now, known, SETTINGS, run)


OUTCOMES = {
    code: RunOutcome(
        run_id="run-1",
        exit_code=code,
        stage=Stage.IMAGE,
        text=f"The stage ended as {code.name.lower()}.",
        reasons=("deployment: ecs-svc/1 is no longer PRIMARY", "alarms: web-errors is in ALARM: 5 datapoints > 1"),
        then="Do what the runbook says.",
        runbook="" if code is ExitCode.DONE else "gates#deployment",
    )
    for code in (ExitCode.DONE, ExitCode.ROLLED_BACK, ExitCode.ROLLBACK_INCOMPLETE, ExitCode.HELD)
}

SHOWN: dict[str, RenderableType] = {
    "status": text.status(a_status()),
    "status after somebody else": text.status(replace(a_status(), drift=("its capacity is FARGATE weight 1 base 0",))),
    **{f"outcome {code.name.lower()}": text.outcome(outcome) for code, outcome in OUTCOMES.items()},
    "error": text.error(BlockedError("It cannot start.", why="Preflight found 1 thing.", then="Mend it.")),
    "error without a reason": text.error(SettingsError("migrate.toml is missing.", then="Run `migrate init`.")),
    "error of the night": text.error(RollbackIncompleteError("ROLLBACK NOT COMPLETE.", why="0 of 4.", then="Page.")),
}


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", SHOWN)
def test_what_people_read(name: str, width: int, snapshot: SnapshotAssertion) -> None:
    shown = text.shown(SHOWN[name], width=width, colour=False)
    assert all(len(line) <= width for line in shown.splitlines())
    assert shown == snapshot


def test_colour_is_only_there_where_it_is_wanted() -> None:
    assert "\x1b[" in text.shown(SHOWN["error"], width=80, colour=True)
    assert "\x1b[" not in text.shown(SHOWN["error"], width=80, colour=False)


def test_a_price_that_is_not_known_is_said_to_be() -> None:
    assert text.price(UnknownPrice("Rates of mars-1 are not known.")) == "unknown"


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_of_event_is_one_line(kind: EventKind) -> None:
    line = text.event(an_event("a\nb\x1b[31m\x00c", kind=kind))
    assert line.startswith("12:00:00  ")
    assert line.endswith("a b [31m c")
    assert line.isprintable()


def test_text_of_others_is_no_markup() -> None:
    shown = text.shown(
        text.error(SettingsError("[red]x[/red] [/]", why="[bold", then="[link=x]")), width=80, colour=True
    )
    assert "[red]x[/red] [/]" in shown
    assert "[bold" in shown


def test_a_path_in_an_error_is_never_broken(tmp_path: Path) -> None:
    long = tmp_path / ("folder-" * 20) / "migrate.toml"
    told = text.shown(
        text.error(SettingsError("There is none.", why=f"{long} is missing.", then="Write it.")), width=60, colour=False
    )
    assert str(long) in told.split()
