"""What a person signs of each stage: both sides of the documents, and the requests that write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrate.core.documents import document, fields
from migrate.core.observation import Observation
from migrate.core.plan.detail import StageDetail, stage_details
from migrate.core.plan.plan import make_plan
from migrate.core.record import Record
from migrate.core.settings import ArchitectureMode, ImageMode, ServiceOwner, Settings
from migrate.core.shown_documents import HIDDEN
from migrate.core.stages import Stage
from tests.fakes.facts import (
    INDEX_DIGEST,
    NEW,
    ORIGINAL_DIGEST,
    SPOT,
    built,
    definition,
    observation,
    record,
    rollouts,
    service,
    settings,
)

SETTINGS = settings()


def details(
    seen: Observation | None = None, wanted: Settings = SETTINGS, known: Record | None = None
) -> dict[Stage, StageDetail]:
    plan = make_plan(seen or observation(), wanted, known)
    return {detail.stage: detail for detail in stage_details(plan, wanted)}


def changed(detail: StageDetail) -> dict[str, tuple[Any, Any]]:
    return {
        f"{item.what} {found.path}": (found.before, found.after) for item in detail.sides for found in item.differences
    }


def calls(detail: StageDetail) -> list[str]:
    return [request.call for request in detail.requests]


def parameters(detail: StageDetail, number: int = -1) -> dict[str, Any]:
    return fields(detail.requests[number].parameters)


def test_each_stage_shows_what_differs_and_only_that() -> None:
    found = details()
    assert changed(found[Stage.BASELINE]) == {
        "service $.capacityProviderStrategy": (None, [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}]),
        "service $.launchType": ("FARGATE", None),
        "cluster $.capacityProviders[1]": (None, "FARGATE_SPOT"),
        "guard tag $": (
            None,
            {"imageDigest": ORIGINAL_DIGEST, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"},
        ),
    }
    assert set(changed(found[Stage.IMAGE])) == {
        "image tag $.imageDigest",
        "image tag $.mediaType",
        "image tag $.platforms",
    }
    assert changed(found[Stage.ARCHITECTURE]) == {
        "task definition $.runtimePlatform": (
            None,
            {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        ),
        "service $.taskDefinition": ("web:1", "web:<the revision that this registers>"),
    }
    assert set(changed(found[Stage.CAPACITY])) == {
        "service $.capacityProviderStrategy[0].base",
        "service $.capacityProviderStrategy[1]",
    }


def test_what_stays_is_named_and_the_count_of_tasks_always_is() -> None:
    content = {"serviceName": "web", "loadBalancers": [{"containerName": "app"}], "networkConfiguration": {"a": 1}}
    seen = observation(service=service(document=document(content), desired_count=7))
    for detail in details(seen).values():
        task_definition, of_service = detail.sides[:2]
        assert {"containerDefinitions", "cpu", "memory"} <= set(task_definition.unchanged)
        assert {"desiredCount", "loadBalancers", "networkConfiguration"} <= set(of_service.unchanged)
        assert fields(of_service.after or document({}))["desiredCount"] == 7


def test_values_that_may_be_secrets_are_in_no_plan() -> None:
    container = {
        "name": "app",
        "image": "web:tag1",
        "environment": [{"name": "DATABASE_URL", "value": "postgres://u:hunter2@db"}],
        "secrets": [{"name": "KEY", "valueFrom": "arn:aws:ssm:::parameter/key"}],
        "logConfiguration": {"logDriver": "splunk", "options": {"splunk-token": "hunter2"}},
        "firelensConfiguration": {"type": "fluentbit", "options": {"key": "hunter2"}},
    }
    content = {"family": "web", "cpu": "256", "memory": "512", "containerDefinitions": [container]}
    found = details(observation(task_definition=definition(content)))
    whole = repr([(detail.sides, detail.requests) for detail in found.values()])
    assert "hunter2" not in whole
    (shown,) = parameters(found[Stage.ARCHITECTURE], 0)["containerDefinitions"]
    assert shown["environment"] == [{"name": "DATABASE_URL", "value": HIDDEN}]
    assert shown["secrets"] == container["secrets"]


def test_the_requests_of_each_stage() -> None:
    found = details()
    assert [calls(detail) for detail in found.values()] == [
        ["ecr:PutImage", "ecs:PutClusterCapacityProviders", "ecs:UpdateService"],
        ["registry:PutManifest", "registry:PutManifest", "registry:PutManifest", "ecs:UpdateService"],
        ["ecs:RegisterTaskDefinition", "ecs:UpdateService"],
        ["ecs:UpdateService", "ecs:UpdateService"],
    ]
    where = {"cluster": service().cluster_arn, "service": service().arn, "forceNewDeployment": True}
    on_demand = [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}]
    assert parameters(found[Stage.BASELINE]) == {**where, "capacityProviderStrategy": on_demand}
    assert parameters(found[Stage.IMAGE]) == where
    assert parameters(found[Stage.ARCHITECTURE]) == {
        **where,
        "taskDefinition": "web:<the revision that this registers>",
    }
    wanted = [
        {"capacityProvider": "FARGATE", "weight": 1, "base": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 3, "base": 0},
    ]
    assert parameters(found[Stage.CAPACITY]) == {**where, "capacityProviderStrategy": wanted}
    assert [item["reference"] for item in map(fields, (r.parameters for r in found[Stage.IMAGE].requests[1:3]))] == [
        "migrate-index-tag1",
        "tag1",
    ]


@pytest.mark.parametrize(("mode", "pushed"), [(ImageMode.EXTERNAL, 0), (ImageMode.EXTEND, 3), (ImageMode.REBUILD, 4)])
def test_an_index_is_pushed_as_the_mode_says(mode: ImageMode, pushed: int) -> None:
    wanted = replace(SETTINGS, image=replace(SETTINGS.image, mode=mode))
    assert calls(details(wanted=wanted)[Stage.IMAGE]) == ["registry:PutManifest"] * pushed + ["ecs:UpdateService"]


def test_a_canary_makes_a_twin_and_lets_it_go_and_mixed_keeps_it() -> None:
    canary = details(wanted=replace(SETTINGS, architecture=ArchitectureMode.CANARY))[Stage.ARCHITECTURE]
    assert calls(canary) == [
        "ecs:RegisterTaskDefinition",
        "ecs:CreateService",
        "ecs:UpdateService",
        "ecs:DeleteService",
    ]
    made = parameters(canary, 1)
    assert (made["serviceName"], made["desiredCount"]) == ("web-migrate-arm64", 1)
    mixed = details(wanted=replace(SETTINGS, architecture=ArchitectureMode.MIXED))[Stage.ARCHITECTURE]
    assert calls(mixed) == ["ecs:RegisterTaskDefinition", "ecs:CreateService"]
    assert set(changed(mixed)) == {"twin service $"}


def test_what_was_made_before_is_named_and_not_made_again() -> None:
    known = record(adopted=True, index=built(), arm64_task_definition_arn=NEW)
    found = details(known=known)
    assert calls(found[Stage.ARCHITECTURE]) == ["ecs:UpdateService"]
    assert parameters(found[Stage.ARCHITECTURE])["taskDefinition"] == "web:2"
    assert changed(found[Stage.IMAGE])["image tag $.imageDigest"] == (ORIGINAL_DIGEST, INDEX_DIGEST)


def test_c53_a_service_that_is_arm64_already_is_written_to_at_no_stage_that_it_skips() -> None:
    seen = observation(task_definition=definition(architecture="ARM64"))
    found = details(seen)
    assert [calls(found[stage]) for stage in (Stage.IMAGE, Stage.ARCHITECTURE)] == [[], []]


def test_what_an_owner_deploys_is_no_request_of_ours() -> None:
    wanted = replace(SETTINGS, service=replace(SETTINGS.service, owner=ServiceOwner.EXTERNAL))
    found = details(wanted=replace(wanted, image=replace(wanted.image, mode=ImageMode.EXTERNAL)))
    assert [calls(detail) for detail in found.values()] == [["ecr:PutImage"], [], [], []]


def test_a_stage_without_change_writes_nothing() -> None:
    wanted = replace(SETTINGS, capacity=SPOT)
    seen = observation(service=service(strategy=SPOT))
    assert calls(details(seen, wanted)[Stage.BASELINE]) == ["ecr:PutImage", "ecs:PutClusterCapacityProviders"]


def test_a_stage_takes_the_soak_of_each_gate_and_a_deployment_before_it() -> None:
    found = details(observation(rollouts=rollouts(100, 120, 140)))
    assert [(item.time.deploys, item.time.soak.total_seconds()) for item in found.values()] == [
        (1, 600),
        (1, 600),
        (1, 600),
        (2, 1200),
    ]
    likely = found[Stage.CAPACITY].time.likely
    assert likely is not None
    assert likely.total_seconds() == 1440
