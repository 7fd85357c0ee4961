from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tarfile
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from migrate.adapters.registry.byte_stream import ByteStream
from migrate.adapters.registry.compression import UnreadableLayerError
from migrate.adapters.registry.file_window import WINDOW
from migrate.adapters.registry.layers import LayerLimits, LayerReader
from migrate.adapters.registry.read_ahead import read_ahead
from migrate.core.image.documents import Descriptor
from migrate.core.image.executables import Archive, ElfHeader, Executable, Script
from migrate.core.image.filesystem import File, FileTree
from migrate.core.image.index import ImageReference
from migrate.core.image.package_files import LARGEST_KEPT, kept_bytes
from migrate.errors import AccessError
from tests.fakes.elf_content import dynamic_elf
from tests.fakes.image_content import AMD64_ELF, ARM64_ELF, REPOSITORY, Entry, Shelf, link, tar
from tests.fakes.image_registry import FakeImageRegistry
from tests.unit.registry.test_zip_files import as_java_writes, zipped

REFERENCE = ImageReference("registry.example", REPOSITORY, "tag1")


def tree_of(*layers: bytes, limits: LayerLimits | None = None) -> FileTree:
    shelf = Shelf()
    descriptors = tuple(Descriptor("", shelf.blob(layer)) for layer in layers)
    return LayerReader(FakeImageRegistry(shelf), limits or LayerLimits()).tree(REFERENCE, descriptors)


def content(tree: FileTree, path: str) -> Executable:
    node = tree.find(path).node
    assert isinstance(node, File)
    return node.content


def kept(tree: FileTree, path: str) -> bytes:
    node = tree.find(path).node
    assert isinstance(node, File)
    return node.kept


@pytest.mark.parametrize("start", [0, 1 << 20, (1 << 20) - 700, 3 << 19])
@pytest.mark.parametrize(
    ("before", "between", "strings_last"),
    [(0, 0, False), (3 << 20, 5 << 20, False), (0, WINDOW + (1 << 20), False), (1 << 20, WINDOW + 5000, True)],
)
def test_needs_are_read_wherever_a_linker_and_a_piece_put_them(
    start: int, before: int, between: int, *, strings_last: bool
) -> None:
    body = dynamic_elf(("a.so", "libc.so.6"), before_strings=before, between=between, strings_last=strings_last)
    tree = tree_of(tar(Entry("first", bytes(start), 0o644), Entry("app", body), Entry("after", AMD64_ELF)))
    wanted = ElfHeader(0xB7, "", ("a.so", "libc.so.6"))
    # Strings that stand behind the section, and further off than what is held, can still be had: they are to come.
    assert content(tree, "/app") == wanted
    assert content(tree, "/after") == ElfHeader(0x3E)


def test_jars_and_wheels_of_a_layer_are_looked_into() -> None:
    big = zipped({"big.bin": os.urandom(WINDOW), "x86.so": AMD64_ELF})
    tree = tree_of(
        tar(
            Entry("app.jar", as_java_writes({"native.so": AMD64_ELF}), 0o644),
            Entry("big.whl", big, 0o644),
            Entry("text.jar", b"no zip file", 0o644),
            Entry("other.txt", zipped({"a.so": ARM64_ELF}), 0o644),
            Entry("cut.jar", zipped({"a.so": ARM64_ELF})[:40], 0o644),
            Entry("after", ARM64_ELF),
        )
    )
    assert content(tree, "/app.jar") == Archive((("native.so", ElfHeader(0x3E)),))
    assert content(tree, "/big.whl") == Archive((("x86.so", ElfHeader(0x3E)),))
    cut = content(tree, "/cut.jar")
    assert isinstance(cut, Archive)
    assert cut.fault
    assert not isinstance(content(tree, "/text.jar"), Archive)
    assert not isinstance(content(tree, "/other.txt"), Archive)
    assert content(tree, "/after") == ElfHeader(0xB7)


def test_what_says_what_is_installed_is_kept() -> None:
    large = b"Package: x\n" * (LARGEST_KEPT // 8)
    tree = tree_of(
        tar(
            Entry("./var/lib/dpkg/status", b"Package: a\n", 0o644),
            Entry("var/lib/dpkg/status.d/base", b"Package: b\n", 0o644),
            Entry("var/lib/dpkg/info/a.list", b"/usr/bin/a\n", 0o644),
            Entry("lib/apk/db/installed", large, 0o644),
            Entry("usr/lib/python3/site-packages/a.dist-info/RECORD", b"a.so,,\n", 0o644),
            Entry("var/lib/rpm/Packages", b"rpm", 0o644),
            Entry("home/status", b"no", 0o644),
        ),
        tar(Entry("var/lib/dpkg/status", b"Package: c\n", 0o644)),
    )
    assert kept(tree, "/var/lib/dpkg/status") == b"Package: c\n"
    assert kept(tree, "/var/lib/dpkg/status.d/base") == b"Package: b\n"
    assert kept(tree, "/var/lib/dpkg/info/a.list") == b"/usr/bin/a\n"
    assert kept(tree, "/lib/apk/db/installed") == large[:LARGEST_KEPT]
    assert kept(tree, "/usr/lib/python3/site-packages/a.dist-info/RECORD") == b"a.so,,\n"
    assert kept(tree, "/var/lib/rpm/Packages") == kept(tree, "/home/status") == b""


def test_most_files_are_not_kept() -> None:
    assert kept_bytes("app/node_modules/a/package.json") == 0
    assert kept_bytes("usr/lib/a.dist-info/METADATA") == 0
    assert kept_bytes("var/lib/dpkg/info/a.md5sums") == 0


def test_only_shell_scripts_have_their_text_kept() -> None:
    tree = tree_of(tar(Entry("a", b"#!/bin/sh\nexec app\n"), Entry("b", b"#!/usr/bin/env python3\nimport os\n")))
    assert content(tree, "/a") == Script("/bin/sh", "", "#!/bin/sh\nexec app\n")
    assert content(tree, "/b") == Script("/usr/bin/env", "python3", "#!/usr/bin/env python3")


@pytest.mark.parametrize("at", [3, 105, 130, 260, 340, 500])
def test_a_damaged_header_is_not_taken_for_a_good_one(at: int) -> None:
    body = bytearray(tar(Entry("app", ARM64_ELF), format_=tarfile.USTAR_FORMAT))
    body[at] ^= 1
    with pytest.raises(UnreadableLayerError):
        tree_of(bytes(body))


def test_times_of_gnu_headers_are_not_taken_for_a_folder() -> None:
    block = bytearray(tar(Entry("app", ARM64_ELF), format_=tarfile.GNU_FORMAT))
    block[345:357] = b"14000000000\0"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:512])
    assert [path for path, _ in tree_of(bytes(block)).files()] == ["/app"]


def test_a_gzip_header_with_a_checksum_of_its_own_is_read() -> None:
    body = tar(Entry("app", ARM64_ELF))
    header = b"\x1f\x8b\x08\x02" + bytes(6)
    check = (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little")
    assert content(tree_of(header + check + gzip.compress(body)[10:]), "/app") == ElfHeader(0xB7)


def test_many_small_gzip_members_are_read_as_one() -> None:
    body = tar(*(Entry(f"file{number}", ARM64_ELF) for number in range(500)))
    packed = b"".join(gzip.compress(body[at : at + 100]) for at in range(0, len(body), 100))
    assert len(list(tree_of(packed).files())) == 500


def test_a_directory_that_becomes_a_link_leads_elsewhere_from_then_on() -> None:
    lower = tar(Entry("a/one", ARM64_ELF), Entry("b/two", ARM64_ELF))
    tree = tree_of(lower, tar(Entry("a/new", ARM64_ELF), link("a", "b"), Entry("a/three", ARM64_ELF)))
    assert [path for path, _ in tree.files()] == ["/b/three", "/b/two"]


def test_directories_that_no_entry_named_count_as_entries() -> None:
    deep = [Entry(f"{number}/" + "d/" * 100 + "file") for number in range(20)]
    with pytest.raises(UnreadableLayerError, match="more than 1000 entries"):
        tree_of(tar(*deep), limits=LayerLimits(entries=1000))


def test_link_targets_without_end_are_refused() -> None:
    links = tar(*(link(f"l{number}", "t/" * 2000) for number in range(30)))
    with pytest.raises(UnreadableLayerError, match="names without end"):
        tree_of(links, limits=LayerLimits(name_bytes=100_000))


def test_links_that_waste_steps_are_a_fault() -> None:
    winding = "a/../" * 700
    tree = tree_of(tar(Entry("a/file"), link("b", winding), link("c", f"b/{winding}"), Entry("c/x", ARM64_ELF)))
    assert tree.faults


def test_a_part_of_a_name_that_no_file_system_takes_is_refused() -> None:
    with pytest.raises(UnreadableLayerError, match="255 bytes"):
        tree_of(tar(Entry("a/" + "n" * 300)))


def test_more_extended_headers_than_any_writer_makes_are_refused() -> None:
    one = tar(Entry("n" * 200), format_=tarfile.GNU_FORMAT)[:1024]
    with pytest.raises(UnreadableLayerError, match="more than 16 extended headers"):
        tree_of(one * 20 + tar(Entry("app")))


def test_a_layer_that_does_not_end_is_given_up() -> None:
    shelf = Shelf()
    digest = shelf.blob(tar(Entry("app")) + bytes(70 << 20))
    with pytest.raises(UnreadableLayerError, match="still being sent"):
        LayerReader(FakeImageRegistry(shelf)).tree(REFERENCE, (Descriptor("", digest, 10),))


@pytest.mark.parametrize("damage", [lambda body: body[:-300], lambda _: b"<html>Sorry</html>" * 100])
def test_what_was_damaged_on_its_way_is_told_from_what_was_built_badly(damage: Callable[[bytes], bytes]) -> None:
    shelf = Shelf()
    body = gzip.compress(tar(Entry("app", os.urandom(2 << 20))))
    digest = shelf.blob(body)
    shelf.blobs[digest] = damage(body)
    with pytest.raises(AccessError, match="something else"):
        LayerReader(FakeImageRegistry(shelf)).tree(REFERENCE, (Descriptor("", digest),))


def test_no_thread_is_left_behind_whatever_happens() -> None:
    good = gzip.compress(tar(Entry("app", os.urandom(8 << 20))))
    for body in (good, good[: len(good) // 2], b"x" * (4 << 20), gzip.compress(b"x" * (4 << 20))):
        with suppress(UnreadableLayerError):
            tree_of(body, limits=LayerLimits(unpacked_bytes=6 << 20))
        assert not [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_what_makes_pieces_fails_where_they_are_taken() -> None:
    def broken() -> Iterator[bytes]:
        yield b"one"
        raise OSError("gone")

    with read_ahead(broken(), ahead=1) as pieces, pytest.raises(OSError, match="gone"):
        list(pieces)


def test_a_stream_gives_the_same_whatever_its_pieces() -> None:
    body = bytes(range(256)) * 4
    for size in (1, 3, 100, 5000):
        stream = ByteStream(body[at : at + size] for at in range(0, len(body), size))
        assert stream.peek(20) == stream.read(20) == body[:20]
        assert stream.skip(100)
        found = stream.some(10)
        stream.return_to_stream(len(found))
        assert bytes(stream.view(1)) == body[120:121]
        assert stream.passed_by(10_000) == len(body) - 121
        assert stream.read(1) == stream.peek(1) == stream.some(1) == b""
        assert not stream.skip(1)


def test_everything_is_read_without_isa_l_too() -> None:
    """Where ISA-L has no wheel, zlib stands in: the same tests, in a process that cannot import it."""
    tests = [str(Path(__file__).with_name(name)) for name in ("test_layers.py", "test_zip_files.py")]
    code = "import sys; sys.modules['isal'] = None; import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "-q", "-p", "no:cacheprovider", *tests]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
