"""What time it is for AWS, also where it refuses to say who asks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.stub import Stubber

from migrate.adapters.aws.session import AwsSession
from migrate.adapters.aws.sts import answered_at
from migrate.errors import AccessError
from tests.unit.aws.recordings import ACCOUNT

DATE = {"ResponseMetadata": {"HTTPHeaders": {"date": "Wed, 25 Nov 2026 09:30:00 GMT"}}}


def test_an_answer_says_what_time_it_is(session: AwsSession) -> None:
    with Stubber(session.sts()) as stub:
        stub.add_response("get_caller_identity", {"Account": ACCOUNT, **DATE})
        assert answered_at(session) == datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


def test_so_does_a_refusal(session: AwsSession) -> None:
    with Stubber(session.sts()) as stub:
        stub.add_client_error("get_caller_identity", "SignatureDoesNotMatch", response_meta=DATE["ResponseMetadata"])
        assert answered_at(session) == datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


def test_what_says_no_time_is_not_aws(session: AwsSession) -> None:
    with Stubber(session.sts()) as stub:
        stub.add_client_error("get_caller_identity", "SignatureDoesNotMatch")
        with pytest.raises(AccessError, match="does not say what time it is"):
            answered_at(session)
