"""Who asks: STS GetCallerIdentity, which needs no permission."""

from __future__ import annotations

from migrate.adapters.aws.errors import translated
from migrate.adapters.aws.session import AwsSession
from migrate.core.facts import Account


def caller(session: AwsSession) -> Account:
    """Return the account, region and principal of the session; its calls count for that account from here on.

    Raises AccessError.
    """
    with translated("sts", session.region.name):
        answer = session.sts().get_caller_identity()
    session.pacing.account = answer["Account"]
    return Account(account_id=answer["Account"], region=session.region.name, caller_arn=answer["Arn"])
