"""What is fuzzed: each target takes any bytes and must end soon, in little memory, without an error but its own.

The corpus holds seeds (made by ``make_corpus``) and what the fuzzer has found; both are replayed by the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from migrate.adapters.registry.byte_stream import ByteStream
from migrate.adapters.registry.compression import UnreadableLayerError, decompressed, unreadable
from migrate.adapters.registry.file_content import ContentReader
from migrate.adapters.registry.file_window import FileWindow
from migrate.adapters.registry.layer_records import decoded, encoded
from migrate.adapters.registry.layers import LayerLimits, LayerReader
from migrate.adapters.registry.tar_stream import tar_entries
from migrate.adapters.registry.zip_stream import read_zip
from migrate.core.build.dockerfile import parse_dockerfile
from migrate.core.build.dockerfile_stages import BuildTarget, build_graph
from migrate.core.image.documents import Descriptor
from migrate.core.image.elf_files import ElfHeader, read_elf
from migrate.core.image.evidence import ExpectedIndex, stage_one_evidence
from migrate.core.image.executables import read_executable
from migrate.core.image.facts import FetchedContent, FetchedManifest
from migrate.core.image.index import ImageReference, children_to_fetch, classify
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64
from tests.fakes.image_content import REPOSITORY, Shelf
from tests.fakes.image_registry import FakeImageRegistry

CORPUS = Path(__file__).parent / "corpus"

_REFERENCE = ImageReference("registry.example", REPOSITORY, "tag1")
_DIGEST = f"sha256:{'0' * 64}"
_TARGET = BuildTarget(LINUX_ARM64, LINUX_AMD64, None, (("VERSION", "1"),))
_MOST_UNPACKED = 16 << 20
_LONGEST = 1 << 20
_LIMITS = LayerLimits(entries=2000, unpacked_bytes=_MOST_UNPACKED)


class _Budget:
    """Refuses what goes beyond the limit of one run."""

    def __init__(self) -> None:
        self.left = _MOST_UNPACKED

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise unreadable("The budget is used up.")


def _pieces(body: bytes) -> Iterator[bytes]:
    """Cut the input as its own first byte says: where pieces end must not matter."""
    size = body[0] + 1 if body else 1
    return (body[at : at + size] for at in range(1, len(body), size))


def _with_checksums(body: bytes) -> bytes:
    """Make the checksums of what looks like tar headers right: no fuzzer guesses them, and behind them is the rest."""
    blocks = bytearray(body)
    for at in range(0, len(blocks) - 511, 512):
        if blocks[at + 257 : at + 262] == b"ustar":
            blocks[at + 148 : at + 156] = b" " * 8
            blocks[at + 148 : at + 156] = b"%06o\0 " % sum(blocks[at : at + 512])
    return bytes(blocks)


def documents(body: bytes) -> None:
    """Read a manifest, an index or a config of this content, and judge it."""
    reference = FetchedManifest(_DIGEST, "", body)
    for child in children_to_fetch(reference.document):
        assert child.digest is not None
    content = FetchedContent({_DIGEST: reference}, {_DIGEST: body})
    facts = classify(_REFERENCE, reference, content)
    for problem in stage_one_evidence(ExpectedIndex(_DIGEST, _DIGEST), facts):
        assert problem.code
        problem.text.encode()


def tar(body: bytes) -> None:
    """Walk through an archive and keep its entries, which must come back from the cache's form as they were."""
    budget = _Budget()
    entries = []
    pieces = _pieces(body[:1] + _with_checksums(body[1:]))
    try:
        for entry in tar_entries(ByteStream(pieces), ContentReader(budget.take)):
            entries.append(entry)
            assert len(entry.path) <= 4096
            assert len(entry.facts.kept) <= len(body)
    except UnreadableLayerError:
        pass
    assert list(decoded(encoded(entries))) == entries


def compression(body: bytes) -> None:
    """Unpack gzip, zstd or what is neither."""
    size = 0
    try:
        for piece in decompressed(_pieces(body)):
            assert len(piece) <= _LONGEST
            size += len(piece)
            if size > _MOST_UNPACKED:
                break
    except UnreadableLayerError:
        pass


def layer(body: bytes) -> None:
    """Unpack a layer and apply it twice, as the second time over what the first one made."""
    shelf = Shelf()
    lower = Descriptor("", shelf.blob(_with_checksums(body)))
    try:
        tree = LayerReader(FakeImageRegistry(shelf), _LIMITS).tree(_REFERENCE, (lower, lower))
    except UnreadableLayerError:
        return
    for path, _ in tree.files():
        assert tree.find(path, follow_last=False).node is not None


def elf(body: bytes) -> None:
    """Read an ELF file, held whole and through a stream that forgets."""
    read_executable(body)
    asked = 0

    def window(at: int, size: int) -> bytes | memoryview:
        nonlocal asked
        asked += 1
        return stream(at, size)

    stream = FileWindow(ByteStream(_pieces(body)), max(0, len(body) - 1))
    found = read_elf(window)
    assert asked < 2000
    if isinstance(found, ElfHeader):
        assert all(found.needed)


def zip_file(body: bytes) -> None:
    """Read a zip file by its directory, and member by member where it has none."""
    for content in (body, body.replace(b"PK\5\6", b"PK\5\7")):
        budget = _Budget()
        try:
            found = read_zip(
                FileWindow(ByteStream(_pieces(content)), max(0, len(content) - 1)), len(content), budget.take
            )
        except UnreadableLayerError:
            continue
        assert len(found.fault) < 100_000


def dockerfile(body: bytes) -> None:
    """Read a Dockerfile and its stages."""
    read = parse_dockerfile(body.decode("utf-8", "replace"))
    assert read.instructions or read.fault
    build_graph(read, _TARGET)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "documents": documents,
    "tar": tar,
    "compression": compression,
    "layer": layer,
    "elf": elf,
    "zip": zip_file,
    "dockerfile": dockerfile,
}
