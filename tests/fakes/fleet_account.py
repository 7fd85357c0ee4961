"""An account with any number of services, as AWS answers about it; all of it follows from their numbers.

Services stand fifty to a cluster, each with a revision of its own, four tasks, a target group, an alarm, a scalable
target with one policy. Three in ten run an image that ten others run too; the others have a repository for themselves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from migrate.core.fleet.definition import FleetAccount, Member
from migrate.core.settings import ImageSettings, ServiceSettings, Settings
from tests.fakes.prices import a_product

ACCOUNT, REGION = "111122223333", "us-east-1"
CLUSTER_SIZE, TASKS = 50, 4
_ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
_SUBNETS = ("subnet-0a", "subnet-0b", "subnet-0c")
_NOON = 1_764_000_000
_PAGE = 100
_LISTED = 50

CONFIG = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/app"]}, "rootfs": {}}).encode()
CONFIG_DIGEST = f"sha256:{hashlib.sha256(CONFIG).hexdigest()}"
_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


def cluster_of(number: int) -> str:
    """Return the cluster of a service."""
    return f"cluster-{number // CLUSTER_SIZE:02d}"


def service_of(number: int) -> str:
    """Return the name of a service."""
    return f"web-{number:04d}"


def number_of(name: str) -> int:
    """Return the number at the end of a name or ARN."""
    return int(name.rpartition("-")[2].partition(":")[0])


def repository_of(number: int) -> str:
    """Return the repository of a service's image: three in ten share one with nine others."""
    return f"shared/{number // 33:03d}" if number % 10 < 3 else f"team/app-{number:04d}"


def manifest_of(repository: str) -> bytes:
    """Return the manifest behind a repository's tag, a different one for each."""
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST_TYPE,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": CONFIG_DIGEST,
                "size": len(CONFIG),
            },
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                    "digest": f"sha256:{hashlib.sha256(repository.encode()).hexdigest()}",
                    "size": 30_000_000,
                }
            ],
        }
    ).encode()


def member_of(number: int) -> Member:
    """Return a service as a member of a fleet, with plain settings."""
    cluster, name = cluster_of(number), service_of(number)
    settings = Settings(ServiceSettings(cluster, name, REGION), ImageSettings("app", context="app"))
    return Member(f"{_ECS}:service/{cluster}/{name}", FleetAccount(), ACCOUNT, REGION, cluster, name, settings)


class FleetWorld:
    """Answers operations; ``host`` is where its registry listens, ``size`` how many services there are."""

    def __init__(self, size: int, host: str) -> None:
        self.size = size
        self.host = host
        self._answers: Mapping[str, Callable[[dict[str, Any]], Any]] = {
            "ecs:DescribeServices": self._services,
            "ecs:ListServices": self._listed,
            "ecs:DescribeTaskDefinition": self._task_definition,
            "ecs:DescribeClusters": self._clusters,
            "ecs:ListTasks": self._task_list,
            "ecs:DescribeTasks": self._tasks,
            "ecr:DescribeRepositories": self._repositories,
            "ecr:DescribeImages": self._images,
            "ecr:GetLifecyclePolicy": lambda _: {"lifecyclePolicyText": _POLICY},
            "ecr:BatchGetImage": lambda _: {"images": [], "failures": []},
            "ecr:DescribePullThroughCacheRules": lambda _: {"pullThroughCacheRules": []},
            "ecr:DescribeRegistry": lambda _: {"registryId": ACCOUNT, "replicationConfiguration": {"rules": []}},
            "application-autoscaling:DescribeScalableTargets": self._targets,
            "application-autoscaling:DescribeScalingPolicies": self._policies,
            "application-autoscaling:DescribeScheduledActions": lambda _: {"ScheduledActions": []},
            "cloudwatch:DescribeAlarms": self._alarms,
            "ec2:DescribeSubnets": lambda _: _SUBNETS_ANSWER,
            "elbv2:DescribeTargetGroupAttributes": lambda _: _GROUP_ANSWER,
            "sts:GetCallerIdentity": lambda _: _CALLER_ANSWER,
            "iam:SimulatePrincipalPolicy": _simulated,
            "pricing:GetProducts": lambda _: _PRICES_ANSWER,
        }

    def answer(self, operation: str, asked: dict[str, Any]) -> Any:
        """Return the answer: a structure for JSON, or XML as text."""
        return self._answers[operation](asked)

    def blob(self, path: str) -> tuple[str, bytes]:
        """Return media type and body of ``/v2/REPOSITORY/manifests/TAG`` or ``/v2/REPOSITORY/blobs/DIGEST``."""
        if "/manifests/" in path:
            return _MANIFEST_TYPE, manifest_of(path.removeprefix("/v2/").partition("/manifests/")[0])
        return "application/octet-stream", CONFIG

    def _services(self, asked: dict[str, Any]) -> Any:
        numbers = [number_of(name) for name in asked["services"]]
        return {"services": [self._service(number) for number in numbers if number < self.size], "failures": []}

    def _listed(self, asked: dict[str, Any]) -> Any:
        cluster = asked["cluster"].rpartition("/")[2]
        arns = [f"{_ECS}:service/{cluster}/{service_of(number)}" for number in self._members(cluster)]
        return {"serviceArns": arns[:_PAGE]}

    def _service(self, number: int) -> dict[str, Any]:
        name, cluster = service_of(number), cluster_of(number)
        revision = f"{_ECS}:task-definition/{name}:7"
        deployment = {
            "id": f"ecs-svc/{number}",
            "status": "PRIMARY",
            "taskDefinition": revision,
            "rolloutState": "COMPLETED",
            "desiredCount": TASKS,
            "runningCount": TASKS,
            "createdAt": _NOON,
        }
        event = {"createdAt": _NOON, "message": f"(service {name}) has reached a steady state."}
        return {
            "serviceArn": f"{_ECS}:service/{cluster}/{name}",
            "serviceName": name,
            "clusterArn": f"{_ECS}:cluster/{cluster}",
            "status": "ACTIVE",
            "desiredCount": TASKS,
            "runningCount": TASKS,
            "launchType": "FARGATE",
            "platformVersion": "1.4.0",
            "schedulingStrategy": "REPLICA",
            "taskDefinition": revision,
            "deployments": [deployment],
            "events": [{"id": f"event-{number}-{place}", **event} for place in range(100)],
            "loadBalancers": [{"targetGroupArn": _group(number), "containerName": "app", "containerPort": 8080}],
            "deploymentConfiguration": {
                "minimumHealthyPercent": 100,
                "maximumPercent": 200,
                "deploymentCircuitBreaker": {"enable": True, "rollback": True},
                "alarms": {"alarmNames": [f"errors-{number:04d}"], "enable": True, "rollback": True},
            },
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": list(_SUBNETS),
                    "securityGroups": ["sg-1"],
                    "assignPublicIp": "DISABLED",
                }
            },
            "tags": [{"key": "team", "value": f"team-{number % 7}"}],
        }

    def _task_definition(self, asked: dict[str, Any]) -> Any:
        number = number_of(asked["taskDefinition"])
        name = service_of(number)
        app = {
            "name": "app",
            "image": f"{self.host}/{repository_of(number)}:1",
            "essential": True,
            "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
            "environment": [{"name": f"SETTING_{place}", "value": f"value {place}"} for place in range(20)],
            "healthCheck": {"command": ["CMD-SHELL", "/app health"], "interval": 10},
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": name}},
            "stopTimeout": 60,
        }
        definition = {
            "taskDefinitionArn": f"{_ECS}:task-definition/{name}:7",
            "family": name,
            "revision": 7,
            "status": "ACTIVE",
            "networkMode": "awsvpc",
            "cpu": "512",
            "memory": "1024",
            "requiresCompatibilities": ["FARGATE"],
            "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/execution",
            "taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
            "containerDefinitions": [app],
        }
        return {"taskDefinition": definition, "tags": []}

    def _clusters(self, asked: dict[str, Any]) -> Any:
        return {
            "clusters": [
                {
                    "clusterArn": f"{_ECS}:cluster/{name.rpartition('/')[2]}",
                    "clusterName": name.rpartition("/")[2],
                    "status": "ACTIVE",
                    "runningTasksCount": TASKS * len(self._members(name)),
                    "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
                    "defaultCapacityProviderStrategy": [],
                }
                for name in asked["clusters"]
            ]
        }

    def _members(self, cluster: str) -> range:
        first = number_of(cluster) * CLUSTER_SIZE
        return range(first, min(self.size, first + CLUSTER_SIZE))

    def _task_list(self, asked: dict[str, Any]) -> Any:
        cluster = asked["cluster"].rpartition("/")[2]
        members = [number_of(asked["serviceName"])] if "serviceName" in asked else self._members(cluster)
        arns = [f"{_ECS}:task/{cluster}/{place}-{number}" for number in members for place in range(TASKS)]
        start = int(asked.get("nextToken", 0))
        more = {"nextToken": str(start + _PAGE)} if start + _PAGE < len(arns) else {}
        return {"taskArns": arns[start : start + _PAGE], **more}

    def _tasks(self, asked: dict[str, Any]) -> Any:
        return {"tasks": [self._task(arn) for arn in asked["tasks"]], "failures": []}

    def _task(self, arn: str) -> dict[str, Any]:
        number = number_of(arn)
        name = service_of(number)
        digest = f"sha256:{hashlib.sha256(manifest_of(repository_of(number))).hexdigest()}"
        return {
            "taskArn": arn,
            "group": f"service:{name}",
            "startedBy": f"ecs-svc/{number}",
            "taskDefinitionArn": f"{_ECS}:task-definition/{name}:7",
            "lastStatus": "RUNNING",
            "healthStatus": "HEALTHY",
            "launchType": "FARGATE",
            "platformVersion": "1.4.0",
            "createdAt": _NOON,
            "startedAt": _NOON,
            "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
            "containers": [{"name": "app", "image": "app", "imageDigest": digest, "lastStatus": "RUNNING"}],
        }

    def _repositories(self, asked: dict[str, Any]) -> Any:
        return {
            "repositories": [
                {"repositoryName": name, "repositoryUri": f"{self.host}/{name}", "registryId": ACCOUNT}
                for name in asked["repositoryNames"]
            ]
        }

    def _images(self, asked: dict[str, Any]) -> Any:
        name = asked["repositoryName"]
        newest = f"sha256:{hashlib.sha256(manifest_of(name)).hexdigest()}"
        olds = [f"sha256:{hashlib.sha256(f'{name} {place}'.encode()).hexdigest()}" for place in range(30)]
        details = [
            {
                "repositoryName": name,
                "imageDigest": digest,
                "imageTags": ["1"] if digest == newest else [f"build-{place}"],
                "imageManifestMediaType": _MANIFEST_TYPE,
                "imagePushedAt": _NOON - place * 3600,
                "imageStatus": "ACTIVE",
            }
            for place, digest in enumerate([newest, *olds])
        ]
        return {"imageDetails": details}

    def _targets(self, asked: dict[str, Any]) -> Any:
        return {
            "ScalableTargets": [_scaled(name) | {"MinCapacity": 2, "MaxCapacity": 9} for name in asked["ResourceIds"]]
        }

    def _policies(self, asked: dict[str, Any]) -> Any:
        start = int(asked.get("NextToken", 0))
        wanted = number_of(asked["ResourceId"]) if "ResourceId" in asked else None
        numbers = range(start, min(self.size, start + _LISTED)) if wanted is None else (wanted,)
        found = [
            _scaled(f"service/{cluster_of(number)}/{service_of(number)}")
            | {"PolicyName": "cpu", "PolicyType": "TargetTrackingScaling", "PolicyARN": "arn", "CreationTime": _NOON}
            for number in numbers
        ]
        more = {"NextToken": str(start + _LISTED)} if wanted is None and start + _LISTED < self.size else {}
        return {"ScalingPolicies": found, **more}

    def _alarms(self, asked: dict[str, Any]) -> Any:
        return {"MetricAlarms": [{"AlarmName": name, "StateValue": "OK"} for name in asked["AlarmNames"]]}


def _scaled(resource: str) -> dict[str, Any]:
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": resource,
        "ScalableDimension": "ecs:service:DesiredCount",
        "RoleARN": "arn",
        "CreationTime": _NOON,
    }


def _group(number: int) -> str:
    return f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/web-{number:04d}/0123456789abcdef"


def _simulated(asked: dict[str, Any]) -> str:
    actions = [value for name, value in asked.items() if name.startswith("ActionNames.member")]
    resources = [value for name, value in asked.items() if name.startswith("ResourceArns.member")]
    specific = "".join(
        f"<member><EvalResourceName>{name}</EvalResourceName><EvalResourceDecision>allowed</EvalResourceDecision></member>"
        for name in resources
    )
    results = "".join(
        f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resources[0]}</EvalResourceName>"
        f"<EvalDecision>allowed</EvalDecision><ResourceSpecificResults>{specific}</ResourceSpecificResults></member>"
        for action in actions
    )
    return _xml(
        "SimulatePrincipalPolicy", f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"
    )


def _xml(operation: str, result: str) -> str:
    return f"<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>"


def parsed_request(target: str, body: bytes) -> tuple[str, dict[str, Any]]:
    """Return operation and parameters of a request; ``target`` is its X-Amz-Target, which query calls have none of."""
    if target:
        service, _, name = target.partition(".")
        return f"{_SERVICES[service]}:{name}", json.loads(body)
    asked = dict(parse_qsl(body.decode()))
    return f"{_QUERIES[asked['Action']]}:{asked['Action']}", asked


_SERVICES = {
    "AmazonEC2ContainerServiceV20141113": "ecs",
    "AmazonEC2ContainerRegistry_V20150921": "ecr",
    "AnyScaleFrontendService": "application-autoscaling",
    "GraniteServiceVersion20100801": "cloudwatch",
    "AWSPriceListService": "pricing",
}
_QUERIES = {
    "SimulatePrincipalPolicy": "iam",
    "GetCallerIdentity": "sts",
    "DescribeSubnets": "ec2",
    "DescribeTargetGroupAttributes": "elbv2",
}


_PRICES_ANSWER = {
    "FormatVersion": "aws_v1",
    "PriceList": [
        json.dumps(a_product(f"Fargate-{what}", price))
        for what, price in (
            ("vCPU-Hours:perCPU", "0.04"),
            ("GB-Hours", "0.004"),
            ("ARM-vCPU-Hours:perCPU", "0.03"),
            ("ARM-GB-Hours", "0.003"),
        )
    ],
}


_POLICY = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 14,
                },
                "action": {"type": "expire"},
            }
        ]
    }
)
_CALLER_ANSWER = _xml(
    "GetCallerIdentity", f"<Account>{ACCOUNT}</Account><Arn>arn:aws:iam::{ACCOUNT}:user/bench</Arn><UserId>A</UserId>"
)
_GROUP_ANSWER = _xml(
    "DescribeTargetGroupAttributes",
    "<Attributes><member><Key>deregistration_delay.timeout_seconds</Key><Value>60</Value></member></Attributes>",
)
_SUBNETS_ANSWER = (
    "<DescribeSubnetsResponse><subnetSet>"
    + "".join(
        f"<item><subnetId>{name}</subnetId><availabilityZone>us-east-1a</availabilityZone>"
        f"<availabilityZoneId>use1-az1</availabilityZoneId><availableIpAddressCount>900</availableIpAddressCount></item>"
        for name in _SUBNETS
    )
    + "</subnetSet></DescribeSubnetsResponse>"
)
