"""The challenges of well-known registries, as their documentation or their own answers show them, and what they get."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import parse_qs

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.adapters.registry.authentication import Authenticator, Challenge, challenges
from migrate.adapters.registry.credentials import IDENTITY_TOKEN_USER, Credentials, no_credentials
from migrate.adapters.registry.transport import Reply, StatusError, Transport
from migrate.errors import AccessError

HUB = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull"'
GHCR = 'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:team/app:pull"'
QUAY = 'Bearer realm="https://quay.io/v2/auth",service="quay.io",scope="repository:team/app:pull"'
ECR_PUBLIC = 'Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws"'
GITLAB = 'Bearer realm="https://gitlab.com/jwt/auth",service="container_registry",scope="repository:team/app:pull"'
ACR = 'Bearer realm="https://team.azurecr.io/oauth2/token",service="team.azurecr.io",scope="repository:app:pull"'
HARBOR = (
    'Bearer realm="https://harbor.example/service/token",service="harbor-registry",scope="repository:team/app:pull"'
)
ECR = 'Basic realm="https://123456789012.dkr.ecr.us-east-1.amazonaws.com/",service="ecr.amazonaws.com"'
LOGIN = ("operator", "made-up")


@dataclass
class Recorded:
    """Answers like a token service, and keeps what it was asked."""

    answer: Callable[[httpx.Request], Reply]
    asked: list[httpx.Request] = field(default_factory=list)

    def fetch(self, request: httpx.Request, *, limit: int) -> Reply:
        assert limit <= 1 << 20
        self.asked.append(request)
        reply = self.answer(request)
        if reply.status != 200:
            raise StatusError(reply)
        return reply


def giving(name: str = "token", status: int = 200) -> Recorded:
    return Recorded(lambda _: Reply(status, httpx.Headers(), json.dumps({name: "made-up-token"}).encode()))


def authenticator(service: Recorded, credentials: Credentials = no_credentials) -> Authenticator:
    return Authenticator(cast("Transport", service), credentials)


@pytest.mark.parametrize(
    ("registry", "repository", "challenge", "url"),
    [
        (
            "docker.io",
            "library/nginx",
            HUB,
            "https://auth.docker.io/token?scope=repository:library/nginx:pull&service=registry.docker.io",
        ),
        ("ghcr.io", "team/app", GHCR, "https://ghcr.io/token?scope=repository:team/app:pull&service=ghcr.io"),
        ("quay.io", "team/app", QUAY, "https://quay.io/v2/auth?scope=repository:team/app:pull&service=quay.io"),
        ("public.ecr.aws", "nginx/nginx", ECR_PUBLIC, "https://public.ecr.aws/token/?scope=aws&service=public.ecr.aws"),
        (
            "registry.gitlab.com",
            "team/app",
            GITLAB,
            "https://gitlab.com/jwt/auth?scope=repository:team/app:pull&service=container_registry",
        ),
        (
            "harbor.example",
            "team/app",
            HARBOR,
            "https://harbor.example/service/token?scope=repository:team/app:pull&service=harbor-registry",
        ),
    ],
)
@pytest.mark.parametrize("login", [None, LOGIN])
@pytest.mark.parametrize("name", ["token", "access_token"])
def test_a_token_is_asked_for_where_and_as_the_registry_says(
    registry: str, repository: str, challenge: str, url: str, login: tuple[str, str] | None, name: str
) -> None:
    service = giving(name)
    header = authenticator(service, lambda _: login).answer(registry, repository, challenges([challenge]))
    assert header == "Bearer made-up-token"
    (asked,) = service.asked
    assert (asked.method, asked.url.copy_with(query=None)) == ("GET", httpx.URL(url).copy_with(query=None))
    assert dict(asked.url.params) == dict(httpx.URL(url).params)
    basic = f"Basic {base64.b64encode(b'operator:made-up').decode()}"
    assert asked.headers.get("Authorization") == (basic if login else None)


def test_an_identity_token_is_exchanged_for_an_access_token() -> None:
    service = giving("access_token")
    known = authenticator(service, lambda _: (IDENTITY_TOKEN_USER, "made-up-refresh-token"))
    assert known.answer("team.azurecr.io", "app", challenges([ACR])) == "Bearer made-up-token"
    (asked,) = service.asked
    assert (asked.method, str(asked.url)) == ("POST", "https://team.azurecr.io/oauth2/token")
    assert parse_qs(asked.content.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["made-up-refresh-token"],
        "service": ["team.azurecr.io"],
        "scope": ["repository:app:pull"],
        "client_id": ["ecs-migrate"],
    }
    assert "authorization" not in asked.headers


def test_ecr_takes_its_own_user_and_is_asked_for_one_login_for_all_repositories() -> None:
    asked: list[str] = []

    def login(registry: str) -> tuple[str, str]:
        asked.append(registry)
        return "AWS", "made-up"

    known, host = authenticator(giving(), login), "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    expected = f"Basic {base64.b64encode(b'AWS:made-up').decode()}"
    for repository in ("team/web", "team/envoy"):
        assert known.answer(host, repository, challenges([ECR])) == expected
    assert asked == [host]
    known.forget(host, "team/web")
    known.answer(host, "team/web", challenges([ECR]))
    assert asked == [host, host]


def test_several_scopes_are_asked_for_one_by_one() -> None:
    service = giving()
    challenge = 'Bearer realm="https://r.example/token",scope="repository:a:pull repository:b:pull"'
    authenticator(service).answer("r.example", "a", challenges([challenge]))
    assert service.asked[0].url.params.get_list("scope") == ["repository:a:pull", "repository:b:pull"]


def test_without_a_scope_the_repository_is_asked_for() -> None:
    service = giving()
    authenticator(service).answer("r.example", "team/app", challenges(['Bearer realm="https://r.example/token"']))
    assert dict(service.asked[0].url.params) == {"scope": "repository:team/app:pull"}


@pytest.mark.parametrize(
    ("values", "schemes"),
    [
        ([f"{ECR}, {GHCR}"], ["basic", "bearer"]),
        ([ECR, GHCR], ["basic", "bearer"]),
        (["BASIC realm=x"], ["basic"]),
        (['Basic realm="odd, Bearer of names"'], ["basic"]),
        (['Basic realm="odd \\" Bearer"'], ["basic"]),
        (["Negotiate, NTLM"], []),
        ([""], []),
        ([], []),
    ],
)
def test_several_challenges_in_one_header_are_told_apart(values: list[str], schemes: list[str]) -> None:
    assert [challenge.scheme for challenge in challenges(values)] == schemes


def test_a_comma_in_quotes_belongs_to_its_value() -> None:
    (challenge,) = challenges(['Bearer realm="https://r.example/token",scope="repository:a:pull,push",service=s'])
    assert dict(challenge.parameters) == {
        "realm": "https://r.example/token",
        "scope": "repository:a:pull,push",
        "service": "s",
    }


def test_a_registry_that_refuses_without_a_challenge_gets_basic() -> None:
    known = authenticator(giving(), lambda _: LOGIN)
    assert known.answer("r.example", "app", ()).startswith("Basic ")
    with pytest.raises(AccessError, match="no credentials"):
        authenticator(giving()).answer("r.example", "app", ())


def test_a_scheme_that_is_not_spoken_is_told() -> None:
    with pytest.raises(AccessError, match="no credentials"):
        authenticator(giving()).answer("r.example", "app", challenges([ECR]))


def test_credentials_that_fail_are_told_where_nobody_may_pull_either() -> None:
    def broken(_: str) -> tuple[str, str] | None:
        raise AccessError("The helper is not there.", then="Install it.")

    refusing = giving(status=401)
    with pytest.raises(AccessError, match="helper is not there"):
        authenticator(refusing, broken).answer("ghcr.io", "team/app", challenges([GHCR]))
    assert len(refusing.asked) == 1
    open_to_all = authenticator(giving(), broken)
    assert open_to_all.answer("ghcr.io", "team/app", challenges([GHCR])) == "Bearer made-up-token"
    failure = open_to_all.failure("ghcr.io")
    assert failure is not None
    assert failure.what == "The helper is not there."


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"token": 1}',
        b'{"token": "two\\nlines"}',
        b'{"token": ""}',
        pytest.param(b"[" * 100_000, id="without end"),
    ],
)
def test_what_is_no_token_is_none(body: bytes) -> None:
    service = Recorded(lambda _: Reply(200, httpx.Headers(), body))
    with pytest.raises(AccessError, match="credentials") as refused:
        authenticator(service).answer("ghcr.io", "team/app", challenges([GHCR]))
    assert "gave no token" in refused.value.why


@pytest.mark.parametrize("realm", ["http://r.example/token", "ftp://r.example", "token", "", "https://"])
def test_a_token_service_that_is_not_https_gets_no_password(realm: str) -> None:
    service = giving()
    with pytest.raises(AccessError, match="token service that is not asked"):
        authenticator(service, lambda _: LOGIN).answer("r.example", "app", challenges([f'Bearer realm="{realm}"']))
    assert service.asked == []


HEADER = st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=80)
PIECES = st.lists(st.sampled_from(["Bearer ", "Basic ", "realm=", '"', ",", "=", "scope=", "\\", "a", "https://r"]))


@given(HEADER | PIECES.map("".join))
def test_no_header_makes_the_reader_of_challenges_fail(value: str) -> None:
    for challenge in challenges([value]):
        assert challenge.scheme in {"basic", "bearer"}


@given(HEADER | st.text(max_size=40).map("https://{}".format) | PIECES.map("".join))
def test_no_realm_makes_the_answer_fail_otherwise_than_it_should(realm: str) -> None:
    challenge = Challenge("bearer", {"realm": realm})
    try:
        header = authenticator(giving()).answer("r.example", "app", (challenge,))
    except AccessError:
        return
    assert header == "Bearer made-up-token"
