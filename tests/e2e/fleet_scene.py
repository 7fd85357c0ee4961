"""A fleet in the sandbox: more services beside the demo's, a fleet.toml for them, and workers as processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.conftest import COMMAND_SECONDS, Operator

SERVICES = tuple(f"app-{number}" for number in range(3))

_FLEET = """
[fleet]
name = "shop"
[stop]
hold_between_waves = false
[concurrency]
cluster = 4
[defaults.gate]
interval = "1s"
soak = "2s"
deadline = "2m"
[[services]]
clusters = ["demo"]
tags = { team = "%s" }
[defaults.image]
container = "app"
"""
_KEPT = ("requiresCompatibilities", "networkMode", "cpu", "memory", "executionRoleArn")
_EXTERNAL = 'mode = "external"\n'


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

    def done(self, *arguments: str) -> Any:
        """Run a verb over the fleet, by itself, to its end, which has to be a good one; return what it says."""
        with self.start("fleet", *arguments, "--yes", "--output", "json") as process:
            out, err = process.communicate(timeout=COMMAND_SECONDS)
        assert process.returncode == 0, out + err
        return json.loads(out)

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
    ecs.put_cluster_capacity_providers(
        cluster=operator.seeded.cluster,
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=[],
    )
    for name in SERVICES:
        _a_service(operator, name, operator.service()["taskDefinition"], "shop")
    return _scene(operator, directory, url, "shop", _EXTERNAL + settings)


def a_fleet_with_images(operator: Operator, directory: Path, url: str, names: Sequence[str]) -> FleetScene:
    """Make services each of which has a tag of the demo's image, and so a stage 1, for itself."""
    ecs, ecr = operator.aws("ecs"), operator.aws("ecr")
    definition = ecs.describe_task_definition(taskDefinition=operator.service()["taskDefinition"])["taskDefinition"]
    image, _, tag = operator.seeded.image.rpartition(":")
    repository = image.partition("/")[2]
    found = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": tag}])["images"][0]
    for name in names:
        ecr.put_image(
            repositoryName=repository,
            imageManifest=found["imageManifest"],
            imageManifestMediaType=found["imageManifestMediaType"],
            imageTag=name,
        )
        container = {**definition["containerDefinitions"][0], "image": f"{image}:{name}"}
        revision = ecs.register_task_definition(
            family=name, containerDefinitions=[container], **{key: definition[key] for key in _KEPT}
        )
        _a_service(operator, name, revision["taskDefinition"]["taskDefinitionArn"], names[0])
    built = f'context = "{operator.seeded.context}"\nbuilder = "{operator.sandbox.builder}"\n'
    return _scene(operator, directory, url, names[0], f"{built}[defaults.capacity]\nsteps = []\n")


def a_fleet_of_two_accounts(operator: Operator, directory: Path, url: str, account: str) -> FleetScene:
    """Make a service here, and one of the same name in another account that only a role with an external id reaches.

    MiniStack takes an access key of twelve digits for one of that account.
    """
    cluster, team = operator.seeded.cluster, "both"
    _a_service(operator, team, operator.service()["taskDefinition"], team)
    ec2, ecs = (operator.aws(name, account) for name in ("ec2", "ecs"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName=team, Description=team, VpcId=vpc)["GroupId"]
    ecs.create_cluster(clusterName=cluster, capacityProviders=["FARGATE", "FARGATE_SPOT"])
    usual = operator.aws("ecs").describe_task_definition(taskDefinition=operator.service()["taskDefinition"])
    definition = {key: usual["taskDefinition"][key] for key in (*_KEPT, "containerDefinitions")}
    ecs.create_service(
        cluster=cluster,
        serviceName=team,
        taskDefinition=ecs.register_task_definition(family=team, **definition)["taskDefinition"]["taskDefinitionArn"],
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}},
        tags=[{"key": "team", "value": team}],
    )
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "agreed"}},
    }
    iam = operator.aws("iam", account)
    role = iam.create_role(RoleName="migrate", AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    allowed = _policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
    iam.put_role_policy(RoleName="migrate", PolicyName="all", PolicyDocument=allowed)
    theirs = f'[[accounts]]\nname = "theirs"\nrole_arn = "{role}"\nexternal_id = "agreed"\n'
    selected = f'[[services]]\naccount = "theirs"\nclusters = ["{cluster}"]\n'
    return _scene(operator, directory, url, team, _EXTERNAL + theirs + selected)


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _a_service(operator: Operator, name: str, revision: str, team: str) -> None:
    operator.aws("ecs").create_service(
        cluster=operator.seeded.cluster,
        serviceName=name,
        taskDefinition=revision,
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=operator.service()["networkConfiguration"],
        tags=[{"key": "team", "value": team}],
    )


def _scene(operator: Operator, directory: Path, url: str, team: str, settings: str) -> FleetScene:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "fleet.toml").write_text(_FLEET % team + settings, encoding="utf-8")
    return FleetScene(operator, directory, url)
