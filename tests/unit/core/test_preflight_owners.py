from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrate.core.desired_state import desired_state
from migrate.core.documents import document
from migrate.core.findings import Grade
from migrate.core.owner.advice import owner_change
from migrate.core.owner.marks import Owner
from migrate.core.preflight import findings
from migrate.core.provider.service import service_arguments
from migrate.core.settings import ProgramSettings, ServiceOwner
from migrate.core.stages import Stage
from tests.fakes.facts import SPOT, record
from tests.fakes.preflight import SETTINGS, container, described, found

STACK = {"aws:cloudformation:stack-name": "shop", "aws:cloudformation:stack-id": "arn:aws:cloudformation:..."}
ROLE = "arn:aws:sts::111122223333:assumed-role"
SHORT_ARN = "arn:aws:ecs:us-east-1:111122223333:service/web"


def tagged(tags: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"tags": [{"key": key, "value": value} for key, value in tags.items()], **more}


@pytest.mark.parametrize(
    ("answer", "owner", "words"),
    [
        (tagged(STACK), "CloudFormation", ("RuntimePlatform", "CapacityProviderStrategy")),
        (tagged({**STACK, "aws:cloudformation:logical-id": "Service"}), "CloudFormation", ("RuntimePlatform",)),
        (
            tagged({**STACK, "aws:cloudformation:logical-id": "AppServiceD69D759B"}),
            "AWS CDK",
            ("cpuArchitecture", "capacityProviderStrategies"),
        ),
        (
            tagged({**STACK, "copilot-application": "shop", "copilot-service": "web"}),
            "AWS Copilot",
            ("platform: linux/arm64", "count.spot"),
        ),
        (tagged({**STACK, "aws:proton:service": "shop"}), "AWS Proton", ("service template",)),
        (tagged({**STACK, "elasticbeanstalk:environment-name": "shop"}), "Elastic Beanstalk", ("Graviton",)),
        ({"resourceManagementType": "ECS"}, "ECS Express Mode", ("ordinary service",)),
    ],
)
def test_a_certain_owner_blocks_stage_0_and_is_told_what_to_change(
    answer: dict[str, Any], owner: str, words: tuple[str, ...]
) -> None:
    seen = found(described(answer))
    finding = seen["service.owned"]
    assert (finding.grade, finding.stage) == (Grade.BLOCK, 0)
    assert f"belongs to {owner}," in finding.text
    assert all(word in finding.advice for word in words)
    assert finding.evidence
    assert "service.owner-suggested" not in seen


@pytest.mark.parametrize(
    ("tags", "owner", "words"),
    [
        ({"terraform": "true"}, "Terraform", ("runtime_platform {", "capacity_provider_strategy {", "ignore_changes")),
        ({"Terraform": "yes"}, "Terraform", ("runtime_platform",)),
        ({"ManagedBy": "terraform"}, "Terraform", ("runtime_platform",)),
        ({"managed-by": "Terraform Cloud"}, "Terraform", ("runtime_platform",)),
        ({"managed_by": "opentofu"}, "Terraform", ("runtime_platform",)),
        ({"tf-workspace": "prod"}, "Terraform", ("runtime_platform",)),
        ({"yor_trace": "1234"}, "Terraform", ("runtime_platform",)),
        ({"provisioner": "Terragrunt"}, "Terraform", ("runtime_platform",)),
        ({"pulumi:project": "shop"}, "Pulumi", ("runtimePlatform", "skipDestroy", "Two programs")),
        ({"sst:app": "shop"}, "Pulumi", ("runtimePlatform",)),
        ({"CreatedBy": "pulumi"}, "Pulumi", ("runtimePlatform",)),
        ({"ManagedBy": "CDK"}, "AWS CDK", ("cpuArchitecture",)),
        ({"IaC": "CloudFormation"}, "CloudFormation", ("RuntimePlatform",)),
        ({"DeployedBy": "ecspresso"}, "ecspresso", ('"runtimePlatform"',)),
    ],
)
def test_a_tag_that_people_choose_only_warns(tags: dict[str, str], owner: str, words: tuple[str, ...]) -> None:
    for now in (described(tagged(tags)), _on_the_revision(tags)):
        seen = found(now)
        finding = seen["service.owner-suggested"]
        assert (finding.grade, finding.stage) == (Grade.WARN, 0)
        assert owner in finding.text
        assert all(word in finding.advice for word in words)
        assert "service.owned" not in seen


def _on_the_revision(tags: dict[str, str]) -> Any:
    now = described({})
    return replace(now, task_definition=replace(now.task_definition, tags=tuple(tags.items())))


@pytest.mark.parametrize(
    "tags",
    [
        {"team": "platform"},
        {"terraform": "false"},
        {"Terraform": "no"},
        {"managed-by": "the platform team"},
        {"tool": "hammer"},
        {"Name": "terraform-docs"},
        {"tfl": "transport for london"},
        {"aws:ecs:clusterName": "demo"},
    ],
)
def test_other_tags_say_nothing_of_an_owner(tags: dict[str, str]) -> None:
    assert not [code for code in found(described(tagged(tags))) if "own" in code]


@pytest.mark.parametrize(
    ("principal", "owner"),
    [
        (f"{ROLE}/cdk-hnb659fds-cfn-exec-role-111122223333-us-east-1/AWSCloudFormation", "AWS CDK"),
        (f"{ROLE}/deploy/AWSCloudFormation", "CloudFormation"),
        (f"{ROLE}/TerraformDeploy/session", "Terraform"),
        ("arn:aws:iam::111122223333:user/pulumi", "Pulumi"),
        (f"{ROLE}/ecspresso/ci", "ecspresso"),
    ],
)
def test_who_registered_the_revision_suggests_an_owner(principal: str, owner: str) -> None:
    finding = found(described({}, {"registeredBy": principal}))["service.owner-suggested"]
    assert owner in finding.text
    assert finding.evidence == (("task definition registeredBy", principal),)


@pytest.mark.parametrize(
    "session", ["deploy/GitHubActions", "gitlab-runner/1", "codebuild-web/AWSCodeBuild-1", "argo-cd/1"]
)
def test_a_pipeline_is_told_what_its_file_needs(session: str) -> None:
    seen = found(described({}, {"registeredBy": f"{ROLE}/{session}"}))
    finding = seen["service.deployed-by-pipeline"]
    assert (finding.grade, finding.stage) == (Grade.INFO, 2)
    assert "runtimePlatform" in finding.advice
    assert "service.owner-suggested" not in seen


def test_who_created_the_service_suggests_an_owner_too() -> None:
    finding = found(described({"createdBy": f"{ROLE}/TerraformDeploy/session"}))["service.owner-suggested"]
    assert finding.evidence == (("service createdBy", f"{ROLE}/TerraformDeploy/session"),)


@pytest.mark.parametrize("who", ["user/ada", "assumed-role/cargo-service/ada", "assumed-role/Admin/ada@shop.example"])
def test_a_person_who_registered_the_revision_is_no_owner(who: str) -> None:
    seen = found(described({}, {"registeredBy": f"arn:aws:iam::111122223333:{who}"}))
    assert not [code for code in seen if "own" in code or "pipeline" in code]


def test_copilot_is_known_by_what_it_puts_into_the_containers_too() -> None:
    revision = container(environment=[{"name": "A", "value": "1"}, {"name": "COPILOT_APPLICATION_NAME", "value": "s"}])
    finding = found(described({}, revision))["service.owner-suggested"]
    assert ("task definition", "$.containerDefinitions[0].environment[1]") in finding.evidence
    prefix = container(logConfiguration={"logDriver": "awslogs", "options": {"awslogs-stream-prefix": "copilot"}})
    assert "AWS Copilot" in found(described({}, prefix))["service.owner-suggested"].text


def test_the_ecs_cli_is_known_by_its_names() -> None:
    finding = found(described({}, name="ecscompose-service-web"))["service.owner-suggested"]
    assert "ECS CLI" in finding.text


def test_each_suggested_owner_is_told_apart() -> None:
    tags = tagged({"terraform": "true", "pulumi:project": "shop"})
    suggested = [item for item in findings(described(tags), SETTINGS) if item.code == "service.owner-suggested"]
    assert len(suggested) == 2


@pytest.mark.parametrize("owner", Owner)
def test_every_owner_has_a_change_and_those_with_a_strategy_name_the_one_that_is_wanted(owner: Owner) -> None:
    text = owner_change(owner, SPOT)
    assert text
    if owner in {Owner.CDK, Owner.CLOUDFORMATION, Owner.TERRAFORM, Owner.PULUMI, Owner.ECSPRESSO, Owner.PROTON}:
        assert "FARGATE_SPOT" in text
        assert "3" in text


def test_c62_a_short_arn_is_told_and_nothing_is_ever_tagged() -> None:
    finding = found(described({}, arn=SHORT_ARN))["service.short-arn"]
    assert (finding.grade, finding.stage) == (Grade.WARN, 0)
    assert "no tags" in finding.advice
    assert ("service", "$.serviceArn") in finding.evidence
    assert "service.short-arn" not in found(described({}))


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.ORIGINAL])
@pytest.mark.parametrize("arn", [SHORT_ARN, SHORT_ARN.replace("/web", "/demo/web")])
def test_c62_tags_and_their_propagation_are_kept_as_found_at_every_stage(stage: Stage, arn: str) -> None:
    answer = {
        "serviceArn": arn,
        "propagateTags": "SERVICE",
        "enableECSManagedTags": True,
        "enableExecuteCommand": True,
        **tagged({"team": "a"}),
    }
    known = record()
    baseline = replace(known.baseline, service=replace(known.baseline.service, arn=arn, document=document(answer)))
    inputs = desired_state(replace(known, adopted=True, baseline=baseline), SETTINGS, stage).service
    arguments = service_arguments(inputs.service.document)
    assert arguments == {
        "propagate_tags": "SERVICE",
        "enable_ecs_managed_tags": True,
        "enable_execute_command": True,
        "tags": {"team": "a"},
    }
    assert {item.tags for item in inputs.task_definitions} == {known.baseline.task_definition.tags}


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.ORIGINAL])
def test_c62_a_service_without_tags_gets_none(stage: Stage) -> None:
    known = replace(record(), adopted=True)
    inputs = desired_state(known, SETTINGS, stage).service
    assert not {"tags", "propagate_tags", "enable_ecs_managed_tags"} & set(service_arguments(inputs.service.document))
    assert {item.tags for item in inputs.task_definitions} == {()}


@pytest.mark.parametrize(
    ("answer", "grade"),
    [
        (tagged(STACK), Grade.INFO),
        (tagged({**STACK, "copilot-application": "shop", "copilot-service": "web"}), Grade.INFO),
        (tagged({**STACK, "elasticbeanstalk:environment-name": "shop"}), Grade.BLOCK),
        ({"resourceManagementType": "ECS"}, Grade.BLOCK),
    ],
)
def test_a_service_that_is_left_to_its_owner_is_stopped_only_where_he_cannot_deploy_it(
    answer: dict[str, Any], grade: Grade
) -> None:
    service = replace(SETTINGS.service, owner=ServiceOwner.EXTERNAL)
    seen = {item.code: item for item in findings(described(answer), replace(SETTINGS, service=service))}
    assert seen["service.owned"].grade is grade
    assert "service.owner-suggested" not in seen


def test_a_teams_program_is_no_stranger_to_its_service_but_everybody_else_is() -> None:
    service = replace(SETTINGS.service, owner=ServiceOwner.PULUMI)
    wanted = replace(SETTINGS, service=service, program=ProgramSettings("infra", "dev"), capacity=SPOT)
    marked = described(tagged({"managed-by": "pulumi"}))
    assert "service.owner-suggested" in found(marked)
    assert "service.owner-suggested" not in found(marked, wanted)
    assert found(described(tagged(STACK)), wanted)["service.owned"].grade is Grade.BLOCK
