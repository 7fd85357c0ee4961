from __future__ import annotations

from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Event

from sqlalchemy import Connection

from migrate.adapters.store.claim_rows import database_seconds
from migrate.adapters.store.heartbeat import Heartbeat
from migrate.adapters.store.record_store import SqlRecordStore
from migrate.errors import AccessError
from tests.fakes.records import SERVICE_ARN, a_run

QUICK, SECONDS = timedelta(milliseconds=1), 60


def test_a_beat_that_fails_is_followed_by_the_next_one() -> None:
    beats, enough = count(1), Event()

    def beat() -> None:
        if next(beats) > 2:
            enough.set()
        raise AccessError("The database is away.", then="Wait.")

    heartbeat = Heartbeat(beat, QUICK)
    for _ in range(2):
        heartbeat.start()
    assert enough.wait(SECONDS)
    for _ in range(2):
        heartbeat.stop()


def test_it_can_be_started_again() -> None:
    beats = Event()
    heartbeat = Heartbeat(beats.set, QUICK)
    for _ in range(2):
        beats.clear()
        heartbeat.start()
        assert beats.wait(SECONDS)
        heartbeat.stop()


def test_a_store_lets_a_claim_be_heard_of_beside_what_its_run_is_busy_with(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'migrate.sqlite'}"
    asked: list[float] = []
    heard = Event()

    def seconds(connection: Connection) -> float:
        asked.append(database_seconds(connection))
        if len(asked) > 2:
            heard.set()
        return asked[-1]

    with SqlRecordStore(url, beat=QUICK, seconds=seconds) as store:
        store.claim(SERVICE_ARN, a_run())
        assert heard.wait(SECONDS), "asked for the time once to claim, and then for each beat"
        store.release(SERVICE_ARN, "run-1")
    assert asked == sorted(asked)
