"""Registries for tests: the port in memory, and the distribution protocol on loopback with faults on demand."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

from migrate.core.image.facts import FetchedManifest
from migrate.core.image.names import ImageReference, is_digest
from migrate.errors import AccessError, NotFoundError
from tests.fakes.image_content import REPOSITORY, Shelf, digest_of

if TYPE_CHECKING:
    import ssl

USER, PASSWORD, TOKEN = "AWS", "made-up-password", "made-up-token"
_CHUNK = 1 << 16


class FakeImageRegistry:
    """The port ImageRegistry over a shelf; only the repository of the shelf exists."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def manifest(self, reference: ImageReference) -> FetchedManifest:
        found = self.shelf.manifests.get(reference.wanted) if reference.repository == REPOSITORY else None
        if found is None:
            raise NotFoundError(f"{reference} does not exist.", then="Check its name.")
        media_type, body = found
        if reference.digest is not None and digest_of(body) != reference.digest:
            raise AccessError(f"What {reference.name} sent is something else.", then="Do not use it.")
        return FetchedManifest(digest_of(body), media_type, body)

    def blob(self, repository: ImageReference, digest: str, *, limit: int) -> bytes:
        body = self._blob(repository, digest)
        if len(body) > limit:
            raise AccessError("Too large.", then="Check the reference.")
        if digest_of(body) != digest:
            raise AccessError(f"What {repository.name} sent is something else.", then="Do not use it.")
        return body

    @contextmanager
    def open_blob(self, repository: ImageReference, digest: str) -> Iterator[Iterator[bytes]]:
        yield self._chunks(repository, self._blob(repository, digest), digest)

    def _chunks(self, repository: ImageReference, body: bytes, digest: str) -> Iterator[bytes]:
        for start in range(0, len(body), _CHUNK):
            yield body[start : start + _CHUNK]
        if digest_of(body) != digest:
            raise AccessError(f"What {repository.name} sent is something else.", then="Do not use it.")

    def _blob(self, repository: ImageReference, digest: str) -> bytes:
        if not is_digest(digest):
            raise AccessError(f"{digest!r} is not a digest.", then="Rebuild the image.")
        if repository.repository != REPOSITORY or digest not in self.shelf.blobs:
            raise NotFoundError(f"{repository.name} has no blob {digest}.", then="Check its name.")
        return self.shelf.blobs[digest]


@dataclass
class Behaviour:
    """What a loopback registry does beside serving; ``answers`` are given first, in order, one a request."""

    login: str = "none"
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    blobs_elsewhere: str = ""
    break_off_after: int = 0
    times_broken: int = 0
    promised: int = 0
    ranges: bool = True
    content_digest: str = ""
    realm: str = ""


class LoopbackRegistry:
    """The distribution protocol on 127.0.0.1; ``seen`` are (path, headers) of every request but the probe."""

    def __init__(self, shelf: Shelf, behaviour: Behaviour | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.shelf = shelf
        self.behaviour = behaviour or Behaviour()
        self.seen: list[tuple[str, dict[str, str]]] = []
        registry = self

        class Handler(_Handler):
            owner = registry

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def reference(self, wanted: str = "tag1") -> ImageReference:
        base = ImageReference(self.host, REPOSITORY, tag=wanted)
        return base.at(wanted) if is_digest(wanted) else base

    def paths(self) -> list[str]:
        return [path for path, _ in self.seen]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    owner: LoopbackRegistry
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/v2/":
            self._answer(200, {}, b"{}")
            return
        self.owner.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        behaviour = self.owner.behaviour
        if behaviour.answers:
            self._answer(*behaviour.answers.pop(0))
        elif path == "/token":
            self._token(self.headers.get("Authorization", ""), parse_qs(urlsplit(self.path).query))
        elif not path.startswith("/elsewhere/") and not self._logged_in():
            self._challenge()
        elif path.startswith(f"/v2/{REPOSITORY}/manifests/"):
            self._manifest(path.rpartition("/")[2])
        elif path.startswith(f"/v2/{REPOSITORY}/blobs/") and behaviour.blobs_elsewhere:
            target = f"{behaviour.blobs_elsewhere}/elsewhere/{path.rpartition('/')[2]}"
            self._answer(307, {"Location": target}, b"")
        elif path.startswith((f"/v2/{REPOSITORY}/blobs/", "/elsewhere/")):
            self._blob(path.rpartition("/")[2])
        else:
            self._refuse(404, "NAME_UNKNOWN", "repository name not known to registry")

    def do_POST(self) -> None:
        self.owner.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        good = form.get("refresh_token") == [PASSWORD] and form.get("grant_type") == ["refresh_token"]
        self._answer(200 if good else 401, {}, json.dumps({"access_token": TOKEN}).encode() if good else b"{}")

    def _logged_in(self) -> bool:
        wanted = {"none": "", "basic": f"Basic {_basic()}", "bearer": f"Bearer {TOKEN}"}[self.owner.behaviour.login]
        return not wanted or self.headers.get("Authorization") == wanted

    def _challenge(self) -> None:
        realm = self.owner.behaviour.realm or f"http://{self.owner.host}/token"
        scope = f"repository:{REPOSITORY}:pull,push"
        offers = {
            "basic": 'Basic realm="made-up",service="ecr.amazonaws.com"',
            "bearer": f'Bearer realm="{realm}",service="made-up",scope="{scope}"',
        }
        body = _errors("UNAUTHORIZED", "authentication required")
        self._answer(401, {"WWW-Authenticate": offers[self.owner.behaviour.login]}, body)

    def _token(self, authorization: str, query: dict[str, list[str]]) -> None:
        good = authorization == f"Basic {_basic()}" and query.get("scope") == [f"repository:{REPOSITORY}:pull,push"]
        self._answer(200 if good else 401, {}, json.dumps({"token": TOKEN}).encode() if good else b"{}")

    def _manifest(self, wanted: str) -> None:
        found = self.owner.shelf.manifests.get(wanted)
        if found is None:
            self._refuse(404, "MANIFEST_UNKNOWN", "manifest unknown")
            return
        media_type, body = found
        digest = self.owner.behaviour.content_digest or digest_of(body)
        self._answer(200, {"Content-Type": media_type, "Docker-Content-Digest": digest}, body)

    def _blob(self, digest: str) -> None:
        body = self.owner.shelf.blobs.get(digest)
        if body is None:
            self._refuse(404, "BLOB_UNKNOWN", "blob unknown to registry")
            return
        start, behaviour = 0, self.owner.behaviour
        asked = self.headers.get("Range")
        if asked and behaviour.ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start and start >= len(body):
            self._refuse(416, "UNSUPPORTED", "range not satisfiable")
            return
        if behaviour.times_broken:
            behaviour.times_broken -= 1
            self._head(206 if start else 200, {}, behaviour.promised or len(body) - start)
            self.wfile.write(body[start : start + behaviour.break_off_after])
            self.close_connection = True
            return
        self._answer(206 if start else 200, {}, body[start:])

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._answer(status, {}, _errors(code, message))

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self._head(status, headers, len(body))
        self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str], length: int) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()


def _basic() -> str:
    return base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def _errors(code: str, message: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()
