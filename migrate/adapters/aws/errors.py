"""botocore's errors in our words, translated once: what happened, why, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own base of network errors
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    InvalidRegionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from migrate.errors import AccessError, MigrateError, NotFoundError, TransientError

EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired", "ExpiredTokenId"}
)
INVALID_CREDENTIALS = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "IncompleteSignature",
        "AuthFailure",
    }
)
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "NotAuthorized",
        "UnauthorizedException",
        "OptInRequired",
    }
)
THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "RequestThrottled",
        "SlowDown",
        "RateExceeded",
    }
)
UNKNOWN_OPERATION = frozenset(
    {"InvalidAction", "UnknownOperation", "UnknownOperationException", "UnsupportedOperation", "NotImplemented"}
)
NOT_FOUND = {
    "ClusterNotFoundException": "The ECS cluster",
    "ServiceNotFoundException": "The ECS service",
    "ServiceNotActiveException": "The ECS service, not INACTIVE,",
    "ServiceDeploymentNotFoundException": "The service deployment",
    "RepositoryNotFoundException": "The ECR repository",
    "ImageNotFoundException": "The image",
    "TargetGroupNotFound": "The target group",
    "TargetGroupNotFoundException": "The target group",
}

_IAM_PREFIXES = {"elbv2": "elasticloadbalancing"}
_NAMED_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")
_NOT_FOUND_STATUS = 404
_NOT_IMPLEMENTED_STATUS = 501
_SERVER_FAULT_STATUS = 500


@contextmanager
def translated(service: str, region: str) -> Iterator[None]:
    """Turn botocore's errors inside the block into MigrateErrors; ``service`` is boto3's name for it (``elbv2``)."""
    try:
        yield
    except ClientError as error:
        raise from_answer(error, service, region) from error
    except BotoCoreError as error:
        raise from_client_side(error, service, region) from error
    except ResponseParserError as error:
        # No BotoCoreError: what answers is a proxy or a load balancer with a page of its own.
        raise _unreachable(service, region, f"The answer is not AWS's: {error}") from error


def code_of(error: ClientError) -> str:
    """Return the error code of an answer, without a namespace; empty where the answer had none."""
    return error.response.get("Error", {}).get("Code", "").rpartition("#")[2]


def is_unknown_operation(error: ClientError) -> bool:
    """Tell whether the endpoint does not know the operation at all (older or partial AWS-compatible endpoints)."""
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in UNKNOWN_OPERATION or status == _NOT_IMPLEMENTED_STATUS:
        return True
    # botocore puts the bare status where an answer names no code.
    return status == _NOT_FOUND_STATUS and code in {"", "404", "Not Found"}


def from_answer(error: ClientError, service: str, region: str) -> MigrateError:
    """Translate an answer that refuses the call."""
    code, operation = code_of(error), f"{_IAM_PREFIXES.get(service, service)}:{error.operation_name}"
    message = error.response.get("Error", {}).get("Message", "")
    why = f"{operation} in {region} answered {code or 'an error'}: {message}".rstrip(": ")
    if code in EXPIRED:
        return _expired(why)
    if code in INVALID_CREDENTIALS:
        return _invalid_credentials(why)
    if code in DENIED:
        return _denied(operation, message, why)
    if code in NOT_FOUND:
        return NotFoundError(
            f"{NOT_FOUND[code]} that was asked for does not exist in {region}.",
            why=why,
            then="Compare the names in migrate.toml and the region with the AWS console.",
        )
    return _other_answer(error, operation, region, why)


def _other_answer(error: ClientError, operation: str, region: str, why: str) -> AccessError:
    if code_of(error) in THROTTLED:
        return TransientError(
            f"AWS throttled {operation}, and went on doing so through every retry.",
            why=why,
            then="Wait a minute and run the command again; nothing is lost. Where this lasts, other tools use up the "
            "account's request rate in this region.",
            runbook="errors#throttled",
        )
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER_FAULT_STATUS:
        return TransientError(
            f"AWS could not carry out {operation} in {region}.",
            why=why,
            then="The fault is on AWS's side: look at the AWS Health Dashboard, then run the command again; it looks "
            "before it acts.",
        )
    return AccessError(
        f"AWS refused {operation} in {region}.",
        why=why,
        then="Read the reason; where it speaks of a passing state, run the command again.",
    )


def from_client_side(error: BotoCoreError, service: str, region: str) -> MigrateError:
    """Translate an error that arose before an answer came: credentials, configuration, network."""
    if isinstance(error, (SSOError, TokenRetrievalError)):
        return _expired(f"{error}")
    if isinstance(error, (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound)):
        return AccessError(
            "No usable AWS credentials were found.",
            why=f"{error}",
            then="Sign in (`aws sso login`, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), check "
            "with `aws sts get-caller-identity`, then run the command again.",
            runbook="errors#credentials",
        )
    if isinstance(error, InvalidRegionError):
        return _unreachable(service, region, f"{error}", AccessError)
    if isinstance(error, SSLError):
        return AccessError(
            f"The TLS certificate of the {service} endpoint is not trusted.",
            why=f"{error}",
            then="Set AWS_CA_BUNDLE to the certificate authority of the endpoint or of the proxy in between.",
            runbook="errors#endpoint",
        )
    if isinstance(error, (ConnectionError, HTTPClientError, IncompleteReadError, ProxyConnectionError)):
        return _unreachable(service, region, f"{error}")
    return AccessError(
        f"The call to {service} in {region} could not be made.",
        why=f"{error}",
        then="Check the AWS settings of this shell with `aws configure list`, then run the command again.",
    )


def _expired(why: str) -> AccessError:
    return AccessError(
        "The AWS credentials have expired.",
        why=why,
        then="Sign in again (`aws sso login`, or renew the session), then run the command again; it goes on where it "
        "stopped.",
        runbook="errors#expired",
    )


def _invalid_credentials(why: str) -> AccessError:
    return AccessError(
        "AWS does not accept the credentials.",
        why=why,
        then="Check `aws sts get-caller-identity`, the profile, and that the clock of this machine is right.",
        runbook="errors#credentials",
    )


def _denied(operation: str, message: str, why: str) -> AccessError:
    named = _NAMED_ACTION.search(message)
    action = named.group(1) if named else operation
    return AccessError(
        f"The credentials may not do {action}.",
        why=why,
        then=f"Allow {action} for this role (a service control policy or a permissions boundary may also deny it).",
        runbook="errors#permission",
    )


def _unreachable(service: str, region: str, why: str, kind: type[AccessError] = TransientError) -> AccessError:
    return kind(
        f"The {service} endpoint of the region {region!r} cannot be reached.",
        why=why,
        then="Check the name of the region, the network and proxy, and AWS_ENDPOINT_URL if it is set.",
        runbook="errors#endpoint",
    )
