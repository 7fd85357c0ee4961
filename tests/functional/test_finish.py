"""The end of a migration: nothing that runs is touched, and the next one starts afresh."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest

from migrate.core.handover import OwnersTool
from migrate.core.outcome import RunOutcome
from migrate.core.stages import Position, Stage
from migrate.errors import BlockedError, ExitCode, WorldChangedError
from migrate.render.handover import code
from migrate.workflows.finish import finish, given_up, what_stays
from tests.fakes.migration import Operator


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


def test_the_code_for_pulumi_is_python_that_imports_what_runs() -> None:
    operator = Operator.of().reach(3)
    text = code(what_stays(operator.runtime), OwnersTool.PULUMI)
    calls: list[Any] = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    made = {ast.unparse(call.func): {item.arg: item.value for item in call.keywords} for call in calls}
    service, definition = made["aws.ecs.Service"], made["aws.ecs.TaskDefinition"]
    assert ast.literal_eval(definition["runtime_platform"])["cpu_architecture"] == "ARM64"
    strategy = ast.literal_eval(service["capacity_provider_strategies"])
    assert {item["capacity_provider"] for item in strategy} == {"FARGATE", "FARGATE_SPOT"}
    assert "desired_count" not in service
    assert "import_='demo/web'" in text


def test_the_code_for_cloudformation_has_the_names_of_its_template_reference() -> None:
    operator = Operator.of().reach(3)
    template = json.loads(code(what_stays(operator.runtime), OwnersTool.CLOUDFORMATION))
    definition = template["Resources"]["TaskDefinition"]["Properties"]
    assert definition["RuntimePlatform"] == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}
    assert definition["ContainerDefinitions"][0]["Image"].endswith(":tag1")
    assert len(template["Resources"]["Service"]["Properties"]["CapacityProviderStrategy"]) == 2


def test_the_code_for_terraform_imports_both_and_keeps_templates_out_of_texts() -> None:
    operator = Operator.of().reach(3)
    left = what_stays(operator.runtime)
    command: dict[str, Any] = {"name": "web", "command": ["sh", "-c", "echo ${HOME} %{x}"]}
    left.task_definition["containerDefinitions"] = [command]
    text = code(left, OwnersTool.TERRAFORM)
    assert 'cpu_architecture        = "ARM64"' in text
    assert 'capacity_provider = "FARGATE_SPOT"' in text
    assert text.count("import {") == 2
    assert "echo $${HOME} %%{x}" in text
