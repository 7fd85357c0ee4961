"""One suite over the registry port's fake and the real client: against a scripted registry and a real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from migrate.adapters.registry.client import RegistryClient
from migrate.adapters.registry.inspect import RegistryInspector
from migrate.core.image.binaries import BinaryVerdict
from migrate.core.image.index import LINUX_ARM64, ImageReference
from migrate.errors import AccessError, NotFoundError
from migrate.ports import ImageRegistry
from tests.fakes.distribution import distribution
from tests.fakes.image_content import REPOSITORY, Shelf, digest_of, two_platforms
from tests.fakes.image_registry import FakeImageRegistry, LoopbackRegistry

Opened = tuple[ImageRegistry, ImageReference]
Open = Callable[[Shelf], AbstractContextManager[Opened]]


@contextmanager
def _fake(shelf: Shelf) -> Iterator[Opened]:
    yield FakeImageRegistry(shelf), ImageReference("registry.example", REPOSITORY, "tag1")


@contextmanager
def _real(shelf: Shelf) -> Iterator[Opened]:
    with LoopbackRegistry(shelf) as registry, RegistryClient(sleep=lambda _: None) as client:
        yield client, registry.reference()


@contextmanager
def _distribution(shelf: Shelf) -> Iterator[Opened]:
    with (
        TemporaryDirectory() as directory,
        distribution(Path(directory)) as registry,
        RegistryClient(sleep=lambda _: None) as client,
    ):
        registry.push(shelf)
        yield client, registry.reference()


SCRIPTED = [pytest.param(_fake, id="fake"), pytest.param(_real, id="real")]
DISTRIBUTION = pytest.param(_distribution, id="distribution", marks=pytest.mark.e2e)


@pytest.fixture(params=[*SCRIPTED, DISTRIBUTION])
def opened(request: pytest.FixtureRequest) -> Open:
    opener: Open = request.param
    return opener


@pytest.fixture(params=SCRIPTED)
def lying(request: pytest.FixtureRequest) -> Open:
    """Open a registry whose content may be anything; a real one takes nothing that its digest does not name."""
    opener: Open = request.param
    return opener


def test_a_tag_and_its_digest_give_the_same_document(opened: Open) -> None:
    shelf = Shelf()
    _, _, index = two_platforms(shelf)
    with opened(shelf) as (registry, reference):
        by_tag = registry.manifest(reference)
        assert (by_tag.digest, by_tag.media_type) == (index["digest"], index["mediaType"])
        assert registry.manifest(reference.at(by_tag.digest)) == by_tag
        assert digest_of(by_tag.body) == by_tag.digest


@pytest.mark.parametrize("wanted", ["tag2", "sha256:" + "0" * 64])
def test_a_missing_manifest_is_not_found(opened: Open, wanted: str) -> None:
    with opened(Shelf()) as (registry, reference):
        asked = reference.at(wanted) if ":" in wanted else reference.tagged(wanted)
        with pytest.raises(NotFoundError, match="does not exist"):
            registry.manifest(asked)


def test_a_missing_repository_is_not_found(opened: Open) -> None:
    shelf = Shelf()
    two_platforms(shelf)
    with opened(shelf) as (registry, reference), pytest.raises(NotFoundError):
        registry.manifest(ImageReference(reference.registry, "team/other", "tag1"))


def test_a_manifest_that_is_not_what_its_digest_says_is_refused(lying: Open) -> None:
    shelf = Shelf()
    _, arm64, _ = two_platforms(shelf)
    shelf.manifests[arm64["digest"]] = (arm64["mediaType"], b'{"schemaVersion":2}')
    with lying(shelf) as (registry, reference), pytest.raises(AccessError, match="is something else"):
        registry.manifest(reference.at(arm64["digest"]))


def test_blobs_come_whole_or_streamed(opened: Open) -> None:
    shelf = Shelf()
    body = bytes(range(256)) * 1000
    digest = shelf.blob(body)
    with opened(shelf) as (registry, reference):
        assert registry.blob(reference, digest, limit=len(body)) == body
        with registry.open_blob(reference, digest) as chunks:
            assert b"".join(chunks) == body


def test_a_blob_over_the_limit_is_refused(opened: Open) -> None:
    shelf = Shelf()
    digest = shelf.blob(b"12345")
    with opened(shelf) as (registry, reference), pytest.raises(AccessError):
        registry.blob(reference, digest, limit=4)


def test_a_missing_blob_is_not_found(opened: Open) -> None:
    with opened(Shelf()) as (registry, reference):
        with pytest.raises(NotFoundError, match="has no blob"):
            registry.blob(reference, "sha256:" + "0" * 64, limit=1)
        with (
            pytest.raises(NotFoundError, match="has no blob"),
            registry.open_blob(reference, "sha256:" + "0" * 64) as chunks,
        ):
            list(chunks)


def test_a_blob_that_is_not_what_its_digest_says_is_refused_at_its_end(lying: Open) -> None:
    shelf = Shelf()
    digest = shelf.blob(b"right")
    shelf.blobs[digest] = b"wrong"
    with lying(shelf) as (registry, reference):
        with pytest.raises(AccessError, match="is something else"):
            registry.blob(reference, digest, limit=10)
        with pytest.raises(AccessError, match="is something else"), registry.open_blob(reference, digest) as chunks:
            list(chunks)


@pytest.mark.parametrize("digest", ["md5:0", "sha256:../../x", ""])
def test_a_digest_that_cannot_be_verified_is_refused(opened: Open, digest: str) -> None:
    with opened(Shelf()) as (registry, reference), pytest.raises(AccessError, match="is not a digest"):
        registry.blob(reference, digest, limit=1)


def test_a_stream_may_be_left_before_its_end(opened: Open) -> None:
    shelf = Shelf()
    digest = shelf.blob(bytes(1 << 20))
    with opened(shelf) as (registry, reference):
        with registry.open_blob(reference, digest) as chunks:
            assert next(chunks)
        assert len(registry.blob(reference, digest, limit=1 << 20)) == 1 << 20


def test_an_image_is_judged_alike_over_both(opened: Open) -> None:
    shelf = Shelf()
    _, arm64, index = two_platforms(shelf)
    with opened(shelf) as (registry, reference):
        facts = RegistryInspector(registry).inspect(reference)
        assert facts.digest == index["digest"]
        assert [str(platform) for platform in facts.platforms] == ["linux/amd64", "linux/arm64"]
        child = facts.child_for(LINUX_ARM64)
        assert child is not None
        assert child.digest == arm64["digest"]
        assert child.binary is not None
        assert child.binary.verdict is BinaryVerdict.ARM64
