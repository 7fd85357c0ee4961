"""A record of a small service as it was found, for tests that need one and do not care which."""

from __future__ import annotations

from datetime import UTC, datetime

from migrate.core.documents import document
from migrate.core.evidence import Event, EventKind, Run
from migrate.core.facts import Account, Cluster, RuntimePlatform, Service, TaskDefinition
from migrate.core.image.index import ImageReference
from migrate.core.record import Baseline, OriginalImage, Record

REGION = "us-east-1"
SERVICE_ARN = f"arn:aws:ecs:{REGION}:111122223333:service/demo/web"
CLUSTER_ARN = f"arn:aws:ecs:{REGION}:111122223333:cluster/demo"
TASK_DEFINITION_ARN = f"arn:aws:ecs:{REGION}:111122223333:task-definition/web:1"
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
REGISTRY = f"111122223333.dkr.ecr.{REGION}.amazonaws.com"


def a_service() -> Service:
    return Service(
        arn=SERVICE_ARN,
        name="web",
        cluster_arn=CLUSTER_ARN,
        status="ACTIVE",
        task_definition_arn=TASK_DEFINITION_ARN,
        desired_count=4,
        running_count=4,
        pending_count=0,
        launch_type="FARGATE",
        strategy=(),
        platform_version="LATEST",
        scheduling_strategy="REPLICA",
        deployment_controller="ECS",
        target_group_arns=(),
        alarm_names=("web-errors",),
        deployments=(),
        events=(),
        document=document({"serviceName": "web", "launchType": "FARGATE"}),
    )


def a_task_definition() -> TaskDefinition:
    content = {
        "family": "web",
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{"name": "app", "image": f"{REGISTRY}/web:tag1"}],
    }
    return TaskDefinition(TASK_DEFINITION_ARN, "web", 1, "ACTIVE", RuntimePlatform(), document(content))


def a_record() -> Record:
    image = OriginalImage(
        reference=ImageReference(REGISTRY, "web", tag="tag1"),
        repository="web",
        digest=f"sha256:{'a' * 64}",
        media_type="application/vnd.docker.distribution.manifest.v2+json",
        manifest='{"schemaVersion": 2}',
        guard_tag="migrate-original-tag1",
    )
    return Record(
        Baseline(
            recorded_at=NOON,
            account=Account("111122223333", REGION, "arn:aws:iam::111122223333:user/operator"),
            service=a_service(),
            task_definition=a_task_definition(),
            cluster=Cluster(CLUSTER_ARN, "demo", ("FARGATE",), ()),
            image=image,
        )
    )


def a_run(name: str = "run-1", *, service: str = SERVICE_ARN, process: int = 4711) -> Run:
    return Run(
        id=name,
        service=service,
        verb="apply",
        stage=1,
        started_at=NOON,
        operator="ada",
        host="workstation",
        process=process,
    )


def an_event(text: str, *, run_id: str = "run-1", kind: EventKind = EventKind.NOTE, **data: object) -> Event:
    return Event(run_id=run_id, at=NOON, kind=kind, step="image", text=text, data=document(data))
