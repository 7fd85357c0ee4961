"""The distribution project's own registry, built from Go modules and run on loopback, with each way to log in.

No cloud's storage is linked in: that makes the build a matter of half a minute, once a machine.
"""

from __future__ import annotations

import base64
import json
import os
import platform
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from migrate.core.image.names import ImageReference, is_digest
from migrate.sandbox.processes import free_port
from migrate.sandbox.toolchain.cache import CacheEntry, provide, recipe_hash
from migrate.sandbox.toolchain.commands import run
from migrate.sandbox.toolchain.golang import LazyGo, go_environment
from migrate.sandbox.toolchain.progress import Progress
from tests.fakes.image_content import REPOSITORY, Shelf, digest_of

RECIPE = Path(__file__).with_name("distribution_recipe")
USER, PASSWORD = "operator", "made-up-password"
_HTPASSWD = f"{USER}:$2a$04$51bJluuL9xG2x8wc.1HKPOmSmsscIfOozongYC73XWkTeJQQ6lfE6\n"
_ISSUER, _SERVICE, _KEY = "made-up-issuer", "made-up-registry", "made-up-key"
_BUILD_SECONDS = 600.0


def built() -> Path:
    """Return the program, built when the cache has none."""
    settings = (platform.system(), platform.machine())
    entry = CacheEntry("registry", "3.0.0", recipe_hash(RECIPE.iterdir(), *settings), "registry")
    return provide(entry, partial(_build, log=entry.log), Progress()) / entry.proof


def _build(target: Path, *, log: Path) -> None:
    progress = Progress()
    go = LazyGo(progress).path()
    with progress.step("building the distribution project's registry 3.0.0", usually="30 s"):
        command: list[str | Path] = [go, "build", "-trimpath", "-ldflags", "-s -w", "-o", target / "registry", "."]
        run(
            command,
            part="The distribution registry",
            log=log,
            timeout=_BUILD_SECONDS,
            cwd=RECIPE,
            environment=go_environment(),
        )


@dataclass
class TokenService:
    """Signs tokens as the distribution project's "Token Authentication" says; ``asked`` are the queries it got.

    Everybody may pull ``public/...``; the operator may pull everything.
    """

    lifetime: int = 300
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    @cached_property
    def key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(65537, 2048)

    def jwks(self) -> str:
        """Return the public key as a JSON Web Key Set (RFC 7517)."""
        numbers = self.key.public_key().public_numbers()
        key = {"kty": "RSA", "kid": _KEY, "alg": "RS256", "use": "sig"}
        return json.dumps({"keys": [{**key, "n": _number(numbers.n), "e": _number(numbers.e)}]})

    def token(self, repository: str, *actions: str) -> str:
        now = int(time.time())
        claims = {
            "iss": _ISSUER,
            "sub": USER,
            "aud": _SERVICE,
            "jti": os.urandom(8).hex(),
            "exp": now + self.lifetime,
            "nbf": now - 10,
            "iat": now - 10,
            "access": [{"type": "repository", "name": repository, "actions": list(actions)}],
        }
        header = {"typ": "JWT", "alg": "RS256", "kid": _KEY}
        signed = f"{_segment(header)}.{_segment(claims)}".encode()
        return f"{signed.decode()}.{_text(self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256()))}"

    def answer(self, query: dict[str, list[str]], authorization: str) -> tuple[int, dict[str, Any]]:
        """Return status and body for one GET."""
        self.asked.append(query)
        who = base64.b64decode(authorization.partition(" ")[2]).decode() if authorization else ""
        if who and who != f"{USER}:{PASSWORD}":
            return 401, {"errors": [{"code": "UNAUTHORIZED"}]}
        _, name, actions = query["scope"][0].split(":")
        allowed = [item for item in actions.split(",") if item == "pull" and (who or name.startswith("public/"))]
        return 200, {"access_token": self.token(name, *allowed), "expires_in": self.lifetime}


@contextmanager
def serving(answer: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve HTTP on loopback; gives host and port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), answer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def token_service(tokens: TokenService) -> Iterator[str]:
    """Serve tokens; gives the realm."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Stay silent."""

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            status, body = tokens.answer(query, self.headers.get("Authorization", ""))
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with serving(Handler) as host:
        yield f"http://{host}/token"


@dataclass(frozen=True)
class Distribution:
    """A registry that runs; ``authorization`` is what a push needs."""

    host: str
    directory: Path
    authorization: Mapping[str, str] = field(default_factory=dict)

    def reference(self, wanted: str = "tag1", repository: str = REPOSITORY) -> ImageReference:
        base = ImageReference(self.host, repository, tag=wanted)
        return base.at(wanted) if is_digest(wanted) else base

    def push(self, shelf: Shelf, repository: str = REPOSITORY) -> None:
        """Push everything on a shelf: blobs, images before indexes, tags last."""
        with httpx.Client(base_url=f"http://{self.host}", headers=self.authorization, timeout=20) as client:
            for digest, body in shelf.blobs.items():
                begun = client.post(f"/v2/{repository}/blobs/uploads/")
                location = httpx.URL(begun.raise_for_status().headers["Location"])
                whole = {"Content-Type": "application/octet-stream"}
                client.put(
                    location.copy_merge_params({"digest": digest}), content=body, headers=whole
                ).raise_for_status()
            ordered = sorted(shelf.manifests.items(), key=lambda item: (b'"manifests"' in item[1][1], item[0]))
            for name, (media_type, body) in ordered:
                put = client.put(
                    f"/v2/{repository}/manifests/{name}", content=body, headers={"Content-Type": media_type}
                )
                assert put.raise_for_status().headers["Docker-Content-Digest"] == digest_of(body)


@contextmanager
def distribution(
    directory: Path, *, auth: Mapping[str, Any] | None = None, redirect: str = ""
) -> Iterator[Distribution]:
    """Run a registry that keeps its content in ``directory`` and ends with the block.

    ``redirect`` is where it sends those who ask for blobs.
    """
    host = f"127.0.0.1:{free_port()}"
    settings: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(directory / "content")}},
        "http": {"addr": host, "secret": "made-up"},
        **({"auth": auth} if auth else {}),
    }
    if redirect:
        settings["middleware"] = {"storage": [{"name": "redirect", "options": {"baseurl": redirect}}]}
    # Every JSON document is a YAML document.
    configuration = directory / "config.yml"
    configuration.write_text(json.dumps(settings))
    with (directory / "log").open("wb") as log:
        environment = {"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"}
        process = subprocess.Popen(
            [built(), "serve", configuration], stdout=log, stderr=subprocess.STDOUT, env=environment
        )
        try:
            _await_ready(process, host, directory / "log")
            yield Distribution(host, directory)
        finally:
            process.terminate()
            process.wait(20)


def _await_ready(process: subprocess.Popen[bytes], host: str, log: Path) -> None:
    for _ in range(1200):
        assert process.poll() is None, log.read_text()
        try:
            httpx.get(f"http://{host}/v2/", timeout=5)
        except httpx.TransportError:
            time.sleep(0.05)  # noqa: TID251 - another process's time
        else:
            return
    raise AssertionError(log.read_text())


def htpasswd(directory: Path) -> dict[str, Any]:
    """Return the settings of Basic authentication by a file."""
    path = directory / "htpasswd"
    path.write_text(_HTPASSWD)
    return {"htpasswd": {"realm": "made-up realm", "path": str(path)}}


def token(directory: Path, tokens: TokenService, realm: str) -> dict[str, Any]:
    """Return the settings of token authentication."""
    path = directory / "jwks.json"
    path.write_text(tokens.jwks())
    return {"token": {"realm": realm, "service": _SERVICE, "issuer": _ISSUER, "jwks": str(path)}}


def basic(user: str = USER, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


def _segment(value: Mapping[str, Any]) -> str:
    return _text(json.dumps(value).encode())


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
