from __future__ import annotations

from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.model import ListShape, Shape, StructureShape

from migrate.core.check_subjects import task_definition_only
from migrate.core.desired_state import desired_state
from migrate.core.documents import Json, document, fields
from migrate.core.facts import Architecture
from migrate.core.findings import Grade
from migrate.core.image.index import ImageReference
from migrate.core.image.names import LINUX_ARM64
from migrate.core.observation import ContainerImage
from migrate.core.provider.container import CONTAINER_FIELDS, unknown_container_fields
from migrate.core.stages import Stage
from migrate.core.task_definition import ANSWER_ONLY_FIELDS, REGISTERED_FIELDS, registrable, with_architecture
from tests.fakes.facts import ARM64_DIGEST, IMAGE, child, multi_platform, record, settings, single_platform, tasks
from tests.fakes.preflight import ON_EC2, described, found

WHOLE = {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}
PARTIAL: list[dict[str, Any]] = [
    {},
    {"runtimePlatform": {}},
    {"runtimePlatform": {"cpuArchitecture": "X86_64"}},
    {"runtimePlatform": {"operatingSystemFamily": "LINUX"}},
]
ON_ARM64 = {"runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}}


@pytest.mark.parametrize("revision", PARTIAL)
def test_c53_absent_or_partial_on_fargate_means_x86_64_and_linux(revision: dict[str, Any]) -> None:
    finding = found(described({}, revision))["task-definition.platform-unset"]
    assert (finding.grade, finding.stage) == (Grade.INFO, 2)
    assert "X86_64 and LINUX" in finding.text
    assert ("task definition", "$.runtimePlatform") in finding.evidence


@pytest.mark.parametrize("revision", [*PARTIAL, {"runtimePlatform": WHOLE}, {"cpu": "256", **PARTIAL[2]}])
def test_c53_stage_2_writes_both_fields_and_carries_everything_else_over(revision: dict[str, Any]) -> None:
    definition = described({}, revision).task_definition
    made = fields(with_architecture(definition.document, Architecture.ARM64))
    assert made.pop("runtimePlatform") == {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    before = registrable(definition.document)
    before.pop("runtimePlatform", None)
    assert made == before


def test_c53_both_fields_said_is_no_finding() -> None:
    seen = found(described({}, {"runtimePlatform": WHOLE}))
    assert not [code for code in seen if code.startswith("task-definition.platform")]


@pytest.mark.parametrize(
    ("running", "grade", "stage"),
    [
        (tasks(4), Grade.INFO, 2),
        (tasks(4, architecture="X86_64"), Grade.INFO, 2),
        ((*tasks(2), *tasks(2, architecture="arm64")), Grade.BLOCK, 0),
        (tasks(4, architecture=None), Grade.UNKNOWN, 2),
        ((), Grade.UNKNOWN, 2),
    ],
)
def test_c53_on_ec2_placement_decides_and_the_running_tasks_tell_how(running: Any, grade: Grade, stage: int) -> None:
    seen = found(described({}, around={"tasks": running}, **ON_EC2))
    finding = seen["task-definition.platform-by-placement"]
    assert (finding.grade, finding.stage) == (grade, stage)
    assert "placement decides" in finding.text
    assert "task-definition.platform-unset" not in seen


def test_c53_already_arm64_is_shown_with_the_evidence_of_the_running_tasks() -> None:
    around = {
        "tasks": tasks(4, architecture="arm64"),
        "images": (ContainerImage("app", IMAGE, multi_platform()),),
    }
    seen = found(described({}, ON_ARM64, around=around))
    finding = seen["task-definition.already-arm64"]
    assert finding.evidence == (
        ("task definition", "$.runtimePlatform.cpuArchitecture"),
        ("cpuArchitecture", "ARM64"),
        ("running tasks on arm64", "4"),
    )
    assert "strategy" in finding.advice
    assert not {"task-definition.arm64-without-image", "task-definition.platform-unset"} & set(seen)


def test_c53_arm64_with_an_image_that_has_only_amd64_is_a_broken_start_state() -> None:
    finding = found(described({}, ON_ARM64))["task-definition.arm64-without-image"]
    assert (finding.grade, finding.stage) == (Grade.BLOCK, 0)
    assert ("image", str(IMAGE)) in finding.evidence


def test_c53_an_image_that_could_not_be_read_is_not_called_broken() -> None:
    unread = ContainerImage("app", IMAGE, None, "denied")
    fine = ContainerImage("envoy", ImageReference("docker.io", "envoy", tag="v1"), multi_platform())
    seen = found(described({}, ON_ARM64, around={"images": (unread, fine)}))
    assert "task-definition.arm64-without-image" not in seen
    only_arm64 = single_platform(children=(child(LINUX_ARM64, ARM64_DIGEST),))
    seen = found(described({}, ON_ARM64, around={"images": (ContainerImage("app", IMAGE, only_arm64),)}))
    assert "task-definition.arm64-without-image" not in seen


ANSWER = {
    "taskDefinitionArn": "arn:aws:ecs:us-east-1:111122223333:task-definition/web:1",
    "revision": 1,
    "status": "ACTIVE",
    "requiresAttributes": [{"name": "com.amazonaws.ecs.capability.ecr-auth"}],
    "compatibilities": ["EC2", "FARGATE"],
    "registeredAt": "2026-01-01T00:00:00+00:00",
    "registeredBy": "arn:aws:iam::111122223333:user/ada",
    "deregisteredAt": None,
    "enableFaultInjection": False,
    "pidMode": None,
    "volumes": [],
}


def test_c54_what_only_the_answer_has_is_neither_registered_nor_called_lost() -> None:
    definition = described({}, ANSWER).task_definition
    assert not set(registrable(definition.document)) & {*ANSWER_ONLY_FIELDS, "pidMode", "volumes"}
    assert "task-definition.unknown-field" not in found(described({}, ANSWER))


def test_c54_nulls_are_taken_out_wherever_they_stand() -> None:
    content = {
        "containerDefinitions": [{"name": "app", "cpu": None, "healthCheck": {"command": ["a"], "timeout": None}}],
        "runtimePlatform": {"cpuArchitecture": None, "operatingSystemFamily": "LINUX"},
        "taskRoleArn": None,
    }
    assert registrable(document(content)) == {
        "containerDefinitions": [{"name": "app", "healthCheck": {"command": ["a"]}}],
        "runtimePlatform": {"operatingSystemFamily": "LINUX"},
    }


@pytest.mark.parametrize(
    ("revision", "path"),
    [
        ({"gpuFabric": {"links": 4}}, "$.gpuFabric"),
        ({"inferenceAccelerators": [{"deviceName": "d", "deviceType": "t"}]}, "$.inferenceAccelerators"),
        ({"containerDefinitions": [{"name": "app", "warmStart": True}]}, "$.containerDefinitions[0].warmStart"),
        (
            {"containerDefinitions": [{"name": "a"}, {"name": "app", "linuxParameters": {"cgroup": "x"}}]},
            "$.containerDefinitions[1].linuxParameters.cgroup",
        ),
        ({"volumes": [{"name": "v", "nfsVolumeConfiguration": {"server": "s"}}]}, "$.volumes.nfsVolumeConfiguration"),
    ],
)
def test_c54_a_field_of_a_later_api_is_reported_as_not_carried_over(revision: dict[str, Any], path: str) -> None:
    finding = found(described({}, revision))["task-definition.unknown-field"]
    assert (finding.grade, finding.stage) == (Grade.BLOCK, 2)
    assert ("task definition", path) in finding.evidence
    assert "not carried over" in finding.text


def test_c54_an_unknown_field_without_content_is_nothing_to_lose() -> None:
    revision = {"later": None, "empty": [], "containerDefinitions": [{"name": "app", "later": {}, "off": False}]}
    assert "task-definition.unknown-field" not in found(described({}, revision))


def test_c54_the_whitelist_is_that_of_the_installed_api_model() -> None:
    model = botocore.session.get_session().get_service_model("ecs")
    request, answer = model.shape_for("RegisterTaskDefinitionRequest"), model.shape_for("TaskDefinition")
    assert isinstance(request, StructureShape)
    assert isinstance(answer, StructureShape)
    # Tags are registered beside the document; the provider has no word for the other two, which preflight says.
    assert set(request.members) - {"tags", "inferenceAccelerators", "trustedExecutionConfiguration"} == set(
        REGISTERED_FIELDS
    )
    assert set(answer.members) - set(request.members) <= set(ANSWER_ONLY_FIELDS)


def _tree(shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        return {name: _tree(member) for name, member in shape.members.items()}
    return _tree(shape.member) if isinstance(shape, ListShape) else None


def test_c54_the_fields_of_a_container_are_those_of_the_installed_api_model() -> None:
    model = botocore.session.get_session().get_service_model("ecs")
    expected = _tree(model.shape_for("ContainerDefinition"))
    # Younger than pulumi-aws 7.51.1: the provider would drop it.
    del expected["resourceRequirements"]["sharingStrategy"]
    assert expected == CONTAINER_FIELDS
    sharing: dict[str, Json] = {"type": "GPU", "value": "1", "sharingStrategy": {"nvidiaMps": {"memory": 1}}}
    assert unknown_container_fields([{"name": "app", "resourceRequirements": [sharing]}]) == (
        "containerDefinitions[0].resourceRequirements[0].sharingStrategy",
    )


def test_c54_what_the_program_of_the_service_cannot_express_is_told_before_stage_0() -> None:
    breaker = {"enable": True, "rollback": True, "thresholdConfiguration": {"type": "COUNT", "value": 3}}
    finding = found(described({"deploymentConfiguration": {"deploymentCircuitBreaker": breaker}, "later": "x"}))[
        "service.untranslated-field"
    ]
    assert (finding.grade, finding.stage) == (Grade.WARN, 0)
    assert finding.evidence == (
        ("service", "$.deploymentConfiguration.deploymentCircuitBreaker.thresholdConfiguration"),
        ("service", "$.later"),
    )
    assert "leaves that alone" in finding.text


def test_c54_a_setting_that_is_known_to_be_left_alone_only_tells() -> None:
    breaker = {"enable": True, "rollback": True, "resetOnHealthyTask": True}
    seen = found(described({"deploymentConfiguration": {"deploymentCircuitBreaker": breaker}}))
    assert seen["service.untranslated-field"].grade is Grade.INFO


def test_c54_tags_of_the_revision_are_fetched_and_registered_again() -> None:
    known = record()
    original = replace(known.baseline.task_definition, tags=(("team", "a"),))
    known = replace(known, baseline=replace(known.baseline, task_definition=original))
    made = desired_state(known, settings(), Stage.ARCHITECTURE).service.task_definitions
    assert [item.tags for item in made] == [(("team", "a"),), (("team", "a"),)]


def test_c50_c56_a_task_definition_for_ec2_alone_is_not_measured_by_fargate() -> None:
    constraint = {"type": "memberOf", "expression": "attribute:ecs.cpu-architecture == x86_64"}
    revision = {"requiresCompatibilities": ["EC2"], "networkMode": "bridge", "placementConstraints": [constraint]}
    seen = {item.code: item for item in task_definition_only(described({}, revision).task_definition, ())}
    assert seen["placement.no-arm64"].grade is Grade.BLOCK
    assert not {"placement.not-on-fargate", "task-definition.not-on-fargate", "task-definition.fargate-size"} & set(
        seen
    )
