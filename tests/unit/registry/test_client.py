from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from migrate.adapters.registry.client import RegistryClient
from migrate.adapters.registry.credentials import IDENTITY_TOKEN_USER, Credentials
from migrate.adapters.registry.transport import _retry_after
from migrate.errors import AccessError, NotFoundError
from tests.fakes.image_content import Shelf, digest_of, two_platforms
from tests.fakes.image_registry import PASSWORD, TOKEN, USER, Behaviour, LoopbackRegistry

Waits = list[float]


@pytest.fixture
def shelf() -> Shelf:
    made = Shelf()
    two_platforms(made)
    return made


@pytest.fixture
def waits() -> Waits:
    return []


Client = Callable[..., RegistryClient]


@pytest.fixture
def client(waits: Waits) -> Iterator[Client]:
    made: list[RegistryClient] = []

    def make(credentials: Credentials | None = None, ca_file: str | None = None) -> RegistryClient:
        made.append(RegistryClient(sleep=waits.append, credentials=credentials or login, ca_file=ca_file, attempts=4))
        return made[-1]

    yield make
    for item in made:
        item.close()


def login(registry: str) -> tuple[str, str] | None:
    return (USER, PASSWORD) if registry.startswith("127.0.0.1:") else None


def nobody(registry: str) -> None:
    del registry


@pytest.mark.parametrize("scheme", ["basic", "bearer"])
def test_a_challenge_is_answered_once_and_remembered(shelf: Shelf, client: Client, scheme: str) -> None:
    with LoopbackRegistry(shelf, Behaviour(login=scheme)) as registry:
        puller = client()
        puller.manifest(registry.reference())
        requests = 2 if scheme == "basic" else 3
        assert len(registry.seen) == requests
        puller.manifest(registry.reference())
        assert len(registry.seen) == requests + 1


def test_a_refresh_token_goes_through_the_oauth_flow(shelf: Shelf, client: Client) -> None:
    with LoopbackRegistry(shelf, Behaviour(login="bearer")) as registry:
        client(lambda _: (IDENTITY_TOKEN_USER, PASSWORD)).manifest(registry.reference())
        assert registry.paths()[1] == "/token"
        assert registry.seen[-1][1]["authorization"] == f"Bearer {TOKEN}"


def test_c28_an_expired_login_is_renewed_and_tried_again(shelf: Shelf, client: Client) -> None:
    with LoopbackRegistry(shelf, Behaviour(login="basic")) as registry:
        puller = client()
        puller.manifest(registry.reference())
        expired = b'{"errors":[{"code":"DENIED","message":"Your authorization token has expired."}]}'
        registry.behaviour.answers.append((403, {}, expired))
        assert puller.manifest(registry.reference()).body


@pytest.mark.parametrize("scheme", ["basic", "bearer"])
@pytest.mark.parametrize("credentials", [nobody, lambda _: (USER, "wrong")])
def test_c28_a_refused_login_is_credentials_and_not_image_gone(
    shelf: Shelf, client: Client, scheme: str, credentials: Credentials
) -> None:
    with LoopbackRegistry(shelf, Behaviour(login=scheme)) as registry:
        with pytest.raises(AccessError, match="credentials") as refused:
            client(credentials).manifest(registry.reference())
        assert not isinstance(refused.value, NotFoundError)
        shown = f"{refused.value} {refused.value.then}"
        assert "wrong" not in shown
        assert PASSWORD not in shown


def test_c28_a_forbidden_image_is_credentials_and_not_image_gone(shelf: Shelf, client: Client) -> None:
    said = b'{"errors":[{"code":"DENIED","message":"not authorized to perform: ecr:BatchGetImage"}]}'
    denied: tuple[int, dict[str, str], bytes] = (403, {}, said)
    with LoopbackRegistry(shelf, Behaviour(answers=[denied])) as registry:
        with pytest.raises(AccessError, match="credentials") as refused:
            client().manifest(registry.reference())
        assert "DENIED: not authorized to perform: ecr:BatchGetImage" in refused.value.why


def test_a_token_service_without_https_gets_no_password(shelf: Shelf, client: Client) -> None:
    with LoopbackRegistry(shelf, Behaviour(login="bearer", realm="ftp://127.0.0.1/token")) as registry:
        with pytest.raises(AccessError, match="token service that is not asked"):
            client().manifest(registry.reference())
        assert len(registry.seen) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_busy_registries_are_asked_again(shelf: Shelf, client: Client, waits: Waits, status: int) -> None:
    busy = Behaviour(answers=[(status, {}, b""), (status, {"Retry-After": "7"}, b"")])
    with LoopbackRegistry(shelf, busy) as registry:
        assert client().manifest(registry.reference()).body
        assert len(registry.seen) == 3
        assert waits[1] == 7


def test_a_date_to_wait_for_is_read_by_the_servers_clock(shelf: Shelf, client: Client, waits: Waits) -> None:
    dates = {"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT", "Date": "Wed, 21 Oct 2015 07:28:10 GMT"}
    with LoopbackRegistry(shelf, Behaviour(answers=[(503, dates, b"")])) as registry:
        assert client().manifest(registry.reference()).body
    assert waits == [20]


@given(st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=40), st.none() | st.integers())
def test_no_time_to_wait_makes_the_reader_fail(text: str, year: int | None) -> None:
    value = text if year is None else f"Wed, 21 Oct {year} 07:28:30 GMT"
    sent = [(b"Retry-After", value.encode("latin-1")), (b"Date", b"Wed, 21 Oct 2015 07:28:10 GMT")]
    pause = _retry_after(httpx.Headers(sent))
    assert pause is None or pause >= 0


def test_retries_end(shelf: Shelf, client: Client, waits: Waits) -> None:
    with LoopbackRegistry(shelf, Behaviour(answers=[(503, {}, b"")] * 10)) as registry:
        with pytest.raises(AccessError, match="HTTP 503"):
            client().manifest(registry.reference())
        assert len(registry.seen) == 4
        assert len(waits) == 3


def test_a_wait_of_hours_is_not_waited_for(shelf: Shelf, client: Client, waits: Waits) -> None:
    with LoopbackRegistry(shelf, Behaviour(answers=[(429, {"Retry-After": "21600"}, b"")])) as registry:
        with pytest.raises(AccessError, match="limits our requests"):
            client().manifest(registry.reference())
        assert waits == []


def test_a_registry_that_is_not_there_is_said_to_be_so(client: Client, waits: Waits) -> None:
    with LoopbackRegistry(Shelf()) as registry:
        reference = registry.reference()
    with pytest.raises(AccessError, match="could not be reached"):
        client().manifest(reference)
    assert len(waits) == 3


def test_a_redirect_elsewhere_takes_no_credentials_along(shelf: Shelf, client: Client) -> None:
    digest = shelf.blob(b"layer")
    with LoopbackRegistry(shelf) as storage:
        behaviour = Behaviour(login="basic", blobs_elsewhere=f"http://{storage.host}")
        with LoopbackRegistry(shelf, behaviour) as registry:
            assert client().blob(registry.reference(), digest, limit=10) == b"layer"
            assert "authorization" in registry.seen[-1][1]
        assert [path for path, _ in storage.seen] == [f"/elsewhere/{digest}"]
        assert "authorization" not in storage.seen[0][1]


def test_redirects_end(shelf: Shelf, client: Client) -> None:
    digest = shelf.blob(b"layer")
    with LoopbackRegistry(shelf) as registry:
        registry.behaviour.answers = [(307, {"Location": f"/again/{number}"}, b"") for number in range(20)]
        with pytest.raises(AccessError, match="redirects more than 5 times"):
            client().blob(registry.reference(), digest, limit=10)


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_stream_is_taken_up_where_it_broke(shelf: Shelf, client: Client, ranges: bool) -> None:
    body = bytes(range(256)) * 4096
    digest = shelf.blob(body)
    behaviour = Behaviour(times_broken=3, break_off_after=200_000, ranges=ranges)
    with LoopbackRegistry(shelf, behaviour) as registry:
        with client().open_blob(registry.reference(), digest) as chunks:
            assert digest_of(b"".join(chunks)) == digest
        assert len(registry.seen) == 4
        assert registry.seen[1][1]["range"].startswith("bytes=")


def test_a_stream_that_breaks_for_ever_is_given_up(shelf: Shelf, client: Client) -> None:
    digest = shelf.blob(bytes(1000))
    with LoopbackRegistry(shelf, Behaviour(times_broken=100, break_off_after=1)) as registry, client() as puller:
        chunks = puller.open_blob(registry.reference(), digest)
        with chunks as opened, pytest.raises(AccessError, match="broke off"):
            list(opened)


def test_a_long_download_is_taken_up_as_often_as_it_gets_on(shelf: Shelf, client: Client) -> None:
    piece = 8 << 20
    body = bytes(range(256)) * (piece * 8 // 256)
    digest = shelf.blob(body)
    behaviour = Behaviour(times_broken=8, break_off_after=piece)
    with LoopbackRegistry(shelf, behaviour) as registry:
        with client().open_blob(registry.reference(), digest) as chunks:
            assert sum(len(chunk) for chunk in chunks) == len(body)
        assert len(registry.seen) == 8


def test_a_download_that_broke_at_its_very_end_is_whole(shelf: Shelf, client: Client) -> None:
    body = bytes(range(256)) * 512
    digest = shelf.blob(body)
    # The last byte came, and the connection broke before its end was told.
    behaviour = Behaviour(times_broken=1, break_off_after=len(body), promised=len(body) + 1)
    with LoopbackRegistry(shelf, behaviour) as registry:
        with client().open_blob(registry.reference(), digest) as chunks:
            assert b"".join(chunks) == body
        assert registry.seen[1][1]["range"] == f"bytes={len(body)}-"


def test_a_digest_header_that_lies_is_found_out(shelf: Shelf, client: Client) -> None:
    with LoopbackRegistry(shelf, Behaviour(content_digest="sha256:" + "0" * 64)) as registry, client() as puller:
        reference = registry.reference()
        with pytest.raises(AccessError, match="is something else"):
            puller.manifest(reference)


def test_a_manifest_without_end_is_cut_off(shelf: Shelf, client: Client) -> None:
    shelf.manifests["tag1"] = ("application/json", bytes(5 << 20))
    with LoopbackRegistry(shelf) as registry, pytest.raises(AccessError, match="more than 4194304 bytes"):
        client().manifest(registry.reference())


def test_what_is_no_registry_is_said_to_be_none(shelf: Shelf, client: Client) -> None:
    with LoopbackRegistry(shelf, Behaviour(answers=[(405, {}, b"<html>\x1b[31m")])) as registry:
        with pytest.raises(AccessError, match="as a registry should") as refused:
            client().manifest(registry.reference())
        assert "HTTP 405" in refused.value.why


def test_a_refusal_without_end_is_a_refusal(shelf: Shelf, client: Client) -> None:
    with LoopbackRegistry(shelf, Behaviour(answers=[(403, {}, b"[" * 100_000)])) as registry:
        with pytest.raises(AccessError, match="credentials") as refused:
            client().manifest(registry.reference())
        assert refused.value.why == "It answered HTTP 403."


def test_tls_is_used_with_the_authority_that_is_named(shelf: Shelf, client: Client, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    with LoopbackRegistry(shelf, tls=context) as registry:
        assert client(ca_file=str(ca_file)).manifest(registry.reference()).body
        with pytest.raises(AccessError, match="is not trusted") as refused:
            client().manifest(registry.reference())
        assert "AWS_CA_BUNDLE" in refused.value.then


def test_an_authority_file_that_is_none_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / "ca.pem"
    bad.write_text(json.dumps({}))
    with pytest.raises(AccessError, match="cannot be used"):
        RegistryClient(sleep=lambda _: None, ca_file=str(bad))
