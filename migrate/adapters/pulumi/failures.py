"""What Pulumi says when it fails, translated once: what happened, why, and what to do next.

Texts: pulumi 3.274 (backend/diy/lock.go, secrets/passphrase, resource/plugin, deploy), pulumi-aws (provider.md section
1), and the reports of case C41.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from migrate.adapters.pulumi import access_failures as access
from migrate.adapters.pulumi.failure import Failure
from migrate.errors import (
    AccessError,
    EngineError,
    InterruptedRunError,
    LockedError,
    MigrateError,
    NotFoundError,
    UnsafePreviewError,
)


def translate_failure(failure: Failure) -> MigrateError:
    """Return the error to raise for a failed operation."""
    if failure.interrupted:
        return InterruptedRunError(
            f"The run was stopped while Pulumi was busy with the {failure.stack} stack.",
            why="Pulumi finished the step that was under way and wrote its state.",
            then="`migrate resume` goes on; `migrate status` shows where things stand.",
        )
    for pattern, make in _KINDS:
        if pattern.search(failure.whole):
            return make(failure)
    return EngineError(
        f"Pulumi could not {failure.verb} the {failure.stack} stack.",
        why=failure.why,
        then=f"Treat the cause and run the command again; `{failure.command} preview` shows more.",
    )


def _locked(failure: Failure) -> MigrateError:
    holders = re.findall(r"created by .*", failure.whole)
    why = "; ".join(dict.fromkeys(holders)) or "Another update is currently in progress."
    return LockedError(
        f"The {failure.stack} stack is locked by another Pulumi process.",
        why=f"Lock {why}",
        then=f"Wait for it to end. If that process is gone for certain, run `{failure.command} cancel`.",
        runbook="errors#stack-locked",
    )


def _passphrase(failure: Failure) -> MigrateError:
    return AccessError(
        f"The state of the {failure.stack} stack cannot be decrypted.",
        why=failure.why,
        then="Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE to the passphrase that the stack was made "
        "with.",
        runbook="errors#passphrase",
    )


def _backend(failure: Failure) -> MigrateError:
    return AccessError(
        "The place where Pulumi keeps its state could not be reached.",
        why=failure.why,
        then="Check PULUMI_BACKEND_URL and the credentials for it (PULUMI_ACCESS_TOKEN for Pulumi Cloud).",
    )


def _plugin(failure: Failure) -> MigrateError:
    found = re.search(r"pulumi-resource-([a-z-]+)'?(?:[^\n]*?v?(\d+\.\d+\.\d+))?", failure.whole)
    name, version = (found.group(1), found.group(2)) if found else ("aws", None)
    return EngineError(
        f"Pulumi has no plugin for {name}.",
        why=failure.why,
        then=f"Run `pulumi plugin install resource {name}{f' {version}' if version else ''}`, or put "
        f"pulumi-resource-{name} on PATH.",
        runbook="errors#engine",
    )


def _protected(failure: Failure) -> MigrateError:
    return UnsafePreviewError(
        f"Pulumi would have to replace or delete a protected resource of the {failure.stack} stack.",
        why=failure.why,
        then=f"Nothing was changed. `{failure.command} preview --diff` shows which property it is.",
    )


def _import_differs(failure: Failure) -> MigrateError:
    return UnsafePreviewError(
        f"What exists is not what the {failure.stack} stack would import.",
        why=failure.why,
        then="Nothing was changed. Run `migrate plan` again; if it stays so, report the property that differs.",
    )


def _pending(failure: Failure) -> MigrateError:
    return EngineError(
        f"The {failure.stack} stack was interrupted earlier and does not know how one of its operations ended.",
        why=failure.why,
        then=f"Run `{failure.command} refresh`, then the same command again.",
        runbook="errors#pending-operations",
    )


def _arm64_on_spot(failure: Failure) -> MigrateError:
    return EngineError(
        "This region does not run ARM64 tasks on FARGATE_SPOT.",
        why=failure.why,
        then="Name FARGATE alone in [capacity] strategy: the tasks stay on ARM64. AWS allows both together since "
        "September 2024; an endpoint that is older says no.",
        runbook="gates#no-capacity",
    )


def _short_arn(failure: Failure) -> MigrateError:
    return EngineError(
        "ECS refuses to tag a service whose ARN has no cluster name in it.",
        why=failure.why,
        then="This program adds no tags of its own: look in the provider's default tags (aws:defaultTags, "
        "AWS_DEFAULT_TAGS_*), or in the tags of the task definition. Nothing was tagged.",
        runbook="errors#engine",
    )


def _missing(failure: Failure) -> MigrateError:
    return NotFoundError(
        f"Something that the {failure.stack} stack is about does not exist.",
        why=failure.why,
        then="Check account, region and endpoint, and what migrate.toml names; then run `migrate plan` again.",
    )


def _builder(failure: Failure) -> MigrateError:
    return EngineError(
        "The image cannot be built with this builder.",
        why=failure.why,
        then="Make a builder that can do linux/arm64 (`docker buildx create --driver docker-container`) and name it in "
        "[image] builder.",
        runbook="errors#builder",
    )


def _build(failure: Failure) -> MigrateError:
    return EngineError(
        "The image could not be built.",
        why=failure.why,
        then="Mend the Dockerfile or the build context, then run the same command again. The service's tag was not "
        "touched.",
        runbook="errors#build",
    )


def _kind(
    make: Callable[[Failure], MigrateError], *texts: str
) -> tuple[re.Pattern[str], Callable[[Failure], MigrateError]]:
    return re.compile("|".join(texts), re.IGNORECASE), make


_KINDS = (
    _kind(
        _locked,
        r"the stack is currently locked by",
        r"\[409\] Conflict",
        r"Another update is currently in progress",
    ),
    _kind(_passphrase, r"incorrect passphrase", r"passphrase must be set"),
    _kind(
        _backend,
        r"PULUMI_ACCESS_TOKEN must be set",
        r"failed to login",
        r"unable to open bucket",
        r"could not list bucket",
    ),
    _kind(
        _plugin,
        r"no resource plugin",
        r"could not find plugin",
        r"Could not automatically download and install resource plugin",
        r"failed to load plugin",
    ),
    _kind(_import_differs, r"inputs to import do not match", r"importing this resource will fail"),
    _kind(_protected, r"marked for protection", r"protected resource"),
    _kind(_arm64_on_spot, r"FARGATE_SPOT capacity provider is not supported when using ARM"),
    _kind(_short_arn, r"Long arn format must be used for tagging"),
    _kind(_pending, r"pending operations?\b"),
    _kind(
        _builder,
        r"Multi-platform build is not supported",
        r"docker exporter does not currently support",
        r"no builder .* found",
        r"failed to find driver",
        r"new builder:",
        r"loading nodes:",
        r"booting builder",
    ),
    _kind(
        access.unreachable,
        r"Could not connect to the endpoint",
        r"no such host",
        r"connection refused",
        r"dial tcp",
        r"i/o timeout",
    ),
    _kind(
        access.credentials_expired,
        r"ExpiredToken",
        r"security token included in the request is expired",
        r"RequestExpired",
    ),
    _kind(
        access.throttled,
        r"Throttling(Exception)?: ",
        r"ThrottledException",
        r"TooManyRequestsException",
        r"RequestLimitExceeded",
        r"Too many concurrent attempts to create a new revision",
        r"429 Too Many Requests",
        r"toomanyrequests",
    ),
    _kind(
        access.credentials_refused,
        r"unable to validate AWS credentials",
        r"InvalidClientTokenId",
        r"UnrecognizedClientException",
        r"no valid credential",
        r"No EC2 IMDS role",
        r"security token included in the request",
        r"AccessDenied",
    ),
    _kind(
        _missing,
        r"RepositoryNotFoundException",
        r"ClusterNotFoundException",
        r"ServiceNotFoundException",
        r"couldn't find resource",
        r"no matching ECS Service found",
        r"resource '\S+' does not exist",
    ),
    _kind(
        access.registry_refused,
        r"401 Unauthorized",
        r"403 Forbidden",
        r'"code":\s*"DENIED"',
        r"authorization token has expired",
        r"unauthorized: ",
        r"no basic auth credentials",
        r"denied: ",
    ),
    _kind(
        access.not_answered,
        r"https response error StatusCode: 5\d\d",
        r"unexpected status[^\n]*: 5\d\d ",
        r"Connection was closed before we received a valid response",
        r"Read timeout on endpoint URL",
        r"connection reset by peer",
        r"broken pipe",
        r"unexpected EOF",
        r"TLS handshake timeout",
        r"Client\.Timeout exceeded",
    ),
    _kind(
        _build,
        r"failed to solve",
        r"failed to build",
        r"dockerfile parse error",
        r"hashing build context",
        r"checking for Dockerfile",
        r"failed to read dockerfile",
        r"property (dockerfile|context)\.location value",
    ),
)
"""In the order in which they are tried: what is wrong around the engine first, then what it was asked to do."""
