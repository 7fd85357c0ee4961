"""Two ways to have a front under test: here over a fake MiniStack with virtual time, or as the whole process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Protocol
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

import migrate.sandbox.front
from migrate.sandbox.front.app import Front
from migrate.sandbox.front.settings import FrontSettings, TaskDigest
from migrate.sandbox.processes import free_port
from tests.fakes.inner_aws import InnerAws

MAIN = Path(migrate.sandbox.front.__file__).with_name("main.py")
_CREDENTIALS = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
_ONE_ATTEMPT = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20, proxies={})
Answer = tuple[int, dict[str, str], bytes]
_client: Any = boto3.client  # its overloads name every service, and these hosts take any


class FrontHost(Protocol):
    """A front that tests talk to."""

    @property
    def registry_host(self) -> str:
        """Give the host in repositoryUri."""

    def client(self, service: str) -> Any:
        """Make a boto3 client of the front."""

    def http(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """One plain request."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""


class _Raw(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


@dataclass
class InProcess:
    """The front over the fake; the clock stands still unless ``wait`` moves it."""

    settings: FrontSettings = field(default_factory=lambda: FrontSettings(port=1, registry_host="localhost:1"))
    now: float = 1_000_000.0

    def __post_init__(self) -> None:
        """Build the front."""
        self.inner = InnerAws()
        self.front = Front(self.inner, self.settings, lambda: self.now)

    @property
    def registry_host(self) -> str:
        """Give the host in repositoryUri."""
        return self.settings.registry_host

    def wait(self, seconds: float) -> None:
        """Move the clock in small steps, as a ticking front would."""
        for _ in range(round(seconds / 0.1)):
            self.now += 0.1
            self.front.advance()

    def http(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """Call the application."""
        target = urlsplit(path)
        scope = {
            "type": "http",
            "method": method,
            "path": target.path,
            "query_string": target.query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.front(scope, receive, send))
        received = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], received, b"".join(item.get("body", b"") for item in sent[1:])

    def client(self, service: str) -> Any:
        """Make a client whose requests never reach a socket (botocore's before-send event)."""
        client = _client(service, endpoint_url="http://127.0.0.1:1", config=_ONE_ATTEMPT, **_CREDENTIALS)

        def answer(request: Any, **_: Any) -> AWSResponse:
            headers = {
                name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
            }
            body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
            status, received, content = self.http("POST", "/", body, headers)
            spelt: Any = received
            return AWSResponse(request.url, status, spelt, _Raw(content))

        client.meta.events.register("before-send", answer)
        return client


@dataclass(frozen=True)
class WholeProcess:
    """The front's own process, with MiniStack in it."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def registry_host(self) -> str:
        """The host in repositoryUri."""
        return f"localhost:{self.port}"

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def wait(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)  # noqa: TID251 - another process's time

    def http(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """Send a request; ``path`` may be a whole URL, as a Location header gives it."""
        target = urlsplit(path)
        url = f"{self.url}{target.path}{'?' if target.query else ''}{target.query}"
        request = urllib.request.Request(url, data=body or None, method=method, headers=headers or {})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - loopback
                return response.status, {k.lower(): v for k, v in response.headers.items()}, response.read()
        except urllib.error.HTTPError as error:
            return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()

    def client(self, service: str) -> Any:
        """Make a client."""
        return _client(service, endpoint_url=self.url, config=_ONE_ATTEMPT, **_CREDENTIALS)


@contextmanager
def whole_process(python: Path, *arguments: str, **environment: str) -> Iterator[WholeProcess]:
    """Start the front in MiniStack's environment and end it."""
    port = free_port()
    base = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    with TemporaryFile() as said:
        process = subprocess.Popen(
            [python, MAIN, "--port", str(port), *arguments],
            env={**base, "LOG_LEVEL": "ERROR", "DOCKER_HOST": "unix:///nonexistent", **environment},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        host = WholeProcess(port, process)
        try:
            _await_ready(host)
            yield host
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
        said.seek(0)
        text = said.read().decode()
        assert "Traceback" not in text, text


def _await_ready(host: WholeProcess) -> None:
    for _ in range(300):
        assert host.process.poll() is None, "the front ended at its start"
        try:
            if host.http("GET", "/_sandbox/ready")[0] == 200:
                return
        except OSError:
            host.wait(0.1)
    raise AssertionError("the front was not ready in 30 s")


def settings(**changes: Any) -> FrontSettings:
    """Make settings of a front in this process."""
    return FrontSettings(**{"port": 1, "registry_host": "localhost:1", "task_digest": TaskDigest.INDEX, **changes})
