"""Runs looked back at, as people read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from migrate.core.run.audit import audit
from migrate.render import history
from migrate.render.history import duration
from migrate.render.text import shown
from tests.fakes.records import NOON, SERVICE_ARN, a_run
from tests.fakes.story import STORY

RUN = replace(
    a_run("7d1c0a54-3b6e-4c1b-9d53-1f0a6a4c2e11"),
    stage=2,
    status="rollback_incomplete",
    finished_at=NOON + timedelta(seconds=3700),
)
RUNS = (
    replace(RUN, id="91aa2b1e-0", verb="rollback", stage=-1, status="running", finished_at=None, operator="grace"),
    RUN,
    replace(RUN, id="5e0c11d2-0", status="superseded"),
    replace(RUN, id="0b7f9a30-0", stage=0, status="done", finished_at=NOON + timedelta(days=2, minutes=5)),
)


@pytest.mark.parametrize("width", [100, 80])
def test_the_runs_of_a_service(snapshot: SnapshotAssertion, width: int) -> None:
    assert shown(history.history(SERVICE_ARN, RUNS, left_out=3), width=width, colour=False) == snapshot


def test_a_service_that_no_run_has_touched(snapshot: SnapshotAssertion) -> None:
    assert shown(history.history("web", ()), width=100, colour=False) == snapshot


@pytest.mark.parametrize("width", [110, 80])
def test_one_run_whole(snapshot: SnapshotAssertion, width: int) -> None:
    assert shown(history.audit(audit(RUN, STORY)), width=width, colour=False) == snapshot


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (7320, "2 h 2 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_a_duration_is_told_in_two_units(seconds: float, told: str) -> None:
    assert duration(timedelta(seconds=seconds)) == told
    assert duration(None) == "-"
