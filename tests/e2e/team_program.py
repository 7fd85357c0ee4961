"""A Pulumi program of a team's in the sandbox: a service, and beside it a bucket, a queue and a second service."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from tests.e2e.conftest import Operator
from tests.fakes import language_host

STACK = "dev"
SERVICE, JOBS = "shop", "jobs"
BESIDE = {"receipts", "orders", "jobs", "shop-dev"}
"""Logical names of all that is not the service's: the stack itself among it."""
PROJECT = """\
name: shop
runtime: python
description: the shop, as its team wrote it
plugins:
  languages:
    - name: python
      path: ../hosts
"""
CONFIGURATION = """\
# What the shop is made of.
encryptionsalt: v1:XXX
config:
  aws:region: {region}
  shop:image: '{image}'   # the tag that CI pushes
  shop:cluster: {cluster}
  shop:network: '{network}'
  shop:context: {context}
  shop:builder: {builder}
"""
PLAIN = """\
import json

import pulumi
import pulumi_aws as aws

shop = pulumi.Config("shop")


def definition(name, image):
    return {
        "family": name, "cpu": "256", "memory": "512", "network_mode": "awsvpc",
        "requires_compatibilities": ["FARGATE"],
        "container_definitions": pulumi.Output.json_dumps([{"name": "app", "image": image, "essential": True}]),
    }


def service(name):
    network = json.loads(shop.require("network"))
    return {
        "name": name, "cluster": shop.require("cluster"), "desired_count": 2, "launch_type": "FARGATE",
        "network_configuration": network,
    }


counted = pulumi.ResourceOptions(ignore_changes=["desiredCount"])
image = shop.require("image")
aws.s3.Bucket("receipts", bucket="shop-receipts", tags={"team": TEAM})
aws.sqs.Queue("orders", name="shop-orders", visibility_timeout_seconds=60)
jobs = aws.ecs.TaskDefinition("jobs", **definition("jobs", image))
aws.ecs.Service("jobs", task_definition=jobs.arn, opts=counted, **service("jobs"))
"""
BY_HAND = """\
revision = aws.ecs.TaskDefinition("shop", **definition("shop", image))
aws.ecs.Service("shop", task_definition=revision.arn, opts=counted, **service("shop"))
"""
WITH_COMPONENTS = """\
import pulumi_docker_build as docker_build
from stacks.components import MultiPlatformImage, MultiPlatformImageArgs, StagedEcsService, StagedEcsServiceArgs

url, _, tag = image.rpartition(":")
token = aws.ecr.get_authorization_token_output()
login = docker_build.RegistryArgs(address=url, username=token.user_name, password=token.password)
built = docker_build.ImageArgs(
    context=docker_build.BuildContextArgs(location=shop.require("context")),
    builder=docker_build.BuilderConfigArgs(name=shop.require("builder")),
    registries=[login],
    push=True,
)
both = MultiPlatformImage(
    "image", MultiPlatformImageArgs(repository_url=url, tag=tag, image=built, built_elsewhere=True)
)
StagedEcsService(
    "shop",
    StagedEcsServiceArgs(
        task_definition=aws.ecs.TaskDefinitionArgs(**definition("shop", both.reference)),
        service=aws.ecs.ServiceArgs(**service("shop")),
        service_options=counted,
    ),
)
"""
SETTINGS = """
[service]
cluster = "{cluster}"
name = "shop"
owner = "pulumi"

[program]
directory = "infra"
stack = "dev"
image = true

[image]
container = "app"
context = "{context}"
builder = "{builder}"

[capacity]
steps = []

[gate]
interval = "1s"
soak = "1s"
deadline = "2m"
"""


@dataclass(frozen=True)
class TeamProgram:
    """The program in a folder of its own, and what its stack and the world hold."""

    operator: Operator
    directory: Path

    @classmethod
    def written(cls, operator: Operator) -> TeamProgram:
        """Write program, stack configuration and migrate.toml; the cluster gets the providers that the team has."""
        directory = operator.directory / "infra"
        directory.mkdir()
        hosts = operator.directory / "hosts"
        hosts.mkdir()
        language_host.install(hosts)
        seeded, environment = operator.seeded, operator.environment
        network = operator.service()["networkConfiguration"]["awsvpcConfiguration"]
        found = {"subnets": network["subnets"], "security_groups": network["securityGroups"]}
        made_of = {"context": str(seeded.context), "builder": operator.sandbox.builder}
        told = CONFIGURATION.format(
            region=environment["AWS_DEFAULT_REGION"],
            image=seeded.image,
            cluster=operator.service()["clusterArn"],
            network=json.dumps(found),
            **made_of,
        )
        program = cls(operator, directory)
        (directory / "Pulumi.yaml").write_text(PROJECT, encoding="utf-8")
        program.file.write_text(told.replace("encryptionsalt: v1:XXX\n", ""), encoding="utf-8")
        program.change(BY_HAND)
        settings = SETTINGS.format(cluster=seeded.cluster, **made_of)
        (operator.directory / "migrate.toml").write_text(settings, encoding="utf-8")
        operator.aws("ecs").put_cluster_capacity_providers(
            cluster=seeded.cluster, capacityProviders=["FARGATE", "FARGATE_SPOT"], defaultCapacityProviderStrategy=[]
        )
        return program

    @property
    def file(self) -> Path:
        """The configuration of the stack."""
        return self.directory / f"Pulumi.{STACK}.yaml"

    def change(self, rest: str = WITH_COMPONENTS, *, team: str = "web") -> None:
        """Write the program as the team has it by now: what declares the service, and a tag of its bucket."""
        text = f"{PLAIN}{rest}".replace("TEAM", repr(team))
        (self.directory / "__main__.py").write_text(text, encoding="utf-8")

    def pulumi(self, *arguments: str) -> str:
        """Run the team's own Pulumi."""
        ran = subprocess.run(
            ["pulumi", "--non-interactive", *arguments],
            cwd=self.directory,
            env=self.operator.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def exported(self) -> Any:
        """Return what the state holds, from where Pulumi keeps it: it takes longer to ask it."""
        backend = Path(urlparse(self.operator.environment["PULUMI_BACKEND_URL"]).path)
        text = (backend / ".pulumi" / "stacks" / "shop" / f"{STACK}.json").read_text(encoding="utf-8")
        return json.loads(text)["checkpoint"]["latest"]["resources"]

    def foreign(self) -> Any:
        """Return what the state holds beside the service and its revision, and what the world holds of it."""
        ecs = self.operator.aws("ecs")
        jobs = ecs.describe_services(cluster=self.operator.seeded.cluster, services=[JOBS])["services"][0]
        url = self.operator.aws("sqs").get_queue_url(QueueName="shop-orders")["QueueUrl"]
        attributes = self.operator.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        tags = self.operator.aws("s3").get_bucket_tagging(Bucket="shop-receipts")["TagSet"]
        return {
            # The engine writes them in the order in which it was done with them.
            "state": {item["urn"]: item for item in self.exported() if item["urn"].rpartition("::")[2] in BESIDE},
            "jobs": {name: value for name, value in jobs.items() if name != "events"},
            "queue": attributes,
            "bucket": tags,
        }

    def steady(self) -> None:
        """Wait until both services have come to rest: what is compared later must not move by itself."""
        ecs, cluster = self.operator.aws("ecs"), self.operator.seeded.cluster

        def states() -> set[str]:
            services = ecs.describe_services(cluster=cluster, services=[SERVICE, JOBS])["services"]
            return {deployment["rolloutState"] for service in services for deployment in service["deployments"]}

        resting = retry_if_result(lambda found: found != {"COMPLETED"})
        Retrying(retry=resting, wait=wait_fixed(0.5), stop=stop_after_delay(120))(states)

    def described(self) -> Any:
        """Return the service and its revision, as ECS describes them."""
        ecs = self.operator.aws("ecs")
        service = ecs.describe_services(cluster=self.operator.seeded.cluster, services=[SERVICE])["services"][0]
        definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
        return service, definition
