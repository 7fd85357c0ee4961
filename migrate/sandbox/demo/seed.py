"""Puts the demo's service into a sandbox, as a team would have it before the migration.

Cluster ``demo`` without capacity providers, repository ``demo/app`` with an amd64 image under ``tag1`` (one Docker
schema-2 manifest), task definition ``demo-app`` without runtimePlatform, service ``app`` of four tasks on launchType
FARGATE behind a target group, and one alarm that is OK and watched by deployments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from migrate.errors import EngineError
from migrate.sandbox.demo.build import VERSION, binary, lay_out
from migrate.sandbox.demo.image import push, single_platform_image
from migrate.sandbox.demo.network import ALARM, LOG_GROUP, PORT, client, create, set_alarm
from migrate.sandbox.sandbox import REGION
from migrate.sandbox.toolchain.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from migrate.sandbox.demo.network import Surroundings
    from migrate.sandbox.sandbox import Sandbox

CLUSTER = "demo"
SERVICE = "app"
FAMILY = "demo-app"
REPOSITORY = "demo/app"
COUNT = 4
_STEADY_SECONDS = 60.0
_LOOK_AGAIN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was put in; ``context`` is the folder that an arm64 image can be built from."""

    cluster: str
    service: str
    family: str
    image: str
    digest: str
    alarm: str
    context: Path


def seed(sandbox: Sandbox, progress: Progress | None = None) -> Seeded:
    """Put the service in and wait until it is steady, its targets healthy. Raises EngineError when it does not settle.

    A service that is there already is left alone; the build context is made right again in any case.
    """
    progress = progress or Progress()
    context = lay_out(sandbox.layout.demo / "context", sandbox.go, progress)
    image = single_platform_image(binary(context, "amd64").read_bytes())
    name = f"{sandbox.registry_host}/{REPOSITORY}:{VERSION}"
    ecs = client(sandbox, "ecs")
    if not _exists(ecs):
        with progress.step("putting the demo's service into the sandbox", usually="3 s"):
            client(sandbox, "ecr").create_repository(repositoryName=REPOSITORY, imageTagMutability="MUTABLE")
            push(image, sandbox.registry_host, REPOSITORY, VERSION, sandbox.layout.authority)
            _create_service(ecs, create(sandbox, REGION), name)
            _wait_until_steady(ecs, client(sandbox, "elbv2"))
    return Seeded(CLUSTER, SERVICE, FAMILY, name, image.digest, ALARM, context)


def raise_alarm(sandbox: Sandbox) -> None:
    """Let the service's alarm go off."""
    set_alarm(sandbox, "ALARM", "Threshold crossed: more than 10 answers with a 5xx code in a minute.")


def clear_alarm(sandbox: Sandbox) -> None:
    """Let the service's alarm be OK again."""
    set_alarm(sandbox, "OK", "No answer with a 5xx code.")


def _exists(ecs: Any) -> bool:
    if not any(cluster["status"] == "ACTIVE" for cluster in ecs.describe_clusters(clusters=[CLUSTER])["clusters"]):
        return False
    found = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"]
    return any(service["status"] == "ACTIVE" for service in found)


def _create_service(ecs: Any, around: Surroundings, image: str) -> None:
    # As most clusters are made: no capacity provider associated, no default strategy.
    ecs.create_cluster(clusterName=CLUSTER)
    definition = ecs.register_task_definition(**_task_definition(image, around.execution_role))
    ecs.create_service(
        cluster=CLUSTER,
        serviceName=SERVICE,
        taskDefinition=definition["taskDefinition"]["taskDefinitionArn"],
        desiredCount=COUNT,
        launchType="FARGATE",
        loadBalancers=[{"targetGroupArn": around.target_group, "containerName": SERVICE, "containerPort": PORT}],
        healthCheckGracePeriodSeconds=30,
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": list(around.subnets),
                "securityGroups": [around.security_group],
                "assignPublicIp": "DISABLED",
            }
        },
        deploymentConfiguration={
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
            "alarms": {"alarmNames": [ALARM], "enable": True, "rollback": True},
        },
    )


def _task_definition(image: str, execution_role: str) -> dict[str, Any]:
    # Without runtimePlatform, as definitions from before ARM64 are: on Fargate that means X86_64 (facts F25).
    return {
        "family": FAMILY,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": execution_role,
        "containerDefinitions": [
            {
                "name": SERVICE,
                "image": image,
                "essential": True,
                "portMappings": [{"containerPort": PORT, "protocol": "tcp"}],
                "environment": [{"name": "PORT", "value": str(PORT)}],
                "stopTimeout": 30,
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": LOG_GROUP,
                        "awslogs-region": REGION,
                        "awslogs-stream-prefix": SERVICE,
                    },
                },
            }
        ],
    }


def _wait_until_steady(ecs: Any, elbv2: Any) -> None:
    def steady() -> bool:
        service = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]
        states = [deployment.get("rolloutState") for deployment in service["deployments"]]
        group = service["loadBalancers"][0]["targetGroupArn"]
        targets = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        healthy = sum(target["TargetHealth"]["State"] == "healthy" for target in targets)
        return states == ["COMPLETED"] and service["runningCount"] == COUNT and healthy == COUNT

    again = Retrying(
        retry=retry_if_result(lambda done: not done),
        stop=stop_after_delay(_STEADY_SECONDS),
        wait=wait_fixed(_LOOK_AGAIN_SECONDS),
    )
    try:
        again(steady)
    except RetryError as error:
        raise EngineError(
            f"The demo's service was not steady after {_STEADY_SECONDS:.0f} s.",
            then="Look at `migrate sandbox status` for the logs, take the sandbox down and start again.",
        ) from error
