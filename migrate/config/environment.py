"""The environment of the process, read once: where the settings and the state are, and who is at work."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from migrate.core.settings import Settings
from migrate.errors import SettingsError

SETTINGS_FILE = "migrate.toml"
STATE_FOLDER = ".migrate"
DATABASE_FILE = "migrate.sqlite"
_SCHEMES = ("sqlite:", "sqlite+pysqlite:", "postgres:", "postgresql:", "postgresql+psycopg:")


@dataclass(frozen=True, slots=True)
class Environment:
    """What surrounds one run. Paths are absolute; ``database_url`` may hold a password and is never shown.

    ``region`` is AWS_REGION or, without it, AWS_DEFAULT_REGION; None leaves the choice to the profile.
    """

    config: Path
    state_dir: Path
    database_url: str
    operator: str
    host: str
    process: int
    region: str | None


def read_environment(variables: Mapping[str, str], *, directory: Path, config: Path | None = None) -> Environment:
    """Read MIGRATE_CONFIG, MIGRATE_STATE_DIR, MIGRATE_DATABASE_URL and AWS's region from ``variables``.

    ``config`` (the command line) wins over MIGRATE_CONFIG; relative paths start at ``directory``; the state is kept
    beside the settings file unless told otherwise. Empty variables count as absent. Raises SettingsError for a
    database that is neither SQLite nor PostgreSQL.
    """
    file = (directory / (config or variables.get("MIGRATE_CONFIG") or SETTINGS_FILE)).absolute()
    state = (directory / (variables.get("MIGRATE_STATE_DIR") or file.parent / STATE_FOLDER)).absolute()
    url = variables.get("MIGRATE_DATABASE_URL") or f"sqlite:///{state / DATABASE_FILE}"
    if not url.startswith(_SCHEMES):
        raise SettingsError(
            "MIGRATE_DATABASE_URL names no database that can be used.",
            why="It begins neither with sqlite: nor with postgresql:.",
            then="Write sqlite:///path/to/file or postgresql://user@host/database, or leave it out.",
        )
    return Environment(
        config=file,
        state_dir=state,
        database_url=url,
        operator=_operator(),
        host=socket.gethostname(),
        process=os.getpid(),
        region=variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or None,
    )


def effective_region(wish: str | None, settings: Settings, environment: Environment) -> str | None:
    """Return the one region for boto3 and Pulumi alike: the command line, the settings, then the environment.

    boto3 reads only AWS_DEFAULT_REGION while Pulumi's provider reads AWS_REGION too (facts F23), so that both must be
    given this one. None means that the profile decides.
    """
    return wish or settings.service.region or environment.region


def _operator() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under an id that no account has.
        return f"uid {os.getuid()}"
