"""What everybody who paces calls must do; run over one process's memory, over SQLite and over PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from migrate.adapters.rate_limits import ProcessRateLimits
from migrate.adapters.store.rate_limits import SqlRateLimits
from migrate.core.rate_limits import ApiGroup, Rate
from migrate.read_ports import RateLimits

SLOW = ApiGroup("a group that nearly never fills", Rate(10, 0.01), "this test")
BURST = 9
"""Nine tenths of ten."""

Opener = Callable[[], RateLimits]


@pytest.fixture
def open_limits(state_url: str | None) -> Iterator[Opener]:
    """Give what opens the limits once more, as another worker would."""
    if state_url is None:
        one = ProcessRateLimits()
        yield lambda: one
        return
    opened: list[SqlRateLimits] = []

    def another() -> RateLimits:
        opened.append(SqlRateLimits(state_url))
        return opened[-1]

    yield another
    for limits in opened:
        limits.close()


def at_once(waits: list[float]) -> int:
    return sum(wait < 1 for wait in waits)


def test_a_full_bucket_lets_its_burst_through_and_then_one_call_after_the_other(open_limits: Opener) -> None:
    limits = open_limits()
    waits = [limits.reserve("1", "eu-west-1", SLOW) for _ in range(BURST + 2)]
    assert at_once(waits) == BURST
    # A call flows in every 111 s; nothing that a test takes makes a difference to that.
    assert waits[-2:] == pytest.approx([111, 222], rel=0.2)


def test_workers_share_one_bucket(open_limits: Opener) -> None:
    first, second = open_limits(), open_limits()
    waits = [limits.reserve("1", "eu-west-1", SLOW) for _ in range(BURST) for limits in (first, second)]
    assert at_once(waits) == BURST


def test_accounts_regions_and_groups_have_their_own(open_limits: Opener) -> None:
    limits = open_limits()
    for _ in range(BURST + 1):
        limits.reserve("1", "eu-west-1", SLOW)
    other = ApiGroup("another group", Rate(10, 0.01), "this test")
    assert limits.reserve("2", "eu-west-1", SLOW) < 1
    assert limits.reserve("1", "us-east-1", SLOW) < 1
    assert limits.reserve("1", "eu-west-1", other) < 1
    assert limits.reserve("1", "eu-west-1", SLOW) > 1


def test_threads_of_several_workers_never_get_more_than_the_burst(open_limits: Opener) -> None:
    workers, together = [open_limits() for _ in range(3)], threading.Barrier(12)

    def ask(number: int) -> float:
        together.wait(60)
        return workers[number % 3].reserve("1", "eu-west-1", SLOW)

    with ThreadPoolExecutor(12) as pool:
        waits = list(pool.map(ask, range(12)))
    assert at_once(waits) == BURST


def test_without_its_database_a_worker_keeps_to_what_it_knows_itself(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no directory", encoding="utf-8")
    now = [100.0]
    with SqlRateLimits(f"sqlite:///{tmp_path}/state/migrate.sqlite", seconds=lambda: now[0]) as limits:
        waits = [limits.reserve("1", "eu-west-1", SLOW) for _ in range(BURST + 1)]
        assert at_once(waits) == BURST
        (tmp_path / "state").unlink()
        assert limits.reserve("1", "eu-west-1", SLOW) > 1
        now[0] += 60
        assert limits.reserve("1", "eu-west-1", SLOW) < 1
