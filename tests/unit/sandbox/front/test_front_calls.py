from __future__ import annotations

import json
from typing import Any

from migrate.sandbox.front.calls import CallLog
from migrate.sandbox.front.http import Request
from migrate.sandbox.front.images import content_digest
from tests.fakes.front_account import Account
from tests.fakes.front_hosts import InProcess

AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


def _calls(host: InProcess) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(host.http("GET", "/_sandbox/calls")[2])["calls"]
    return listed


def test_calls_are_counted_by_service_and_operation_until_they_are_forgotten() -> None:
    host = InProcess()
    account = Account(host)
    account.create()
    asked = {item["call"]: item["count"] for item in _calls(host)}
    assert asked["ecs:CreateService"] == 1
    assert asked["ecs:RegisterTaskDefinition"] == 1
    host.http("DELETE", "/_sandbox/calls")
    assert _calls(host) == []


def test_the_registry_protocol_is_counted_by_what_it_asks_for() -> None:
    log = CallLog()
    for method, path in [
        ("GET", "/v2/"),
        ("HEAD", "/v2/shop/web/manifests/1.2"),
        ("PUT", "/v2/shop/web/manifests/1.2"),
        ("POST", "/v2/shop/web/blobs/uploads/"),
        ("PATCH", "/v2/shop/web/blobs/uploads/some-id"),
        ("PUT", "/v2/shop/web/blobs/uploads/some-id"),
        ("HEAD", "/v2/shop/web/blobs/sha256:0a"),
        ("GET", "/v2/shop/web/blobs/sha256:0a"),
    ]:
        log.note_registry(Request(method, path, headers={"user-agent": "buildkit/v0.34"}))
    assert {item["call"] for item in log.listed()} == {
        *("registry:GetManifest", "registry:PutManifest", "registry:StartUpload", "registry:UploadChunk"),
        *("registry:FinishUpload", "registry:HasBlob", "registry:GetBlob"),
    }
    assert {item["agent"] for item in log.listed()} == {"buildkit"}


def test_our_own_calls_are_told_from_the_plugins() -> None:
    log = CallLog()
    signed = {"authorization": AUTHORIZATION.format("elasticloadbalancing")}
    log.note(
        Request("POST", "/", headers={**signed, "user-agent": "Boto3/1.43 ecs-migrate/0.1"}), "DescribeTargetHealth"
    )
    log.note(Request("POST", "/", headers={**signed, "user-agent": "Boto3/1.43"}), "DescribeTargetHealth")
    log.note(Request("GET", "/elsewhere"), "")
    assert [(item["agent"], item["call"]) for item in log.listed()] == [
        ("Boto3", "elasticloadbalancing:DescribeTargetHealth"),
        ("ecs-migrate", "elasticloadbalancing:DescribeTargetHealth"),
    ]


def test_a_push_is_told_with_whether_it_brought_anything() -> None:
    host = InProcess()
    account = Account(host)
    account.ecr.create_repository(repositoryName=account.repository)
    image = account.image_text("amd64", "1")
    for tag in ("v1", "v1", "v2", "v1"):
        assert account.push(image, tag)[0] == 201
    pushes = json.loads(host.http("GET", "/_sandbox/pushes")[2])["pushes"]
    assert [(push["tag"], push["changed"]) for push in pushes] == [
        ("v1", True),
        ("v1", False),
        ("v2", True),
        ("v1", False),
    ]
    assert {(push["repository"], push["digest"]) for push in pushes} == {(account.repository, content_digest(image))}
