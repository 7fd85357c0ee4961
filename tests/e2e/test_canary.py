"""Stage 2 with a twin on the real engine: a twin that stays with its way back, then a canary, then the handover."""

from __future__ import annotations

import json
import re
import runpy
from typing import Any

import pytest
from pulumi.automation import LocalWorkspaceOptions, Stack, create_stack

from migrate.adapters.pulumi.engine import Engine
from migrate.adapters.pulumi.events import EventCollector
from migrate.core.evidence import EventKind
from migrate.core.permission.calls import calls_of
from migrate.core.stack.preview import SERVICE, TASK_DEFINITION, Preview
from migrate.core.twin import TWIN, twin_name
from tests.e2e.conftest import Operator
from tests.e2e.test_permissions import recorded

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def test_a_twin_takes_a_share_first_and_goes_once_the_service_has_followed(operator: Operator) -> None:
    operator.init()
    for stage in ("0", "1"):
        operator.done("apply", "--stage", stage, "--yes")
    _mixed_keeps_both_and_comes_back(operator)
    _a_canary_leads_the_service_to_arm64(operator)
    _nothing_but_the_twin_was_ever_deleted(operator)
    _the_end_touches_nothing_and_its_code_adopts_what_runs(operator)


def _mixed_keeps_both_and_comes_back(operator: Operator) -> None:
    _mode(operator, "mixed")
    before = operator.service()["deployments"][0]["id"]
    operator.done("apply", "--stage", "2", "--yes")
    status, twin = operator.status(), _twin(operator)
    assert status["architectures"] == {"x86_64": 4}
    assert (status["twin"]["architectures"], status["twin"]["phase"]) == ({"arm64": 1}, "alone")
    assert operator.service()["deployments"][0]["id"] == before
    assert twin["loadBalancers"] == operator.service()["loadBalancers"]
    assert twin["deploymentConfiguration"] == operator.service()["deploymentConfiguration"]
    _was_compared_with_the_service(operator)
    preview = _previewed(_owners_stack(operator, "both"))
    met = sorted((item.type, item.operation) for item in preview.changes)
    assert met == [(SERVICE, "import")] * 2 + [(TASK_DEFINITION, "import")] * 2
    assert operator.run("apply", "--stage", "3", "--yes").code == 3
    operator.done("rollback", "--yes")
    assert _twin(operator)["status"] == "INACTIVE"
    assert operator.service()["deployments"][0]["id"] == before
    assert operator.status()["twin"] is None


def _a_canary_leads_the_service_to_arm64(operator: Operator) -> None:
    _mode(operator, "canary")
    operator.done("apply", "--stage", "2", "--yes")
    status = operator.status()
    assert (status["architectures"], status["twin"]) == ({"arm64": 4}, None)
    assert _twin(operator)["status"] == "INACTIVE"
    assert "nothing was changed" in operator.done("apply", "--stage", "2", "--yes").stdout


def _nothing_but_the_twin_was_ever_deleted(operator: Operator) -> None:
    deleted = set()
    for event in operator.events():
        if event.kind is EventKind.NOTE and event.step.endswith(": preview"):
            deleted |= set(re.findall(r"delete ([\w-]+)", event.text))
    assert deleted == {TWIN}
    assert operator.service()["status"] == "ACTIVE"


def _was_compared_with_the_service(operator: Operator) -> None:
    compared = [
        item
        for event in operator.events()
        if event.kind is EventKind.MEASUREMENT
        for item in json.loads(event.data)["measurements"]
        if item["check"] == "twin"
    ]
    assert compared[-1]["outcome"] == "pass"
    assert "1 of 1 targets of the twin healthy, 4 of 4 of the service" in compared[-1]["text"]
    assert "CPUUtilization: not compared, no data" in compared[-1]["text"]


def _the_end_touches_nothing_and_its_code_adopts_what_runs(operator: Operator) -> None:
    before, tag, images = operator.service()["deployments"], operator.tag(), _images(operator)
    calls = recorded(operator, "finish", "--yes")
    assert calls <= calls_of("finish"), calls - calls_of("finish")
    assert (operator.service()["deployments"], operator.tag(), _images(operator)) == (before, tag, images)
    assert any(name.startswith("migrate-guard-") for name, _ in images), "no image ever loses its last tag"
    assert operator.run("rollback", "--to", "original", "--yes").code == 3
    stack = _owners_stack(operator, "service")
    assert [item.operation for item in _previewed(stack).changes] == ["import", "import"]
    stack.up()
    assert _previewed(stack).changes == ()
    assert operator.service()["deployments"] == before


def _owners_stack(operator: Operator, name: str) -> Stack:
    """Return a stack whose program is what `migrate finish` prints for the owner."""
    path = operator.directory / f"{name}.py"
    path.write_text(operator.done("finish", "--print", "pulumi").stdout, encoding="utf-8")
    environment = operator.environment
    options = LocalWorkspaceOptions(env_vars=environment, pulumi_command=Engine(environment))

    def program() -> None:
        runpy.run_path(str(path))

    return create_stack("owner", project_name=name, program=program, opts=options)


def _previewed(stack: Stack) -> Preview:
    collector = EventCollector()
    stack.preview(on_event=collector)
    assert not [text for text in collector.diagnostics if "do not match" in text]
    return Preview("owner", collector.resources, collector.diagnostics)


def _images(operator: Operator) -> list[tuple[str, str]]:
    """Return all tags of the repository with their digests."""
    repository = "/".join(operator.seeded.image.split("/")[1:]).partition(":")[0]
    answer = operator.aws("ecr").list_images(repositoryName=repository)["imageIds"]
    return sorted((item.get("imageTag", ""), item["imageDigest"]) for item in answer)


def _mode(operator: Operator, mode: str) -> None:
    path = operator.directory / "migrate.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r'^mode = "(rolling|canary|mixed)"$', f'mode = "{mode}"', text, flags=re.MULTILINE))


def _twin(operator: Operator) -> Any:
    name = twin_name(operator.seeded.service)
    answer = operator.aws("ecs").describe_services(cluster=operator.seeded.cluster, services=[name])
    return answer["services"][0]
