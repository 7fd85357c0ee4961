"""A fleet on PostgreSQL, as its operators run it: two workers, one of which dies in the middle."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from migrate.adapters.store.fleet_store import SqlFleetStore
from tests.e2e.conftest import Operator
from tests.e2e.fleet_scene import SERVICES, FleetScene, a_fleet
from tests.postgresql import PostgresqlServer

pytestmark = pytest.mark.e2e


@pytest.fixture
def scene(operator: Operator, postgresql: PostgresqlServer, tmp_path: Path) -> FleetScene:
    return a_fleet(operator, tmp_path / "fleet", postgresql.database())


def running(scene: FleetScene) -> dict[str, str]:
    """Return the worker of each service that is being worked on, as the database has it."""
    with SqlFleetStore(scene.url, lambda: datetime.now(UTC)) as store:  # noqa: TID251 - nothing is written here
        names = {worker.id: worker.name for worker in store.workers()}
        found = [entry for run in store.fleet_runs() for entry in store.entries(run.id)]
    return {
        entry.member.service: names[entry.worker] for entry in found if entry.worker in names and not entry.finished_at
    }


def at_work(scene: FleetScene) -> dict[str, str]:
    """Look until two workers are there and one of them works on something; return who works on what."""

    @retry(stop=stop_after_delay(60), wait=wait_fixed(0.2), retry=retry_if_exception_type(AssertionError), reraise=True)
    def looked() -> dict[str, str]:
        found = running(scene)
        with SqlFleetStore(scene.url, lambda: datetime.now(UTC)) as store:  # noqa: TID251 - nothing is written here
            assert len(store.workers()) == 2
        assert found
        return found

    return looked()


def test_the_services_of_a_worker_that_is_killed_are_finished_by_the_other(scene: FleetScene) -> None:
    with scene.worker(2) as one, scene.worker(2) as two, scene.driver("apply", "--stage", "0", "--yes") as driver:
        found = at_work(scene)
        pid = int(next(iter(found.values())).rpartition(":")[2])
        doomed, heir = (one, two) if one.pid == pid else (two, one)
        had = {name for name, worker in found.items() if worker.endswith(f":{doomed.pid}")}
        doomed.send_signal(signal.SIGKILL)
        out, err = driver.communicate(timeout=120)
        assert driver.returncode == 0, out + err
        status = json.loads(out)
        assert [name.rpartition(":")[2] for name in status["workers"]] == [str(heir.pid)]
    assert {item["service"]: item["exit_code"] for item in status["members"]} == dict.fromkeys(SERVICES, 0)
    again = {item["service"] for item in status["members"] if item["attempt"] > 1}
    assert had
    assert had <= again
    ecs = scene.operator.aws("ecs")
    for service in ecs.describe_services(cluster="demo", services=list(SERVICES))["services"]:
        assert service["capacityProviderStrategy"][0]["capacityProvider"] == "FARGATE"
        assert len(service["deployments"]) == 1
