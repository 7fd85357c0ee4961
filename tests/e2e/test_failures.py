"""What cuts a run short is said, and can be gone on from: kills, Ctrl-C, somebody else's deployment."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import httpx
import pytest
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from tests.e2e.conftest import COMMAND_SECONDS, Operator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

LONG_SOAK = "60s"


def test_c41_what_cuts_a_run_short_is_gone_on_from(operator: Operator) -> None:
    operator.init()
    operator.done("apply", "--stage", "0", "--yes")
    _c41_killed_while_it_holds_the_lock_of_the_stack(operator)
    _a_second_run_is_told_who_is_at_work_and_ctrl_c_is_resumable(operator)
    _c43_somebody_deploys_and_the_migration_goes_on_from_their_revision(operator)
    _ctrl_c_in_a_way_back_names_the_command_that_goes_on(operator)


def _c41_killed_while_it_holds_the_lock_of_the_stack(operator: Operator) -> None:
    process = operator.start("apply", "--stage", "1", "--yes")
    _until(operator, lambda: bool(_locks(operator)))
    left = json.loads(_locks(operator)[0].read_text(encoding="utf-8"))
    # Both die at once, as with their machine: left alone, Pulumi may still notice and give its lock back.
    os.kill(left["pid"], signal.SIGSTOP)
    process.kill()
    process.communicate(timeout=COMMAND_SECONDS)
    os.kill(left["pid"], signal.SIGKILL)
    assert len(_locks(operator)) == 1
    again = operator.done("apply", "--stage", "1", "--yes")
    assert f"(pid {left['pid']})" in again.stderr
    assert "removed a lock whose process is gone" in again.stderr
    assert any(event.step == "stack lock" for event in operator.events()), "and kept as evidence"
    assert _locks(operator) == []
    assert "Stage 1 (image) is proven" in again.stdout
    children = json.loads(operator.tag()[2])["manifests"]
    assert sorted(child["platform"]["architecture"] for child in children) == ["amd64", "arm64"]
    deployments = [item for item in operator.service()["deployments"] if item["status"] != "INACTIVE"]
    assert [item["rolloutState"] for item in deployments] == ["COMPLETED"]


def _a_second_run_is_told_who_is_at_work_and_ctrl_c_is_resumable(operator: Operator) -> None:
    with _soaking(operator):
        process = operator.start("apply", "--stage", "2", "--yes")
        _until(operator, lambda: _runs(operator, "arm64"))
        second = operator.run("apply", "--stage", "2", "--yes")
        assert second.code == 7, second.said
        assert str(process.pid) in second.said
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=COMMAND_SECONDS)
    assert process.returncode == 130, out + err
    assert "Traceback" not in out + err
    deployment, revisions = operator.service()["deployments"][0]["id"], _revisions(operator)
    again = operator.done("apply", "--stage", "2", "--yes")
    assert "Stage 2 (architecture) is proven" in again.stdout
    assert operator.service()["deployments"][0]["id"] == deployment, "the running deployment was joined"
    assert _revisions(operator) == revisions


def _c43_somebody_deploys_and_the_migration_goes_on_from_their_revision(operator: Operator) -> None:
    ecs, seeded = operator.aws("ecs"), operator.seeded
    theirs = ecs.register_task_definition(**_amd64_definition(operator))["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=seeded.cluster, service=seeded.service, taskDefinition=theirs)
    _until(operator, lambda: operator.service()["deployments"][0]["rolloutState"] == "COMPLETED")
    _until(operator, lambda: len(operator.service()["deployments"]) == 1)
    refused = operator.run("apply", "--stage", "3", "--yes")
    assert refused.code == 8, refused.said
    assert "migrate apply --stage 0 --rebaseline" in " ".join(refused.said.split())
    again = operator.done("apply", "--stage", "0", "--rebaseline", "--yes")
    assert "Stage 0 (baseline) is proven" in again.stdout
    assert operator.service()["taskDefinition"] == theirs
    operator.done("apply", "--stage", "1", "--yes")
    operator.done("apply", "--stage", "2", "--yes")
    assert _runs(operator, "arm64")
    definition = ecs.describe_task_definition(taskDefinition=operator.service()["taskDefinition"])["taskDefinition"]
    assert {"name": "VERSION", "value": "2"} in definition["containerDefinitions"][0]["environment"]
    operator.done("rollback", "--to", "original", "--yes")
    assert operator.service()["taskDefinition"] == theirs


def _ctrl_c_in_a_way_back_names_the_command_that_goes_on(operator: Operator) -> None:
    for stage in ("0", "1"):
        operator.done("apply", "--stage", stage, "--yes")
    before = operator.service()["taskDefinition"]
    fault = {"kind": "tasks_fail_to_start", "service": operator.seeded.service, "deployments": 1, "reason": "no luck"}
    _fault(operator, fault)
    process = operator.start("apply", "--stage", "2", "--yes")
    assert process.stderr is not None
    heard = ""
    for line in process.stderr:
        heard += line
        if "going back" in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=COMMAND_SECONDS)
    assert process.returncode == 130, heard + out + err
    assert "ROLLBACK INTERRUPTED" in out
    assert "migrate rollback --to-stage 1" in " ".join(out.split())
    operator.done("rollback", "--to-stage", "1", "--yes")
    assert operator.service()["taskDefinition"] == before
    assert operator.status()["architectures"] == {"x86_64": 4}


def _amd64_definition(operator: Operator) -> dict[str, Any]:
    """Return the first revision with a new environment, as a pipeline registers a new version of the app."""
    answer = operator.aws("ecs").describe_task_definition(taskDefinition=f"{operator.seeded.family}:1")
    found = answer["taskDefinition"]
    names = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn", "taskRoleArn")
    container = {**found["containerDefinitions"][0], "environment": [{"name": "VERSION", "value": "2"}]}
    return {name: found[name] for name in names if name in found} | {"containerDefinitions": [container]}


def _locks(operator: Operator) -> list[Path]:
    """Return the locks that Pulumi's backend holds (pulumi 3.274, backend/diy/lock.go)."""
    backend = Path(urlparse(operator.environment["PULUMI_BACKEND_URL"]).path)
    return sorted((backend / ".pulumi" / "locks").rglob("*.json"))


class _soaking:  # noqa: N801 - reads as a phrase where it is used
    """Make the soak long enough to do something meanwhile, and short again afterwards."""

    def __init__(self, operator: Operator) -> None:
        self._path = operator.directory / "migrate.toml"
        self._text = self._path.read_text(encoding="utf-8")

    def __enter__(self) -> None:
        self._path.write_text(self._text.replace('soak = "2s"', f'soak = "{LONG_SOAK}"'), encoding="utf-8")

    def __exit__(self, *_: object) -> None:
        self._path.write_text(self._text, encoding="utf-8")


def _fault(operator: Operator, fault: dict[str, Any]) -> None:
    answer = httpx.post(f"{operator.sandbox.endpoint.replace('https', 'http')}/_sandbox/faults", json=fault)
    answer.raise_for_status()


def _runs(operator: Operator, architecture: str) -> bool:
    return operator.architectures() == [architecture] * 4


def _revisions(operator: Operator) -> list[str]:
    answer = operator.aws("ecs").list_task_definitions(familyPrefix=operator.seeded.family)
    return list(answer["taskDefinitionArns"])


def _until(operator: Operator, condition: Callable[[], bool]) -> None:
    again = Retrying(
        retry=retry_if_result(lambda done: not done),
        stop=stop_after_delay(COMMAND_SECONDS),
        wait=wait_fixed(0.1),
        retry_error_callback=lambda _: pytest.fail(str(operator.status())),
    )
    again(condition)
