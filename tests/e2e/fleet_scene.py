"""A fleet in the sandbox: more services beside the demo's, a fleet.toml for them, and workers as processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.conftest import Operator

SERVICES = tuple(f"app-{number}" for number in range(3))

_FLEET = """
[fleet]
name = "shop"
[stop]
hold_between_waves = false
[concurrency]
cluster = 4
[defaults.image]
container = "app"
mode = "external"
[defaults.gate]
interval = "1s"
soak = "2s"
deadline = "2m"
[[services]]
clusters = ["demo"]
tags = { team = "shop" }
"""


@dataclass(frozen=True, slots=True)
class FleetScene:
    """Services of one cluster, and a folder with their fleet.toml; state in the database at ``url``."""

    operator: Operator
    directory: Path
    url: str

    def start(self, *arguments: str, **extra: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "migrate", *arguments],
            cwd=self.directory,
            env={**self.operator.environment, "MIGRATE_DATABASE_URL": self.url, **extra},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def driver(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run a verb over the fleet that leaves all work to workers, as long as the block lasts."""
        with self._ended(self.start("fleet", *arguments, "--concurrency", "0", "--output", "json")) as process:
            yield process

    @contextmanager
    def worker(self, concurrency: int) -> Iterator[subprocess.Popen[str]]:
        """Run a worker as long as the block lasts."""
        with self._ended(self.start("worker", "--concurrency", str(concurrency))) as process:
            yield process

    @staticmethod
    @contextmanager
    def _ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.communicate(timeout=60)


def a_fleet(operator: Operator, directory: Path, url: str, settings: str = "") -> FleetScene:
    """Make the services, and write fleet.toml."""
    ecs = operator.aws("ecs")
    pattern = operator.service()
    ecs.put_cluster_capacity_providers(
        cluster=operator.seeded.cluster,
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=[],
    )
    for name in SERVICES:
        ecs.create_service(
            cluster=operator.seeded.cluster,
            serviceName=name,
            taskDefinition=pattern["taskDefinition"],
            desiredCount=1,
            launchType="FARGATE",
            networkConfiguration=pattern["networkConfiguration"],
            tags=[{"key": "team", "value": "shop"}],
        )
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "fleet.toml").write_text(_FLEET + settings, encoding="utf-8")
    return FleetScene(operator, directory, url)
