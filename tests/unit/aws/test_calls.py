"""Design rule 2: boto3 reads, and writes only the named safety actions, all in one file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import migrate.adapters.aws as package
from migrate.adapters.aws.calls import NOTIFYING, WRITES, is_read
from migrate.adapters.aws.session import AwsSession
from migrate.errors import ToolFaultError
from tests.unit.aws.recordings import ACCOUNT, CLUSTER_ARN, SERVICE_ARN, WITHIN, Recordings, a_service, made_up_core

SOURCES = sorted(Path(package.__file__).parent.glob("*.py"))
SERVICES = (
    "application-autoscaling",
    "autoscaling",
    "cloudwatch",
    "ec2",
    "ecr",
    "ecs",
    "elbv2",
    "events",
    "iam",
    "sns",
    "sts",
)
"""The services that we talk to; which of their operations we call is held by test_permitted_calls."""


def test_a_call_is_counted_once_by_its_name(aws: Recordings) -> None:
    aws.answer("sts", "get_caller_identity", {"Account": ACCOUNT})
    aws.answer("ecs", "list_clusters", {"clusterArns": []})
    aws.answer("ecs", "list_clusters", {"clusterArns": []})
    aws.session.sts().get_caller_identity()
    aws.session.ecs().list_clusters()
    aws.session.ecs().list_clusters()
    assert aws.session.calls.by_operation == {"ecs:ListClusters": 2, "sts:GetCallerIdentity": 1}
    assert aws.session.calls.total == 3


def test_the_writing_clients_are_counted_too(aws: Recordings) -> None:
    aws.answer("ecs_writer", "update_service", {"service": a_service()}, service=SERVICE_ARN, forceNewDeployment=True)
    aws.session.ecs_writer().update_service(service=SERVICE_ARN, forceNewDeployment=True)
    assert aws.session.calls.by_operation == {"ecs:UpdateService": 1}


def test_a_reading_client_refuses_every_write_even_an_allowed_one(session: AwsSession) -> None:
    with pytest.raises(ToolFaultError, match="ecs:UpdateService"):
        session.ecs().update_service(service=SERVICE_ARN, forceNewDeployment=True)
    with pytest.raises(ToolFaultError, match="ecr:PutImage"):
        session.ecr().put_image(repositoryName="web", imageManifest="{}")
    assert session.calls.total == 0


def test_the_writing_clients_refuse_what_is_no_safety_action(session: AwsSession) -> None:
    ecs, ecr = session.ecs_writer(), session.ecr_writer()
    with pytest.raises(ToolFaultError, match="DeleteService"):
        ecs.delete_service(service=SERVICE_ARN)
    with pytest.raises(ToolFaultError, match="DeregisterTaskDefinition"):
        ecs.deregister_task_definition(taskDefinition="web:1")
    with pytest.raises(ToolFaultError, match="BatchDeleteImage"):
        ecr.batch_delete_image(repositoryName="web", imageIds=[{"imageTag": "tag1"}])
    with pytest.raises(ToolFaultError, match="PutImageTagMutability"):
        ecr.put_image_tag_mutability(repositoryName="web", imageTagMutability="MUTABLE")
    assert session.calls.total == 0


def test_update_service_may_carry_nothing_beside_the_two_safety_actions(session: AwsSession) -> None:
    ecs = session.ecs_writer()
    with pytest.raises(ToolFaultError, match="desiredCount"):
        ecs.update_service(cluster=CLUSTER_ARN, service=SERVICE_ARN, desiredCount=0, forceNewDeployment=True)
    with pytest.raises(ToolFaultError, match="taskDefinition"):
        ecs.update_service(cluster=CLUSTER_ARN, service=SERVICE_ARN, taskDefinition="web:41")
    with pytest.raises(ToolFaultError, match="strategy away"):
        ecs.update_service(service=SERVICE_ARN, capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT"}])
    with pytest.raises(ToolFaultError, match="strategy away"):
        ecs.update_service(service=SERVICE_ARN, forceNewDeployment=False)
    assert session.calls.total == 0


def test_the_allow_list_is_the_one_of_the_design() -> None:
    assert set(WRITES) == {"ecr:PutImage", "ecs:StopServiceDeployment", "ecs:UpdateService"}


def _called(path: Path, methods: dict[str, str]) -> set[str]:
    """Return the operations that a source names: client methods, and paginators by name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name == "get_paginator" and isinstance(node.args[0], ast.Constant):
                name = str(node.args[0].value)
            if name in methods:
                found.add(methods[name])
    return found


def _methods() -> dict[str, str]:
    core = made_up_core()
    clients = (core.create_client(name, region_name="eu-central-1") for name in SERVICES)
    return {method: operation for client in clients for method, operation in client.meta.method_to_api_mapping.items()}


def test_a_client_that_tells_others_refuses_all_else_reads_among_it(session: AwsSession) -> None:
    with pytest.raises(ToolFaultError, match="sns:DeleteTopic"):
        session.sns("eu-west-1", WITHIN).delete_topic(TopicArn="arn:aws:sns:eu-west-1:111122223333:all")
    with pytest.raises(ToolFaultError, match="events:ListRules"):
        session.events("eu-west-1", WITHIN).list_rules()
    assert session.calls.total == 0


def test_writes_stand_in_safety_py_and_what_tells_others_and_nowhere_else() -> None:
    methods = _methods()
    called = {path.name: _called(path, methods) for path in SOURCES}
    writes = {name: {item for item in found if not is_read(item)} for name, found in called.items()}
    assert {name for name, found in writes.items() if found} == {"safety.py", "notifications.py"}
    assert writes["notifications.py"] == {name.partition(":")[2] for name in NOTIFYING}
    assert writes["safety.py"] == {name.partition(":")[2] for name in WRITES}


def test_only_safety_py_asks_for_a_writing_client() -> None:
    asking = {path.name for path in SOURCES if "_writer(" in path.read_text(encoding="utf-8")}
    assert asking == {"safety.py", "session.py"}
