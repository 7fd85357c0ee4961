from __future__ import annotations

import base64
import json

import pytest

from migrate.sandbox.front.faults import FaultKind, Faults
from migrate.sandbox.front.http import AwsError, Request, Scope
from migrate.sandbox.front.settings import TaskDigest, read_settings
from tests.fakes.front_account import Account
from tests.fakes.front_hosts import InProcess, settings


def test_the_command_line_and_the_environment_are_read() -> None:
    plain = read_settings(["--port", "1"], {})
    assert (plain.registry_host, plain.attributes, plain.task_digest) == ("localhost:1", True, TaskDigest.INDEX)
    told = read_settings(
        ["--port", "1", "--registry-host", "registry:2"],
        {
            "MIGRATE_FRONT_ATTRIBUTES": "off",
            "MIGRATE_FRONT_TASK_DIGEST": "child",
            "MIGRATE_FRONT_TASK_SECONDS": "1.5",
            "MIGRATE_FRONT_REGISTRY_AUTH": "required",
        },
    )
    assert (told.registry_host, told.attributes, told.task_seconds) == ("registry:2", False, 1.5)
    assert (told.task_digest, told.registry_auth) == (TaskDigest.CHILD, True)


def test_tasks_can_be_made_to_show_no_attributes() -> None:
    account = Account(InProcess(settings(attributes=False)))
    account.create()
    assert all(task.get("attributes", []) == [] for task in account.tasks())


def test_tasks_can_be_made_to_report_the_childs_digest() -> None:
    account = Account(InProcess(settings(task_digest=TaskDigest.CHILD)))
    account.ecr.create_repository(repositoryName=account.repository)
    child = account.image_text("amd64")
    account.push(account.index_text(("amd64", child)), "v1")
    account.create(account.define(f"{account.host.registry_host}/{account.repository}:v1"))
    found = account.push(child, "other")[1]["docker-content-digest"]
    assert {task["containers"][0]["imageDigest"] for task in account.tasks()} == {found}


def test_the_registry_can_ask_for_a_token() -> None:
    host = InProcess(settings(registry_auth=True))
    status, headers, _ = host.http("GET", "/v2/")
    assert status == 401
    assert headers["www-authenticate"].startswith('Basic realm="https://localhost:1/"')
    token = base64.b64encode(b"AWS:secret").decode()
    assert host.http("GET", "/v2/", headers={"authorization": f"Basic {token}"})[0] == 200
    assert host.http("GET", "/v2/", headers={"authorization": "Basic ***"})[0] == 401


def test_accounts_and_regions_are_apart() -> None:
    key = "AWS4-HMAC-SHA256 Credential={}/20260101/{}/ecs/aws4_request, SignedHeaders=host, Signature=0"
    own = Request("POST", "/", headers={"authorization": key.format("123456789012", "eu-west-1")})
    assert own.signed_for("0", "us-east-1") == Scope("123456789012", "eu-west-1")
    named = Request("POST", "/", headers={"authorization": key.format("AKIAEXAMPLE", "eu-west-1")})
    assert named.signed_for("000000000000", "us-east-1") == Scope("000000000000", "eu-west-1")
    assumed = named.signed_for("0", "us-east-1", {"AKIAEXAMPLE": "444455556666"}.get)
    assert assumed == Scope("444455556666", "eu-west-1")
    assert Request("GET", "/").signed_for("0", "us-east-1") == Scope("0", "us-east-1")


def test_faults_are_used_up_or_stay() -> None:
    faults = Faults()
    faults.add({"kind": "throttle", "operation": "ListTasks", "times": 2})
    faults.add({"kind": "tasks_fail_to_start", "service": "web", "deployments": 1})
    faults.add({"kind": "capacity_unavailable", "provider": "FARGATE_SPOT"})
    assert [faults.throttled("ListTasks") for _ in range(3)] == [True, True, False]
    assert not faults.throttled("DescribeTasks")
    assert faults.take_deployment(FaultKind.TASKS_FAIL_TO_START, "api") is None
    assert faults.take_deployment(FaultKind.TASKS_FAIL_TO_START, "web") is not None
    assert faults.take_deployment(FaultKind.TASKS_FAIL_TO_START, "web") is None
    assert faults.unavailable("FARGATE_SPOT", "web")
    assert not faults.unavailable("FARGATE", "web")
    (left,) = faults.listed()
    faults.forget(left["id"])
    assert faults.listed() == []
    with pytest.raises(AwsError):
        faults.add({"kind": "throttle", "colour": "red"})


def test_the_control_lists_and_forgets() -> None:
    host = InProcess()
    host.http("POST", "/_sandbox/faults", json.dumps({"kind": "deployment_latency", "seconds": 2}).encode())
    (fault,) = json.loads(host.http("GET", "/_sandbox/faults")[2])["faults"]
    assert fault["seconds"] == 2
    assert json.loads(host.http("DELETE", f"/_sandbox/faults/{fault['id']}")[2]) == {"faults": []}
    assert host.http("GET", "/_sandbox/elsewhere")[0] == 404


def test_what_the_front_does_not_take_over_reaches_ministack_whole() -> None:
    host = InProcess()
    host.http("POST", "/bucket/key?x=1", b"content")
    assert host.inner.asked == ["/bucket/key"]
