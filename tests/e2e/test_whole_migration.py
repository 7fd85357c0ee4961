"""One service from the original through all stages and back, on the real engine, builder and registry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from migrate.core.documents import fields
from migrate.core.evidence import Event, EventKind
from migrate.core.stack.preview import IMAGE, INDEX, SERVICE, TASK_DEFINITION
from migrate.sandbox.demo.build import break_arm64_binary, hide_amd64_binary, repair_arm64_binary
from tests.e2e.conftest import Operator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
KEPT = {SERVICE, IMAGE, INDEX, "aws:ecs/cluster:Cluster", "aws:ecr/repository:Repository"}
DESTRUCTIVE = {"replace", "delete", "create-replacement", "delete-replaced", "discard", "discard-replaced"}


def test_a_service_goes_through_all_stages_and_comes_back_byte_for_byte(operator: Operator) -> None:
    operator.init()
    before, tag_before = operator.service(), operator.tag()
    plan = operator.done("plan", "--output", "json").json
    assert [stage["status"] for stage in plan["stages"]] == ["next", "later", "later", "later"]

    _adopted_without_change(operator, before)
    _a_wrong_arm64_binary_never_reaches_the_tag(operator, tag_before)
    _the_tag_becomes_an_index_that_keeps_amd64(operator, tag_before)
    _a_stage_that_is_done_changes_nothing(operator, 1)
    _the_tasks_move_to_arm64(operator, before)
    _the_tasks_move_to_spot(operator)
    _everything_comes_back(operator, before, tag_before)
    _no_preview_ever_destroys(operator)


def _adopted_without_change(operator: Operator, before: Any) -> None:
    operator.done("apply", "--stage", "0", "--yes")
    adoption = next(item for item in _previews(operator.events()) if item[0].startswith("adopt"))
    assert {operation for operation, kind in adoption[1] if not kind.startswith("pulumi:")} <= {"import", "same"}
    after = operator.service()
    assert after["taskDefinition"] == before["taskDefinition"]
    assert [item["capacityProvider"] for item in after["capacityProviderStrategy"]] == ["FARGATE"]
    assert _without_what_stage_0_moves(after) == _without_what_stage_0_moves(before)


def _a_wrong_arm64_binary_never_reaches_the_tag(operator: Operator, tag_before: tuple[str, str, bytes]) -> None:
    deployment = operator.service()["deployments"][0]["id"]
    break_arm64_binary(operator.seeded.context)
    foreseen = operator.run("apply", "--stage", "1", "--yes")
    repair_arm64_binary(operator.seeded.context)
    assert foreseen.code == 3, foreseen.said
    assert "bin/linux/arm64/app, a program for x86_64," in foreseen.said
    assert operator.tag() == tag_before
    hide_amd64_binary(operator.seeded.context)
    refused = operator.run("apply", "--stage", "1", "--yes")
    repair_arm64_binary(operator.seeded.context)
    assert refused.code == 4, refused.said
    assert "cannot run there" in refused.said
    assert "rolled back to stage 0" in refused.said
    assert operator.tag() == tag_before
    assert operator.service()["deployments"][0]["id"] == deployment


def _the_tag_becomes_an_index_that_keeps_amd64(operator: Operator, tag_before: tuple[str, str, bytes]) -> None:
    deployment = operator.service()["deployments"][0]["id"]
    operator.done("apply", "--stage", "1", "--yes")
    _, media_type, body = operator.tag()
    assert media_type == OCI_INDEX
    children = {child["platform"]["architecture"]: child["digest"] for child in json.loads(body)["manifests"]}
    assert children["amd64"] == tag_before[0]
    assert "arm64" in children
    after = operator.service()
    assert after["deployments"][0]["id"] != deployment
    for stack in ("image", "service"):
        assert _is_empty(operator, stack)


def _a_stage_that_is_done_changes_nothing(operator: Operator, stage: int) -> None:
    deployment, tag, count = operator.service()["deployments"][0]["id"], operator.tag(), len(operator.events())
    again = operator.done("apply", "--stage", str(stage), "--yes")
    assert "nothing was changed" in again.stdout
    assert operator.service()["deployments"][0]["id"] == deployment
    assert operator.tag() == tag
    assert not any(event.kind is EventKind.INTENT for event in operator.events()[count:])


def _the_tasks_move_to_arm64(operator: Operator, before: Any) -> None:
    operator.done("apply", "--stage", "2", "--yes")
    status = operator.status()
    assert status["architectures"] == {"arm64": 4}
    assert status["split"] == {"FARGATE": 4}
    new = operator.aws("ecs").describe_task_definition(taskDefinition=operator.service()["taskDefinition"])
    old = operator.aws("ecs").describe_task_definition(taskDefinition=before["taskDefinition"])
    changed = new["taskDefinition"]["runtimePlatform"]
    assert changed == {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    assert _image(new) == _image(old)
    assert new["taskDefinition"]["revision"] == old["taskDefinition"]["revision"] + 1


def _the_tasks_move_to_spot(operator: Operator) -> None:
    operator.done("apply", "--stage", "3", "--yes")
    status = operator.status()
    assert status["architectures"] == {"arm64": 4}
    assert status["split"]["FARGATE_SPOT"] >= 2
    _a_stage_that_is_done_changes_nothing(operator, 3)


def _everything_comes_back(operator: Operator, before: Any, tag_before: tuple[str, str, bytes]) -> None:
    operator.done("rollback", "--to", "original", "--yes")
    after = operator.service()
    assert operator.tag() == tag_before
    assert after["taskDefinition"] == before["taskDefinition"]
    assert after["launchType"] == "FARGATE"
    assert not after.get("capacityProviderStrategy")
    assert _without_what_stage_0_moves(after) == _without_what_stage_0_moves(before)
    assert operator.status()["architectures"] == {"x86_64": 4}
    family = operator.seeded.family
    arns = operator.aws("ecs").list_task_definitions(familyPrefix=family, status="INACTIVE")["taskDefinitionArns"]
    assert arns == []


def _no_preview_ever_destroys(operator: Operator) -> None:
    previews = list(_previews(operator.events()))
    assert len(previews) >= 8
    destroyed = [
        (step, operation, kind)
        for step, operations in previews
        for operation, kind in operations
        if operation in DESTRUCTIVE and kind in KEPT | {TASK_DEFINITION}
    ]
    assert destroyed == []


def _previews(events: list[Event]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for event in events:
        found = fields(event.data).get("operations")
        if isinstance(found, list):
            yield event.step, [(str(item["operation"]), str(item["type"])) for item in found if isinstance(item, dict)]


def _is_empty(operator: Operator, stack: str) -> bool:
    ended = operator.done("stack", stack, "--", "preview", "--json")
    summary = json.loads(ended.stdout)["changeSummary"]
    return set(summary) <= {"same"}


def _image(answer: Any) -> str:
    return str(answer["taskDefinition"]["containerDefinitions"][0]["image"])


def _without_what_stage_0_moves(service: Any) -> Any:
    moving = {"capacityProviderStrategy", "launchType", "deployments", "events"}
    moving |= {"currentServiceRevisions", "currentServiceDeployment", "platformVersion"}
    return {name: value for name, value in service.items() if name not in moving}
