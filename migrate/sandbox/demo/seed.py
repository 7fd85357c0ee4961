"""Puts the demo's service into a sandbox, as a team would have it before the migration.

Cluster ``demo`` without capacity providers, repository ``demo/app`` with an amd64 image under ``tag1`` (one Docker
schema-2 manifest), task definition ``demo-app`` without runtimePlatform, service ``app`` of four tasks on launchType
FARGATE behind a target group, and one alarm that is OK.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from migrate.sandbox.demo.build import VERSION, binary, lay_out
from migrate.sandbox.demo.image import push, single_platform_image
from migrate.sandbox.toolchain.parts import ensure
from migrate.sandbox.toolchain.progress import Progress

if TYPE_CHECKING:
    from migrate.sandbox.sandbox import Sandbox

CLUSTER = "demo"
SERVICE = "app"
FAMILY = "demo-app"
REPOSITORY = "demo/app"
ALARM = "demo-app-5xx"
COUNT = 4
PORT = 8080
_STEADY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was put there, and the build context of its image."""

    cluster: str
    service: str
    family: str
    image: str
    alarm: str
    context: Path
    go: Path


def seed(sandbox: Sandbox) -> Seeded:
    """Create everything once, and wait until the service is steady."""
    progress = Progress()
    tools = ensure(progress)
    context = lay_out(sandbox.layout.demo / "context", tools.go, progress)
    image = f"{sandbox.registry_host}/{REPOSITORY}:{VERSION}"
    with progress.step("putting the demo's service into the sandbox", usually="3 s"):
        _push_image(sandbox, context)
        group = _load_balancer(sandbox)
        _alarm(sandbox)
        _service(sandbox, image, group)
    return Seeded(CLUSTER, SERVICE, FAMILY, image, ALARM, context, tools.go)


def raise_alarm(sandbox: Sandbox) -> None:
    """Let the service's alarm ring."""
    _set_alarm(sandbox, "ALARM", "Threshold Crossed: 12 of the last 60 requests answered 5xx.")


def clear_alarm(sandbox: Sandbox) -> None:
    """Let the service's alarm be OK again."""
    _set_alarm(sandbox, "OK", "No request answered 5xx.")


def client(sandbox: Sandbox, service: str) -> Any:
    """Return a boto3 client for the sandbox, whatever the process's own AWS environment says."""
    settings = sandbox.settings()
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=sandbox.endpoint,
        region_name=settings["AWS_DEFAULT_REGION"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        verify=settings["AWS_CA_BUNDLE"],
    )


def _push_image(sandbox: Sandbox, context: Path) -> None:
    client(sandbox, "ecr").create_repository(repositoryName=REPOSITORY)
    image = single_platform_image(binary(context, "amd64").read_bytes())
    authority = Path(sandbox.settings()["SSL_CERT_FILE"])
    push(image, sandbox.registry_host, REPOSITORY, VERSION, authority)


def _load_balancer(sandbox: Sandbox) -> str:
    network = client(sandbox, "ec2")
    vpc = network.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        network.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")
        for number, zone in enumerate("ab")
    ]
    balancing = client(sandbox, "elbv2")
    balancer = balancing.create_load_balancer(Name=FAMILY, Subnets=[item["Subnet"]["SubnetId"] for item in subnets])
    group = balancing.create_target_group(
        Name=FAMILY, Protocol="HTTP", Port=PORT, VpcId=vpc, TargetType="ip", HealthCheckPath="/health"
    )["TargetGroups"][0]["TargetGroupArn"]
    balancing.create_listener(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return str(group)


def _alarm(sandbox: Sandbox) -> None:
    client(sandbox, "cloudwatch").put_metric_alarm(
        AlarmName=ALARM,
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_5XX_Count",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=10,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    clear_alarm(sandbox)


def _set_alarm(sandbox: Sandbox, state: str, reason: str) -> None:
    client(sandbox, "cloudwatch").set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason=reason)


def _service(sandbox: Sandbox, image: str, target_group: str) -> None:
    containers = client(sandbox, "ecs")
    containers.create_cluster(clusterName=CLUSTER)
    definition = containers.register_task_definition(
        family=FAMILY,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[
            {
                "name": SERVICE,
                "image": image,
                "essential": True,
                "portMappings": [{"containerPort": PORT, "protocol": "tcp"}],
                "environment": [{"name": "PORT", "value": str(PORT)}],
                "stopTimeout": 30,
            }
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    subnets = client(sandbox, "ec2").describe_subnets()["Subnets"][:2]
    containers.create_service(
        cluster=CLUSTER,
        serviceName=SERVICE,
        taskDefinition=definition,
        desiredCount=COUNT,
        launchType="FARGATE",
        loadBalancers=[{"targetGroupArn": target_group, "containerName": SERVICE, "containerPort": PORT}],
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet["SubnetId"] for subnet in subnets]}},
        healthCheckGracePeriodSeconds=30,
        deploymentConfiguration={
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
            "alarms": {"alarmNames": [ALARM], "enable": True, "rollback": True},
        },
    )
    _wait_until_steady(containers)


def _wait_until_steady(containers: Any) -> None:
    def steady() -> bool:
        found = containers.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]
        states = [deployment.get("rolloutState") for deployment in found["deployments"]]
        return states == ["COMPLETED"] and found["runningCount"] == COUNT

    Retrying(
        retry=retry_if_result(lambda done: not done), wait=wait_fixed(0.2), stop=stop_after_delay(_STEADY_SECONDS)
    )(steady)
