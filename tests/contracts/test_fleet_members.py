"""Looking for the services of a fleet counts with whatever else shares the database: AWS counts it all together."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from migrate.config import read_environment
from migrate.config.fleet import load_fleet
from migrate.wiring import Place
from migrate.worker_wiring import members_of
from tests.bench.fleet_aws import served
from tests.fakes.fleet_account import ACCOUNT, REGION
from tests.postgresql import PostgresqlServer

_FLEET = """
[fleet]
name = "shop"
[defaults.image]
container = "app"
context = "app"
[[services]]
clusters = ["cluster-00", "cluster-01"]
"""


def test_a_look_for_members_takes_from_the_rates_that_workers_of_other_machines_share(
    bare_environment: Path, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, url = bare_environment / "fleet.toml", postgresql.database()
    file.write_text(_FLEET, encoding="utf-8")
    with served(60) as port:
        settings = {"ENDPOINT_URL": f"http://127.0.0.1:{port}", "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}
        for name, value in (settings | {"REGION": REGION, "EC2_METADATA_DISABLED": "true"}).items():
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setenv("MIGRATE_DATABASE_URL", url)
        environment = read_environment(os.environ, directory=bare_environment, config=file)
        found = members_of(load_fleet(file), environment, Place())
    assert len(found) == 60
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT account, region, api_group FROM migrate_rate_limits")).all()
    engine.dispose()
    assert (ACCOUNT, REGION, "ecs service reads") in [tuple(row) for row in rows]
