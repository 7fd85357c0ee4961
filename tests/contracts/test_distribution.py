"""The client against the distribution project's own registry: each way to log in, redirects, ranges, digests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from migrate.adapters.registry.client import RegistryClient
from migrate.adapters.registry.credentials import Credentials, no_credentials
from migrate.errors import AccessError, NotFoundError
from tests.fakes.cut_connections import cut_connections
from tests.fakes.distribution import (
    PASSWORD,
    USER,
    Distribution,
    TokenService,
    basic,
    distribution,
    htpasswd,
    serving,
    token,
    token_service,
)
from tests.fakes.image_content import REPOSITORY, Shelf, digest_of, two_platforms

pytestmark = pytest.mark.e2e

Client = Callable[..., RegistryClient]
OPERATOR: Credentials = lambda _: (USER, PASSWORD)  # noqa: E731 - a source of credentials is any callable
LAYER = bytes(range(256)) * 8192


@pytest.fixture
def shelf() -> Shelf:
    made = Shelf()
    two_platforms(made)
    made.blob(LAYER)
    return made


@pytest.fixture
def client() -> Iterator[Client]:
    made: list[RegistryClient] = []

    def make(credentials: Credentials = no_credentials) -> RegistryClient:
        made.append(RegistryClient(sleep=lambda _: None, credentials=credentials))
        return made[-1]

    yield make
    for item in made:
        item.close()


@contextmanager
def guarded_by_a_file(directory: Path) -> Iterator[Distribution]:
    with distribution(directory, auth=htpasswd(directory)) as running:
        yield replace(running, authorization=basic())


@contextmanager
def guarded_by_tokens(directory: Path, tokens: TokenService, repository: str = REPOSITORY) -> Iterator[Distribution]:
    with (
        token_service(tokens) as realm,
        distribution(directory, auth=token(directory, tokens, realm)) as running,
    ):
        bearer = f"Bearer {tokens.token(repository, 'pull', 'push')}"
        yield replace(running, authorization={"Authorization": bearer})


def test_basic_credentials_open_it_and_nobody_else_does(shelf: Shelf, client: Client, tmp_path: Path) -> None:
    with guarded_by_a_file(tmp_path) as registry:
        registry.push(shelf)
        puller = client(OPERATOR)
        assert puller.manifest(registry.reference()).body == shelf.manifests["tag1"][1]
        assert puller.blob(registry.reference(), digest_of(LAYER), limit=len(LAYER)) == LAYER
        for wrong in (no_credentials, lambda _: (USER, "wrong")):
            with pytest.raises(AccessError, match="credentials") as refused:
                client(wrong).manifest(registry.reference())
            assert not isinstance(refused.value, NotFoundError)


def test_a_token_is_asked_for_the_repository_and_kept_for_it(shelf: Shelf, client: Client, tmp_path: Path) -> None:
    tokens = TokenService()
    with guarded_by_tokens(tmp_path, tokens) as registry:
        registry.push(shelf)
        puller = client(OPERATOR)
        for _ in range(2):
            assert puller.manifest(registry.reference()).body == shelf.manifests["tag1"][1]
            assert puller.blob(registry.reference(), digest_of(LAYER), limit=len(LAYER)) == LAYER
    assert tokens.asked == [{"service": ["made-up-registry"], "scope": [f"repository:{REPOSITORY}:pull"]}]


def test_an_expired_token_is_renewed(shelf: Shelf, client: Client, tmp_path: Path) -> None:
    tokens = TokenService()
    with guarded_by_tokens(tmp_path, tokens) as registry:
        registry.push(shelf)
        puller = client(OPERATOR)
        tokens.lifetime = -120
        with pytest.raises(AccessError, match="credentials"):
            puller.manifest(registry.reference())
        tokens.lifetime = 300
        puller.manifest(registry.reference())
        known = puller._authenticator._known
        tokens.lifetime = -120
        for key in known:
            known[key] = f"Bearer {tokens.token(REPOSITORY, 'pull')}"
        tokens.lifetime = 300
        assert puller.manifest(registry.reference()).body == shelf.manifests["tag1"][1]


@pytest.mark.parametrize("repository", ["public/app", "private/app"])
def test_what_is_public_is_open_to_broken_credentials_and_nothing_else(
    shelf: Shelf, client: Client, tmp_path: Path, repository: str
) -> None:
    def broken(_: str) -> tuple[str, str] | None:
        raise AccessError("The helper docker-credential-desktop is not there.", then="Install it.")

    sources: tuple[Credentials, ...] = (no_credentials, lambda _: (USER, "expired"), broken)
    with guarded_by_tokens(tmp_path, TokenService(), repository) as registry:
        registry.push(shelf, repository)
        for source in sources:
            puller, reference = client(source), registry.reference(repository=repository)
            if repository.startswith("public/"):
                assert puller.manifest(reference).body == shelf.manifests["tag1"][1]
                continue
            with pytest.raises(AccessError) as refused:
                puller.manifest(reference)
            assert ("docker-credential-desktop" in str(refused.value)) is (source is broken)


class _Elsewhere(BaseHTTPRequestHandler):
    """Serves the registry's own content, as the storage of a cloud does for signed URLs, with ranges."""

    content: Path
    seen: list[dict[str, str]]
    cut_after: int

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        type(self).seen.append({name.lower(): value for name, value in self.headers.items()})
        body = (self.content / self.path.lstrip("/")).read_bytes()
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start : start + self.cut_after])
        self.close_connection = True


def test_redirected_blobs_are_fetched_elsewhere_without_our_login(shelf: Shelf, client: Client, tmp_path: Path) -> None:
    class Elsewhere(_Elsewhere):
        content, seen, cut_after = tmp_path / "content", [], 1 << 30

    with (
        serving(Elsewhere) as storage,
        distribution(tmp_path, auth=htpasswd(tmp_path), redirect=f"http://{storage}") as running,
    ):
        registry = replace(running, authorization=basic())
        registry.push(shelf)
        puller = client(OPERATOR)
        assert puller.blob(registry.reference(), digest_of(LAYER), limit=len(LAYER)) == LAYER
        Elsewhere.cut_after = len(LAYER) // 3
        with puller.open_blob(registry.reference(), digest_of(LAYER)) as chunks:
            assert digest_of(b"".join(chunks)) == digest_of(LAYER)
    assert len(Elsewhere.seen) >= 3
    assert [headers for headers in Elsewhere.seen if "authorization" in headers] == []
    assert "range" in Elsewhere.seen[-1]


def test_a_cut_download_goes_on_by_range(shelf: Shelf, client: Client, tmp_path: Path) -> None:
    with distribution(tmp_path) as registry:
        registry.push(shelf)
        with cut_connections(registry.host, len(LAYER) * 2 // 5) as host:
            reference = replace(registry.reference(), registry=host)
            with client().open_blob(reference, digest_of(LAYER)) as chunks:
                assert digest_of(b"".join(chunks)) == digest_of(LAYER)


def test_what_is_not_there_is_told_by_name(shelf: Shelf, client: Client, tmp_path: Path) -> None:
    missing = f"sha256:{'0' * 64}"
    with distribution(tmp_path) as registry:
        registry.push(shelf)
        puller = client()
        for reference in (registry.reference("tag9"), registry.reference(missing)):
            with pytest.raises(NotFoundError, match="does not exist"):
                puller.manifest(reference)
        with pytest.raises(NotFoundError, match="has no blob"):
            puller.blob(registry.reference(), missing, limit=10)


def test_content_that_was_tampered_with_on_disk_is_refused(shelf: Shelf, client: Client, tmp_path: Path) -> None:
    digest = digest_of(LAYER).partition(":")[2]
    with distribution(tmp_path) as registry:
        registry.push(shelf)
        stored = tmp_path / "content/docker/registry/v2/blobs/sha256" / digest[:2] / digest / "data"
        stored.write_bytes(LAYER[::-1])
        with (
            pytest.raises(AccessError, match="is something else"),
            client().open_blob(registry.reference(), digest_of(LAYER)) as chunks,
        ):
            list(chunks)
