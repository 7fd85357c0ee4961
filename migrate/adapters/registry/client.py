"""Images over the OCI distribution protocol, every byte checked against the digest it was asked by.

A client of our own over httpx: the Python client there is (oras) neither verifies digests nor honours Retry-After.
Source: OCI distribution specification 1.1 (pulling manifests and blobs, error codes).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Self, TypeVar

import httpx

from migrate.adapters.registry.authentication import Authenticator, challenges, denied
from migrate.adapters.registry.credentials import Credentials, no_credentials
from migrate.adapters.registry.transport import Reply, StatusError, Transport
from migrate.core.image.documents import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    SCHEMA_1,
    SCHEMA_1_SIGNED,
    SCHEMA_1_TYPES,
)
from migrate.core.image.facts import FetchedManifest
from migrate.core.image.names import ImageReference, is_digest
from migrate.errors import AccessError, NotFoundError

_T = TypeVar("_T")

_ACCEPT = f"{OCI_INDEX}, {DOCKER_INDEX}, {OCI_MANIFEST}, {DOCKER_MANIFEST}, {SCHEMA_1_SIGNED}, {SCHEMA_1}, */*;q=0.1"
_LARGEST_MANIFEST = 4 << 20
_CHUNK = 1 << 16
_MOST_RESUMPTIONS = 5
_PROGRESS = 8 << 20
"""Bytes between two breaks that count as a connection that works, however often it breaks."""
_DENIED = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})
_ERROR_TEXT = 200


class RegistryClient:
    """The port ImageRegistry over HTTP.

    ``credentials`` names user and password for a registry's host; ``sleep`` waits a number of seconds between tries;
    ``ca_file`` (AWS_CA_BUNDLE, SSL_CERT_FILE) adds authorities to the system's. Registries on loopback are asked in
    plain HTTP where they speak no TLS. Errors: AccessError for login, permission, network and content that is not
    what its digest says; NotFoundError for what does not exist.
    """

    def __init__(
        self,
        *,
        sleep: Callable[[float], None],
        credentials: Credentials = no_credentials,
        ca_file: str | None = None,
        attempts: int = 5,
    ) -> None:
        self._transport = Transport(sleep=sleep, ca_file=ca_file, attempts=attempts)
        self._authenticator = Authenticator(self._transport, credentials)

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def manifest(self, reference: ImageReference) -> FetchedManifest:
        """Return the manifest or index behind a digest or tag, at most 4 MiB."""
        reply = self._fetch(reference, f"manifests/{reference.wanted}", {"Accept": _ACCEPT}, _LARGEST_MANIFEST)
        media_type = reply.headers.get("Content-Type", "").partition(";")[0].strip()
        sent = reply.headers.get("Docker-Content-Digest", "")
        digest = reference.digest or (sent if is_digest(sent) else "")
        if not digest:
            digest = f"sha256:{hashlib.sha256(reply.body).hexdigest()}"
        elif media_type not in SCHEMA_1_TYPES:
            # A signed schema 1 manifest is named by a part of itself; nothing is judged by it but its age.
            _verify(hashlib.new(_algorithm(digest), reply.body).hexdigest(), digest, reference)
        return FetchedManifest(digest, media_type, reply.body)

    def blob(self, repository: ImageReference, digest: str, *, limit: int) -> bytes:
        """Return a blob of at most ``limit`` bytes."""
        check = hashlib.new(_algorithm(digest))
        body = self._fetch(repository, f"blobs/{digest}", {}, limit).body
        check.update(body)
        _verify(check.hexdigest(), digest, repository)
        return body

    @contextmanager
    def open_blob(self, repository: ImageReference, digest: str) -> Iterator[Iterator[bytes]]:
        """Stream a blob as it is stored; a broken connection is taken up where it broke.

        The digest is verified when the stream ends, which raises AccessError where it is not the one asked for.
        """
        with closing(self._chunks(repository, digest)) as chunks:
            yield chunks

    def _chunks(self, repository: ImageReference, digest: str) -> Generator[bytes, None, None]:
        check = hashlib.new(_algorithm(digest))
        received, broken, at_last_break = 0, 0, 0
        while True:
            ranged = {"Range": f"bytes={received}-"} if received else {}
            try:
                response = self._logged_in(repository, f"blobs/{digest}", ranged, self._transport.open)
            except StatusError as error:
                # Everything was there when the connection broke: the digest says so.
                if received and error.reply.status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                    break
                raise _translated(repository, f"blobs/{digest}", error.reply) from None
            with closing(response):
                skip = received if response.status_code != httpx.codes.PARTIAL_CONTENT else 0
                try:
                    for chunk in response.iter_raw(_CHUNK):
                        fresh = chunk[skip:]
                        skip -= len(chunk) - len(fresh)
                        received += len(fresh)
                        check.update(fresh)
                        yield fresh
                    break
                except httpx.TransportError as error:
                    broken = 1 if received - at_last_break >= _PROGRESS else broken + 1
                    at_last_break = received
                    if broken > _MOST_RESUMPTIONS:
                        raise _broken_off(repository, digest, broken, error) from error
        _verify(check.hexdigest(), digest, repository)

    def _fetch(self, reference: ImageReference, path: str, headers: dict[str, str], limit: int) -> Reply:
        return self._ask(reference, path, headers, lambda request: self._transport.fetch(request, limit=limit))

    def _ask(
        self,
        reference: ImageReference,
        path: str,
        headers: dict[str, str],
        send: Callable[[httpx.Request], _T],
    ) -> _T:
        try:
            return self._logged_in(reference, path, headers, send)
        except StatusError as error:
            raise _translated(reference, path, error.reply) from None

    def _logged_in(
        self,
        reference: ImageReference,
        path: str,
        headers: dict[str, str],
        send: Callable[[httpx.Request], _T],
    ) -> _T:
        """Send with what worked last; where that has expired, or nothing did yet, answer the challenge once."""
        registry, repository = reference.registry, reference.repository
        url = f"{self._transport.base(registry)}/v2/{repository}/{path}"

        def request(authorization: str | None) -> httpx.Request:
            login = {} if authorization is None else {"Authorization": authorization}
            return httpx.Request("GET", url, headers={"Accept-Encoding": "identity", **headers, **login})

        known = self._authenticator.known(registry, repository)
        if known is not None:
            try:
                return send(request(known))
            except StatusError as error:
                if error.reply.status not in _DENIED:
                    raise
                self._authenticator.forget(registry, repository)
        try:
            return send(request(None))
        except StatusError as error:
            if error.reply.status != httpx.codes.UNAUTHORIZED:
                raise
            offered = challenges(error.reply.headers.get_list("WWW-Authenticate"))
        try:
            return send(request(self._authenticator.answer(registry, repository, offered)))
        except StatusError as error:
            self._authenticator.forget(registry, repository)
            failure = self._authenticator.failure(registry)
            if failure is not None and error.reply.status in _DENIED:
                raise failure from None
            raise


def _translated(reference: ImageReference, path: str, reply: Reply) -> AccessError | NotFoundError:
    why = _reason(reply)
    if reply.status in _DENIED:
        return denied(reference.registry, reference.repository, why)
    if reply.status == httpx.codes.NOT_FOUND:
        kind, _, name = path.partition("/")
        return NotFoundError(
            f"{reference} does not exist." if kind == "manifests" else f"{reference.name} has no blob {name}.",
            why=why,
            then="Check the image's name, tag and digest, and whether a lifecycle policy has expired it.",
        )
    return AccessError(
        f"{reference.registry} does not answer for {reference.repository} as a registry should.",
        why=why,
        then="Check that the name is one of a container registry.",
    )


def _broken_off(repository: ImageReference, digest: str, times: int, error: httpx.TransportError) -> AccessError:
    return AccessError(
        f"{repository.registry} broke off sending {digest} {times} times.",
        why=f"{type(error).__name__}: {error}",
        then="Check the network, then run the command again.",
    )


def _reason(reply: Reply) -> str:
    """Return a refusal in words; error codes are those of the distribution specification."""
    try:
        first = json.loads(reply.body)["errors"][0]
        said = f"{first.get('code', '')}: {first.get('message', '')}"
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        said = ""
    printable = "".join(sign for sign in said[:_ERROR_TEXT] if sign.isprintable())
    return f"It answered HTTP {reply.status}{f', {printable}' if printable else ''}."


def _algorithm(digest: str) -> str:
    if not is_digest(digest):
        raise AccessError(
            f"{digest!r} is not a digest that can be verified.",
            why="Only sha256 and sha512 are.",
            then="Rebuild the image with a current builder.",
        )
    return digest.partition(":")[0]


def _verify(found: str, digest: str, reference: ImageReference) -> None:
    if found != digest.partition(":")[2]:
        raise AccessError(
            f"What {reference.name} sent for {digest} is something else.",
            why=f"Its content has the digest {digest.partition(':')[0]}:{found}.",
            then="Do not use this image; look for a proxy or a damaged registry in between.",
        )
