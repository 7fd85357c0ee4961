"""A process that was stopped for too long: another run follows it, and the first one stops without a word or an act."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import column, create_engine, select, table, text

from migrate.adapters.store.database import parse_url
from migrate.adapters.store.record_store import SqlRecordStore
from migrate.errors import ExitCode, LockedError
from tests.fakes.records import SERVICE_ARN, a_run

ROOT = Path(__file__).parents[2]
SECONDS = 120


@pytest.mark.parametrize("kind", ["note", "outcome"])
def test_a_stopped_process_that_goes_on_writes_nothing_once_another_run_has_the_service(
    database_url: str, kind: str
) -> None:
    """``note`` is the first preview, before any act on a stack; ``outcome`` the end of the first act of all."""
    mine = a_run("run-awake", process=os.getpid())
    with stopped(database_url, kind) as sleeper, SqlRecordStore(database_url) as store:
        with pytest.raises(LockedError, match="Run run-asleep holds"):
            store.claim(SERVICE_ARN, mine)
        fall_silent(database_url)
        store.claim(SERVICE_ARN, mine)
        read = store.record(SERVICE_ARN)
        assert read is not None
        record, evidence = store.save_record(SERVICE_ARN, replace(read, adopted=True)), store.events("run-asleep")
        workflows = kept(database_url)
        sleeper.send_signal(signal.SIGCONT)
        out, err = sleeper.communicate(timeout=SECONDS)
        ended = json.loads(out)
        assert (err, ended["code"]) == ("", ExitCode.LOCKED)
        assert ended["told"].startswith(f"This run has lost {SERVICE_ARN}.")
        assert "up_service" not in ended["calls"]
        assert store.record(SERVICE_ARN) == record
        assert store.events("run-asleep") == evidence
        assert kept(database_url) == workflows, "nor does the durable engine keep anything of it"
        store.hold(SERVICE_ARN, "run-awake")


@contextmanager
def stopped(url: str, kind: str) -> Iterator[subprocess.Popen[str]]:
    """Give the process once it has stopped itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.stalling", url, kind],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    try:
        assert os.WIFSTOPPED(status), process.communicate(timeout=SECONDS)
        yield process
    finally:
        process.kill()
        process.communicate(timeout=SECONDS)


def fall_silent(url: str) -> None:
    """Let two minutes pass for the database."""
    database = create_engine(parse_url(url))
    with database.begin() as connection:
        connection.execute(text("UPDATE migrate_claims SET heard_at = heard_at - 120"))
    database.dispose()


def kept(url: str) -> list[tuple[object, ...]]:
    """Return what the durable engine has kept of the run that was stopped."""
    parsed = parse_url(url)
    schema = None if parsed.drivername == "sqlite" else "dbos"
    database = create_engine(parsed)
    with database.connect() as connection:
        rows: list[tuple[object, ...]] = []
        for name, what in (("operation_outputs", "function_id"), ("workflow_status", "status")):
            there = table(name, column("workflow_uuid"), column(what), column("error"), schema=schema)
            query = select(there.c[what], there.c.error).where(there.c.workflow_uuid == "run-asleep")
            rows += [tuple(row) for row in connection.execute(query)]
    database.dispose()
    return rows
