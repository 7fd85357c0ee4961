"""SIGKILL at any moment, of the process or of all that it had started: `migrate resume` comes to the same end.

Kills are placed by what the process tells on standard error, an event a line; nothing in the product knows of them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.killing import (
    Disturbed,
    Kill,
    Undisturbed,
    at_work,
    kills_of,
    nothing_happens,
    seen,
    unlike,
)

pytestmark = [pytest.mark.e2e]

SAMPLE: dict[str, tuple[Kill, ...]] = {
    "stage 0": (
        Kill("intent", "adopt: up", machine=True),
        Kill("outcome", "baseline image stack: up"),
        Kill("intent", "stage 0 service stack: up"),
    ),
    "stage 1": (
        Kill("intent", "build index: up"),
        Kill("outcome", "publish index: up", machine=True),
        Kill("outcome", "stage 1 service stack: up"),
        Kill("measurement", "gate 1", machine=True),
    ),
    "stage 2": (
        Kill("note", "stage 2 service stack: preview"),
        Kill("outcome", "stage 2 service stack: up", machine=True),
        Kill("measurement", "gate 2", seconds=0.2),
    ),
    "stage 3": (
        Kill("intent", "stage 3 service stack, step 1 of 2: up", machine=True),
        Kill("verdict", "gate 3, step 1 of 2"),
    ),
    "rollback": (
        Kill("intent", "refresh"),
        Kill("outcome", "restore tag", machine=True),
        Kill("outcome", "launch type"),
    ),
}
"""Kills at the places where most is at stake, in the order in which a migration comes past them."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Carry the same migration out in a sandbox of its own, where nobody kills anything."""
    return nothing_happens(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture
def disturbed(tmp_path: Path) -> Iterator[Disturbed]:
    """Give an operator whose processes are to be killed, in a fresh sandbox."""
    with at_work(tmp_path) as operator:
        one = Disturbed(operator)
        try:
            yield one
        finally:
            one.clear_away()


@pytest.mark.timeout(1500)
def test_fifteen_kills_where_most_is_at_stake(undisturbed: Undisturbed, disturbed: Disturbed) -> None:
    for leg, kills in SAMPLE.items():
        disturbed.carry_out(leg, kills)
        assert not unlike(seen(disturbed.operator), undisturbed.found[leg]), (leg, disturbed.done)
    assert len(disturbed.done) == sum(len(kills) for kills in SAMPLE.values()) == 15


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_kills_at_every_boundary_and_at_random_moments(
    undisturbed: Undisturbed, disturbed: Disturbed, capsys: pytest.CaptureFixture[str]
) -> None:
    for leg, kills in kills_of(undisturbed, int(os.environ.get("MIGRATE_KILL_SEED", "1"))).items():
        disturbed.carry_out(leg, kills)
        assert not unlike(seen(disturbed.operator), undisturbed.found[leg]), (leg, disturbed.done)
        with capsys.disabled():
            sys.stdout.write(f"\n{leg}: kills_total {len(disturbed.done)}, kills_resumed {len(disturbed.done)}\n")
    assert len(disturbed.done) >= 60
