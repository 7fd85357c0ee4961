from __future__ import annotations

from typing import Any

import pytest

from migrate.adapters.aws.ecs import EcsServiceReader
from migrate.core.facts import Account, Service
from migrate.errors import AccessError, NotFoundError, SettingsError
from tests.unit.aws.recordings import (
    ACCOUNT,
    CLUSTER_ARN,
    PREFIX,
    REGION,
    SERVICE_ARN,
    STARTED,
    Recordings,
    a_deployment,
    a_service,
    a_task,
    task_arn,
    without,
)

TASK_DEFINITION_ARN = f"{PREFIX}:task-definition/web:42"
TAGS: dict[str, Any] = {"include": ["TAGS"]}


@pytest.fixture
def reader(aws: Recordings) -> EcsServiceReader:
    return EcsServiceReader(aws.session)


def found(aws: Recordings, reader: EcsServiceReader, **more: Any) -> Service:
    aws.answer("ecs", "describe_services", {"services": [a_service(**more)]}, cluster="shop", services=["web"], **TAGS)
    return reader.service("shop", "web")


def test_the_account_is_asked_once(aws: Recordings, reader: EcsServiceReader) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/ada"
    aws.answer("sts", "get_caller_identity", {"Account": ACCOUNT, "Arn": arn, "UserId": "AIDA"})
    assert reader.account() == reader.account() == Account(ACCOUNT, REGION, arn)


def test_clusters_come_from_every_page(aws: Recordings, reader: EcsServiceReader) -> None:
    page = {"clusterArns": [f"{PREFIX}:cluster/shop"], "nextToken": "more"}
    aws.answer("ecs", "list_clusters", page, maxResults=100)
    rest = {"clusterArns": [f"{PREFIX}:cluster/back-office"]}
    aws.answer("ecs", "list_clusters", rest, maxResults=100, nextToken="more")
    assert reader.clusters() == ("back-office", "shop")


def test_services_come_from_every_page_under_long_and_short_arns(aws: Recordings, reader: EcsServiceReader) -> None:
    page = {"serviceArns": [f"{PREFIX}:service/shop/web", f"{PREFIX}:service/old"], "nextToken": "more"}
    aws.answer("ecs", "list_services", page, cluster="shop", maxResults=100)
    rest = {"serviceArns": [f"{PREFIX}:service/shop/api"]}
    aws.answer("ecs", "list_services", rest, cluster="shop", maxResults=100, nextToken="more")
    assert reader.services("shop") == ("api", "old", "web")


def test_a_service_is_read_with_its_tags(aws: Recordings, reader: EcsServiceReader) -> None:
    assert found(aws, reader).arn == SERVICE_ARN


def test_more_than_ten_services_take_more_than_one_call(aws: Recordings, reader: EcsServiceReader) -> None:
    names = [f"web{number}" for number in range(23)]
    for batch in (names[:10], names[10:20], names[20:]):
        services = [a_service(serviceName=name) for name in batch if name != "web13"]
        aws.answer("ecs", "describe_services", {"services": services}, cluster="shop", services=batch, **TAGS)
    assert [service.name for service in reader.described("shop", names)] == [n for n in names if n != "web13"]
    assert aws.session.calls.by_operation == {"ecs:DescribeServices": 3}


def test_c62_a_service_whose_short_arn_refuses_tags_is_read_without(aws: Recordings, reader: EcsServiceReader) -> None:
    message = "Long arn format must be used for tagging operations"
    arn = f"{PREFIX}:service/web"
    aws.refuse(
        "ecs", "describe_services", "InvalidParameterException", message, cluster="shop", services=["web"], **TAGS
    )
    answer = {"services": [without(a_service(serviceArn=arn), "tags")]}
    aws.answer("ecs", "describe_services", answer, cluster="shop", services=["web"])
    assert reader.service("shop", "web").arn == arn


def test_a_missing_service_names_those_that_are_like_it(aws: Recordings, reader: EcsServiceReader) -> None:
    failure = {"services": [], "failures": [{"arn": f"{PREFIX}:service/shop/wbe", "reason": "MISSING"}]}
    aws.answer("ecs", "describe_services", failure, cluster="shop", services=["wbe"], **TAGS)
    arns = [f"{PREFIX}:service/shop/{name}" for name in ("web", "mailer")]
    aws.answer("ecs", "list_services", {"serviceArns": arns}, cluster="shop", maxResults=100)
    with pytest.raises(NotFoundError) as raised:
        reader.service("shop", "wbe")
    assert raised.value.what == f"The service wbe does not exist in the cluster shop of {REGION}."
    assert raised.value.why == "The cluster holds web."


def test_a_deleted_service_is_missing_even_when_the_names_cannot_be_listed(
    aws: Recordings, reader: EcsServiceReader
) -> None:
    answer = {"services": [a_service(status="INACTIVE")]}
    aws.answer("ecs", "describe_services", answer, cluster="shop", services=["web"], **TAGS)
    aws.refuse("ecs", "list_services", "AccessDeniedException")
    with pytest.raises(NotFoundError, match="was deleted"):
        reader.service("shop", "web")


@pytest.mark.parametrize("code", ["ClusterNotFoundException", "InvalidParameterException", "AccessDeniedException"])
def test_a_refused_look_at_a_service_is_translated(aws: Recordings, reader: EcsServiceReader, code: str) -> None:
    aws.refuse("ecs", "describe_services", code, "no")
    with pytest.raises(NotFoundError if code.startswith("Cluster") else AccessError):
        reader.service("shop", "web")


def test_an_arn_of_another_region_is_refused_before_anything_is_asked(reader: EcsServiceReader) -> None:
    elsewhere = SERVICE_ARN.replace(REGION, "us-west-2")
    with pytest.raises(SettingsError, match=rf"is in us-west-2, but this run is about {REGION}"):
        reader.service("shop", elsewhere)


def test_a_revision_comes_with_its_tags_active_or_not(aws: Recordings, reader: EcsServiceReader) -> None:
    revision = {"taskDefinitionArn": TASK_DEFINITION_ARN, "family": "web", "revision": 42, "status": "INACTIVE"}
    answer = {"taskDefinition": revision, "tags": [{"key": "team", "value": "shop"}]}
    aws.answer("ecs", "describe_task_definition", answer, taskDefinition=TASK_DEFINITION_ARN, **TAGS)
    seen = reader.task_definition(TASK_DEFINITION_ARN)
    assert (seen.status, seen.tags) == ("INACTIVE", (("team", "shop"),))


def test_a_missing_revision_is_not_found(aws: Recordings, reader: EcsServiceReader) -> None:
    aws.refuse("ecs", "describe_task_definition", "ClientException", "Unable to describe task definition.")
    with pytest.raises(NotFoundError, match="web:42 does not exist"):
        reader.task_definition(TASK_DEFINITION_ARN)


def test_a_denied_look_at_a_revision_is_not_a_missing_one(aws: Recordings, reader: EcsServiceReader) -> None:
    aws.refuse("ecs", "describe_task_definition", "AccessDeniedException")
    with pytest.raises(AccessError, match="ecs:DescribeTaskDefinition"):
        reader.task_definition(TASK_DEFINITION_ARN)


def test_a_cluster_is_read(aws: Recordings, reader: EcsServiceReader) -> None:
    answer = {"clusters": [{"clusterArn": CLUSTER_ARN, "clusterName": "shop", "status": "ACTIVE"}]}
    aws.answer("ecs", "describe_clusters", answer, clusters=[CLUSTER_ARN])
    assert reader.cluster(CLUSTER_ARN).name == "shop"


@pytest.mark.parametrize("status", ["INACTIVE", None])
def test_a_missing_cluster_names_those_there_are(aws: Recordings, reader: EcsServiceReader, status: str | None) -> None:
    gone = [{"clusterArn": CLUSTER_ARN, "clusterName": "shop", "status": status}] if status else []
    aws.answer("ecs", "describe_clusters", {"clusters": gone}, clusters=["shop"])
    aws.answer("ecs", "list_clusters", {"clusterArns": [f"{PREFIX}:cluster/office"]}, maxResults=100)
    with pytest.raises(NotFoundError) as raised:
        reader.cluster("shop")
    assert "office" in raised.value.why


@pytest.mark.parametrize("listed", [True, False])
def test_a_missing_cluster_is_missing_whatever_else_can_be_seen(
    aws: Recordings, reader: EcsServiceReader, *, listed: bool
) -> None:
    aws.answer("ecs", "describe_clusters", {"clusters": []})
    if listed:
        aws.answer("ecs", "list_clusters", {"clusterArns": []})
    else:
        aws.refuse("ecs", "list_clusters", "AccessDeniedException")
    with pytest.raises(NotFoundError) as raised:
        reader.cluster("shop")
    assert raised.value.why == ("ECS shows no cluster at all." if listed else "")


def test_tasks_come_from_every_page_a_hundred_a_call(aws: Recordings, reader: EcsServiceReader) -> None:
    service = found(aws, reader)
    arns = [task_arn(number) for number in range(150)]
    listed = {"cluster": CLUSTER_ARN, "serviceName": "web", "desiredStatus": "RUNNING", "maxResults": 100}
    aws.answer("ecs", "list_tasks", {"taskArns": arns[:100], "nextToken": "more"}, **listed)
    aws.answer("ecs", "list_tasks", {"taskArns": arns[100:]}, **listed, nextToken="more")
    first = {"tasks": [a_task(number) for number in reversed(range(100))]}
    aws.answer("ecs", "describe_tasks", first, cluster=CLUSTER_ARN, tasks=arns[:100])
    stopped = [a_task(100, lastStatus="STOPPED")]
    rest = {
        "tasks": [*stopped, *(a_task(number) for number in range(101, 149))],
        "failures": [{"arn": arns[149], "reason": "MISSING"}],
    }
    aws.answer("ecs", "describe_tasks", rest, cluster=CLUSTER_ARN, tasks=arns[100:])
    seen = [task.arn for task in reader.tasks(service)]
    assert seen == [arn for arn in arns if arn not in {task_arn(100), task_arn(149)}]


def test_no_task_is_no_call(aws: Recordings, reader: EcsServiceReader) -> None:
    service = found(aws, reader)
    aws.answer("ecs", "list_tasks", {"taskArns": []})
    assert reader.tasks(service) == ()


def test_stopped_tasks_are_those_on_their_way_out_too(aws: Recordings, reader: EcsServiceReader) -> None:
    service = found(aws, reader)
    listed = {"cluster": CLUSTER_ARN, "serviceName": "web", "desiredStatus": "STOPPED", "maxResults": 100}
    aws.answer("ecs", "list_tasks", {"taskArns": [task_arn(1), task_arn(2)]}, **listed)
    tasks = [a_task(2, lastStatus="DEACTIVATING"), a_task(1, lastStatus="STOPPED", stopCode="SpotInterruption")]
    aws.answer("ecs", "describe_tasks", {"tasks": tasks}, cluster=CLUSTER_ARN, tasks=[task_arn(1), task_arn(2)])
    assert [task.last_status for task in reader.stopped_tasks(service)] == ["STOPPED", "DEACTIVATING"]


def test_c57_throttling_in_the_middle_is_an_access_error(aws: Recordings, reader: EcsServiceReader) -> None:
    service = found(aws, reader)
    aws.answer("ecs", "list_tasks", {"taskArns": [task_arn(1)]})
    aws.refuse("ecs", "describe_tasks", "ThrottlingException", "Rate exceeded")
    with pytest.raises(AccessError) as raised:
        reader.tasks(service)
    assert raised.value.runbook == "errors#throttled"


def test_service_deployments_are_read(aws: Recordings, reader: EcsServiceReader) -> None:
    service = found(aws, reader)
    brief = {"serviceDeploymentArn": "arn:d", "status": "IN_PROGRESS", "createdAt": STARTED}
    answer = {"serviceDeployments": [brief]}
    aws.answer("ecs", "list_service_deployments", answer, service=SERVICE_ARN, cluster=CLUSTER_ARN)
    deployments = reader.service_deployments(service)
    assert deployments is not None
    assert [(item.arn, item.status) for item in deployments] == [("arn:d", "IN_PROGRESS")]


@pytest.mark.parametrize(
    ("code", "status"),
    [("InvalidAction", 400), ("UnknownOperationException", 400), ("404", 404), ("UnsupportedFeatureException", 400)],
)
def test_an_endpoint_that_does_not_know_service_deployments_gives_none(
    aws: Recordings, reader: EcsServiceReader, code: str, status: int
) -> None:
    service = found(aws, reader)
    aws.refuse("ecs", "list_service_deployments", code, "unknown", status)
    assert reader.service_deployments(service) is None


def test_a_denied_look_at_service_deployments_is_no_missing_operation(
    aws: Recordings, reader: EcsServiceReader
) -> None:
    service = found(aws, reader)
    aws.refuse("ecs", "list_service_deployments", "AccessDeniedException")
    with pytest.raises(AccessError, match="ecs:ListServiceDeployments"):
        reader.service_deployments(service)


def test_c31_a_rolled_back_deployment_shows_another_primary_with_its_events(
    aws: Recordings, reader: EcsServiceReader
) -> None:
    ours = a_deployment("ecs-svc/2", revision=43, failedTasks=3)
    back = a_deployment("ecs-svc/3", revision=42, rolloutState="COMPLETED", failedTasks=0)
    assert found(aws, reader, deployments=[ours]).primary is not None
    after = found(aws, reader, deployments=[back])
    assert after.primary is not None
    assert (after.primary.id, after.primary.rollout_state) == ("ecs-svc/3", "COMPLETED")
    assert "ecs-svc/2" not in {item.id for item in after.deployments}
    assert after.events[0].message.startswith("(service web)")
