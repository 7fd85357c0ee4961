"""Every text that Pulumi, its plugins or BuildKit are known to fail with, and what the operator is told."""

from __future__ import annotations

import pytest

from migrate.adapters.pulumi.failure import Failure
from migrate.adapters.pulumi.failures import translate_failure
from migrate.errors import (
    AccessError,
    EngineError,
    InterruptedRunError,
    LockedError,
    MigrateError,
    NotFoundError,
    TransientError,
    UnsafePreviewError,
)

# pulumi 3.274, backend/diy/lock.go.
_LOCKED = """error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete \
the lock file with `pulumi cancel`.
  s3://bucket/.pulumi/locks/organization/image/1.json: created by ann@laptop (pid 77) at 2026-11-25T04:00:00Z"""
_CLOUD_LOCKED = "error: [409] Conflict: Another update is currently in progress."

_SDK = "error: updating ECS Service (arn): operation error ECS: UpdateService, https response error StatusCode: "


def _told(text: str, *errors: str) -> MigrateError:
    return translate_failure(Failure("image", "update", errors, text))


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        (_CLOUD_LOCKED, LockedError, "locked by another"),
        ("error: constructing secrets manager: incorrect passphrase", AccessError, "cannot be decrypted"),
        ("error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE", AccessError, "cannot be decrypted"),
        (
            "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
            AccessError,
            "keeps its state",
        ),
        ("error: unable to open bucket s3://nothing: NoSuchBucket", AccessError, "keeps its state"),
        (
            "error: force_new_deployment should be true when capacity_provider_strategy is being updated",
            EngineError,
            "could not update",
        ),
        (
            'error: unable to replace resource "urn" as it is currently marked for protection',
            UnsafePreviewError,
            "protected",
        ),
        ("error: inputs to import do not match the existing resource", UnsafePreviewError, "would import"),
        (
            "error: the current deployment has 1 resource(s) with pending operations:",
            EngineError,
            "interrupted earlier",
        ),
        ("error: unable to validate AWS credentials.\nDetails: ExpiredToken", AccessError, "credentials expired"),
        ("error: unable to validate AWS credentials.\nDetails: InvalidClientTokenId", AccessError, "AWS refused"),
        ("Details: Could not connect to the endpoint URL: https://sts", TransientError, "could not be reached"),
        (f"{_SDK}400, RequestID: 1, ThrottlingException: Rate exceeded", TransientError, "AWS throttled"),
        (
            f"{_SDK}400, RequestID: 1, ClientException: Too many concurrent attempts to create a new revision of web.",
            TransientError,
            "AWS throttled",
        ),
        (f"{_SDK}500, RequestID: 1, ServerException: Service Unavailable", TransientError, "did not answer"),
        (f"{_SDK}400, RequestID: 1, ExpiredTokenException: it is over", AccessError, "credentials expired"),
        (
            "error: operation error ECS: UpdateService, Connection was closed before we received a valid response",
            TransientError,
            "did not answer",
        ),
        (
            "error: failed to solve: unexpected status from PUT request to https://r/v2/: 503 Service Unavailable",
            TransientError,
            "did not answer",
        ),
        (
            "error: RepositoryNotFoundException: The repository with name 'x' does not exist",
            NotFoundError,
            "does not exist",
        ),
        ("error: Preview failed: resource 'demo/web' does not exist", NotFoundError, "does not exist"),
        (
            "error: failed to push: unexpected status from PUT request: 401 Unauthorized",
            AccessError,
            "registry refused",
        ),
        (
            'error: GET https://r/v2/app/manifests/t: {"errors":[{"code":"DENIED","message":"expired"}]}',
            AccessError,
            "registry refused the credentials",
        ),
        (
            "error: 403 Forbidden: denied: Your authorization token has expired. Reauthenticate and try again.",
            AccessError,
            "registry refused the credentials",
        ),
        (
            "ClientException: FARGATE_SPOT capacity provider is not supported when using ARM architecture.",
            EngineError,
            "does not run ARM64 tasks on FARGATE_SPOT",
        ),
        (
            "InvalidParameterException: Long arn format must be used for tagging operations",
            EngineError,
            "refuses to tag",
        ),
        ('error: new builder: no builder "arm" found', EngineError, "this builder"),
        ("error: Multi-platform build is not supported for the docker driver.", EngineError, "this builder"),
        (
            'error: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2',
            EngineError,
            "could not be built",
        ),
    ],
)
def test_each_text_has_its_error(text: str, kind: type[MigrateError], told: str) -> None:
    error = _told("code: 255", text)
    assert type(error) is kind
    assert told in error.what
    assert error.why
    assert error.then


def test_c28_a_refused_login_is_told_as_credentials_and_not_as_an_image_that_is_gone() -> None:
    error = _told('error: refreshing urn: {"errors":[{"code":"DENIED","message":"Your token has expired"}]}')
    assert isinstance(error, AccessError)
    assert "gone" not in str(error)
    assert "ecr:GetAuthorizationToken" in error.then


def test_c60_the_old_refusal_of_arm64_on_spot_says_what_to_change_and_what_stays() -> None:
    error = _told("error: FARGATE_SPOT capacity provider is not supported when using ARM architecture.")
    assert "Name FARGATE alone" in error.then
    assert "stay on ARM64" in error.then
    assert error.runbook == "gates#no-capacity"


@pytest.mark.parametrize("text", [f"code: 255 stderr: {_CLOUD_LOCKED}", _LOCKED])
def test_c41_both_texts_of_a_lock_are_known(text: str) -> None:
    error = _told(text)
    assert isinstance(error, LockedError)
    assert error.runbook == "errors#stack-locked"


def test_c41_the_holder_of_a_lock_is_shown_and_nothing_is_cancelled_unasked() -> None:
    error = _told(f"\n code: 255\n stdout: \n stderr: {_LOCKED}")
    assert isinstance(error, LockedError)
    assert "ann@laptop (pid 77) at 2026-11-25T04:00:00Z" in error.why
    assert "migrate stack image -- cancel" in error.then


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (
            "error: no resource plugin 'pulumi-resource-docker-build' found in the workspace at version v0.0.22",
            "pulumi plugin install resource docker-build 0.0.22",
        ),
        (
            "error: Could not automatically download and install resource plugin 'pulumi-resource-aws' v7.51.1",
            "pulumi plugin install resource aws 7.51.1",
        ),
        ("error: no resource plugin 'pulumi-resource-aws' found", "pulumi plugin install resource aws"),
    ],
)
def test_a_missing_plugin_is_told_with_the_command_that_brings_it(text: str, command: str) -> None:
    assert f"`{command}`" in _told("", text).then


def test_a_traceback_never_reaches_the_operator() -> None:
    error = _told(
        "", "error: the lookup failed\nTraceback (most recent call last):\n  File x, line 1", "error: update failed"
    )
    assert error.why == "error: the lookup failed"


def test_what_the_engine_adds_at_the_end_is_told_only_when_there_is_nothing_else() -> None:
    assert _told("", "error: Resource monitor has terminated, shutting down").why


def test_the_sdks_labels_are_taken_off_what_was_printed() -> None:
    assert _told("\n code: 6\n stdout: \n stderr: error: something odd").why == "error: something odd"


def test_an_interrupted_operation_is_no_failure() -> None:
    error = translate_failure(Failure("service", "update", ("error: update cancelled",), "", interrupted=True))
    assert isinstance(error, InterruptedRunError)
    assert error.exit_code == 130
