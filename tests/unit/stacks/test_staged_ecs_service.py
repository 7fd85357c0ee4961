"""The matrix of the contract's keys over one service of a team's, under Pulumi's own test runtime."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from stacks.components import StagedEcsService, StagedEcsServiceArgs
from tests.unit.stacks.recording import Requested, requested_by

FAMILY = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web"
CONTAINERS = json.dumps([{"name": "app", "image": "r/app:tag1", "essential": True}])
SPOT = [
    {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
    {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 3},
]
DEFINITION = aws.ecs.TaskDefinitionArgs(family="web", container_definitions=CONTAINERS, cpu="256", memory="512")
ARGS = StagedEcsServiceArgs(
    task_definition=DEFINITION,
    service=aws.ecs.ServiceArgs(cluster="demo", desired_count=2, launch_type="FARGATE", triggers={"own": "1"}),
    task_definition_name="web-task",
    service_name="web-service",
)
ANSWERS = {"web-task": {"arn": f"{FAMILY}:1"}, "web-task-arm64": {"arn": f"{FAMILY}:2"}}
AT_STAGE_2 = {"architecture": "ARM64", "arm64Revision": "true", "deployment": "sha256:1"}


def requested(
    configuration: Mapping[str, Any], args: StagedEcsServiceArgs = ARGS, name: str = "web"
) -> dict[str, Requested]:
    values = {
        f"{args.namespace}:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in configuration.items()
    }

    def program() -> None:
        StagedEcsService(name, args)

    return requested_by(program, ANSWERS, configuration=values)


def _plain() -> None:
    definition = aws.ecs.TaskDefinition("web-task", DEFINITION)
    aws.ecs.Service(
        "web-service",
        cluster="demo",
        desired_count=2,
        launch_type="FARGATE",
        triggers={"own": "1"},
        task_definition=definition.arn,
    )


@pytest.mark.parametrize(
    "configuration", [{}, {"stage": "0", "image": "original"}, {"stage": "0", "architecture": "X86_64"}]
)
def test_at_the_beginning_every_resource_is_what_it_was(configuration: dict[str, str]) -> None:
    before, after = requested_by(_plain, ANSWERS), requested(configuration)
    assert set(after) == {"web", *before}
    assert {name: after[name].inputs for name in before} == {name: item.inputs for name, item in before.items()}


def test_the_engine_finds_what_stood_in_the_program_itself() -> None:
    found = requested({})
    at_the_root = ({"spec": {"noParent": True}},)
    assert {name: item.aliases for name, item in found.items()} == {
        "web": (),
        "web-task": at_the_root,
        "web-service": at_the_root,
    }


def test_stage_2_declares_the_arm64_revision_beside_the_programs_own() -> None:
    before, found = requested({}), requested(AT_STAGE_2)
    arm64 = found["web-task-arm64"]
    assert arm64.inputs == {
        **before["web-task"].inputs,
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
    }
    assert (arm64.aliases, arm64.import_id) == ((), "")
    assert found["web-task"].inputs == before["web-task"].inputs
    assert found["web-service"].inputs["taskDefinition"] == f"{FAMILY}:2"


def test_the_way_back_takes_the_recorded_revision_and_keeps_the_other() -> None:
    found = requested({**AT_STAGE_2, "architecture": "X86_64"})
    assert found["web-service"].inputs["taskDefinition"] == f"{FAMILY}:1"
    assert found["web-task-arm64"].inputs == requested(AT_STAGE_2)["web-task-arm64"].inputs


def test_c32_revisions_are_kept_whatever_becomes_of_the_program() -> None:
    found = requested(AT_STAGE_2)
    assert {name for name, item in found.items() if item.retained} == {"web-task", "web-task-arm64"}


def test_c53_the_operating_system_of_the_program_is_carried_over() -> None:
    windows = aws.ecs.TaskDefinitionRuntimePlatformArgs(
        cpu_architecture="X86_64", operating_system_family="WINDOWS_SERVER_2022_CORE"
    )
    definition = aws.ecs.TaskDefinitionArgs(family="web", container_definitions=CONTAINERS, runtime_platform=windows)
    found = requested(AT_STAGE_2, replace(ARGS, task_definition=definition))
    assert found["web-task-arm64"].inputs["runtimePlatform"] == {
        "cpuArchitecture": "ARM64",
        "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE",
    }


@pytest.mark.parametrize("as_dictionary", [False, True])
def test_a_program_that_says_arm64_itself_needs_no_second_revision(*, as_dictionary: bool) -> None:
    platform: Any = {"cpu_architecture": "ARM64", "operating_system_family": "LINUX"}
    if not as_dictionary:
        platform = aws.ecs.TaskDefinitionRuntimePlatformArgs(**platform)
    definition = aws.ecs.TaskDefinitionArgs(family="web", container_definitions="[]", runtime_platform=platform)
    moved = replace(ARGS, task_definition=definition)
    found = requested(AT_STAGE_2, moved)
    assert "web-task-arm64" not in found
    assert found["web-service"].inputs["taskDefinition"] == f"{FAMILY}:1"
    with pytest.raises(pulumi.RunError, match="the program itself has moved on"):
        requested({"architecture": "X86_64"}, moved)


def test_c37_a_strategy_takes_the_place_of_the_launch_type_with_a_forced_deployment() -> None:
    service = requested({"capacity": SPOT})["web-service"].inputs
    assert service["capacityProviderStrategies"] == SPOT
    assert service["forceNewDeployment"] is True
    assert "launchType" not in service


def test_a_strategy_takes_the_place_of_the_programs_own() -> None:
    own = aws.ecs.ServiceArgs(
        cluster="demo",
        capacity_provider_strategies=[
            aws.ecs.ServiceCapacityProviderStrategyArgs(capacity_provider="FARGATE", weight=1)
        ],
    )
    args = replace(ARGS, service=own)
    assert requested({"capacity": SPOT}, args)["web-service"].inputs["capacityProviderStrategies"] == SPOT
    left = requested({}, args)["web-service"].inputs
    assert left["capacityProviderStrategies"] == [{"capacityProvider": "FARGATE", "weight": 1}]
    assert "forceNewDeployment" not in left


def test_c39_another_text_forces_a_deployment_beside_the_programs_own_triggers() -> None:
    service = requested({"deployment": "sha256:1"})["web-service"].inputs
    assert service["triggers"] == {"own": "1", "migrate-deployment": "sha256:1"}
    assert service["forceNewDeployment"] is True
    assert service["launchType"] == "FARGATE"


def test_c35_the_count_is_left_to_the_program_and_its_options_hold() -> None:
    options = pulumi.ResourceOptions(ignore_changes=["desiredCount"], protect=True)
    service = requested(AT_STAGE_2, replace(ARGS, service_options=options))["web-service"]
    assert service.inputs["desiredCount"] == 2
    assert (service.ignore_changes, service.protected, service.retained) == (("desiredCount",), True, False)


def test_a_program_may_spell_its_revision_as_it_likes() -> None:
    def spelled(definition: aws.ecs.TaskDefinition) -> pulumi.Output[str]:
        return definition.arn.apply(lambda arn: arn.rpartition("/")[2])

    assert requested({}, replace(ARGS, reference=spelled))["web-service"].inputs["taskDefinition"] == "web:1"


def test_without_names_of_their_own_both_are_called_like_the_component() -> None:
    args = replace(ARGS, task_definition_name=None, service_name="web-service")
    assert {"web", "web-service"} == set(requested({}, args))
    found = requested(AT_STAGE_2, replace(ARGS, task_definition_name="web-task", service_name=None), name="shop")
    assert {"web-task", "web-task-arm64", "shop"} == set(found)


def test_a_team_may_keep_the_keys_in_a_namespace_of_its_own() -> None:
    args = replace(ARGS, namespace="rollout")
    assert requested(AT_STAGE_2, args)["web-service"].inputs["taskDefinition"] == f"{FAMILY}:2"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("architecture", "arm64"),
        ("image", "published"),
        ("capacity", "FARGATE"),
        ("capacity", [{"weight": 1}]),
        ("capacity", ["FARGATE"]),
        ("arm64Revision", "perhaps"),
    ],
)
def test_what_the_contract_does_not_know_ends_the_program_and_names_the_key(key: str, value: object) -> None:
    with pytest.raises(pulumi.RunError, match=f"migrate:{key}"):
        requested({key: value})


def _with_definition_named() -> StagedEcsServiceArgs:
    return replace(ARGS, service=aws.ecs.ServiceArgs(task_definition="web:1"))


def _with_platform_unknown() -> StagedEcsServiceArgs:
    platform = aws.ecs.TaskDefinitionRuntimePlatformArgs(cpu_architecture=pulumi.Output.from_input("X86_64"))
    definition = aws.ecs.TaskDefinitionArgs(family="web", container_definitions="[]", runtime_platform=platform)
    return replace(ARGS, task_definition=definition)


@pytest.mark.parametrize(
    ("args", "refused"),
    [(_with_definition_named, "names a task definition"), (_with_platform_unknown, "is an output")],
)
def test_a_program_that_the_component_cannot_bring_there_is_told_so(
    args: Callable[[], StagedEcsServiceArgs], refused: str
) -> None:
    def program() -> None:
        StagedEcsService("web", args())

    with pytest.raises(pulumi.RunError, match=refused):
        requested_by(program, ANSWERS)
