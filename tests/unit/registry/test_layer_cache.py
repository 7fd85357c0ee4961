from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from migrate.adapters.registry.layer_cache import Inventory, LayerCache
from migrate.adapters.registry.layers import LayerLimits, LayerReader
from migrate.core.image.documents import Descriptor
from migrate.core.image.executables import Archive, ElfHeader, Script
from migrate.core.image.filesystem import File, FileTree, Link, Node
from migrate.core.image.index import ImageReference
from migrate.errors import AccessError, MigrateError
from tests.fakes.elf_content import dynamic_elf
from tests.fakes.image_content import (
    AMD64_ELF,
    ARM64_ELF,
    REPOSITORY,
    Entry,
    Shelf,
    directory,
    hard_link,
    link,
    tar,
)
from tests.fakes.image_registry import FakeImageRegistry
from tests.unit.registry.test_zip_files import zipped

REFERENCE = ImageReference("registry.example", REPOSITORY, "tag1")
LOWER = tar(
    Entry("app", dynamic_elf(("libc.so.6",), loader="/lib/ld.so", runpath="$ORIGIN")),
    Entry("run.sh", b"#!/bin/sh -e\nexec /app\n"),
    Entry("lib.jar", zipped({"a.so": AMD64_ELF, "b.so": ARM64_ELF[:10]}), 0o644),
    Entry("var/lib/dpkg/status", b"Package: \xff\n", 0o644),
    Entry("old.exe", b"MZ..", 0o644),
    Entry("nötig", b"text", 0o644),
    directory("etc"),
    link("etc/alias", "../app"),
    hard_link("again", "app"),
)
UPPER = tar(Entry("etc/.wh.alias"), Entry("new", AMD64_ELF))


class Counting(FakeImageRegistry):
    """Counts the blobs that are opened."""

    opened = 0

    @contextmanager
    def open_blob(self, repository: ImageReference, digest: str) -> Iterator[Iterator[bytes]]:
        self.opened += 1
        with super().open_blob(repository, digest) as chunks:
            yield chunks


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def cache(tmp_path: Path) -> LayerCache:
    return LayerCache(tmp_path / "cache" / "layers")


def layers(shelf: Shelf, *bodies: bytes) -> tuple[Descriptor, ...]:
    return tuple(Descriptor("", shelf.blob(body), len(body)) for body in bodies)


def nodes(tree: FileTree) -> list[tuple[str, Node]]:
    links = [
        (path, found.node) for path in ("/etc/alias", "/etc") if (found := tree.find(path, follow_last=False)).node
    ]
    return [*tree.files(), *((path, node) for path, node in links if isinstance(node, Link))]


def test_what_comes_from_the_cache_is_what_was_read(shelf: Shelf, cache: LayerCache) -> None:
    registry, both = Counting(shelf), layers(shelf, LOWER, UPPER)
    plain = LayerReader(registry).tree(REFERENCE, both)
    first = LayerReader(registry, cache=cache).tree(REFERENCE, both)
    opened = registry.opened
    reader = LayerReader(registry, cache=cache)
    again = reader.tree(REFERENCE, both)
    assert registry.opened == opened
    assert nodes(plain) == nodes(first) == nodes(again)
    assert reader.sizes == {layer.digest: layer.size for layer in both}
    contents = {path: node.content for path, node in again.files()}
    assert contents["/app"] == ElfHeader(0xB7, "/lib/ld.so", ("libc.so.6",), ("$ORIGIN",))
    assert contents["/run.sh"] == Script("/bin/sh", "-e", "#!/bin/sh -e\nexec /app\n")
    assert isinstance(contents["/lib.jar"], Archive)
    status = again.find("/var/lib/dpkg/status").node
    assert isinstance(status, File)
    assert status.kept == b"Package: \xff\n"


def test_a_layer_that_two_images_share_is_fetched_once(shelf: Shelf, cache: LayerCache) -> None:
    registry = Counting(shelf)
    base, one, two = layers(shelf, LOWER, UPPER, tar(Entry("other")))
    LayerReader(registry, cache=cache).tree(REFERENCE, (base, one))
    LayerReader(registry, cache=cache).tree(REFERENCE, (base, two))
    assert registry.opened == 3


@pytest.mark.parametrize("kind", ["changed", "cut", "empty", "longer", "another layer's"])
def test_c06_a_damaged_or_tampered_entry_counts_as_none(
    shelf: Shelf, cache: LayerCache, tmp_path: Path, kind: str
) -> None:
    registry = Counting(shelf)
    bad, good = layers(shelf, tar(Entry("app", AMD64_ELF)), tar(Entry("app", ARM64_ELF)))
    for layer in (bad, good):
        LayerReader(registry, cache=cache).tree(REFERENCE, (layer,))
    files = {path.name: path for path in (tmp_path / "cache" / "layers").iterdir()}
    kept, other = (files[f"{layer.digest.replace(':', '-')}.inventory"] for layer in (bad, good))
    body = kept.read_bytes()
    damaged = {
        "changed": body[:-5] + bytes([body[-5] ^ 1]) + body[-4:],
        "cut": body[:-1],
        "empty": b"",
        "longer": body + b"\0\0\0\0",
        "another layer's": other.read_bytes(),
    }
    kept.write_bytes(damaged[kind])
    opened = registry.opened
    tree = LayerReader(registry, cache=cache).tree(REFERENCE, (bad,))
    assert registry.opened == opened + 1
    assert [node.content for _, node in tree.files()] == [ElfHeader(0x3E)]
    assert kept.read_bytes() == body


def test_nothing_is_kept_of_a_layer_that_is_not_what_its_digest_says(shelf: Shelf, cache: LayerCache) -> None:
    (layer,) = layers(shelf, LOWER)
    shelf.blobs[layer.digest] = UPPER
    with pytest.raises(AccessError):
        LayerReader(FakeImageRegistry(shelf), cache=cache).tree(REFERENCE, (layer,))
    assert cache.read(layer.digest) is None


def test_nothing_is_kept_of_a_layer_that_cannot_be_unpacked(shelf: Shelf, cache: LayerCache) -> None:
    (layer,) = layers(shelf, LOWER[:-2000])
    with pytest.raises(MigrateError):
        LayerReader(FakeImageRegistry(shelf), cache=cache).tree(REFERENCE, (layer,))
    assert cache.read(layer.digest) is None


def test_limits_hold_for_what_comes_from_the_cache_too(shelf: Shelf, cache: LayerCache) -> None:
    registry, both = FakeImageRegistry(shelf), layers(shelf, LOWER, UPPER)
    LayerReader(registry, cache=cache).tree(REFERENCE, both)
    for limits in (LayerLimits(entries=5), LayerLimits(unpacked_bytes=1000)):
        with pytest.raises(MigrateError, match="A layer cannot be unpacked"):
            LayerReader(registry, limits, cache).tree(REFERENCE, both)


def test_a_directory_that_cannot_be_written_is_no_hindrance(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    registry, both = Counting(shelf), layers(shelf, LOWER, UPPER)
    for _ in range(2):
        tree = LayerReader(registry, cache=LayerCache(tmp_path / "file" / "layers")).tree(REFERENCE, both)
        assert len(list(tree.files())) > 3
    assert registry.opened == 4


def test_entries_that_were_not_used_for_longest_make_room(tmp_path: Path) -> None:
    cache = LayerCache(tmp_path, largest=700)
    digests = [f"sha256:{number:064x}" for number in range(4)]
    for age, digest in enumerate(digests[:3]):
        cache.write(digest, Inventory(1, 1, 0, ()))
        path = tmp_path / f"{digest.replace(':', '-')}.inventory"
        os.utime(path, (1000 + age, 1000 + age))
    size = path.stat().st_size
    assert cache.read(digests[0]) is not None
    LayerCache(tmp_path, largest=3 * size).write(digests[3], Inventory(1, 1, 0, ()))
    assert [cache.read(digest) is not None for digest in digests] == [True, False, True, True]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_what_is_kept_is_the_operator_s_own(shelf: Shelf, cache: LayerCache, tmp_path: Path) -> None:
    LayerReader(FakeImageRegistry(shelf), cache=cache).tree(REFERENCE, layers(shelf, LOWER))
    (path,) = (tmp_path / "cache" / "layers").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
