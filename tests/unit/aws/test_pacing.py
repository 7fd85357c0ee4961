"""Every request waits for its turn before it is signed; nothing but the clock decides, and nothing really sleeps."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from migrate.adapters.aws.session import AwsSession, Region
from migrate.adapters.aws.sts import caller
from migrate.adapters.rate_limits import ProcessRateLimits
from migrate.core.rate_limits import ApiGroup
from tests.unit.aws.recordings import ACCOUNT, REGION, made_up_core


class Turns:
    """The port RateLimits: notes who asks, and lets everybody wait as long as it was told."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.asked: list[tuple[str, str, str]] = []

    def reserve(self, account: str, region: str, group: ApiGroup) -> float:
        self.asked.append((account, region, group.name))
        return self.seconds


def answered(body: bytes, order: list[str]) -> Any:
    """Return a handler that answers in the network's place."""

    def answer(request: Any, **_: object) -> AWSResponse:
        order.append("sent with a signature" if "Authorization" in request.headers else "sent")
        raw: Any = Raw(body)
        return AWSResponse("https://localhost", 200, HTTPHeaders(), raw)

    return answer


class Raw(BytesIO):
    """A body as urllib3 hands it out."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


def session_of(limits: Any, order: list[str]) -> AwsSession:
    return AwsSession(
        made_up_core(), Region(REGION, "the test"), limits=limits, sleep=lambda seconds: order.append(f"wait {seconds}")
    )


def test_a_call_waits_first_and_is_signed_then() -> None:
    order: list[str] = []
    session = session_of(Turns(0.25), order)
    session.ecs().meta.events.register("before-send", answered(b'{"clusterArns": []}', order))
    session.ecs().list_clusters()
    assert order == ["wait 0.25", "sent with a signature"]
    assert session.pacing.waited == 0.25


def test_calls_count_for_the_account_that_answers_and_for_their_region() -> None:
    turns, order = Turns(0), list[str]()
    session = session_of(turns, order)
    identity = f"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{ACCOUNT}</Account><Arn>arn:aws:iam::1:user/x</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"  # noqa: E501 - an answer of STS
    session.sts().meta.events.register("before-send", answered(identity.encode(), order))
    session.ecs().meta.events.register("before-send", answered(b'{"services": []}', order))
    session.ecr("us-east-1").meta.events.register("before-send", answered(b'{"repositories": []}', order))
    caller(session)
    session.ecs().describe_services(services=["web"])
    session.ecr("us-east-1").describe_repositories()
    assert turns.asked == [
        ("", REGION, "sts:GetCallerIdentity"),
        (ACCOUNT, REGION, "ecs service reads"),
        (ACCOUNT, "us-east-1", "ecr:DescribeRepositories"),
    ]
    assert not any(item.startswith("wait") for item in order)


def test_sessions_that_share_their_limits_share_the_bucket() -> None:
    now = [0.0]
    limits, order = ProcessRateLimits(lambda: now[0]), list[str]()
    sessions = [session_of(limits, order) for _ in range(2)]
    for session in sessions:
        session.ecs().meta.events.register("before-send", answered(b'{"clusters": []}', order))
    for turn in range(50):
        sessions[turn % 2].ecs().describe_clusters()
    waits = [float(item.removeprefix("wait ")) for item in order if item.startswith("wait")]
    assert len(waits) == 5
    assert waits == pytest.approx([number / 18 for number in range(1, 6)])
    now[0] = 100.0
    sessions[0].ecs().describe_clusters()
    assert order[-1].startswith("sent")
    assert order[-2].startswith("sent")
