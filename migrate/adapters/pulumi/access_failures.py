"""What Pulumi and its plugins say when AWS, a registry or a login stood in the way, in our words."""

from __future__ import annotations

from migrate.adapters.pulumi.failure import Failure
from migrate.errors import AccessError, MigrateError, TransientError


def credentials_refused(failure: Failure) -> MigrateError:
    """Return what to say when AWS does not take the credentials that the plugin found, or they may not do this."""
    return AccessError(
        f"AWS refused the credentials that Pulumi used for the {failure.stack} stack.",
        why=failure.why,
        then="Check AWS_PROFILE or the AWS_* variables, and that the session has not expired; then run it again.",
    )


def credentials_expired(failure: Failure) -> MigrateError:
    """Return what to say when the session ended before the operation did."""
    return AccessError(
        f"The AWS credentials expired before Pulumi was done with the {failure.stack} stack.",
        why=failure.why,
        then="Sign in again (`aws sso login`, or renew the session), then run the command again; it looks at what was "
        "done, and goes on from there.",
        runbook="errors#expired",
    )


def throttled(failure: Failure) -> MigrateError:
    """Return what to say when the account's rate is used up, through all retries of the plugin."""
    return TransientError(
        f"AWS throttled Pulumi's work on the {failure.stack} stack, and went on doing so through every retry.",
        why=failure.why,
        then="Wait a minute and run the command again; it looks at what was done, and goes on from there.",
        runbook="errors#throttled",
    )


def not_answered(failure: Failure) -> MigrateError:
    """Return what to say when the other side had a fault, or the connection broke: it may have taken effect."""
    return TransientError(
        f"AWS or the registry did not answer Pulumi as it should, for the {failure.stack} stack.",
        why=failure.why,
        then="Run the command again; it looks at what was done, and goes on from there.",
    )


def unreachable(failure: Failure) -> MigrateError:
    """Return what to say when nothing answers at all."""
    return TransientError(
        f"AWS could not be reached for the {failure.stack} stack.",
        why=failure.why,
        then="Check the network, the region, and AWS_ENDPOINT_URL if it is set; then run it again.",
        runbook="errors#endpoint",
    )


def registry_refused(failure: Failure) -> MigrateError:
    """Return what to say when the registry does not take the login that the build was given."""
    return AccessError(
        "The registry refused the credentials that the build used.",
        why=failure.why,
        then="Check the permission ecr:GetAuthorizationToken and the push permissions of the repository.",
    )
