"""The stand-in aws plugin under the real Pulumi engine: what its answers make the engine do."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi import automation

from migrate.sandbox.toolchain.parts import ensure
from tests.fakes.front_account import Account
from tests.fakes.front_hosts import WholeProcess

pytestmark = pytest.mark.e2e
Program = Callable[[], None]
FARGATE = [{"capacity_provider": "FARGATE", "weight": 1}]
SPOT = [{"capacity_provider": "FARGATE_SPOT", "weight": 1}]


@dataclass
class Engine:
    """A stack of its own on the real engine."""

    options: automation.LocalWorkspaceOptions

    def run(self, verb: str, program: Program) -> list[tuple[str, str, dict[str, str]]]:
        """Run ``up``, ``preview`` or ``refresh``; gives operation, type and detailed diff of every step but same."""
        stack = automation.create_or_select_stack("t", "p", program, opts=self.options)
        steps: list[tuple[str, str, dict[str, str]]] = []

        def hear(event: Any) -> None:
            told = event.resource_pre_event
            if told is not None and told.metadata.op.value not in ("same", "read", "refresh"):
                detailed = told.metadata.detailed_diff or {}
                kinds = {path: item.diff_kind.value for path, item in detailed.items()}
                steps.append((told.metadata.op.value, told.metadata.type.rpartition(":")[2], kinds))

        getattr(stack, verb)(on_event=hear, color="never")
        return [step for step in steps if step[1] not in ("Stack", "aws")]


@pytest.fixture
def account(live_front: WholeProcess) -> Account:
    return Account(live_front)


@pytest.fixture
def engine(live_front: WholeProcess, tmp_path: Path) -> Engine:
    tools = ensure()
    programs = tmp_path / "bin"
    programs.mkdir()
    script = programs / "pulumi-resource-aws"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m migrate.sandbox.aws_plugin "$@"\n')
    script.chmod(0o755)
    (tmp_path / "state").mkdir()
    environment = {
        "PATH": os.pathsep.join([str(programs), str(tools.pulumi.parent), os.environ["PATH"]]),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "none",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "AWS_ENDPOINT_URL": live_front.url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    (programs / "pulumi").symlink_to(tools.pulumi)
    command = automation.PulumiCommand(root=str(tmp_path))
    return Engine(
        automation.LocalWorkspaceOptions(work_dir=str(tmp_path), env_vars=environment, pulumi_command=command)
    )


def declared(account: Account, architecture: str = "X86_64", **changes: Any) -> Program:
    """Give a program with a task definition and a service."""

    def program() -> None:
        containers = [{"name": "app", "image": "elsewhere/app:1", "environment": [{"name": "A", "value": "1"}]}]
        revision = aws.ecs.TaskDefinition(
            "revision",
            family=f"f-{account.cluster}",
            cpu="256",
            memory="512",
            network_mode="awsvpc",
            requires_compatibilities=["FARGATE"],
            runtime_platform={"cpu_architecture": architecture, "operating_system_family": "LINUX"},
            container_definitions=json.dumps(containers),
            skip_destroy=True,
        )
        cluster = aws.ecs.get_cluster(cluster_name=account.cluster)
        arguments: dict[str, Any] = {
            "name": account.name,
            "cluster": cluster.arn,
            "task_definition": revision.arn,
            "desired_count": 2,
            "network_configuration": {"subnets": ["subnet-1"]},
            "capacity_provider_strategies": FARGATE,
            **changes,
        }
        service = aws.ecs.Service("service", opts=pulumi.ResourceOptions(retain_on_delete=True), **arguments)
        pulumi.export("arn", service.id)

    return program


FORCED: dict[str, Any] = {"force_new_deployment": True, "triggers": {"digest": "1"}}


def test_c37_a_service_moves_along_its_strategies(account: Account, engine: Engine) -> None:
    made = engine.run("up", declared(account))
    assert [(operation, kind) for operation, kind, _ in made] == [("create", "TaskDefinition"), ("create", "Service")]
    assert engine.run("preview", declared(account)) == []
    engine.run("refresh", declared(account))
    assert engine.run("preview", declared(account)) == []

    with pytest.raises(automation.CommandError) as caught:
        engine.run("preview", declared(account, capacity_provider_strategies=SPOT))
    assert "force_new_deployment should be true when capacity_provider_strategy is being updated" in str(caught.value)

    account.settle()
    moved = declared(account, capacity_provider_strategies=SPOT, **FORCED)
    ((operation, kind, changes),) = engine.run("up", moved)
    assert (operation, kind) == ("update", "Service")
    assert changes["capacityProviderStrategies[0]"] == "update"
    assert engine.run("preview", moved) == []
    account.settle()
    assert {task["capacityProviderName"] for task in account.tasks()} == {"FARGATE_SPOT"}


def test_c32_a_new_revision_replaces_the_old_one_which_stays_active(account: Account, engine: Engine) -> None:
    engine.run("up", declared(account))
    steps = engine.run("up", declared(account, "ARM64", wait_for_steady_state=True))
    assert ("update", "Service") in [(operation, kind) for operation, kind, _ in steps]
    replaced = {operation for operation, kind, _ in steps if kind == "TaskDefinition"}
    assert replaced == {"create-replacement", "replace", "delete-replaced"}
    assert not any("replace" in operation for operation, kind, _ in steps if kind == "Service")
    listed = account.ecs.list_task_definitions(familyPrefix=f"f-{account.cluster}", status="ACTIVE")
    assert len(listed["taskDefinitionArns"]) == 2
    assert account.service()["taskDefinition"].endswith(":2")


def test_c34_an_import_with_the_revision_in_its_short_form_changes_nothing(account: Account, engine: Engine) -> None:
    account.create()
    found = account.service()

    def adopting(task_definition: str) -> Program:
        def program() -> None:
            aws.ecs.Service(
                "service",
                name=account.name,
                cluster=found["clusterArn"],
                task_definition=task_definition,
                launch_type="FARGATE",
                network_configuration={"subnets": ["subnet-1"]},
                deployment_circuit_breaker={"enable": True, "rollback": True},
                opts=pulumi.ResourceOptions(
                    import_=f"{account.cluster}/{account.name}", ignore_changes=["desiredCount"], retain_on_delete=True
                ),
            )

        return program

    short = found["taskDefinition"].rpartition("/")[2]
    by_arn = engine.run("preview", adopting(found["taskDefinition"]))
    assert [(operation, changes) for operation, _, changes in by_arn] == [
        ("import", {}),
        ("update", {"taskDefinition": "update"}),
    ]
    assert [(operation, changes) for operation, _, changes in engine.run("up", adopting(short))] == [("import", {})]
    assert engine.run("preview", adopting(short)) == []
    assert account.service()["deployments"][0]["id"] == found["deployments"][0]["id"]
