"""A role is assumed when the first call needs it, and again before its credentials end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from migrate.adapters.aws.roles import Role, role_of
from migrate.adapters.aws.session import AwsSession, open_session
from migrate.core.fleet.definition import FleetAccount
from migrate.errors import AccessError
from tests.fakes.web_endpoint import WebEndpoint, web_endpoint

ARN = "arn:aws:iam::123456789012:role/migrate"
MIGRATE = Role(ARN, "agreed", "ana@example")
_ANSWER = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>secret{number}</SecretAccessKey>
<SessionToken>token{number}</SessionToken><Expiration>{until}</Expiration></Credentials></AssumeRoleResult>
</AssumeRoleResponse>"""


def answers(sts: WebEndpoint, number: int, lasts: timedelta) -> None:
    until = datetime.now(UTC) + lasts  # noqa: TID251 - botocore compares with the real time
    sts.body = _ANSWER.format(number=number, until=until.strftime("%Y-%m-%dT%H:%M:%SZ")).encode()


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebEndpoint]:
    with web_endpoint() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAHUB")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        yield endpoint


def a_session(role: Role | None = MIGRATE) -> AwsSession:
    return open_session("eu-west-1", environment={}, role=role)


def test_nothing_is_asked_before_credentials_are_needed(sts: WebEndpoint) -> None:
    a_session()
    assert sts.asked == []


def test_the_role_is_assumed_with_the_callers_credentials_and_the_external_id(sts: WebEndpoint) -> None:
    answers(sts, 1, timedelta(hours=1))
    session = a_session()
    assert session.passing_credentials() == {
        "AWS_ACCESS_KEY_ID": "ASIA1",
        "AWS_SECRET_ACCESS_KEY": "secret1",
        "AWS_SESSION_TOKEN": "token1",
    }
    (asked,) = sts.asked
    sent = parse_qs(asked.body.decode())
    assert (sent["Action"], sent["RoleArn"], sent["ExternalId"]) == (["AssumeRole"], [ARN], ["agreed"])
    assert sent["RoleSessionName"] == ["ecs-migrate-ana@example"]
    assert "Credential=AKIAHUB/" in asked.headers["Authorization"]


def test_credentials_that_last_are_used_again_and_those_about_to_end_are_not(sts: WebEndpoint) -> None:
    answers(sts, 1, timedelta(hours=1))
    lasting = a_session()
    lasting.passing_credentials()
    answers(sts, 2, timedelta(minutes=5))
    assert lasting.passing_credentials()["AWS_ACCESS_KEY_ID"] == "ASIA1"
    ending = a_session()
    assert ending.passing_credentials()["AWS_ACCESS_KEY_ID"] == "ASIA2"
    answers(sts, 3, timedelta(hours=1))
    assert ending.passing_credentials()["AWS_ACCESS_KEY_ID"] == "ASIA3"


def test_calls_are_made_by_the_role(sts: WebEndpoint) -> None:
    answers(sts, 1, timedelta(hours=1))
    session = a_session()
    session.passing_credentials()
    sts.body = b"<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>"
    session.sts().get_caller_identity()
    assert "Credential=ASIA1/" in sts.asked[-1].headers["Authorization"]


def test_without_a_role_nothing_is_passed_on_and_nothing_asked(sts: WebEndpoint) -> None:
    assert a_session(None).passing_credentials() == {}
    assert sts.asked == []


def test_a_role_that_may_not_be_assumed_is_an_error_of_access(sts: WebEndpoint) -> None:
    sts.status = 403
    sts.body = (
        b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: u is not authorized to perform: "
        b"sts:AssumeRole</Message></Error></ErrorResponse>"
    )
    with pytest.raises(AccessError, match="AssumeRole"):
        a_session().passing_credentials()


def test_without_credentials_of_its_own_nobody_assumes_a_role(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(AccessError):
        a_session().passing_credentials()


def test_the_session_name_is_one_that_sts_takes() -> None:
    assert Role(ARN, operator="uid 1000/ä").session_name == "ecs-migrate-uid-1000"
    assert len(Role(ARN, operator="x" * 100).session_name) == 64
    assert role_of(FleetAccount("plain", profile="p"), "me") is None
