"""The pieces of an owner's code: each parses in its language, and names what that tool and AWS know."""

from __future__ import annotations

import inspect
import json
import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import hcl2
import pytest
import yaml
from botocore import xform_name
from botocore.session import Session
from botocore.validate import ParamValidator
from cfnlint.api import ManualArgs, lint  # type: ignore[import-untyped]
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]
from pulumi_aws.ecs import ClusterCapacityProvidersArgs, ServiceArgs, TaskDefinitionArgs
from tree_sitter import Language, Parser
from tree_sitter_typescript import language_typescript

from migrate.core.desired_state import ClusterInputs
from migrate.core.facts import Architecture, Service, StrategyItem
from migrate.core.first_record import first_record
from migrate.core.owner.change import Capacity, OwnerChange, owner_language, stage_changes
from migrate.core.owner.language import OwnerText, Snippet, told, written
from migrate.core.settings import OwnerLanguage, Settings
from migrate.core.stages import Stage
from tests.fakes.facts import observation
from tests.fakes.facts import settings as the_settings

SETTINGS: Settings = the_settings()
SEEN = observation()
SERVICE: Service = SEEN.service
SPOT = (StrategyItem("FARGATE", weight=1, base=1), StrategyItem("FARGATE_SPOT", weight=3))
PROVIDERS = ClusterInputs("demo", ("FARGATE", "FARGATE_SPOT"), (StrategyItem("FARGATE", weight=1),))
HOSTILE = replace(SERVICE, name='9-"${x}`')


def changes() -> Iterator[OwnerChange]:
    record = first_record(SEEN, SETTINGS)
    for stage in (Stage.BASELINE, Stage.IMAGE, Stage.ARCHITECTURE, Stage.CAPACITY):
        found = stage_changes(record, SETTINGS, stage)
        yield from found.forward
        yield found.back
    yield OwnerChange("all at once", Architecture.ARM64, "LINUX", Capacity(None, SPOT), True, "sha256:0", PROVIDERS)
    yield OwnerChange("the launch type", capacity=Capacity("FARGATE", ()))


CHANGES = {change.title: change for change in changes()}
TEXTS: list[tuple[OwnerLanguage, str, Service]] = [
    (language, title, service)
    for language in OwnerLanguage
    for title in CHANGES
    for service in ((SERVICE, HOSTILE) if title == "all at once" else (SERVICE,))
]


def snippets(language: OwnerLanguage, syntax: str) -> list[tuple[str, Snippet]]:
    found = [(title, written(CHANGES[title], of, service)) for of, title, service in TEXTS if of is language]
    return [(title, item) for title, text in found for item in text.snippets if item.syntax == syntax]


def ids(value: object) -> str:
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize(("title", "snippet"), snippets(OwnerLanguage.TERRAFORM, "hcl"), ids=ids)
def test_terraform_parses_and_names_attributes_that_the_provider_knows(title: str, snippet: Snippet) -> None:
    del title
    known = {
        "aws_ecs_service": ServiceArgs,
        "aws_ecs_task_definition": TaskDefinitionArgs,
        "aws_ecs_cluster_capacity_providers": ClusterCapacityProvidersArgs,
    }
    # Pulumi's provider is bridged from Terraform's: the same names, lists in the plural.
    plural = {"strategy": "strategies"}
    for resource in hcl2.loads(snippet.text + "\n")["resource"]:
        for kind, named in resource.items():
            arguments = set(inspect.signature(known[kind.strip('"')]).parameters)
            for attributes in named.values():
                for name in attributes.keys() - {"__is_block__"}:
                    head, _, last = name.rpartition("_")
                    assert {name, f"{head}_{plural.get(last, last)}"} & arguments, name


@pytest.mark.parametrize(("title", "snippet"), snippets(OwnerLanguage.CLOUDFORMATION, "json"), ids=ids)
def test_cloudformation_is_what_its_schemas_allow(title: str, snippet: Snippet) -> None:
    del title
    resources = json.loads(snippet.text)["Resources"]
    for resource in resources.values():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource["Type"]).schema
        assert resource["Properties"].keys() <= schema["properties"].keys()


@pytest.mark.parametrize("title", ["all at once", "the launch type"])
def test_cloudformation_passes_cfn_lint(title: str) -> None:
    (snippet,) = written(CHANGES[title], OwnerLanguage.CLOUDFORMATION, SERVICE).snippets
    # A piece of a template lacks what stays as it is; what stands in it is judged.
    problems = lint(snippet.text, config=ManualArgs(regions=["us-east-1"]))
    assert [problem for problem in problems if problem.rule.id.startswith("E") and problem.rule.id != "E3003"] == []


@pytest.mark.parametrize(("title", "snippet"), snippets(OwnerLanguage.CDK, "typescript"), ids=ids)
def test_cdk_parses_as_properties_of_a_construct(title: str, snippet: Snippet) -> None:
    del title
    tree = Parser(Language(language_typescript())).parse(f"const properties = {{\n{snippet.text}\n}};".encode())
    assert not tree.root_node.has_error
    named = {line.partition(":")[0] for line in snippet.text.splitlines() if line[:1].isalpha()}
    assert named <= {"runtimePlatform", "capacityProviderStrategies", "forceNewDeployment"}


@pytest.mark.parametrize(("title", "snippet"), snippets(OwnerLanguage.COPILOT, "yaml"), ids=ids)
def test_copilot_parses_and_patches_what_the_template_has(title: str, snippet: Snippet) -> None:
    del title
    found = yaml.safe_load(snippet.text)
    if snippet.place == "the service's manifest.yml":
        assert found in ({"platform": "linux/arm64"}, {"platform": "linux/x86_64"})
        return
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", "AWS::ECS::Service").schema
    for patch in found:
        assert patch["op"] in {"add", "remove"}
        assert patch["path"].rpartition("/")[2] in schema["properties"]


@pytest.mark.parametrize(("title", "snippet"), snippets(OwnerLanguage.ECSPRESSO, "json"), ids=ids)
def test_ecspresso_names_what_the_api_takes(title: str, snippet: Snippet) -> None:
    del title
    model = Session().get_service_model("ecs")
    needed: dict[str, Any] = {"service": "web"}
    operation = "UpdateService"
    if snippet.place == "ecs-task-def.json":
        needed, operation = {"family": "web", "containerDefinitions": []}, "RegisterTaskDefinition"
    shape = model.operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate({**needed, **json.loads(snippet.text)}, shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("language", OwnerLanguage)
def test_commands_are_words_of_a_shell(language: OwnerLanguage) -> None:
    model = Session().get_service_model("ecs")
    shape = model.operation_model("PutClusterCapacityProviders").input_shape
    assert shape is not None
    for _, snippet in snippets(language, "sh"):
        words = shlex.split(snippet.text)
        if words[0] != "aws":
            assert words[:1] in (["ecspresso"], ["copilot"])
            continue
        assert words[:3] == ["aws", "ecs", "put-cluster-capacity-providers"]
        options = {word[2:] for word in words if word.startswith("--")}
        assert options <= {xform_name(name, "-") for name in shape.members}


def test_a_stage_shows_what_it_changes_and_no_more() -> None:
    architecture = written(CHANGES["stage 2 (architecture)"], OwnerLanguage.ECSPRESSO, SERVICE)
    assert [item.place for item in architecture.snippets] == ["ecs-task-def.json", "then"]
    capacity = written(CHANGES["stage 3 (capacity), step 1 of 2"], OwnerLanguage.ECSPRESSO, SERVICE)
    assert [item.place for item in capacity.snippets] == ["ecs-service-def.json", "then"]
    image = written(CHANGES["stage 1 (image)"], OwnerLanguage.ECSPRESSO, SERVICE)
    assert [item.text for item in image.snippets] == ["ecspresso deploy --force-new-deployment"]
    nothing = written(CHANGES["back to stage 0 (baseline)"], OwnerLanguage.TERRAFORM, SERVICE)
    assert nothing == OwnerText(OwnerLanguage.TERRAFORM, "back to stage 0 (baseline)", (), ())


def test_only_the_launch_type_back_is_warned_of() -> None:
    text = told(written(CHANGES["the launch type"], OwnerLanguage.TERRAFORM, SERVICE))
    assert "Only an empty strategy gives launch type FARGATE back" in text


@pytest.mark.parametrize(
    ("tags", "language"),
    [
        ((), OwnerLanguage.ECSPRESSO),
        ((("managed-by", "terraform"),), OwnerLanguage.TERRAFORM),
        ((("copilot-service", "web"),), OwnerLanguage.COPILOT),
    ],
)
def test_marks_tell_the_language_where_the_settings_do_not(
    tags: tuple[tuple[str, str], ...], language: OwnerLanguage
) -> None:
    assert owner_language(SETTINGS, SERVICE, replace(SEEN.task_definition, tags=tags)) is language
    named = replace(SETTINGS, service=replace(SETTINGS.service, owner_tool=OwnerLanguage.CDK))
    assert owner_language(named, SERVICE, replace(SEEN.task_definition, tags=tags)) is OwnerLanguage.CDK
