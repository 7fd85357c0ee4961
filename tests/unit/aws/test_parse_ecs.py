"""Recorded answers become facts; what an answer leaves out has the meaning that the API reference gives it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.adapters.aws import parse_ecs
from migrate.core.documents import fields
from migrate.core.facts import RuntimePlatform, StrategyItem
from tests.unit.aws.recordings import (
    CLUSTER_ARN,
    GROUP_ARN,
    PREFIX,
    SERVICE_ARN,
    STARTED,
    STRATEGY,
    a_deployment,
    a_service,
    a_task,
    without,
)


def service(answer: dict[str, Any]) -> Any:
    return parse_ecs.service(answer)  # type: ignore[arg-type]


def test_a_service_on_a_launch_type() -> None:
    seen = service(a_service())
    assert (seen.arn, seen.name, seen.cluster_arn, seen.status) == (SERVICE_ARN, "web", CLUSTER_ARN, "ACTIVE")
    assert (seen.desired_count, seen.running_count, seen.pending_count) == (4, 3, 1)
    assert (seen.launch_type, seen.strategy, seen.platform_version) == ("FARGATE", (), "LATEST")
    assert (seen.scheduling_strategy, seen.deployment_controller) == ("REPLICA", "ECS")
    assert (seen.target_group_arns, seen.alarm_names) == ((GROUP_ARN,), ("web-errors",))
    assert seen.events[0].at == STARTED


def test_a_deployment_keeps_what_the_verdict_needs() -> None:
    primary = service(a_service()).primary
    assert primary is not None
    assert (primary.id, primary.rollout_state, primary.failed_tasks) == ("ecs-svc/1", "IN_PROGRESS", 2)
    assert primary.task_definition_arn == f"{PREFIX}:task-definition/web:42"
    assert primary.created_at == STARTED


def test_c37_a_strategy_decides_even_where_the_answer_shows_its_launch_type() -> None:
    seen = service(a_service(capacityProviderStrategy=STRATEGY))
    assert seen.launch_type is None
    assert seen.strategy == (StrategyItem("FARGATE", 1, 1), StrategyItem("FARGATE_SPOT", 3, 0))


def test_absent_fields_have_their_documented_meaning() -> None:
    bare = {"serviceArn": SERVICE_ARN, "serviceName": "web", "clusterArn": CLUSTER_ARN}
    seen = service(bare)
    assert (seen.desired_count, seen.launch_type, seen.strategy, seen.platform_version) == (0, None, (), None)
    assert (seen.scheduling_strategy, seen.deployment_controller) == ("REPLICA", "ECS")
    assert (seen.deployments, seen.events, seen.alarm_names, seen.primary) == ((), (), (), None)


@pytest.mark.parametrize("alarms", [{"alarmNames": ["a"], "enable": False, "rollback": False}, None])
def test_alarms_that_are_switched_off_do_not_count(alarms: dict[str, Any] | None) -> None:
    configuration = {"maximumPercent": 200} | ({"alarms": alarms} if alarms else {})
    assert service(a_service(deploymentConfiguration=configuration)).alarm_names == ()


def test_c62_a_short_arn_service_keeps_the_settings_of_its_tags() -> None:
    arn = f"{PREFIX}:service/web"
    kept = fields(service(without(a_service(serviceArn=arn), "tags")).document)
    assert (kept["serviceArn"], kept["propagateTags"]) == (arn, "SERVICE")
    assert (kept["enableECSManagedTags"], kept["enableExecuteCommand"]) == (True, False)
    assert "tags" not in kept


def test_c34_the_document_keeps_arns_as_aws_gave_them() -> None:
    kept = fields(service(a_service()).document)
    assert (kept["clusterArn"], kept["serviceArn"]) == (CLUSTER_ARN, SERVICE_ARN)
    assert kept["roleArn"] == a_service()["roleArn"]


def test_settings_shown_on_deployments_only_are_part_of_the_document() -> None:
    connect = {"enabled": True, "namespace": "shop"}
    deployments = [
        a_deployment("ecs-svc/2", serviceConnectConfiguration=connect),
        a_deployment("ecs-svc/1", status="ACTIVE", serviceConnectConfiguration={"enabled": False}),
    ]
    kept = fields(service(a_service(deployments=deployments)).document)
    assert kept["serviceConnectConfiguration"] == connect


moving = st.fixed_dictionaries(
    {
        "desiredCount": st.integers(0, 500),
        "runningCount": st.integers(0, 500),
        "pendingCount": st.integers(0, 500),
        "status": st.sampled_from(["ACTIVE", "DRAINING"]),
        "taskDefinition": st.integers(1, 99).map(lambda revision: f"{PREFIX}:task-definition/web:{revision}"),
        "capacityProviderStrategy": st.sampled_from([[], STRATEGY]),
        "launchType": st.sampled_from(["FARGATE", "EC2"]),
        "deployments": st.lists(st.integers(1, 9).map(lambda number: a_deployment(f"ecs-svc/{number}")), max_size=3),
        "events": st.lists(st.just({"id": "e", "createdAt": STARTED, "message": "m"}), max_size=3),
        "currentServiceDeployment": st.text(max_size=5),
        "createdAt": st.datetimes(timezones=st.just(UTC)),
    }
)


@given(moving)
def test_c35_the_document_is_the_same_whatever_moves(state: dict[str, Any]) -> None:
    assert service(a_service(**state)).document == service(a_service()).document


@pytest.mark.parametrize(
    "setting",
    [
        {"healthCheckGracePeriodSeconds": 61},
        {"enableExecuteCommand": True},
        {"propagateTags": "TASK_DEFINITION"},
        {"platformVersion": "1.4.0"},
        {"tags": []},
    ],
)
def test_the_document_differs_when_a_setting_does(setting: dict[str, Any]) -> None:
    assert service(a_service(**setting)).document != service(a_service()).document


def a_task_definition(**more: Any) -> dict[str, Any]:
    return {
        "taskDefinition": {
            "taskDefinitionArn": f"{PREFIX}:task-definition/web:42",
            "family": "web",
            "revision": 42,
            "status": "ACTIVE",
            "containerDefinitions": [{"name": "web", "image": "web:tag1", "cpu": 0, "essential": True}],
            "registeredAt": STARTED,
            **more,
        },
        "tags": [{"key": "b", "value": "2"}, {"key": "a", "value": "1"}],
    }


def revision(answer: dict[str, Any]) -> Any:
    return parse_ecs.task_definition(answer)  # type: ignore[arg-type]


def test_a_task_definition_is_kept_whole_with_its_tags_beside() -> None:
    seen = revision(a_task_definition(cpu="256", enableFaultInjection=True))
    kept = fields(seen.document)
    assert (seen.family, seen.revision, seen.status) == ("web", 42, "ACTIVE")
    assert (kept["cpu"], kept["enableFaultInjection"]) == ("256", True)
    assert seen.tags == (("a", "1"), ("b", "2"))
    assert "tags" not in kept


def test_a_task_definition_without_runtime_platform_says_nothing_about_it() -> None:
    assert revision(a_task_definition()).runtime_platform == RuntimePlatform(None, None)
    platform = {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    assert revision(a_task_definition(runtimePlatform=platform)).runtime_platform == RuntimePlatform("ARM64", "LINUX")


def test_the_same_revision_has_the_same_document_on_every_machine() -> None:
    elsewhere = STARTED.astimezone(timezone(timedelta(hours=9)))
    assert (
        revision(a_task_definition(registeredAt=elsewhere)).document
        == revision(a_task_definition(registeredAt=STARTED)).document
    )
    assert fields(revision(a_task_definition()).document)["registeredAt"] == "2026-11-25T09:30:00+00:00"


def test_a_task_shows_architecture_provider_and_digest() -> None:
    seen = parse_ecs.task(a_task())  # type: ignore[arg-type]
    assert (seen.architecture, seen.provider, seen.launch_type) == ("x86_64", "FARGATE_SPOT", "FARGATE")
    assert (seen.platform_version, seen.health_status, seen.started_by) == ("1.4.0", "HEALTHY", "ecs-svc/1")
    assert seen.containers[0].image_digest == f"sha256:{'a' * 64}"


def test_a_stopped_task_shows_why() -> None:
    container = {"name": "web", "lastStatus": "STOPPED", "exitCode": 255, "reason": "exec format error"}
    stopped = a_task(
        lastStatus="STOPPED", stopCode="EssentialContainerExited", stoppedReason="it ended", containers=[container]
    )
    seen = parse_ecs.task(stopped)  # type: ignore[arg-type]
    assert (seen.last_status, seen.stop_code, seen.stopped_reason) == (
        "STOPPED",
        "EssentialContainerExited",
        "it ended",
    )
    assert (seen.containers[0].exit_code, seen.containers[0].reason) == (255, "exec format error")
    assert seen.containers[0].image_digest is None


def test_a_task_of_an_endpoint_without_attributes_claims_nothing() -> None:
    seen = parse_ecs.task({"taskArn": "t"})
    assert (seen.architecture, seen.provider, seen.health_status, seen.containers) == (None, None, "UNKNOWN", ())


def test_service_deployments_come_newest_first() -> None:
    briefs: list[Any] = [
        {"serviceDeploymentArn": str(hours), "createdAt": STARTED + timedelta(hours=hours), "status": "SUCCESSFUL"}
        for hours in (1, 3, 2)
    ]
    briefs.append({"serviceDeploymentArn": "undated"})
    assert [item.arn for item in parse_ecs.service_deployments(briefs)] == ["3", "2", "1", "undated"]


def test_a_cluster_shows_its_providers() -> None:
    seen = parse_ecs.cluster(
        {
            "clusterArn": CLUSTER_ARN,
            "clusterName": "shop",
            "capacityProviders": ["FARGATE"],
            "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1}],
        }
    )
    assert (seen.capacity_providers, seen.default_strategy) == (("FARGATE",), (StrategyItem("FARGATE", 1),))


@given(st.datetimes(timezones=st.timezones()))
def test_times_are_in_utc_and_stay_the_same_moment(time: datetime) -> None:
    # Comparing the two would be False for hours that a zone has twice (PEP 495): compare the moments.
    assert parse_ecs.utc(time).timestamp() == time.timestamp()
    assert parse_ecs.utc(time).tzinfo is UTC
