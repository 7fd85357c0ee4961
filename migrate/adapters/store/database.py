"""One SQL database behind the store: SQLite in a file or PostgreSQL, its transactions, tables and errors."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Double,
    Engine,
    create_engine,
    event,
    extract,
    func,
    inspect,
    literal_column,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random

from migrate.adapters.store.migrations import MIGRATIONS
from migrate.adapters.store.tables import SCHEMA
from migrate.errors import AccessError, BlockedError, SettingsError

_BUSY_TIMEOUT_S = 30
_UNIX_DAY = 2440587.5
"""The julian day of 1970-01-01 (SQLite, "Date And Time Functions")."""

_ADVISORY_LOCK = 0x6D696772
"""Key of the PostgreSQL advisory lock that our exclusive transactions share ("migr")."""


class Database:
    """Opens lazily: nothing is created before the first write, and reading what is not there finds nothing.

    Every connection raises AccessError where the database does not answer or may not be used, and BlockedError where a
    newer version has written it.
    """

    def __init__(self, url: str) -> None:
        self._url = parse_url(url)
        self._file = _sqlite_file(self._url)
        self._engine = _engine(self._url)
        self._opening = Lock()
        self._current = False

    @property
    def name(self) -> str:
        """The database in words for people, without a password."""
        return self._url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    def schema(self) -> tuple[int | None, int]:
        """Return the version of the tables, and the newest one known; None where there is no database yet.

        Unlike every other look it brings nothing up to date. Raises AccessError.
        """
        newest = MIGRATIONS[-1].number
        if self._file is not None and not self._file.exists():
            return None, newest
        with self._translated(), self._engine.begin() as connection:
            return _version(connection), newest

    @contextmanager
    def reading(self) -> Iterator[Connection | None]:
        """Give a connection for reads; None where the database has not been made yet."""
        if self._file is not None and not self._file.exists():
            yield None
            return
        with self._translated():
            self._bring_up_to_date()
            with self._engine.begin() as connection:
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection inside a transaction that nobody else's exclusive transaction overlaps."""
        with self._translated():
            self._bring_up_to_date()
            with self._exclusive() as connection:
                yield connection

    @contextmanager
    def counting(self) -> Iterator[Connection]:
        """Give a connection for one statement that is right by itself, and waits for nobody else's transaction."""
        with self._translated():
            self._bring_up_to_date()
            options = {"migrate_exclusive": self._file is not None}
            with self._engine.connect().execution_options(**options) as connection, connection.begin():
                yield connection

    @contextmanager
    def _exclusive(self) -> Iterator[Connection]:
        options = {"migrate_exclusive": True}
        with self._engine.connect().execution_options(**options) as connection, connection.begin():
            if self._file is None:
                connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            yield connection

    def _bring_up_to_date(self) -> None:
        with self._opening:
            if self._current:
                return
            if self._file is not None:
                _make_private_file(self._file)
            with self._engine.begin() as connection:
                version = _version(connection)
            if version != MIGRATIONS[-1].number:
                with self._exclusive() as connection:
                    self._migrate(connection, _version(connection))
            self._current = True

    def _migrate(self, connection: Connection, version: int) -> None:
        newest = MIGRATIONS[-1].number
        if version > newest:
            raise BlockedError(
                f"The state in {self.name} was written by a newer version of migrate.",
                why=f"Its tables have version {version}; this program knows versions up to {newest}.",
                then="Use the newer version of migrate for every service that is kept there.",
                runbook="errors#state",
            )
        SCHEMA.create(connection, checkfirst=True)
        for migration in MIGRATIONS[version:]:
            migration.apply(connection)
            connection.execute(SCHEMA.insert().values(version=migration.number, name=migration.name))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            raise AccessError(
                f"The state in {self.name} cannot be read or written.",
                why=_reason(error),
                then="Check that the path or server that MIGRATE_DATABASE_URL names is there, writable and not full.",
                runbook="errors#state",
            ) from error


def clock_seconds(dialect: str) -> ColumnElement[Any]:
    """Return the database's clock in SQL, the one that all its users share, in seconds since 1970.

    As it is when the row is at hand, not when the transaction began.
    """
    if dialect == "postgresql":
        return extract("epoch", func.clock_timestamp()).cast(Double)
    return (func.julianday("now") - literal_column(str(_UNIX_DAY))) * 86400.0


def parse_url(url: str) -> URL:
    """Read a database URL; ``postgres:`` and ``postgresql:`` mean psycopg 3, the driver that is installed.

    Raises SettingsError for anything but SQLite in a file and PostgreSQL. The text is never repeated: it may hold a
    password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise _not_usable("It is not a URL.") from error
    if parsed.drivername in {"postgres", "postgresql"}:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "postgresql+psycopg":
        return parsed
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"} and parsed.database and parsed.database != ":memory:":
        return parsed.set(drivername="sqlite")
    raise _not_usable(f"It names {parsed.drivername}" + ("" if parsed.database else " without a database") + ".")


def is_shared(url: str) -> bool:
    """Tell a database on a server, which other machines reach too, from a file. Raises as parse_url."""
    return _sqlite_file(parse_url(url)) is None


def _not_usable(why: str) -> SettingsError:
    return SettingsError(
        "The database URL cannot be used.",
        why=why,
        then="Write sqlite:///path/to/file or postgresql://user@host/database in MIGRATE_DATABASE_URL.",
    )


def _sqlite_file(url: URL) -> Path | None:
    return Path(url.database or "") if url.drivername == "sqlite" else None


def _make_private_file(path: Path) -> None:
    """Make the file and its folder for the owner alone: task definitions often hold secrets as plain environment."""
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (path.parent / ".gitignore").write_text("*\n")
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _engine(url: URL) -> Engine:
    if url.drivername != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # Without this the driver begins transactions by itself, late, and two readers that both go on to write dead-lock
    # (SQLAlchemy documentation, SQLite dialect, "Enabling Non-Legacy SQLite Transactional Modes").
    connection.isolation_level = None
    _to_write_ahead_log(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


@retry(
    retry=retry_if_exception_type(sqlite3.OperationalError),
    wait=wait_random(0.01, 0.1),
    stop=stop_after_delay(_BUSY_TIMEOUT_S),
    reraise=True,
)
def _to_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch a new file over. While another connection writes to it, as the engine may, SQLite refuses that at once.

    Its own time-out does not hold where a read becomes a write (sqlite3_busy_handler documentation), which this does.
    """
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: Connection) -> None:
    exclusive = connection.get_execution_options().get("migrate_exclusive", False)
    connection.execute(text("BEGIN IMMEDIATE" if exclusive else "BEGIN"))


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table(SCHEMA.name):
        return 0
    return connection.execute(select(func.max(SCHEMA.c.version))).scalar() or 0


def _reason(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return f"{str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__}."
