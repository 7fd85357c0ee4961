"""A database of every older version, with what was in it, is brought to the newest on both kinds of databases.

``state/version_N.json`` holds the rows as the program of version N wrote them. What was released is never edited: a new
version of the tables gets a new file: that of the version before, and a row for every table that has come since.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, Table, create_engine, insert, select

from migrate.adapters.store.database import parse_url
from migrate.adapters.store.migrations import MIGRATIONS
from migrate.adapters.store.record_store import SqlRecordStore
from migrate.adapters.store.tables import METADATA, SCHEMA
from migrate.core.evidence import EventKind
from migrate.errors import LockedError
from tests.fakes.record_store import FakeProcesses
from tests.fakes.records import SERVICE_ARN, a_record, a_run, an_event

NEWEST = MIGRATIONS[-1].number
OLDER = range(1, NEWEST)


def rows_of(version: int) -> dict[str, list[dict[str, Any]]]:
    path = Path(__file__).parent / "state" / f"version_{version}.json"
    rows: dict[str, list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
    return rows


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def make(url: str, version: int) -> None:
    """Make the database as the program of that version left it."""
    with connected(url) as connection:
        SCHEMA.create(connection)
        for migration in MIGRATIONS[:version]:
            migration.apply(connection)
            connection.execute(insert(SCHEMA).values(version=migration.number, name=migration.name))
        for name, rows in rows_of(version).items():
            connection.execute(insert(Table(name, MetaData(), autoload_with=connection)), rows)


@pytest.mark.parametrize("version", OLDER)
def test_what_an_older_version_wrote_is_read_and_gone_on_with(database_url: str, version: int) -> None:
    make(database_url, version)
    processes = FakeProcesses(running={4711: "tick 1", 4712: "tick 2"})
    with SqlRecordStore(database_url, processes=processes) as store:
        record = store.record(SERVICE_ARN)
        assert record == replace(a_record(), version=2, adopted=True)
        assert [(run.id, run.status) for run in store.runs(SERVICE_ARN)] == [("run-2", "running"), ("run-1", "done")]
        assert store.events("run-1") == (
            an_event("line 1"),
            an_event("Stage 1 is proven.", kind=EventKind.FINISHED, status="done"),
        )
        assert store.plan(SERVICE_ARN) == '{"stage": 1, "text": "naïve ☂"}'
        assert store.save_record(SERVICE_ARN, replace(record, last_deployment_id="next")).version == 3
        store.append(an_event("line 3"))
        assert [event.text for event in store.events("run-1")][-1] == "line 3"


@pytest.mark.parametrize("version", OLDER)
def test_a_run_that_an_older_version_left_still_holds_its_service_until_its_process_is_gone(
    database_url: str, version: int
) -> None:
    make(database_url, version)
    processes = FakeProcesses(running={4711: "tick 1", 4712: "tick 2"})
    wanted = a_run("run-3", process=4712)
    with SqlRecordStore(database_url, processes=processes) as store:
        with pytest.raises(LockedError, match="Run run-2 holds"):
            store.claim(SERVICE_ARN, wanted)
        del processes.running[4711]
        store.claim(SERVICE_ARN, wanted)
        store.hold(SERVICE_ARN, "run-3")
        assert [(run.id, run.status) for run in store.runs(SERVICE_ARN)][:2] == [
            ("run-3", "running"),
            ("run-2", "superseded"),
        ]


@pytest.mark.parametrize("version", [0, *OLDER])
def test_every_version_leads_to_the_tables_that_the_program_uses(database_url: str, version: int) -> None:
    if version:
        make(database_url, version)
    with SqlRecordStore(database_url) as store:
        store.save_plans({"another service": "{}"})
    with connected(database_url) as connection:
        made = MetaData()
        made.reflect(connection)
        noted = connection.execute(select(SCHEMA.c.version, SCHEMA.c.name).order_by(SCHEMA.c.version)).all()
        left = {
            name: [dict(row) for row in connection.execute(select(made.tables[name])).mappings()]
            for name in (rows_of(version) if version else ())
        }
    assert [tuple(row) for row in noted] == [(migration.number, migration.name) for migration in MIGRATIONS]
    assert {name: shape(table) for name, table in made.tables.items()} == {
        name: shape(table) for name, table in METADATA.tables.items()
    }
    for name, rows in (rows_of(version) if version else {}).items():
        for row in rows:
            assert any(row.items() <= there.items() for there in left[name]), f"{name} has lost {row}"


def test_a_database_of_a_version_has_its_rows_in_a_file() -> None:
    there = {int(path.stem.partition("_")[2]) for path in (Path(__file__).parent / "state").glob("version_*.json")}
    assert there == set(OLDER)
    for version in OLDER:
        tables = {name for name in rows_of(version) if rows_of(version)[name]}
        made = MetaData()
        engine = create_engine("sqlite://")
        with engine.begin() as connection:
            for migration in MIGRATIONS[:version]:
                migration.apply(connection)
            made.reflect(connection)
        engine.dispose()
        assert tables == set(made.tables), "every table of that version has a row"


def shape(table: Table) -> tuple[object, ...]:
    columns = [(column.name, bool(column.nullable), bool(column.primary_key)) for column in table.columns]
    unique = {tuple(sorted(index.columns.keys())) for index in table.indexes if index.unique}
    return columns, {index.name for index in table.indexes if not index.unique}, unique
