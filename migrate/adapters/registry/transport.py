"""HTTP to registries: bounded retries, redirects that carry no credentials elsewhere, limits on every answer."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Self, TypeVar

import httpx
import tenacity

from migrate.core.image.names import DOCKER_HUB
from migrate.errors import AccessError

_T = TypeVar("_T")

_HUB_ENDPOINT = "https://registry-1.docker.io"
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOST_REDIRECTS = 5
_LONGEST_WAIT = 60.0
_LARGEST_REFUSAL = 1 << 20
_CONNECT_SECONDS = 10.0
_READ_SECONDS = 60.0
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer read whole."""

    status: int
    headers: httpx.Headers
    body: bytes


class StatusError(Exception):
    """An answer that is not a success; its caller knows what it means there."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"HTTP {reply.status}")
        self.reply = reply


class _TransientError(Exception):
    """Worth another try; ``pause`` is what the server asked for, in seconds."""

    def __init__(self, error: AccessError, pause: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.pause = pause


class Transport:
    """GETs and POSTs with retries. ``sleep`` waits a number of seconds; ``ca_file`` adds authorities to the usual."""

    def __init__(self, *, sleep: Callable[[float], None], ca_file: str | None = None, attempts: int = 5) -> None:
        self._http = _client(_trust(ca_file))
        self._wait = tenacity.wait_random_exponential(multiplier=0.5, max=_LONGEST_WAIT / 2)
        self._sleep = sleep
        self._attempts = attempts
        self._bases: dict[str, str] = {}

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def base(self, registry: str) -> str:
        """Return the URL that a registry answers at; a loopback one without TLS is asked in plain HTTP."""
        if registry not in self._bases:
            self._bases[registry] = self._find_base(registry)
        return self._bases[registry]

    def fetch(self, request: httpx.Request, *, limit: int) -> Reply:
        """Return an answer of at most ``limit`` bytes. Raises StatusError for refusals, AccessError for the rest."""

        def read() -> Reply:
            with closing(self._send(request)) as response:
                return Reply(response.status_code, response.headers, _read(request, response, limit))

        return self._retried(request, read)

    def open(self, request: httpx.Request) -> httpx.Response:
        """Return an answer to be streamed and closed by the caller. Raises StatusError or AccessError."""
        return self._retried(request, lambda: self._send(request))

    def _retried(self, request: httpx.Request, act: Callable[[], _T]) -> _T:
        def once() -> _T:
            try:
                return act()
            except httpx.TransportError as error:
                raise self._failure(request, error) from error

        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._attempts),
            wait=self._pause,
            retry=tenacity.retry_if_exception_type(_TransientError),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(once)
        except _TransientError as error:
            raise error.error from error.__cause__

    def _pause(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _TransientError) and error.pause is not None:
            return error.pause
        return self._wait(state)

    def _send(self, request: httpx.Request) -> httpx.Response:
        """Send once and follow redirects; httpx takes Authorization off where one leads to another origin."""
        response = self._http.send(request, stream=True)
        for _ in range(_MOST_REDIRECTS):
            onward = response.next_request
            if onward is None:
                break
            response.close()
            if request.url.scheme == "https" and onward.url.scheme != "https":
                raise _refused(request, f"It redirects from https to {onward.url.scheme}://{onward.url.host}.")
            response = self._http.send(onward, stream=True)
        else:
            response.close()
            raise _refused(request, f"It redirects more than {_MOST_REDIRECTS} times.")
        if response.status_code in _TRANSIENT:
            response.close()
            raise _busy(request, response)
        if not response.is_success:
            with closing(response):
                body = _read(request, response, _LARGEST_REFUSAL)
            raise StatusError(Reply(response.status_code, response.headers, body))
        return response

    def _failure(self, request: httpx.Request, error: httpx.TransportError) -> Exception:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return AccessError(
                f"The certificate of {_host(request)} is not trusted.",
                why=str(error),
                then="Name the authority's file in AWS_CA_BUNDLE or SSL_CERT_FILE.",
            )
        return _TransientError(
            AccessError(
                f"{_host(request)} could not be reached.",
                why=f"{type(error).__name__}: {error}",
                then="Check the network, the proxy settings and the registry's name.",
            )
        )

    def _find_base(self, registry: str) -> str:
        if registry == DOCKER_HUB:
            return _HUB_ENDPOINT
        secure = f"https://{registry}"
        if not is_loopback(registry):
            return secure
        try:
            self._http.get(f"{secure}/v2/")
        except httpx.TransportError as error:
            if "CERTIFICATE_VERIFY_FAILED" not in str(error):
                return f"http://{registry}"
        return secure


def is_loopback(registry: str) -> bool:
    """Whether a registry's host is this machine by its name alone."""
    host = httpx.URL(f"https://{registry}").host
    return host in {"localhost", "::1"} or host.startswith("127.") or host.endswith(".localhost")


def _read(request: httpx.Request, response: httpx.Response, limit: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > limit:
            raise AccessError(
                f"{_host(request)} sent more than {limit} bytes where less was expected.",
                then="Check that the reference names a container image.",
            )
    return bytes(body)


def _client(trust: ssl.SSLContext) -> httpx.Client:
    timeout = httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
    # A proxy has no way to our loopback.
    direct = {f"all://{host}": None for host in _LOOPBACK}
    try:
        return httpx.Client(verify=trust, timeout=timeout, mounts=direct, follow_redirects=False)
    except (ImportError, ValueError) as error:
        raise AccessError(
            "The proxy that the environment names cannot be used for registries.",
            why=str(error).partition("\n")[0],
            then="Set HTTPS_PROXY to an http:// address (SOCKS is not spoken here), or the registries in NO_PROXY.",
        ) from error


def _trust(ca_file: str | None) -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise AccessError(
                f"The certificate file {ca_file} cannot be used.",
                why=str(error),
                then="Correct AWS_CA_BUNDLE or SSL_CERT_FILE: a PEM file is expected.",
            ) from error
    return context


def _busy(request: httpx.Request, response: httpx.Response) -> Exception:
    limited = response.status_code == httpx.codes.TOO_MANY_REQUESTS
    error = AccessError(
        f"{_host(request)} {'limits our requests' if limited else 'failed'} (HTTP {response.status_code}).",
        then="Log in for a higher limit, or try again later." if limited else "Try again later.",
    )
    pause = _retry_after(response.headers)
    return error if pause is not None and pause > _LONGEST_WAIT else _TransientError(error, pause)


def _retry_after(headers: httpx.Headers) -> float | None:
    """Read Retry-After, in seconds or as a date that is compared with the server's own (RFC 9110, 10.2.3)."""
    value = headers.get("Retry-After", "")
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - parsedate_to_datetime(headers["Date"])).total_seconds())
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _host(request: httpx.Request) -> str:
    return request.url.netloc.decode("ascii", "replace")


def _refused(request: httpx.Request, why: str) -> AccessError:
    return AccessError(f"{_host(request)} is not followed where it leads.", why=why, then="Check the registry's name.")
