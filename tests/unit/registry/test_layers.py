from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from backports import zstd

from migrate.adapters.registry.compression import UnreadableLayerError, decompressed
from migrate.adapters.registry.inspect import entrypoint_binary, inspect_image
from migrate.adapters.registry.layers import LayerLimits, read_tree
from migrate.core.image.binaries import BinaryVerdict
from migrate.core.image.documents import Descriptor
from migrate.core.image.executables import ElfHeader
from migrate.core.image.filesystem import File, FileTree
from migrate.core.image.index import ImageReference
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

REFERENCE = ImageReference("registry.example", REPOSITORY, "tag1")
PLAIN = Entry("etc/passwd", b"root", 0o644)


def tree_of(*layers: bytes, limits: LayerLimits | None = None) -> FileTree:
    shelf = Shelf()
    descriptors = tuple(Descriptor("", shelf.blob(layer)) for layer in layers)
    return read_tree(FakeImageRegistry(shelf), REFERENCE, descriptors, limits or LayerLimits())


def paths(tree: FileTree) -> list[str]:
    return [path for path, _ in tree.files()]


def two_frames(body: bytes) -> bytes:
    half = len(body) // 2
    return zstd.compress(body[:half]) + zstd.compress(body[half:])


def two_members(body: bytes) -> bytes:
    half = len(body) // 2
    return gzip.compress(body[:half]) + gzip.compress(body[half:])


@pytest.mark.parametrize("compress", [bytes, gzip.compress, two_members, zstd.compress, two_frames])
def test_c12_layers_are_read_in_every_compression(compress: Callable[[bytes], bytes]) -> None:
    big = Entry("data", bytes(range(256)) * 9000, 0o644)
    tree = tree_of(compress(tar(Entry("app", ARM64_ELF), big)))
    node = tree.find("/app").node
    assert isinstance(node, File)
    assert isinstance(node.content, ElfHeader)
    assert paths(tree) == ["/app", "/data"]


@pytest.mark.parametrize("size", [1, 3, 511])
def test_the_size_of_pieces_does_not_matter(size: int) -> None:
    body = gzip.compress(tar(Entry("app", ARM64_ELF), PLAIN))
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    assert b"".join(decompressed(pieces)) == gzip.decompress(body)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_are_read_in_both_formats(form: int) -> None:
    name = "/".join(["directory-with-a-long-name"] * 8)
    entries = Entry(f"{name}/app", ARM64_ELF), link("app", f"/{name}/app")
    tree = tree_of(tar(*entries, format_=form))
    assert tree.find("/app").path == f"/{name}/app"
    assert isinstance(tree.find("/app").node, File)


def test_whiteouts_touch_lower_layers_only() -> None:
    lower = tar(Entry("a/one"), Entry("a/two"), Entry("b/one"), Entry("c"))
    upper = tar(Entry("a/.wh.one"), Entry("a/new"), Entry("b/new"), Entry("b/.wh..wh..opq"), Entry("c"), Entry(".wh.c"))
    assert paths(tree_of(lower, upper)) == ["/a/new", "/a/two", "/b/new", "/c"]


def test_a_whiteout_takes_a_whole_directory() -> None:
    assert paths(tree_of(tar(Entry("a/b/c"), Entry("d")), tar(Entry(".wh.a")))) == ["/d"]


def test_a_directory_that_is_a_link_below_is_written_through() -> None:
    tree = tree_of(tar(directory("usr/bin"), link("bin", "usr/bin")), tar(Entry("bin/app", ARM64_ELF)))
    assert paths(tree) == ["/usr/bin/app"]
    assert tree.find("/bin/app").path == "/usr/bin/app"


def test_names_and_links_never_leave_the_root() -> None:
    tree = tree_of(tar(Entry("../../etc/app", ARM64_ELF), link("up", "../../../../etc"), link("abs", "/etc/app")))
    assert paths(tree) == ["/etc/app"]
    assert tree.find("/up/app").path == "/etc/app"
    assert tree.find("/../abs").path == "/etc/app"


def test_a_hard_link_outlives_the_name_it_was_made_from() -> None:
    tree = tree_of(tar(Entry("one", ARM64_ELF)), tar(hard_link("two", "one")), tar(Entry(".wh.one")))
    assert paths(tree) == ["/two"]


def damaged(body: bytes) -> bytes:
    return body[:40] + bytes([body[40] ^ 0xFF]) + body[41:]


def header_with(**changes: bytes) -> bytes:
    """Return a header whose fields are overwritten, with a checksum that is right again."""
    places = {"size": (124, 12), "name": (0, 100), "type": (156, 1)}
    block = bytearray(tar(Entry("app", b""), format_=tarfile.GNU_FORMAT)[:512])
    for field, value in changes.items():
        start, length = places[field]
        block[start : start + length] = value.ljust(length, b"\0")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


HOSTILE = {
    "no archive": b"not an archive" * 100,
    "cut off": tar(Entry("app", bytes(5000)))[:2000],
    "cut off in gzip": gzip.compress(tar(PLAIN))[:-20],
    "cut off in zstd": zstd.compress(tar(PLAIN))[:-5],
    "damaged gzip": damaged(gzip.compress(tar(PLAIN))),
    "damaged zstd": b"\x28\xb5\x2f\xfd" + b"\xff" * 100,
    "something after gzip": gzip.compress(tar(PLAIN)) + b"x",
    "size that lies": header_with(size=b"\x80" + b"\xff" * 11) + bytes(1024),
    "negative size": header_with(size=b"\xff" * 12) + bytes(1024),
    "size without end": header_with(size=b"77777777777\0"),
    "endless extension": header_with(type=b"x", size=b"77777777777\0") + bytes(1024),
    "extension of nothing": header_with(type=b"x", size=b"00000000010\0") + b"99 path".ljust(512, b"\0"),
    "extension that stands still": header_with(type=b"x", size=b"00000000010\0") + b"0 path=\n".ljust(512, b"\0"),
    "extension with a bad size": header_with(type=b"x", size=b"00000000012\0") + b"10 size=x\n".ljust(512, b"\0"),
    "sparse map without end": header_with(type=b"S")[:482] + b"\1" + header_with(type=b"S")[483:],
    "something after an empty block": tar(PLAIN)[:1024] + bytes(512) + tar(PLAIN),
    "long name": tar(Entry("n" * 5000, b"")),
}


@pytest.mark.parametrize("layer", HOSTILE.values(), ids=HOSTILE.keys())
def test_c06_damaged_and_hostile_layers_end_in_undecided_evidence(layer: bytes) -> None:
    shelf = Shelf()
    shelf.image("linux/arm64", layers=(layer,), compress=bytes, tag="tag1")
    registry = FakeImageRegistry(shelf)
    child = inspect_image(registry, REFERENCE).children[0]
    found = entrypoint_binary(registry, REFERENCE, child)
    assert found.verdict is BinaryVerdict.UNDECIDED
    assert "A layer cannot be unpacked" in found.reason


def test_too_much_content_and_too_many_entries_are_refused() -> None:
    with pytest.raises(UnreadableLayerError, match="more than an image may hold"):
        tree_of(gzip.compress(tar(Entry("zeros", bytes(5 << 20)))), limits=LayerLimits(unpacked_bytes=1 << 20))
    with pytest.raises(UnreadableLayerError, match="more than 3 entries"):
        tree_of(tar(*(Entry(str(number)) for number in range(5))), limits=LayerLimits(entries=3))


def test_the_limits_are_those_of_all_layers_together() -> None:
    layers = [gzip.compress(tar(Entry(f"zeros-{number}", bytes(2 << 20)))) for number in range(3)]
    with pytest.raises(UnreadableLayerError, match="more than an image may hold"):
        tree_of(*layers, limits=LayerLimits(unpacked_bytes=5 << 20))


@pytest.mark.parametrize("compress", [lambda body: zlib.compress(body, wbits=31), zstd.compress])
def test_memory_stays_flat_whatever_a_layer_expands_to(compress: Callable[[bytes], bytes]) -> None:
    layer = compress(tar(Entry("zeros", bytes(64 << 20), 0o644), Entry("app", AMD64_ELF)))
    tracemalloc.start()
    try:
        tree = tree_of(layer)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert paths(tree) == ["/app", "/zeros"]
    assert peak < 8 << 20


def test_a_deep_path_is_a_fault_and_no_crash() -> None:
    tree = tree_of(tar(Entry("a/" * 1900 + "app", ARM64_ELF)))
    assert tree.faults
    assert paths(tree) == []


def test_links_that_grow_the_path_without_end_are_a_fault() -> None:
    tree = tree_of(tar(directory("a"), link("a/a", "../a/a/x"), Entry("a/a/b", ARM64_ELF)))
    assert tree.faults


def test_many_files_of_one_directory_are_quick() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for number in range(20_000):
            archive.addfile(tarfile.TarInfo(f"usr/share/doc/package/{number}"))
    assert len(paths(tree_of(buffer.getvalue()))) == 20_000
