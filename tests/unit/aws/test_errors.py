from __future__ import annotations

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    IncompleteReadError,
    InvalidRegionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSLError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from migrate.adapters.aws.errors import is_unknown_operation, translated
from migrate.errors import AccessError, MigrateError, NotFoundError, TransientError

URL = "https://ecs.eu-central-9.amazonaws.com/"


def answered(code: str, message: str = "", operation: str = "DescribeServices", status: int = 400) -> ClientError:
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)  # type: ignore[arg-type]


def translation(error: Exception, service: str = "ecs") -> MigrateError:
    with pytest.raises(MigrateError) as raised, translated(service, "eu-central-9"):
        raise error
    assert raised.value.__cause__ is error
    assert raised.value.what.endswith(".")
    assert raised.value.then
    return raised.value


@pytest.mark.parametrize(
    ("code", "kind", "runbook", "says"),
    [
        ("ExpiredTokenException", AccessError, "errors#expired", "have expired"),
        ("RequestExpired", AccessError, "errors#expired", "have expired"),
        ("UnrecognizedClientException", AccessError, "errors#credentials", "does not accept"),
        ("InvalidSignatureException", AccessError, "errors#credentials", "does not accept"),
        ("ThrottlingException", TransientError, "errors#throttled", "throttled ecs:DescribeServices"),
        ("TooManyRequestsException", TransientError, "errors#throttled", "throttled"),
        ("ClusterNotFoundException", NotFoundError, "errors#not-found", "The ECS cluster"),
        ("com.amazonaws.ecs#ServiceNotFoundException", NotFoundError, "errors#not-found", "The ECS service"),
        ("InvalidParameterException", AccessError, "errors#access", "AWS refused ecs:DescribeServices"),
        ("", AccessError, "errors#access", "AWS refused"),
    ],
)
def test_an_answer_that_refuses_says_what_why_and_what_next(
    code: str, kind: type[MigrateError], runbook: str, says: str
) -> None:
    error = translation(answered(code, "the reason"))
    assert type(error) is kind
    assert (error.runbook, "the reason" in error.why) == (runbook, True)
    assert says in error.what


@pytest.mark.parametrize(("code", "status"), [("ServerException", 500), ("503", 503), ("InternalFailure", 500)])
def test_a_fault_of_aws_itself_may_pass(code: str, status: int) -> None:
    error = translation(answered(code, "the reason", status=status))
    assert isinstance(error, TransientError)
    assert (error.what, error.runbook) == (
        "AWS could not carry out ecs:DescribeServices in eu-central-9.",
        "errors#transient",
    )


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (EndpointConnectionError(endpoint_url=URL), True),
        (ReadTimeoutError(endpoint_url=URL), True),
        (ConnectionClosedError(endpoint_url=URL), True),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), True),
        (ResponseParserError("invalid XML received: <!DOCTYPE html>"), True),
        (InvalidRegionError(region_name="eu central"), False),
        (SSLError(endpoint_url=URL, error=OSError("self-signed")), False),
        (NoCredentialsError(), False),
        (UnauthorizedSSOTokenError(), False),
    ],
)
def test_only_what_may_be_different_a_moment_later_is_called_passing(error: Exception, *, passes: bool) -> None:
    assert isinstance(translation(error), TransientError) is passes


def test_a_denied_call_names_the_permission_that_aws_names() -> None:
    message = "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: ecs:DescribeServices on resource: y"
    error = translation(answered("AccessDeniedException", message))
    assert error.what == "The credentials may not do ecs:DescribeServices."
    assert "Allow ecs:DescribeServices" in error.then
    assert error.runbook == "errors#permission"


def test_a_denied_call_names_the_permission_where_aws_does_not() -> None:
    error = translation(answered("AccessDenied", operation="DescribeTargetHealth"), service="elbv2")
    assert error.what == "The credentials may not do elasticloadbalancing:DescribeTargetHealth."


@pytest.mark.parametrize(
    ("error", "runbook", "says"),
    [
        (NoCredentialsError(), "errors#credentials", "No usable AWS credentials"),
        (PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "errors#credentials", "No usable"),
        (CredentialRetrievalError(provider="process", error_msg="exit 1"), "errors#credentials", "No usable"),
        (SSOTokenLoadError(error_msg="no token"), "errors#expired", "have expired"),
        (UnauthorizedSSOTokenError(), "errors#expired", "have expired"),
        (TokenRetrievalError(provider="sso", error_msg="Token has expired"), "errors#expired", "have expired"),
        (EndpointConnectionError(endpoint_url=URL), "errors#endpoint", "'eu-central-9' cannot be reached"),
        (ConnectTimeoutError(endpoint_url=URL), "errors#endpoint", "cannot be reached"),
        (ReadTimeoutError(endpoint_url=URL), "errors#endpoint", "cannot be reached"),
        (InvalidRegionError(region_name="eu central"), "errors#endpoint", "cannot be reached"),
        (SSLError(endpoint_url=URL, error=OSError("self-signed")), "errors#endpoint", "not trusted"),
        (ParamValidationError(report="Missing required parameter"), "errors#access", "could not be made"),
    ],
)
def test_an_error_before_any_answer_says_what_to_do(error: BotoCoreError, runbook: str, says: str) -> None:
    told = translation(error)
    assert isinstance(told, AccessError)
    assert told.runbook == runbook
    assert says in told.what


def test_errors_of_the_tool_pass_unchanged() -> None:
    error = NotFoundError("Gone.", then="Look.")
    with pytest.raises(NotFoundError) as raised, translated("ecs", "eu-central-1"):
        raise error
    assert raised.value is error


@pytest.mark.parametrize(
    ("code", "status", "unknown"),
    [
        ("InvalidAction", 400, True),
        ("UnknownOperationException", 400, True),
        ("404", 404, True),
        ("InternalFailure", 501, True),
        ("ServiceNotFoundException", 404, False),
        ("AccessDeniedException", 400, False),
    ],
)
def test_an_operation_that_the_endpoint_does_not_know_is_told_from_other_errors(
    code: str, status: int, *, unknown: bool
) -> None:
    assert is_unknown_operation(answered(code, status=status)) is unknown
