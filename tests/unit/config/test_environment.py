from __future__ import annotations

import getpass
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.config import effective_region, read_environment
from migrate.core.settings import ImageSettings, ServiceSettings, Settings
from migrate.errors import SettingsError

HERE = Path("/somewhere")


def test_without_a_word_everything_is_here() -> None:
    environment = read_environment({}, directory=HERE)
    assert environment.config == HERE / "migrate.toml"
    assert environment.state_dir == HERE / ".migrate"
    assert environment.database_url == "sqlite:////somewhere/.migrate/migrate.sqlite"
    assert environment.region is None


def test_who_is_at_work() -> None:
    environment = read_environment({}, directory=HERE)
    assert (environment.operator, environment.host) == (getpass.getuser(), socket.gethostname())
    assert environment.process == os.getpid()


def test_the_state_is_kept_beside_the_settings_file() -> None:
    environment = read_environment({"MIGRATE_CONFIG": "web/arm.toml"}, directory=HERE)
    assert environment.config == HERE / "web/arm.toml"
    assert environment.state_dir == HERE / "web/.migrate"


def test_the_command_line_wins_over_the_environment() -> None:
    environment = read_environment({"MIGRATE_CONFIG": "no.toml"}, directory=HERE, config=Path("/etc/web.toml"))
    assert environment.config == Path("/etc/web.toml")


@pytest.mark.parametrize(("folder", "expected"), [("state", HERE / "state"), ("/var/state", Path("/var/state"))])
def test_another_state_folder(folder: str, expected: Path) -> None:
    environment = read_environment({"MIGRATE_STATE_DIR": folder}, directory=HERE)
    assert environment.state_dir == expected
    assert environment.database_url == f"sqlite:///{expected}/migrate.sqlite"


def test_a_database_for_a_team() -> None:
    url = "postgresql://ada@db/state"
    assert read_environment({"MIGRATE_DATABASE_URL": url}, directory=HERE).database_url == url


def test_empty_variables_count_as_absent() -> None:
    names = ("MIGRATE_CONFIG", "MIGRATE_STATE_DIR", "MIGRATE_DATABASE_URL", "AWS_REGION", "AWS_DEFAULT_REGION")
    assert read_environment(dict.fromkeys(names, ""), directory=HERE) == read_environment({}, directory=HERE)


def test_a_database_that_cannot_be_used_is_refused_without_its_password() -> None:
    with pytest.raises(SettingsError, match="MIGRATE_DATABASE_URL") as refusal:
        read_environment({"MIGRATE_DATABASE_URL": "mysql://ada:s3cret@db/state"}, directory=HERE)
    assert "s3cret" not in f"{refusal.value} {refusal.value.then}"


@pytest.mark.parametrize(
    ("wish", "settings", "variables", "expected"),
    [
        ("a", "b", {"AWS_REGION": "c", "AWS_DEFAULT_REGION": "d"}, "a"),
        (None, "b", {"AWS_REGION": "c", "AWS_DEFAULT_REGION": "d"}, "b"),
        (None, None, {"AWS_REGION": "c", "AWS_DEFAULT_REGION": "d"}, "c"),
        (None, None, {"AWS_DEFAULT_REGION": "d"}, "d"),
        (None, None, {}, None),
    ],
)
def test_one_region_feeds_every_client(
    wish: str | None, settings: str | None, variables: dict[str, str], expected: str | None
) -> None:
    operators = Settings(ServiceSettings("demo", "web"), ImageSettings("app"))
    operators = replace(operators, service=replace(operators.service, region=settings))
    assert effective_region(wish, operators, read_environment(variables, directory=HERE)) == expected
