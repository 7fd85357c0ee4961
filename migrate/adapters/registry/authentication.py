"""How a registry wants to be asked: Basic, or a token from the service that its challenge names.

Sources: distribution project, "Token Authentication Specification" and "OAuth 2"; RFC 9110, section 11 (challenges);
ECR takes Basic with user AWS (ECR user guide, "Registry authentication").
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import httpx

from migrate.adapters.registry.credentials import IDENTITY_TOKEN_USER, Credentials
from migrate.adapters.registry.transport import Reply, StatusError, Transport, is_loopback
from migrate.errors import AccessError

Login: TypeAlias = "tuple[str, str] | None"
"""User and password, or nobody."""

_UNKNOWN = ("", "")
_LARGEST_TOKEN = 1 << 20
_CLIENT = "ecs-migrate"
_CHALLENGE = re.compile(r"(?:^|,)\s*(Basic|Bearer)\b", re.IGNORECASE)

_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*)')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way a server offers: ``scheme`` in lower case and its parameters."""

    scheme: str
    parameters: Mapping[str, str]


def challenges(values: list[str]) -> tuple[Challenge, ...]:
    """Read WWW-Authenticate headers, several challenges in one line included."""
    found: list[Challenge] = []
    for value in values:
        # What is quoted may hold a comma and a word like a scheme.
        starts = list(_CHALLENGE.finditer(_QUOTED.sub(lambda quoted: "_" * len(quoted[0]), value)))
        ends = [*(start.start() for start in starts[1:]), len(value)]
        for start, end in zip(starts, ends, strict=False):
            pairs = _PARAMETER.findall(value, start.end(), end)
            found.append(Challenge(start[1].lower(), {name.lower(): _unquoted(text) for name, text in pairs}))
    return tuple(found)


def _unquoted(text: str) -> str:
    """Return a parameter's value without its quotes and their escapes (RFC 9110, 5.6.4)."""
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if len(text) > 1 and text[0] == text[-1] == '"' else text


class Authenticator:
    """Answers challenges, and remembers for each repository what worked, and for each registry who we are."""

    def __init__(self, transport: Transport, credentials: Credentials) -> None:
        self._transport = transport
        self._credentials = credentials
        self._logins: dict[str, Login] = {}
        self._failures: dict[str, AccessError] = {}
        self._known: dict[tuple[str, str], str] = {}

    def known(self, registry: str, repository: str) -> str | None:
        """Return the Authorization header that worked last."""
        return self._known.get((registry, repository))

    def forget(self, registry: str, repository: str) -> None:
        """Drop a header that does not work any more (an ECR token lives 12 hours, facts F32)."""
        self._known.pop((registry, repository), None)
        self._logins.pop(registry, None)

    def failure(self, registry: str) -> AccessError | None:
        """Return why the credentials for a registry did not serve, where it was asked anonymously for that."""
        return self._failures.get(registry)

    def answer(self, registry: str, repository: str, offered: tuple[Challenge, ...]) -> str:
        """Return an Authorization header for what a registry offers. Raises AccessError where nothing can be."""
        by_scheme = {challenge.scheme: challenge for challenge in offered}
        if "bearer" in by_scheme:
            header = f"Bearer {self._bearer(registry, repository, by_scheme['bearer'])}"
        else:
            login = self._login(registry)
            # A registry that refuses and names no scheme leaves Basic to try, as Docker does.
            if login is None or (offered and "basic" not in by_scheme):
                raise denied(registry, repository, "It asks for a login, and there are no credentials for it.")
            header = basic(*login)
        self._known[registry, repository] = header
        return header

    def _login(self, registry: str) -> Login:
        if registry not in self._logins:
            self._logins[registry] = self._credentials(registry)
        return self._logins[registry]

    def _bearer(self, registry: str, repository: str, challenge: Challenge) -> str:
        """Return a token for who we are; where that fails, for nobody: most images of sidecars are public.

        Where nobody may either, the failure of the credentials is what is told, since it is what can be mended.
        """
        try:
            return self._token(registry, repository, challenge, self._login(registry))
        except AccessError as error:
            if self._logins.get(registry, _UNKNOWN) is None:
                raise
            try:
                token = self._token(registry, repository, challenge, None)
            except AccessError:
                self._logins.pop(registry, None)
                raise error from None
            self._failures[registry] = error
            return token

    def _token(self, registry: str, repository: str, challenge: Challenge, login: Login) -> str:
        realm = _realm(registry, challenge)
        # A challenge may name several scopes, which are asked for one by one (distribution, "Token Authentication").
        scopes = (challenge.parameters.get("scope") or f"repository:{repository}:pull").split()
        service = challenge.parameters.get("service", "")
        if login is not None and login[0] == IDENTITY_TOKEN_USER:
            form = {"service": service, "scope": " ".join(scopes), "client_id": _CLIENT}
            form |= {"grant_type": "refresh_token", "refresh_token": login[1]}
            request = httpx.Request("POST", realm, data=form, headers={"Accept-Encoding": "identity"})
        else:
            headers = {"Accept-Encoding": "identity", **({"Authorization": basic(*login)} if login else {})}
            asked: dict[str, str | list[str]] = {"scope": scopes, **({"service": service} if service else {})}
            request = httpx.Request("GET", realm.copy_merge_params(asked), headers=headers)
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
    except (ValueError, RecursionError):
        return ""
    token = (answer.get("token") or answer.get("access_token")) if isinstance(answer, dict) else None
    return token if isinstance(token, str) and token.isascii() and token.isprintable() else ""
