"""Who asks: STS GetCallerIdentity, which needs no permission."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from botocore.exceptions import ClientError

from migrate.adapters.aws.errors import translated
from migrate.adapters.aws.session import AwsSession
from migrate.core.facts import Account
from migrate.errors import AccessError


def caller(session: AwsSession) -> Account:
    """Return the account, region and principal of the session; its calls count for that account from here on.

    Raises AccessError.
    """
    with translated("sts", session.region.name):
        answer = session.sts().get_caller_identity()
    session.pacing.account = answer["Account"]
    return Account(account_id=answer["Account"], region=session.region.name, caller_arn=answer["Arn"])


def answered_at(session: AwsSession) -> datetime:
    """Return what AWS's clock says, also where it refuses the call: for a clock that is far off it does.

    Raises AccessError where AWS does not answer at all.
    """
    with translated("sts", session.region.name):
        try:
            headers = session.sts().get_caller_identity()["ResponseMetadata"]["HTTPHeaders"]
        except ClientError as refused:
            headers = refused.response["ResponseMetadata"].get("HTTPHeaders", {})
    try:
        return parsedate_to_datetime(headers["date"]).astimezone(UTC)
    except (KeyError, ValueError) as error:
        raise AccessError(
            "What answers for AWS does not say what time it is.",
            why="Its answer has no header Date.",
            then="Check AWS_ENDPOINT_URL if it is set, and the proxy if there is one.",
            runbook="errors#endpoint",
        ) from error
