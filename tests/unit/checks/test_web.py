"""HTTP as the checks use it: other hosts, time-outs, secrets, and answers that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from migrate.adapters.checks.probes import HttpProbes
from migrate.adapters.checks.prometheus import Prometheus
from migrate.adapters.checks.webhooks import Webhooks
from migrate.adapters.web import MOST_BYTES, Web
from migrate.core.gate.answers import StageFacts
from migrate.core.gate_checks import ProbeSource, PrometheusSource, WebhookSource
from migrate.errors import AccessError
from tests.fakes.web_endpoint import WebEndpoint, web_endpoint

FACTS = StageFacts("demo", "web", 2, "ecs-svc/1", "web:2", "ARM64")
QUICK = timedelta(milliseconds=300)
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def endpoint() -> Iterator[WebEndpoint]:
    with web_endpoint() as made:
        yield made


@pytest.fixture
def web() -> Web:
    return Web({"DESK_TOKEN": "very-secret"})


def test_a_probe_follows_redirects_on_its_own_host_only(endpoint: WebEndpoint, web: Web) -> None:
    probes = HttpProbes(web)
    endpoint.status, endpoint.headers = 302, {"Location": "/end"}
    assert [item.status for item in probes.answers(ProbeSource(f"{endpoint.url}/begin", samples=1))] == [200]
    with web_endpoint() as elsewhere:
        endpoint.headers = {"Location": f"{elsewhere.url}/end"}
        assert [item.status for item in probes.answers(ProbeSource(f"{endpoint.url}/begin", samples=1))] == [302]
        assert elsewhere.asked == []


def test_a_probe_that_turns_in_circles_ends(endpoint: WebEndpoint, web: Web) -> None:
    endpoint.status, endpoint.headers = 302, {"Location": "/again"}
    (answer,) = HttpProbes(web).answers(ProbeSource(f"{endpoint.url}/again", samples=1))
    assert answer.status == 302
    assert len(endpoint.asked) == 6


def test_no_answer_is_an_answer_of_a_probe(endpoint: WebEndpoint, web: Web) -> None:
    endpoint.delay = 5
    late, *_ = HttpProbes(web).answers(ProbeSource(endpoint.url, timeout=QUICK, samples=1))
    assert (late.status, late.problem) == (None, "no answer within 0.3 s")
    assert late.seconds < 3
    (refused,) = HttpProbes(web).answers(ProbeSource(NOWHERE, samples=1))
    assert refused.status is None
    assert "ConnectError" in refused.problem


def test_a_body_without_end_is_read_to_a_limit(endpoint: WebEndpoint, web: Web) -> None:
    endpoint.body = b"x" * (MOST_BYTES + 100) + b"well"
    (answer,) = HttpProbes(web).answers(ProbeSource(endpoint.url, contains="well", samples=1))
    assert (answer.status, answer.contains) == (200, False)


def test_headers_take_their_values_from_the_environment(endpoint: WebEndpoint, web: Web) -> None:
    endpoint.body = b'{"verdict": "PASS"}'
    headers = (("Authorization", "DESK_TOKEN"),)
    assert Webhooks(web).ask(WebhookSource(endpoint.url, headers=headers), FACTS).verdict == "pass"
    (request,) = endpoint.asked
    assert request.headers["Authorization"] == "very-secret"
    assert json.loads(request.body) == {
        "cluster": "demo",
        "service": "web",
        "stage": "2",
        "deployment": "ecs-svc/1",
        "task_definition": "web:2",
        "architecture": "ARM64",
    }
    with pytest.raises(AccessError, match="OTHER_TOKEN is not set"):
        Webhooks(web).ask(WebhookSource(endpoint.url, headers=(("Authorization", "OTHER_TOKEN"),)), FACTS)


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (500, b'{"verdict": "pass"}', "It answered with status 500."),
        (302, b'{"verdict": "pass"}', "It answered with status 302."),
        (200, b"yes", "Its answer is not JSON."),
        (200, b"[]", "It has neither verdict nor value."),
        (200, b'{"value": "1"}', "Its value is not a number."),
        (200, b'{"value": true}', "Its value is not a number."),
    ],
)
def test_an_answer_that_cannot_be_used_measures_nothing(
    endpoint: WebEndpoint, web: Web, status: int, body: bytes, why: str
) -> None:
    endpoint.status, endpoint.body = status, body
    with pytest.raises(AccessError) as refused:
        Webhooks(web).ask(WebhookSource(f"{endpoint.url}/x?token=secret", timeout=QUICK * 9), FACTS)
    assert refused.value.why == why
    assert "secret" not in str(refused.value)


def test_who_does_not_answer_measures_nothing(web: Web) -> None:
    for ask in (
        lambda: Webhooks(web).ask(WebhookSource(NOWHERE), FACTS),
        lambda: Prometheus(web).values(PrometheusSource(NOWHERE, "up")),
    ):
        with pytest.raises(AccessError, match="did not answer"):
            ask()


def prometheus(kind: str, result: object) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()


def test_a_scalar_is_one_value_and_the_query_is_posted(endpoint: WebEndpoint, web: Web) -> None:
    endpoint.body = prometheus("scalar", [1.0, "0.25"])
    assert Prometheus(web).values(PrometheusSource(f"{endpoint.url}/", "a + b")) == (0.25,)
    assert (endpoint.asked[0].path, endpoint.asked[0].body) == ("/api/v1/query", b"query=a+%2B+b")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (prometheus("matrix", []), "the query has a matrix as result; a scalar or an instant vector is needed."),
        (b'{"status": "error", "errorType": "bad_data", "error": "parse error"}', "bad_data: parse error."),
        (b"<html>", "status 200, and no answer of Prometheus."),
        (prometheus("vector", [{}]), "status 200, and no answer of Prometheus."),
    ],
)
def test_a_query_that_is_refused_measures_nothing(endpoint: WebEndpoint, web: Web, body: bytes, why: str) -> None:
    endpoint.body = body
    with pytest.raises(AccessError) as refused:
        Prometheus(web).values(PrometheusSource(endpoint.url, "up"))
    assert refused.value.why == why
