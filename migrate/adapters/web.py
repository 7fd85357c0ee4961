"""HTTP as checks and notifications use it: no redirect to other hosts, a bounded answer.

Secrets come only out of the environment.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

import httpx

from migrate import __version__
from migrate.errors import AccessError

MOST_BYTES = 1 << 20
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Web:
    """One HTTP client. Certificates and proxies are the environment's, as httpx reads them."""

    def __init__(self, environment: Mapping[str, str], transport: httpx.BaseTransport | None = None) -> None:
        self._environment = environment
        self._transport = transport

    def headers(self, wanted: tuple[tuple[str, str], ...], runbook: str) -> dict[str, str]:
        """Return headers with the values of the environment variables that they name. Raises AccessError."""
        missing = sorted(variable for _, variable in wanted if not self._environment.get(variable))
        if missing:
            raise AccessError(
                f"The environment variable {missing[0]} is not set.",
                why="migrate.toml takes the value of a header from it.",
                then=f"Set {', '.join(missing)} for this process.",
                runbook=runbook,
            )
        return {name: self._environment[variable] for name, variable in wanted}

    def send(
        self,
        method: str,
        url: str,
        timeout: timedelta,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        follow: bool = False,
    ) -> tuple[int, bytes]:
        """Send one request and return status and the first MOST_BYTES of the body.

        ``follow`` follows redirects on the same host only: another host never sees the headers. The time-out holds
        for the whole exchange. Raises httpx.HTTPError.
        """
        deadline = time.monotonic() + timeout.total_seconds()
        told = {"User-Agent": f"ecs-migrate/{__version__}", **headers}
        with httpx.Client(transport=self._transport, follow_redirects=False) as client:
            for _ in range(_MOST_REDIRECTS + 1):
                status, content, location = _exchange(client, method, url, told, body, deadline)
                if not follow or status not in _REDIRECTS or not _same_host(url, location):
                    return status, content
                url = str(httpx.URL(url).join(location))
        return status, content


def _exchange(
    client: httpx.Client, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float
) -> tuple[int, bytes, str]:
    left = max(0.001, deadline - time.monotonic())
    with client.stream(method, url, headers=dict(headers), content=body, timeout=left) as answer:
        content = bytearray()
        for chunk in answer.iter_bytes():
            content += chunk
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer took too long", request=answer.request)
            if len(content) >= MOST_BYTES:
                break
        return answer.status_code, bytes(content[:MOST_BYTES]), answer.headers.get("location", "")


def _same_host(url: str, location: str) -> bool:
    if not location:
        return False
    here, there = urlsplit(url), urlsplit(str(httpx.URL(url).join(location)))
    return (here.scheme, here.netloc) == (there.scheme, there.netloc)


def unreachable(url: str, error: httpx.HTTPError | httpx.InvalidURL, runbook: str) -> AccessError:
    """Return the error for a URL that gave no answer; the query of the URL may hold a secret and is left out."""
    shown = url.partition("?")[0]
    return AccessError(
        f"{shown} did not answer.",
        why=f"{type(error).__name__}: {error}".rstrip(": ") + ".",
        then="Look whether it can be reached from this machine.",
        runbook=runbook,
    )
