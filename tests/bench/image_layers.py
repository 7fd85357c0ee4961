"""An image of a gigabyte as such images are: a distribution, its packages, a Python environment, Java, an application.

Everything comes from one seed. Files differ from one another but are cut from a few pools, which are made of parts as
often and as seldom as in real text and machine code, so that they pack about as well (real images: 0.30 to 0.40).
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import io
import itertools
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backports import zstd

from migrate.core.image.documents import Descriptor
from migrate.core.image.executables import AARCH64_MACHINE
from tests.fakes.streams import Unseekable

SEED = 20261125
_MIB = 1 << 20
_POOL = 8 * _MIB
_WORDS, _OPERATIONS = 6000, 1500


@dataclass(frozen=True)
class Layer:
    """One layer to be made: its name, how it is packed, and how much of each kind it holds, in MiB."""

    name: str
    packing: str
    text: int = 0
    python: int = 0
    libraries: int = 0
    large: int = 0
    media: int = 0
    archives: int = 0


LAYERS = (
    Layer("distribution", "gzip", text=45, python=5, libraries=60, media=5),
    Layer("packages", "gzip", text=120, python=20, libraries=150, large=60, media=10),
    Layer("environment", "gzip", text=40, python=160, libraries=120, archives=10),
    Layer("java", "zstd", text=20, libraries=50, archives=60),
    Layer("application", "gzip", text=25, python=25, large=30, media=15),
)


class _Pools:
    """What files are cut from."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - the same image every time is the point
        letters = "etaoinshrdlcumwfgypbvk"
        words = ["".join(self.random.choices(letters, k=self.random.randint(2, 10))) for _ in range(_WORDS)]
        self.text = self._drawn([f"{word} ".encode() for word in words], 0.9)
        lines = [
            "    " * self.random.randint(0, 3)
            + " ".join(self.random.choices(words, k=self.random.randint(1, 7)))
            + "\n"
            for _ in range(_WORDS)
        ]
        names = [f"{word}(self, {other}).".encode() for word, other in itertools.pairwise(words)]
        self.python = self._drawn([line.encode() for line in lines[:900]] + names, 0.8)
        operations = [self.random.randbytes(self.random.choice((4, 4, 4, 8))) for _ in range(_OPERATIONS)]
        self.code = self._drawn(operations, 1.0)
        self.noise = self.random.randbytes(_POOL)

    def _drawn(self, parts: list[bytes], skew: float) -> bytes:
        weights = [1 / (rank + 1) ** skew for rank in range(len(parts))]
        size = sum(len(part) for part in parts) / len(parts)
        return b"".join(self.random.choices(parts, weights, k=int(_POOL / size)))

    def cut(self, pool: bytes, size: int) -> bytes:
        """Return ``size`` bytes from somewhere in a pool, with a start of their own."""
        own = self.random.randbytes(8).hex().encode()
        parts = [own]
        while size > 0:
            at = self.random.randrange(len(pool) - 1)
            parts.append(pool[at : at + size])
            size -= len(parts[-1])
        return b"".join(parts)

    def size(self, mean: int) -> int:
        """Return a size of which most are small and few are large, as files are."""
        return min(int(self.random.lognormvariate(0, 1.1) * mean * 0.55) + 1, 40 * mean)


def elf_library(body: bytes, needed: tuple[str, ...], *, is_program: bool) -> bytes:
    """Return a 64-bit ELF file for arm64 with an interpreter, a dynamic section and the strings that it refers to."""
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in (*needed, "$ORIGIN/../lib"))
    loader = b"/lib/ld-linux-aarch64.so.1\0" if is_program else b""
    table, count = 64, 3 if is_program else 2
    loader_at = table + 56 * count
    strings_at = loader_at + len(loader)
    dynamic_at = strings_at + len(strings) + len(body)
    tags, at = [], 1
    for name in needed:
        tags.append((1, at))
        at += len(name) + 1
    dynamic = b"".join(
        struct.pack("<QQ", *tag) for tag in (*tags, (29, at), (5, strings_at), (10, len(strings)), (0, 0))
    )
    size = dynamic_at + len(dynamic)
    segments = [(1, 0, size), (2, dynamic_at, len(dynamic)), *([(3, loader_at, len(loader))] if is_program else [])]
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, AARCH64_MACHINE, 1, 0, table, 0, 0, 64, 56, count, 64, 0, 0)
    headers = b"".join(
        struct.pack("<IIQQQQQQ", kind, 4, at, at, at, length, length, 8) for kind, at, length in segments
    )
    return header + headers + loader + strings + body + dynamic


def _files(layer: Layer, pools: _Pools) -> Iterator[tuple[str, bytes, int]]:
    """Yield name, content and mode; every kind until it has its size."""
    numbers = itertools.count()
    for folder, ending, pool, mean, amount in (
        ("usr/share/doc", "", pools.text, 11_000, layer.text),
        ("usr/lib/python3/dist-packages", ".py", pools.python, 12_000, layer.python * 6 // 10),
        ("usr/lib/python3/dist-packages", ".pyc", pools.python[::-1], 11_000, layer.python * 4 // 10),
        ("usr/share/icons", ".png", pools.noise, 20_000, layer.media),
    ):
        left = amount * _MIB
        while left > 0:
            size = pools.size(mean)
            left -= size
            yield f"{folder}/{_folder(next(numbers))}{ending}", pools.cut(pool, size), 0o644
    for mean, amount in ((220_000, layer.libraries), (25 * _MIB, layer.large)):
        left = amount * _MIB
        while left > 0:
            number = next(numbers)
            size = min(pools.size(mean), left)
            left -= size
            needed = (*(f"lib{layer.name}{number - step}.so.1" for step in range(1, 5)), "libc.so.6")
            is_program = number % 5 == 0
            name = (
                f"usr/bin/program{number}" if is_program else f"usr/lib/aarch64-linux-gnu/lib{layer.name}{number}.so.1"
            )
            yield name, elf_library(pools.cut(pools.code, size), needed, is_program=is_program), 0o755
    left = layer.archives * _MIB
    while left > 0:
        content = _archive(pools)
        left -= len(content)
        yield f"opt/app/lib/part{next(numbers)}.jar", content, 0o644


def _folder(number: int) -> str:
    return f"package-{number // 23}/part{number % 3}/file{number}"


def _archive(pools: _Pools) -> bytes:
    """Return a jar of many small classes as Java's own writer makes them, one in four with a library inside."""
    buffer = io.BytesIO()
    # A writer that cannot go back puts sizes behind the members, as java.util.zip does.
    with zipfile.ZipFile(Unseekable(buffer), "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for number in range(pools.random.randint(50, 900)):
            pool = pools.python if number % 2 else pools.code
            content = b"\xca\xfe\xba\xbe" + pools.cut(pool, pools.size(4_000))
            archive.writestr(zipfile.ZipInfo(f"org/example/part{number}.class"), content, zipfile.ZIP_DEFLATED)
        if pools.random.random() < 0.25:
            library = elf_library(pools.cut(pools.code, 90_000), ("libc.so.6",), is_program=False)
            archive.writestr(zipfile.ZipInfo("native/linux-aarch64/libnative.so"), library, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _tar(layer: Layer, seed: int) -> Iterator[bytes]:
    folders: set[str] = set()
    for name, content, mode in _files(layer, _Pools(seed)):
        parts = name.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in folders:
                folders.add(folder)
                info = tarfile.TarInfo(f"{folder}/")
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                yield info.tobuf(tarfile.PAX_FORMAT)
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = len(content), mode, 1_700_000_000
        yield info.tobuf(tarfile.PAX_FORMAT) + content + bytes(-len(content) % 512)
    yield bytes(1024)


def _write(layer: Layer, seed: int, path: Path) -> tuple[str, int, int]:
    """Write one layer; return its digest, its size and its size unpacked."""
    packer = zstd.ZstdCompressor(level=3) if layer.packing == "zstd" else zlib.compressobj(6, zlib.DEFLATED, 31)
    digest, size, unpacked = hashlib.sha256(), 0, 0
    with path.open("wb") as file:
        for piece in itertools.chain(_tar(layer, seed), (None,)):
            packed = packer.flush() if piece is None else packer.compress(piece)
            unpacked += len(piece or b"")
            digest.update(packed)
            size += len(packed)
            file.write(packed)
    return f"sha256:{digest.hexdigest()}", size, unpacked


@dataclass(frozen=True)
class MadeImage:
    """The layers in order, where each lies, and how large they are unpacked."""

    layers: tuple[Descriptor, ...]
    files: dict[str, Path]
    unpacked: int


def make_image(folder: Path) -> MadeImage:
    """Make the image, two layers at a time."""
    paths = [folder / layer.name for layer in LAYERS]
    seeds = [SEED + number for number in range(len(LAYERS))]
    with concurrent.futures.ProcessPoolExecutor(max_workers=2) as pool:
        made = list(pool.map(_write, LAYERS, seeds, paths))
    layers = tuple(Descriptor("", digest, size) for digest, size, _ in made)
    files = {digest: path for (digest, _, _), path in zip(made, paths, strict=True)}
    return MadeImage(layers, files, sum(unpacked for _, _, unpacked in made))
