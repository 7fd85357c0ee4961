"""Recorded answers, and the stubs that give them; shapes are those of the AWS API references."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
from botocore.loaders import Loader
from botocore.stub import Stubber

from migrate.adapters.aws.session import AwsSession

REGION = "eu-central-1"
WITHIN = timedelta(seconds=10)
"""How long telling a topic or a bus may take."""
ACCOUNT = "111122223333"
PREFIX = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
CLUSTER_ARN = f"{PREFIX}:cluster/shop"
SERVICE_ARN = f"{PREFIX}:service/shop/web"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
GROUP_ARN = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/web/6d0ecf831eec9f09"
STARTED = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
STRATEGY = [{"capacityProvider": "FARGATE", "weight": 1, "base": 1}, {"capacityProvider": "FARGATE_SPOT", "weight": 3}]

_LOADER = Loader(include_default_search_paths=True)
"""Shared, so that the service models are read once and not once a test."""


def made_up_core() -> botocore.session.Session:
    """Return a botocore session with credentials that nobody has."""
    core = botocore.session.Session()
    core.register_component("data_loader", _LOADER)
    core.set_credentials("AKIAMADEUP", "made-up")
    return core


class Recordings:
    """Stubs for the clients of one session; every answer has to be asked for, in order, with these parameters."""

    def __init__(self, session: AwsSession) -> None:
        self.session = session
        self._stubs: dict[str, Stubber] = {}
        self._clients: dict[str, Callable[[], Any]] = {
            "ecs": session.ecs,
            "ecs_writer": session.ecs_writer,
            "ecr": session.ecr,
            "ecr_writer": session.ecr_writer,
            "elbv2": session.elbv2,
            "cloudwatch": session.cloudwatch,
            "ec2": session.ec2,
            "autoscaling": session.autoscaling,
            "application_autoscaling": session.application_autoscaling,
            "sts": session.sts,
            "iam": session.iam,
            "pricing": lambda: session.pricing("eu-central-1"),
            "sns": lambda: session.sns(REGION, WITHIN),
            "events": lambda: session.events(REGION, WITHIN),
        }

    def answer(self, client: str, method: str, answer: dict[str, Any], **expected: Any) -> None:
        """Give an answer when the method is called with just these parameters (none given: with any)."""
        self._stub(client).add_response(method, answer, expected or None)

    def refuse(
        self, client: str, method: str, code: str, message: str = "", status: int = 400, **expected: Any
    ) -> None:
        """Refuse the method with an error code."""
        self._stub(client).add_client_error(method, code, message, status, expected_params=expected or None)

    def assert_all_asked(self) -> None:
        for stub in self._stubs.values():
            stub.assert_no_pending_responses()

    def _stub(self, client: str) -> Stubber:
        if client not in self._stubs:
            self._stubs[client] = Stubber(self._clients[client]())
            self._stubs[client].activate()
        return self._stubs[client]


def a_deployment(id_: str = "ecs-svc/1", revision: int = 42, **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "status": "PRIMARY",
        "taskDefinition": f"{PREFIX}:task-definition/web:{revision}",
        "desiredCount": 4,
        "pendingCount": 1,
        "runningCount": 3,
        "failedTasks": 2,
        "createdAt": STARTED,
        "updatedAt": STARTED,
        "launchType": "FARGATE",
        "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": "ECS deployment ecs-svc/1 in progress.",
        **more,
    }


def a_service(**more: Any) -> dict[str, Any]:
    """Return a service as DescribeServices shows it, on a launch type."""
    return {
        "serviceArn": SERVICE_ARN,
        "serviceName": "web",
        "clusterArn": CLUSTER_ARN,
        "loadBalancers": [{"targetGroupArn": GROUP_ARN, "containerName": "web", "containerPort": 8080}],
        "serviceRegistries": [],
        "status": "ACTIVE",
        "desiredCount": 4,
        "runningCount": 3,
        "pendingCount": 1,
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "taskDefinition": f"{PREFIX}:task-definition/web:42",
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
            "alarms": {"alarmNames": ["web-errors"], "enable": True, "rollback": True},
        },
        "deployments": [a_deployment()],
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "events": [{"id": "e1", "createdAt": STARTED, "message": "(service web) has reached a steady state."}],
        "createdAt": STARTED,
        "createdBy": f"arn:aws:iam::{ACCOUNT}:role/deploy",
        "placementConstraints": [],
        "placementStrategy": [],
        "networkConfiguration": {
            "awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}
        },
        "healthCheckGracePeriodSeconds": 60,
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "enableECSManagedTags": True,
        "propagateTags": "SERVICE",
        "enableExecuteCommand": False,
        "availabilityZoneRebalancing": "ENABLED",
        "tags": [{"key": "team", "value": "shop"}],
        **more,
    }


def without(answer: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in names}


def a_task(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "taskArn": task_arn(number),
        "taskDefinitionArn": f"{PREFIX}:task-definition/web:42",
        "clusterArn": CLUSTER_ARN,
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "capacityProviderName": "FARGATE_SPOT",
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        "healthStatus": "HEALTHY",
        "startedBy": "ecs-svc/1",
        "containers": [
            {
                "name": "web",
                "image": f"{REGISTRY}/web:tag1",
                "imageDigest": f"sha256:{'a' * 64}",
                "lastStatus": "RUNNING",
            }
        ],
        **more,
    }


def task_arn(number: int) -> str:
    return f"{PREFIX}:task/shop/{number:032x}"
