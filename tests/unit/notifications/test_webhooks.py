"""Webhooks: signed so that Standard Webhooks' own library verifies them, tried again in a bound, no secret told."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from migrate.adapters.notifications.webhooks import SignedWebhooks
from migrate.adapters.web import Web
from migrate.core.notifications import Notification, WebhookTarget, start_of
from migrate.errors import AccessError, TransientError
from tests.fakes.records import a_run
from tests.fakes.web_endpoint import WebEndpoint, web_endpoint

KEY = f"whsec_{base64.b64encode(b'a key that nobody knows').decode()}"
BOUND = timedelta(seconds=10)
ENVIRONMENT = {"KEY": KEY, "TOKEN": "very-secret", "BAD": "whsec_", "ODD": "whsec_a"}


@pytest.fixture
def endpoint() -> Iterator[WebEndpoint]:
    with web_endpoint() as made:
        yield made


def started() -> Notification:
    return start_of(a_run(), datetime.now(UTC))  # noqa: TID251 - the verifier compares it with the present


def sender(endpoint: WebEndpoint | None = None) -> SignedWebhooks:
    urls = {"URL": f"{endpoint.url}/of-a-secret"} if endpoint else {}
    return SignedWebhooks({**ENVIRONMENT, **urls}, lambda _: None)


def test_what_is_sent_is_verified_by_the_library_of_standard_webhooks(endpoint: WebEndpoint) -> None:
    told = started()
    target = WebhookTarget(url_from="URL", secret="KEY", headers=(("Authorization", "TOKEN"),))
    assert sender(endpoint).deliver(target, told, BOUND) == "status 200"
    (asked,) = endpoint.asked
    assert (asked.method, asked.path, asked.headers["Authorization"]) == ("POST", "/of-a-secret", "very-secret")
    assert Webhook(KEY).verify(asked.body, asked.headers) == json.loads(json.dumps(dict(told.document)))
    assert asked.headers["webhook-id"] == told.id
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY).verify(asked.body.replace(b"started", b"stopped"), asked.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(f"whsec_{base64.b64encode(b'another').decode()}").verify(asked.body, asked.headers)


def test_without_a_key_nothing_is_signed(endpoint: WebEndpoint) -> None:
    sender().deliver(WebhookTarget(endpoint.url), started(), BOUND)
    assert "webhook-signature" not in endpoint.asked[0].headers


@pytest.mark.parametrize(("status", "tries"), [(503, 4), (429, 4), (400, 1), (302, 1)])
def test_what_may_be_better_later_is_tried_again_and_all_else_is_not(
    endpoint: WebEndpoint, status: int, tries: int
) -> None:
    endpoint.status = status
    with pytest.raises(AccessError, match=f"status {status}") as refused:
        sender(endpoint).deliver(WebhookTarget(url_from="URL"), started(), BOUND)
    assert len(endpoint.asked) == tries
    assert "of-a-secret" not in f"{refused.value}{refused.value.then}"


def test_a_second_try_may_succeed_with_the_same_id() -> None:
    ids: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        ids.append(request.headers["webhook-id"])
        return httpx.Response(500 if len(ids) == 1 else 204)

    web = Web({}, httpx.MockTransport(answer))
    told = started()
    assert SignedWebhooks({}, lambda _: None, web=web).deliver(WebhookTarget("http://x/"), told, BOUND) == "status 204"
    assert ids == [told.id] * 2


def test_all_tries_together_stay_within_the_bound() -> None:
    moments = [0.0]

    def slow(request: httpx.Request) -> httpx.Response:
        moments.append(moments[-1] + 4)
        raise httpx.ReadTimeout("of-a-secret", request=request)

    def wait(seconds: float) -> None:
        moments.append(moments[-1] + seconds)

    hooks = SignedWebhooks({}, wait, web=Web({}, httpx.MockTransport(slow)), seconds=lambda: moments[-1])
    with pytest.raises(TransientError) as refused:
        hooks.deliver(WebhookTarget("http://example.com/of-a-secret"), started(), timedelta(seconds=5))
    assert "example.com did not answer. ReadTimeout." in str(refused.value)
    assert moments[-1] < 9


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (WebhookTarget("http://127.0.0.1:9", secret="NONE"), "The environment variable NONE is not set."),
        (WebhookTarget("http://127.0.0.1:9", secret="BAD"), "It holds no key."),
        (WebhookTarget("http://127.0.0.1:9", secret="ODD"), "It holds no"),
        (WebhookTarget(url_from="NONE"), "The environment variable NONE is not set."),
        (WebhookTarget(url_from="TOKEN"), "It holds no http or https URL."),
        (WebhookTarget("http://127.0.0.1:9", headers=(("A", "NONE"),)), "The environment variable NONE is not set."),
    ],
)
def test_a_variable_that_cannot_be_used_is_named_and_not_told(target: WebhookTarget, told: str) -> None:
    with pytest.raises(AccessError) as refused:
        sender().deliver(target, started(), BOUND)
    assert told in str(refused.value)
    assert "very-secret" not in str(refused.value)
    assert refused.value.runbook == "errors#notifications"
