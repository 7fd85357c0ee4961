"""What the front is told at its start: the port, the certificate, and how its pretended ECS behaves."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.sandbox.front.engine import EngineSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class TaskDigest(StrEnum):
    """Which digest of a multi-platform image a task reports; AWS's documentation leaves it open (facts F14)."""

    INDEX = "index"
    CHILD = "child"


@dataclass(frozen=True, slots=True)
class FrontSettings:
    """All settings; times in seconds."""

    port: int
    certificate: Path | None = None
    key: Path | None = None
    registry_host: str = ""
    default_account: str = "000000000000"
    default_region: str = "us-east-1"
    attributes: bool = True
    task_digest: TaskDigest = TaskDigest.INDEX
    task_seconds: float = 0.2
    deployment_seconds: float = 0.5
    registry_auth: bool = False
    engine: EngineSettings | None = None
    balancer_port: int = 0


def read_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> FrontSettings:
    """Read the command line and the ``MIGRATE_FRONT_*`` switches; argparse ends the process on a wrong argument."""
    parser = argparse.ArgumentParser(prog="front", description="A strict AWS endpoint on loopback.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cert", type=Path, help="certificate chain, PEM; without it the port is plain HTTP only")
    parser.add_argument("--key", type=Path, help="private key, PEM")
    parser.add_argument("--registry-host", default="", help="host:port that repositoryUri names (localhost:PORT)")
    parser.add_argument("--engine", default="", help="address of a Docker engine that runs tasks as containers")
    parser.add_argument(
        "--engine-network", default="", help="the network to make in it, which is its bridge's name too"
    )
    parser.add_argument("--engine-label", default="", help="name=value: the label of all that is ours in it")
    parser.add_argument("--balancer-port", type=int, default=0, help="where the containers' load balancer listens")
    given = parser.parse_args(arguments)
    engine = EngineSettings(given.engine, given.engine_network, given.engine_label) if given.engine else None
    return FrontSettings(
        port=given.port,
        certificate=given.cert,
        key=given.key,
        registry_host=given.registry_host or f"localhost:{given.port}",
        default_account=environment.get("MINISTACK_ACCOUNT_ID", "000000000000"),
        default_region=environment.get("MINISTACK_REGION", "us-east-1"),
        attributes=environment.get("MIGRATE_FRONT_ATTRIBUTES", "on") != "off",
        task_digest=TaskDigest(environment.get("MIGRATE_FRONT_TASK_DIGEST", "index")),
        task_seconds=float(environment.get("MIGRATE_FRONT_TASK_SECONDS", "0.2")),
        deployment_seconds=float(environment.get("MIGRATE_FRONT_DEPLOYMENT_SECONDS", "0.5")),
        registry_auth=environment.get("MIGRATE_FRONT_REGISTRY_AUTH", "off") == "required",
        engine=engine,
        balancer_port=given.balancer_port,
    )
