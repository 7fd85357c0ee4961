"""A PostgreSQL server of the tests' own: Debian's programs, a folder of its own, and no port at all."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

_START_SECONDS = 60
_QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=16MB", "max_connections=80")
"""What a server may do that nobody will start again after the power has failed."""


@dataclass(slots=True)
class PostgresqlServer:
    """A server that listens on a socket in ``directory``."""

    directory: Path
    user: str
    _names: Iterator[int]

    def url(self, database: str) -> str:
        """Return the URL of a database, as an operator would write it."""
        return f"postgresql://{self.user}@/{database}?host={self.directory}"

    def database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"state_{next(self._names)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)


def missing() -> str | None:
    """Say why no server can be started here; None where one can."""
    if _programs() is None:
        return "PostgreSQL is not installed (on Debian: apt-get install postgresql)"
    return None


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Run a server until the end of the block; it refuses to be run by root, and then runs as somebody who may less."""
    programs, user = _programs(), _user()
    assert programs is not None, missing()
    directory = Path(tempfile.mkdtemp(prefix="migrate-pg-"))
    try:
        shutil.chown(directory, user.pw_uid, user.pw_gid)
        data = directory / "data"
        other = None if user.pw_uid == os.geteuid() else user.pw_uid
        group = None if other is None else user.pw_gid
        subprocess.run(
            [programs / "initdb", "--pgdata", data, "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C"],
            check=True,
            capture_output=True,
            timeout=_START_SECONDS,
            cwd="/",
            user=other,
            group=group,
        )
        options = [part for option in _QUICK for part in ("-c", option)]
        with (directory / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", directory, "-c", "listen_addresses=", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                user=other,
                group=group,
            )
        try:
            made = PostgresqlServer(directory, user.pw_name, count(1))
            _answers(made)
            yield made
        finally:
            # Fast shutdown: whoever is still connected is sent away.
            server.send_signal(signal.SIGINT)
            server.wait(_START_SECONDS)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@retry(
    retry=retry_if_exception_type(psycopg.OperationalError),
    stop=stop_after_delay(_START_SECONDS),
    wait=wait_fixed(0.05),
    reraise=True,
)
def _answers(server: PostgresqlServer) -> None:
    psycopg.connect(server.url("postgres")).close()


def _programs() -> Path | None:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    return places[-1] if places else None


def _user() -> pwd.struct_passwd:
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]
