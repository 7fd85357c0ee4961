"""Who we are to a registry: the Docker configuration's stored credentials, its helpers, and any other source.

Sources: Docker CLI documentation, ``docker login`` (credential stores, credential helpers) and the protocol of
docker-credential-helpers. Passwords are never put into arguments, messages or logs.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from migrate.core.image.names import DOCKER_HUB
from migrate.errors import AccessError, SettingsError

Credentials: TypeAlias = Callable[[str], "tuple[str, str] | None"]
"""Given a registry's host (and port), returns user and password, or None where it knows none."""

RunHelper: TypeAlias = Callable[[str, str], "tuple[int, str]"]
"""Runs ``docker-credential-NAME get`` with a server's name on its input; returns exit code and output."""

IDENTITY_TOKEN_USER = "<token>"  # noqa: S105 (a marker of the helper protocol, not a password)
"""In place of a user name: the password is a refresh token, for the OAuth 2 flow."""

_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", DOCKER_HUB)
_HELPER_SECONDS = 30
_HELPER_NAME = re.compile(r"[A-Za-z0-9._-]+")
_NONE_STORED = ("credentials not found", "no credentials server url")


def no_credentials(registry: str) -> None:
    """Know nobody: every registry is asked anonymously."""
    del registry


def first_of(*sources: Credentials) -> Credentials:
    """Return a source that asks the given ones in turn, until one knows the registry.

    A source that fails is passed by; its error is raised where no other one knows the registry.
    """

    def ask(registry: str) -> tuple[str, str] | None:
        failed: AccessError | None = None
        for source in sources:
            try:
                known = source(registry)
            except AccessError as error:
                failed = failed or error
                continue
            if known is not None:
                return known
        if failed is not None:
            raise failed
        return None

    return ask


def docker_credentials(directory: Path, run: RunHelper | None = None) -> Credentials:
    """Return the credentials of a Docker configuration directory (``DOCKER_CONFIG``, else ``~/.docker``).

    The file is read at every call, since helpers and logins change it. Raises SettingsError for a file that is not
    JSON, AccessError for a helper that is missing, fails or does not answer in 30 seconds.
    """

    def ask(registry: str) -> tuple[str, str] | None:
        settings = _settings(directory / "config.json")
        for key, helper in _entries(settings.get("credHelpers"), registry):
            if isinstance(helper, str):
                return _from_helper(helper, key, run or _run_helper)
        for _, entry in _entries(settings.get("auths"), registry):
            stored = _stored(entry) if isinstance(entry, dict) else None
            if stored is not None:
                return stored
        store = settings.get("credsStore")
        server = _HUB_KEYS[0] if registry == DOCKER_HUB else registry
        return _from_helper(store, server, run or _run_helper) if isinstance(store, str) and store else None

    return ask


def _settings(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"The Docker configuration {path} cannot be read.",
            why=str(error),
            then="Repair the file, or set DOCKER_CONFIG to a directory with a good one.",
        ) from error
    return value if isinstance(value, dict) else {}


def _entries(section: object, registry: str) -> Iterator[tuple[str, object]]:
    """Yield the entries for a registry; keys may carry a scheme and a path, as Docker's own once did."""
    wanted = set(_HUB_KEYS) if registry == DOCKER_HUB else {registry}
    hosts = {_host_of(key) for key in wanted}
    found = section.items() if isinstance(section, dict) else ()
    named = [(str(key), entry) for key, entry in found if _host_of(str(key)) in hosts]
    yield from sorted(named, key=lambda item: item[0] not in wanted)


def _host_of(key: str) -> str:
    """Return the host and port of a key (docker/cli, ConvertToHostname)."""
    return key.partition("://")[2].partition("/")[0] if "://" in key else key.partition("/")[0]


def _stored(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    token = entry.get("identitytoken")
    if isinstance(token, str) and token:
        return IDENTITY_TOKEN_USER, token
    user, password = entry.get("username"), entry.get("password")
    if isinstance(user, str) and isinstance(password, str) and user and password:
        return user, password
    try:
        user, colon, password = base64.b64decode(str(entry.get("auth", "")), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (user, password.rstrip("\0")) if colon else None


def _from_helper(name: str, server: str, run: RunHelper) -> tuple[str, str] | None:
    if _HELPER_NAME.fullmatch(name) is None:
        raise SettingsError(
            f"{name!r} is not the name of a Docker credential helper.",
            then="Correct credsStore or credHelpers in the Docker configuration.",
        )
    code, output = run(name, server)
    if code != 0:
        if any(text in output.lower() for text in _NONE_STORED):
            return None
        raise _helper_error(name, f"It ended with code {code}.")
    try:
        answer = json.loads(output)
        return str(answer["Username"]), str(answer["Secret"])
    except (ValueError, TypeError, KeyError, RecursionError):
        # Whatever it wrote may hold the secret: it is neither shown nor chained.
        raise _helper_error(name, "Its answer is not what the protocol asks for.") from None


def _run_helper(name: str, server: str) -> tuple[int, str]:
    try:
        done = subprocess.run(
            [f"docker-credential-{name}", "get"],
            input=server,
            capture_output=True,
            text=True,
            timeout=_HELPER_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise _helper_error(name, "It is not on PATH.") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _helper_error(name, f"{type(error).__name__}.") from None
    return done.returncode, done.stdout


def _helper_error(name: str, why: str) -> AccessError:
    return AccessError(
        f"The Docker credential helper docker-credential-{name} gave no credentials.",
        why=why,
        then="Run it by hand, or log in again with `docker login`.",
    )
