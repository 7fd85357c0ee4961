"""A team's program without an engine: what is refused before it is asked, and what of its state is ours to settle."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrate.adapters.pulumi import tools
from migrate.adapters.pulumi.deployer import PulumiDeployer
from migrate.adapters.pulumi.engine import Engine
from migrate.adapters.pulumi.operations import Insistence
from migrate.adapters.pulumi.program import ProgramDeployer
from migrate.adapters.pulumi.program_repair import acknowledged, pending_of, settled
from migrate.adapters.pulumi.workspace import StackAddress
from migrate.core.desired_state import adoption
from migrate.core.owner.program_guard import ProgramStep, own_resources
from migrate.core.settings import ProgramSettings
from migrate.core.stack.preview import SERVICE, TASK_DEFINITION, ResourceChange
from migrate.errors import NotFoundError
from tests.fakes.facts import settings
from tests.fakes.records import REGION, REGISTRY, SERVICE_ARN, a_record

OWN = own_resources(a_record(), image=False)
ARM64 = {"family": "web", "runtimePlatform": {"cpuArchitecture": "ARM64"}}
MADE = f"arn:aws:ecs:{REGION}:111122223333:task-definition/web:2"
JOBS: dict[str, Any] = {"urn": "urn:jobs", "type": TASK_DEFINITION, "custom": True, "inputs": {"family": "jobs"}}
REVISION: dict[str, Any] = {"urn": "urn:web-arm64", "type": TASK_DEFINITION, "custom": True, "inputs": ARM64}
HELD: dict[str, Any] = {
    "urn": "urn:web",
    "type": SERVICE,
    "custom": True,
    "id": SERVICE_ARN,
    "inputs": {"name": "web"},
    "outputs": {"name": "web", "arn": SERVICE_ARN},
}
_PULUMI = """#!/bin/sh
[ "$1" = version ] && { echo v3.274.1; exit; }
case " $* " in
  *" stack export "*) [ -e "$STATE" ] && exec cat "$STATE";;
  *" stack import "*) while [ "$1" != --file ]; do shift; done; exec cp "$2" "$STATE";;
esac
echo "error: no stack named 'dev' found" >&2
exit 255
"""


def killed() -> dict[str, Any]:
    """Return the state of a stack whose Pulumi was killed while it made a revision of the service's, and one beside."""
    pending = [{"type": "creating", "resource": JOBS}, {"type": "creating", "resource": REVISION}]
    return {"resources": [HELD], "pending_operations": pending}


def test_only_what_was_under_way_of_the_service_is_ours_to_look_for() -> None:
    (found,) = pending_of(killed(), OWN, a_record())
    assert (found.operation, found.name, found.urn) == ("creating", "task-definition-arm64", "urn:web-arm64")
    amd64 = {**REVISION, "inputs": {"family": "web"}}
    (copy,) = pending_of({"pending_operations": [{"type": "creating", "resource": amd64}]}, OWN, a_record())
    assert copy.name == "task-definition-copy"


def test_what_was_made_of_the_service_is_held_and_what_others_have_pending_stays_so() -> None:
    after = settled(killed(), OWN, {"urn:web-arm64": MADE})
    assert [item["urn"] for item in after["resources"]] == ["urn:web", "urn:web-arm64"]
    assert after["resources"][1]["outputs"]["arn"] == MADE
    assert [item["resource"]["urn"] for item in after["pending_operations"]] == ["urn:jobs"]


def test_what_aws_never_tells_of_the_service_is_taken_from_what_the_program_wants() -> None:
    wanted = {"name": "web", "triggers": {"migrate": "sha256:1"}, "forceNewDeployment": True}
    change = ResourceChange("urn:web", SERVICE, "web", "update", ("forceNewDeployment", "triggers"))
    after = acknowledged(killed(), ProgramStep(change, id=SERVICE_ARN, held=HELD["inputs"], wanted=wanted))
    assert after["resources"][0]["inputs"] == wanted
    assert after["resources"][0]["outputs"] == {**HELD["outputs"], **wanted}
    assert killed()["resources"][0] == HELD


def deployer_in(folder: Path) -> ProgramDeployer:
    (folder / "pulumi").write_text(_PULUMI, encoding="utf-8")
    (folder / "pulumi").chmod(0o755)
    environment = {"PATH": f"{folder}{os.pathsep}{os.defpath}", "HOME": str(folder), "STATE": str(folder / "state")}
    engine = Engine(environment, notes=folder)
    address = StackAddress("111122223333", REGION, "demo", "web", REGISTRY)
    images = PulumiDeployer(address, folder / "ours", environment, credentials=lambda _: ("AWS", "token"))
    program = ProgramSettings(str(folder / "infra"), "dev")
    wanted = replace(settings(), program=program)
    insisting = Insistence(engine, lambda _: None, (0.0,))
    return ProgramDeployer(program, wanted, a_record, engine=engine, images=images, insistence=insisting)


def test_a_folder_without_a_program_and_a_stack_that_is_not_there_are_told_and_nothing_is_made(tmp_path: Path) -> None:
    deployer, inputs = deployer_in(tmp_path), adoption(a_record(), settings()).service
    with pytest.raises(NotFoundError, match="There is no Pulumi program in"):
        deployer.preview_service(inputs)
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "Pulumi.yaml").write_text("name: shop\nruntime: go\n", encoding="utf-8")
    for operation in (deployer.refresh, lambda: deployer.preview_service(inputs)):
        with pytest.raises(NotFoundError, match="has no stack dev"):
            operation()
    assert [path.name for path in (tmp_path / "infra").iterdir()] == ["Pulumi.yaml"]


def test_a_killed_run_is_settled_in_the_stacks_own_state_by_what_was_made(tmp_path: Path) -> None:
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "Pulumi.yaml").write_text("name: shop\nruntime: go\n", encoding="utf-8")
    (tmp_path / "state").write_text(json.dumps({"version": 3, "deployment": killed()}), encoding="utf-8")
    deployer = deployer_in(tmp_path)
    assert [item.urn for item in deployer.pending()] == ["urn:web-arm64"]
    deployer.settle({})
    left = json.loads((tmp_path / "state").read_text(encoding="utf-8"))["deployment"]
    assert (left["resources"], left["pending_operations"]) == ([HELD], killed()["pending_operations"][:1])
    assert deployer.pending() == ()
    assert [path.name for path in (tmp_path / "infra").iterdir()] == ["Pulumi.yaml"]


def test_the_doctor_reads_a_programs_stack(tmp_path: Path) -> None:
    deployer_in(tmp_path)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.defpath}", "HOME": str(tmp_path), "STATE": f"{tmp_path}/state"}
    folder = tmp_path / "infra"
    with pytest.raises(NotFoundError, match="There is no Pulumi program in"):
        tools.program(folder, "dev", environment)
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: go\n", encoding="utf-8")
    with pytest.raises(NotFoundError):
        tools.program(folder, "dev", environment)
    (tmp_path / "state").write_text(json.dumps({"version": 3, "deployment": killed()}), encoding="utf-8")
    assert tools.program(folder, "dev", environment) == f"stack dev of {folder}, entries in its state: 1"
