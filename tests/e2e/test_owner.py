"""Services that ecspresso and CloudFormation deploy: all stages by their hand, proven by ours; what is wrong is caught.

MiniStack's CloudFormation keeps services to itself, where no rollout happens: its owner here makes the calls that it
makes, from the same template.
"""

from __future__ import annotations

import signal
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import httpx
import pytest
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from tests.e2e.conftest import COMMAND_SECONDS, Operator
from tests.e2e.owners import Owner, push_index

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

SETTINGS = """
[service]
cluster = "{cluster}"
name = "{service}"
owner = "external"
owner_tool = "{language}"
owner_deadline = "4m"

[image]
container = "app"
mode = "external"

[capacity]
steps = []

[gate]
interval = "1s"
soak = "2s"
deadline = "2m"
"""


def test_services_of_two_owners_go_through_all_stages_and_what_is_wrong_is_caught(operator: Operator) -> None:
    owners = (_owner(operator, "app", "ecspresso"), _owner(operator, "api", "cloudformation"))
    for stage in (0, 1):
        if stage == 1:
            push_index(operator)
        _all_apply(owners, stage)
    _a_wrong_image_and_a_wrong_count_are_caught(owners[0])
    _a_wrong_image_is_stopped(owners[1])
    _killed_while_it_waits_and_taken_up(owners[0])
    _all_apply(owners, 2)
    _the_gate_writes_what_a_pipeline_shows(owners[1])
    _all_apply(owners, 3)
    for owner in owners:
        assert _architectures(owner) == {"arm64"}
        assert owner.described()["capacityProviderStrategy"]
    _back_by_the_owners_hand(owners[0])
    backend = Path(urlparse(operator.environment["PULUMI_BACKEND_URL"]).path)
    assert list(backend.rglob("*.json")) == [], "nothing was written to Pulumi"


def _owner(operator: Operator, service: str, language: str) -> Owner:
    directory = operator.directory / language
    directory.mkdir()
    cluster = operator.seeded.cluster
    text = SETTINGS.format(cluster=cluster, service=service, language=language)
    (directory / "migrate.toml").write_text(text, encoding="utf-8")
    owner = Owner(operator, service, language, directory)
    if service != operator.seeded.service:
        like = operator.service()
        names = ("taskDefinition", "desiredCount", "networkConfiguration", "deploymentConfiguration")
        operator.aws("ecs").create_service(
            cluster=cluster, serviceName=service, launchType="FARGATE", **{name: like[name] for name in names}
        )
        _until(lambda: owner.described()["deployments"][0]["rolloutState"] == "COMPLETED")
    return owner


def _all_apply(owners: tuple[Owner, ...], stage: int) -> None:
    """Let each owner deploy what the plan shows, while an operator waits for it."""
    planned = {owner.language: owner.planned(stage) for owner in owners}
    waiting = {owner.language: _started(owner, "apply", "--stage", str(stage), "--yes") for owner in owners}
    for owner in owners:
        for snippets in planned[owner.language]:
            _heard(waiting[owner.language], "wait for the owner's deployment")
            owner.deploy(snippets)
    for process in waiting.values():
        out, err = process.communicate(timeout=COMMAND_SECONDS)
        assert process.returncode == 0, out + err
        assert f"Stage {stage} " in out


def _a_wrong_image_and_a_wrong_count_are_caught(owner: Owner) -> None:
    (snippets,) = owner.planned(2)
    ecs, cluster = owner.operator.aws("ecs"), owner.operator.seeded.cluster
    right = owner.described()["taskDefinition"]
    waiting = _started(owner, "apply", "--stage", "2", "--yes")
    _heard(waiting, "wait for the owner's deployment")
    owner.deploy(snippets, image=f"{owner.operator.seeded.image.rpartition(':')[0]}:ci-arm64")
    out, err = waiting.communicate(timeout=COMMAND_SECONDS)
    assert waiting.returncode == 8, out + err
    assert "containerDefinitions.app.image was " in out
    judged = owner.operator.run("gate", *owner.arguments, "--stage", "2", "--output", "json")
    assert (judged.code, judged.json["verdict"]) == (8, "fail")
    ecs.update_service(cluster=cluster, service=owner.service, taskDefinition=right, desiredCount=2)
    again = owner.operator.run("apply", *owner.arguments, "--stage", "2", "--yes")
    assert again.code == 8, again.said
    assert "desiredCount was 4 and is 2" in again.stdout
    ecs.update_service(cluster=cluster, service=owner.service, desiredCount=4)


def _a_wrong_image_is_stopped(owner: Owner) -> None:
    (snippets,) = owner.planned(2)
    right = owner.described()["taskDefinition"]
    slow = {"kind": "deployment_latency", "service": owner.service, "seconds": 60, "deployments": 1}
    endpoint = owner.operator.sandbox.endpoint.replace("https", "http")
    httpx.post(f"{endpoint}/_sandbox/faults", json=slow).raise_for_status()
    waiting = _started(owner, "apply", "--stage", "2", "--stop-on-failure", "--yes")
    _heard(waiting, "wait for the owner's deployment")
    owner.deploy(snippets, cpu=128)
    out, err = waiting.communicate(timeout=COMMAND_SECONDS)
    assert waiting.returncode == 8, out + err
    assert "The deployment was stopped" in out
    _until(lambda: owner.described()["taskDefinition"] == right)
    _until(lambda: [item["rolloutState"] for item in owner.described()["deployments"]] == ["COMPLETED"])


def _killed_while_it_waits_and_taken_up(owner: Owner) -> None:
    waiting = _started(owner, "apply", "--stage", "2", "--yes")
    _heard(waiting, "wait for the owner's deployment")
    waiting.send_signal(signal.SIGKILL)
    waiting.communicate(timeout=COMMAND_SECONDS)


def _the_gate_writes_what_a_pipeline_shows(owner: Owner) -> None:
    report = owner.directory / "gate.xml"
    judged = owner.operator.done("gate", *owner.arguments, "--stage", "2", "--output", "json", "--junit", str(report))
    assert judged.json["verdict"] == "pass"
    suite = next(iter(ET.parse(report).getroot()))  # noqa: S314 - written by the program under test
    assert int(suite.attrib["tests"]) == len(judged.json["checks"])
    assert suite.attrib["failures"] == "0"


def _back_by_the_owners_hand(owner: Owner) -> None:
    snippets = [item for stage in (3, 2) for back in owner.planned(stage, back=True) for item in back]
    waiting = _started(owner, "rollback", "--to-stage", "1", "--yes")
    _heard(waiting, "wait for the owner's deployment")
    owner.deploy(snippets)
    out, err = waiting.communicate(timeout=COMMAND_SECONDS)
    assert waiting.returncode == 0, out + err
    assert _architectures(owner) == {"x86_64"}
    history = owner.operator.done("history", *owner.arguments).stdout
    assert "rollback" in history
    assert "apply" in history


def _started(owner: Owner, verb: str, *arguments: str) -> subprocess.Popen[str]:
    return owner.operator.start(verb, *owner.arguments, *arguments)


def _heard(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    heard = ""
    for line in process.stderr:
        heard += line
        if words in line:
            return
    pytest.fail(heard + (process.stdout.read() if process.stdout else ""))


def _architectures(owner: Owner) -> set[str]:
    ecs, cluster = owner.operator.aws("ecs"), owner.operator.seeded.cluster
    arns = ecs.list_tasks(cluster=cluster, serviceName=owner.service)["taskArns"]
    tasks: list[Any] = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
    return {task["attributes"][0]["value"] for task in tasks if task["lastStatus"] == "RUNNING"}


def _until(condition: Callable[[], bool]) -> None:
    Retrying(
        retry=retry_if_result(lambda done: not done), stop=stop_after_delay(COMMAND_SECONDS), wait=wait_fixed(0.1)
    )(condition)
