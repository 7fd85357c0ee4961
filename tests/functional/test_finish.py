"""The end of a migration: nothing that runs is touched, and the next one starts afresh."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import hcl2
import pytest
from cfnlint.api import ManualArgs, lint  # type: ignore[import-untyped]
from syrupy.assertion import SnapshotAssertion

from migrate.core.handover import OwnersTool
from migrate.core.outcome import RunOutcome
from migrate.core.settings import ArchitectureMode
from migrate.core.stages import Position, Stage
from migrate.errors import BlockedError, ExitCode, WorldChangedError
from migrate.render.handover import code
from migrate.workflows.finish import finish, given_up, what_stays
from tests.fakes.migration import SETTINGS, Operator


def finished(operator: Operator) -> RunOutcome:
    return finish(operator.runtime, operator.durable, operator.run("finish", 3))


@pytest.mark.parametrize("reached", [2, 3])
def test_the_end_touches_nothing_that_runs_and_gives_up_the_way_back(reached: int) -> None:
    operator = Operator.of().reach(reached)
    service, tag, writes = operator.service, operator.tag, list(operator.world.writes)
    revisions = dict(operator.world.revisions)
    outcome = finished(operator)
    assert (outcome.exit_code, outcome.stage) == (ExitCode.DONE, Stage(reached))
    assert (operator.service, operator.tag, operator.world.writes) == (service, tag, writes)
    assert operator.world.revisions == revisions
    assert operator.stacks._service.resources == operator.stacks._image.resources == {}
    with pytest.raises(BlockedError, match="nothing to roll back") as refused:
        operator.roll_back(Stage.ORIGINAL)
    assert "finished" in refused.value.why
    assert operator.status().position == Position()


def test_what_is_given_up_is_said_first_with_what_stays_and_how_it_goes() -> None:
    operator = Operator.of().reach(3)
    image = operator.record.baseline.image
    told = "\n".join(given_up(operator.runtime))
    assert "the way back to web:1 on launch type FARGATE" in told
    assert image.digest in told
    assert f"--image-ids imageTag={image.guard_tag}" in told
    assert "--image-ids imageTag=migrate-index-tag1" in told
    assert operator.record.over is False


def test_a_new_migration_after_the_end_starts_afresh() -> None:
    operator = Operator.of().reach(3)
    finished(operator)
    plan = operator.plan()
    assert plan.record.arm64_from_the_start
    assert plan.record.position == Position()
    with pytest.raises(BlockedError, match="Stage 0 cannot start") as refused:
        operator.apply(0)
    assert "task-definition.already-arm64" in refused.value.why, "as of any service that runs ARM64"


@pytest.mark.parametrize("reached", [None, 0, 1])
def test_a_migration_ends_at_stage_2_or_3_alone(reached: int | None) -> None:
    operator = Operator.of() if reached is None else Operator.of().reach(reached)
    aside = list(operator.stacks.aside)
    with pytest.raises(BlockedError):
        finished(operator)
    assert operator.stacks.aside == aside


def test_a_service_that_others_changed_is_not_handed_over_as_proven() -> None:
    operator = Operator.of().reach(3)
    operator.world.deploy()
    with pytest.raises(WorldChangedError, match="no longer what this migration has proven"):
        finished(operator)
    assert operator.record.over is False


def test_an_end_that_was_cut_off_is_finished_by_the_next() -> None:
    operator = Operator.of().reach(3)
    operator.stacks.interrupt_after["set_aside"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        finished(operator)
    assert finished(operator).exit_code is ExitCode.DONE


def handed_over(tool: OwnersTool, operator: Operator | None = None) -> str:
    return code(what_stays((operator or Operator.of().reach(3)).runtime), tool)


def mixed() -> Operator:
    return Operator.of(settings=replace(SETTINGS, architecture=ArchitectureMode.MIXED)).reach(2)


@pytest.mark.parametrize("tool", OwnersTool)
@pytest.mark.parametrize("made", [None, mixed], ids=["one service", "with its twin"])
def test_the_code_that_an_owner_reads(
    tool: OwnersTool, made: Callable[[], Operator] | None, snapshot: SnapshotAssertion
) -> None:
    assert handed_over(tool, made() if made else None) == snapshot


def pulumi_resources(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Return kind and keywords of every resource that a printed program declares."""
    calls: list[Any] = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    found = [(ast.unparse(call.func), {item.arg: item.value for item in call.keywords}) for call in calls]
    return [(kind, keywords) for kind, keywords in found if kind.startswith("aws.")]


def test_the_code_for_pulumi_is_python_that_imports_what_runs() -> None:
    text = handed_over(OwnersTool.PULUMI)
    (_, definition), (_, service) = pulumi_resources(text)
    assert ast.literal_eval(definition["runtime_platform"])["cpu_architecture"] == "ARM64"
    strategy = ast.literal_eval(service["capacity_provider_strategies"])
    assert {item["capacity_provider"] for item in strategy} == {"FARGATE", "FARGATE_SPOT"}
    assert "desired_count" not in service
    assert "import_='demo/web'" in text


def test_the_twin_of_mode_mixed_is_handed_over_with_its_own_revision() -> None:
    text = handed_over(OwnersTool.PULUMI, mixed())
    found = pulumi_resources(text)
    assert [kind for kind, _ in found] == ["aws.ecs.TaskDefinition", "aws.ecs.Service"] * 2
    platforms = [ast.unparse(item["runtime_platform"]) if "runtime_platform" in item else "" for _, item in found[::2]]
    names = [ast.literal_eval(item["name"]) for _, item in found[1::2]]
    assert names == ["web", "web-migrate-arm64"]
    assert ["ARM64" in platform for platform in platforms] == [False, True]
    assert "import_='demo/web-migrate-arm64'" in text


@pytest.mark.parametrize("made", [None, mixed], ids=["one service", "with its twin"])
def test_the_code_for_cloudformation_is_a_template_without_a_fault(made: Callable[[], Operator] | None) -> None:
    text = handed_over(OwnersTool.CLOUDFORMATION, made() if made else None)
    found = lint(text, config=ManualArgs(regions=["us-east-1"]))
    assert [f"{match.rule.id} {match.message}" for match in found if match.rule.id.startswith("E")] == []
    resources = json.loads(text)["Resources"]
    definition = resources["TaskDefinitionArm64" if made else "TaskDefinition"]["Properties"]
    assert definition["RuntimePlatform"] == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}
    assert definition["ContainerDefinitions"][0]["Image"].endswith(":tag1")
    assert len(resources) == (4 if made else 2)


def test_the_code_for_terraform_is_hcl_that_imports_what_runs() -> None:
    for made, names in ((None, ["web"]), (mixed(), ["web", "web_migrate_arm64"])):
        parsed = hcl2.loads(handed_over(OwnersTool.TERRAFORM, made))
        kinds = [f"aws_ecs_{kind}.{name}" for name in names for kind in ("task_definition", "service")]
        assert [item["to"] for item in parsed["import"]] == [f"${{{kind}}}" for kind in kinds]
        declared = [f"{kind}.{name}" for item in parsed["resource"] for kind in item for name in item[kind]]
        assert [name.replace('"', "") for name in declared] == kinds
        text = json.dumps(parsed["resource"])
        assert text.count("ARM64") == 1
        assert ("FARGATE_SPOT" in text) is (made is None)


def test_the_code_for_terraform_keeps_templates_out_of_texts() -> None:
    left = what_stays(Operator.of().reach(3).runtime)
    command: dict[str, Any] = {"name": "web", "command": ["sh", "-c", "echo ${HOME} %{x}"]}
    left.services[0].task_definition["containerDefinitions"] = [command]
    text = code(left, OwnersTool.TERRAFORM)
    assert "echo $${HOME} %%{x}" in text
    hcl2.loads(text)


def test_a_service_whose_name_begins_with_a_digit_is_an_identifier_in_terraform() -> None:
    left = what_stays(Operator.of().reach(3).runtime)
    named = replace(left, services=(replace(left.services[0], name="2nd-web"),))
    assert 'resource "aws_ecs_service" "service_2nd_web"' in code(named, OwnersTool.TERRAFORM)
