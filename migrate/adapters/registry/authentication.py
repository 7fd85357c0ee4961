"""How a registry wants to be asked: Basic, or a token from the service that its challenge names.

Sources: distribution project, "Token Authentication Specification" and "OAuth 2"; RFC 9110, section 11 (challenges);
ECR takes Basic with user AWS (ECR user guide, "Registry authentication").
"""

from __future__ import annotations

import base64
import json
import re
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from migrate.adapters.registry.credentials import IDENTITY_TOKEN_USER, Credentials
from migrate.adapters.registry.transport import Reply, StatusError, Transport, is_loopback
from migrate.errors import AccessError

_LARGEST_TOKEN = 1 << 20
_CLIENT = "ecs-migrate"
_CHALLENGE = re.compile(r"(?:^|,)\s*(Basic|Bearer)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way a server offers: ``scheme`` in lower case and its parameters."""

    scheme: str
    parameters: Mapping[str, str]


def challenges(values: list[str]) -> tuple[Challenge, ...]:
    """Read WWW-Authenticate headers, several challenges in one line included."""
    found: list[Challenge] = []
    for value in values:
        starts = list(_CHALLENGE.finditer(value))
        ends = [*(start.start() for start in starts[1:]), len(value)]
        for start, end in zip(starts, ends, strict=True):
            pairs = [item for item in urllib.request.parse_http_list(value[start.end() : end]) if "=" in item]
            parameters = urllib.request.parse_keqv_list([item.strip() for item in pairs])
            found.append(Challenge(start[1].lower(), {name.lower(): text for name, text in parameters.items()}))
    return tuple(found)


class Authenticator:
    """Answers challenges, and remembers for each repository what worked."""

    def __init__(self, transport: Transport, credentials: Credentials) -> None:
        self._transport = transport
        self._credentials = credentials
        self._known: dict[tuple[str, str], str] = {}

    def known(self, registry: str, repository: str) -> str | None:
        """Return the Authorization header that worked last."""
        return self._known.get((registry, repository))

    def forget(self, registry: str, repository: str) -> None:
        """Drop a header that does not work any more (an ECR token lives 12 hours, facts F32)."""
        self._known.pop((registry, repository), None)

    def answer(self, registry: str, repository: str, offered: tuple[Challenge, ...]) -> str:
        """Return an Authorization header for what a registry offers. Raises AccessError where nothing can be."""
        by_scheme = {challenge.scheme: challenge for challenge in offered}
        login = self._credentials(registry)
        if "bearer" in by_scheme:
            header = f"Bearer {self._token(registry, repository, by_scheme['bearer'], login)}"
        elif "basic" in by_scheme and login is not None:
            header = basic(*login)
        else:
            raise denied(registry, repository, "It asks for a login, and there are no credentials for it.")
        self._known[registry, repository] = header
        return header

    def _token(self, registry: str, repository: str, challenge: Challenge, login: tuple[str, str] | None) -> str:
        realm = _realm(registry, challenge)
        scope = challenge.parameters.get("scope") or f"repository:{repository}:pull"
        asked = {"service": challenge.parameters.get("service", ""), "scope": scope}
        if login is not None and login[0] == IDENTITY_TOKEN_USER:
            form = {**asked, "grant_type": "refresh_token", "refresh_token": login[1], "client_id": _CLIENT}
            request = httpx.Request("POST", realm, data=form, headers={"Accept-Encoding": "identity"})
        else:
            headers = {"Accept-Encoding": "identity", **({"Authorization": basic(*login)} if login else {})}
            url = realm.copy_merge_params({name: value for name, value in asked.items() if value})
            request = httpx.Request("GET", url, headers=headers)
        try:
            token = _issued(self._transport.fetch(request, limit=_LARGEST_TOKEN))
        except StatusError as error:
            tried = "the credentials there are" if login else "no credentials"
            why = f"The token service {realm.host} answered {error.reply.status} to {tried}."
            raise denied(registry, repository, why) from None
        if not token:
            raise denied(registry, repository, f"The token service {realm.host} gave no token.")
        return token


def basic(user: str, password: str) -> str:
    """Return the Authorization header of RFC 7617."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def denied(registry: str, repository: str, why: str) -> AccessError:
    """Return the error for an image that may exist and is not shown to us: credentials, never "image gone"."""
    return AccessError(
        f"{registry} refuses the credentials for {repository}, or has none to go by.",
        why=why,
        then=f"Log in to {registry} (its token may have expired), and check that you may pull from {repository}.",
        runbook="errors#access",
    )


def _realm(registry: str, challenge: Challenge) -> httpx.URL:
    try:
        realm = httpx.URL(challenge.parameters.get("realm", ""))
    except httpx.InvalidURL:
        realm = httpx.URL("")
    allowed = {"https", "http"} if is_loopback(registry) else {"https"}
    if realm.scheme not in allowed or not realm.host:
        raise AccessError(
            f"{registry} sends us to a token service that is not asked.",
            why=f"Its address has the scheme {realm.scheme or '(none)'}; passwords go over https only.",
            then="Check the registry's name.",
        )
    return realm


def _issued(reply: Reply) -> str:
    try:
        answer = json.loads(reply.body)
    except ValueError:
        return ""
    token = (answer.get("token") or answer.get("access_token")) if isinstance(answer, dict) else None
    return token if isinstance(token, str) and token.isascii() and token.isprintable() else ""
