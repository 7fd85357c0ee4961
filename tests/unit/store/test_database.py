from __future__ import annotations

import socket
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from migrate.adapters.store.database import Database, parse_url
from migrate.adapters.store.migrations import MIGRATIONS
from migrate.adapters.store.record_store import SqlRecordStore
from migrate.errors import AccessError, BlockedError, SettingsError
from tests.fakes.records import SERVICE_ARN, a_record, an_event


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("postgres://ada@host/state", "postgresql+psycopg"),
        ("postgresql://ada@host/state", "postgresql+psycopg"),
        ("postgresql+psycopg://ada@host/state", "postgresql+psycopg"),
        ("sqlite:////state/migrate.sqlite", "sqlite"),
        ("sqlite:///state with blanks/migrate.sqlite", "sqlite"),
    ],
)
def test_urls_that_can_be_used(url: str, driver: str) -> None:
    assert parse_url(url).drivername == driver


@pytest.mark.parametrize("url", ["", "state.db", "mysql://ada:s3cret@host/state", "sqlite://", "sqlite:///:memory:"])
def test_urls_that_cannot_be_used_are_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        parse_url(url)
    assert "s3cret" not in f"{refusal.value} {refusal.value.then}"


def test_reading_what_is_not_there_makes_nothing(tmp_path: Path) -> None:
    with SqlRecordStore(url_of(tmp_path / "state" / "migrate.sqlite")) as store:
        assert store.record(SERVICE_ARN) is None
        assert store.events("run-1") == ()
        assert store.runs(SERVICE_ARN) == ()
        assert store.plan(SERVICE_ARN) is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_the_engine_is_just_making_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "migrate.sqlite"
    engine = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
    engine.execute("CREATE TABLE workflows (id)")
    engine.execute("BEGIN IMMEDIATE")
    done = threading.Timer(0.3, lambda: engine.execute("COMMIT"))
    done.start()
    with SqlRecordStore(url_of(file)) as store:
        assert store.save_record(SERVICE_ARN, a_record()).version
    done.join()
    engine.close()


def test_the_state_is_for_its_owner_alone_and_not_for_git(tmp_path: Path) -> None:
    file = tmp_path / "state" / "migrate.sqlite"
    with SqlRecordStore(url_of(file)) as store:
        store.save_record(SERVICE_ARN, a_record())
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert {mode for name, mode in modes.items() if name.startswith("migrate.sqlite")} == {0o600}
    assert (file.parent / ".gitignore").read_text() == "*\n"


def test_a_folder_that_was_there_is_left_as_it_was(tmp_path: Path) -> None:
    with SqlRecordStore(url_of(tmp_path / "migrate.sqlite")) as store:
        store.save_plans({SERVICE_ARN: "{}"})
    assert not (tmp_path / ".gitignore").exists()


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [migration.number for migration in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


def test_every_migration_is_noted_once(tmp_path: Path) -> None:
    url = url_of(tmp_path / "migrate.sqlite")
    for _ in range(2):
        with SqlRecordStore(url) as store:
            store.save_plans({SERVICE_ARN: "{}"})
    engine = create_engine(url)
    with engine.connect() as connection:
        noted = connection.execute(text("SELECT version, name, applied_at FROM migrate_schema")).all()
    engine.dispose()
    assert [row[:2] for row in noted] == [(migration.number, migration.name) for migration in MIGRATIONS]
    assert all(row[2] for row in noted)


def test_tables_of_a_newer_version_are_refused_and_left_alone(tmp_path: Path) -> None:
    url = url_of(tmp_path / "migrate.sqlite")
    with SqlRecordStore(url) as store:
        store.save_plans({SERVICE_ARN: "{}"})
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO migrate_schema (version, name) VALUES (99, 'from the future')"))
    engine.dispose()
    with SqlRecordStore(url) as store, pytest.raises(BlockedError, match="newer version"):
        store.plan(SERVICE_ARN)


def test_a_file_that_is_no_database_is_told_plainly(tmp_path: Path) -> None:
    file = tmp_path / "migrate.sqlite"
    file.write_text("this is a shopping list, not a database, and long enough to be looked at\n" * 20)
    with SqlRecordStore(url_of(file)) as store, pytest.raises(AccessError) as refusal:
        store.record(SERVICE_ARN)
    assert "not a database" in refusal.value.why
    assert refusal.value.runbook == "errors#state"


def test_a_place_that_cannot_be_written_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with SqlRecordStore(url_of(tmp_path / "state" / "migrate.sqlite")) as store, pytest.raises(AccessError):
        store.save_record(SERVICE_ARN, a_record())


def test_a_server_that_does_not_answer_is_told_without_the_password() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"postgresql://ada:s3cret@127.0.0.1:{unused.getsockname()[1]}/state"
        with SqlRecordStore(url) as store, pytest.raises(AccessError) as refusal:
            store.record(SERVICE_ARN)
    told = f"{refusal.value} {refusal.value.then}"
    assert "127.0.0.1" in told
    assert "s3cret" not in told


PROGRAM = """
import sys
from migrate.adapters.store.record_store import SqlRecordStore
from tests.fakes.records import an_event
with SqlRecordStore(sys.argv[1]) as store:
    for number in range(20):
        store.append(an_event(f"{sys.argv[2]} {number}"))
"""


def test_processes_that_open_a_new_database_at_once_all_write_to_it(tmp_path: Path) -> None:
    url = url_of(tmp_path / "state" / "migrate.sqlite")
    root = Path(__file__).parents[3]
    writers = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, url, name], cwd=root, stderr=subprocess.PIPE)
        for name in "abcd"
    ]
    faults = [writer.communicate(timeout=120)[1].decode() for writer in writers]
    assert faults == [""] * 4
    with SqlRecordStore(url) as store:
        texts = [event.text for event in store.events("run-1")]
    assert sorted(texts) == sorted(f"{name} {number}" for name in "abcd" for number in range(20))
    for name in "abcd":
        assert [text for text in texts if text.startswith(name)] == [f"{name} {number}" for number in range(20)]


def test_a_writer_waits_for_another_one_instead_of_failing(tmp_path: Path) -> None:
    url = url_of(tmp_path / "migrate.sqlite")
    with SqlRecordStore(url) as first, SqlRecordStore(url) as second:
        first.append(an_event("before"))
        with first._database.writing():
            assert [event.text for event in second.events("run-1")] == ["before"], "readers are not kept waiting"
        second.append(an_event("after"))
        assert [event.text for event in first.events("run-1")] == ["before", "after"]


def test_a_record_that_cannot_be_read_stands_for_its_own_service_alone(tmp_path: Path) -> None:
    url = url_of(tmp_path / "migrate.sqlite")
    with SqlRecordStore(url) as store:
        saved = store.save_record("read", a_record())
        store.save_record("of a newer version", a_record())
        engine = create_engine(url)
        with engine.begin() as connection:
            newer = text("UPDATE migrate_records SET body = '{\"more\": 1}' WHERE service = 'of a newer version'")
            assert connection.execute(newer).rowcount == 1
        engine.dispose()
        found = store.records(["read", "of a newer version"])
    assert found["read"] == saved
    assert isinstance(found["of a newer version"], BlockedError)


def test_what_version_the_tables_have_is_told_and_nothing_made_for_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / "migrate.sqlite"
    database, newest = Database(f"sqlite:///{path}"), MIGRATIONS[-1].number
    assert database.schema() == (None, newest)
    assert not path.parent.exists()
    with database.writing():
        pass
    assert database.schema() == (newest, newest)
    database.close()
