"""How fast a gigabyte of image is scanned, beside unpacking it alone and beside `tar` and `file`; memory and traffic.

Both sides of a ratio are measured in turn within one run, and the best of several turns counts: what else the machine
does meanwhile slows down either.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backports import zstd

from migrate.adapters.registry.layer_cache import LayerCache
from migrate.adapters.registry.layers import LayerReader
from migrate.core.image.documents import Descriptor
from migrate.core.image.facts import FetchedManifest
from migrate.core.image.filesystem import FileTree
from migrate.core.image.names import ImageReference
from migrate.errors import AccessError
from tests.bench.image_layers import MadeImage, make_image

Figure = tuple[str, float, str]

_TURNS = 5
_INPUT, _OUTPUT, _CHUNK = 1 << 18, 1 << 20, 1 << 16
_REFERENCE = ImageReference("registry.example", "team/app", "bench")


class FolderRegistry:
    """The port ImageRegistry over files, every blob verified as the real client does; ``fetched`` counts bytes."""

    def __init__(self, files: dict[str, Path]) -> None:
        self._files = files
        self.fetched = 0

    def manifest(self, reference: ImageReference) -> FetchedManifest:
        raise AccessError(f"{reference} is not here.", then="Ask for blobs.")

    def blob(self, repository: ImageReference, digest: str, *, limit: int) -> bytes:
        raise AccessError(f"{repository} has no {digest} of {limit} bytes.", then="Open it.")

    @contextmanager
    def open_blob(self, repository: ImageReference, digest: str) -> Iterator[Iterator[bytes]]:
        yield self._chunks(repository, digest)

    def _chunks(self, repository: ImageReference, digest: str) -> Iterator[bytes]:
        check = hashlib.sha256()
        with self._files[digest].open("rb") as file:
            while chunk := file.read(_CHUNK):
                self.fetched += len(chunk)
                check.update(chunk)
                yield chunk
        if f"sha256:{check.hexdigest()}" != digest:
            raise AccessError(f"{repository.name} sent something else.", then="Make the image again.")


def scan(image: MadeImage, cache: LayerCache | None = None) -> tuple[FileTree, int]:
    """Scan an image from its files; return the tree and how many bytes were fetched."""
    registry = FolderRegistry(image.files)
    tree = LayerReader(registry, cache=cache).tree(_REFERENCE, image.layers)
    return tree, registry.fetched


def scan_figures() -> Iterator[Figure]:
    """Yield the figures of one generated image."""
    with tempfile.TemporaryDirectory(prefix="migrate-bench-") as name:
        folder = Path(name)
        image = make_image(folder)
        unpack = _fastest(image)
        scans, plain = _in_turn(lambda: scan(image), lambda: unpack(image))
        yield "scan_mib_per_s", image.unpacked / scans / (1 << 20), "MiB/s"
        yield "scan_vs_decompress", plain / scans, "x"
        beside = _tar_and_file(image, folder / "unpacked")
        if beside is None:
            sys.stderr.write("scan_vs_tar_file is left out: install tar, zstd and file.\n")
        else:
            yield "scan_vs_tar_file", beside / scans, "x"
        yield "scan_peak_mib", _peak(image, folder), "MiB"
        yield from _traffic(image, LayerCache(folder / "cache"))


def _in_turn(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    pairs = [(_seconds(first), _seconds(second)) for _ in range(_TURNS)]
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _fastest(image: MadeImage) -> Callable[[MadeImage], int]:
    """Return plain unpacking by the fastest gzip library that is installed here."""
    libraries = [_by_zlib_like(zlib)]
    for name in ("isal.isal_zlib", "zlib_ng.zlib_ng"):
        try:
            libraries.append(_by_zlib_like(importlib.import_module(name)))
        except ImportError:
            continue
    try:
        libraries.append(_by_igzip(importlib.import_module("isal.igzip_lib")))
    except ImportError:
        sys.stderr.write("ISA-L is not installed: it has no wheel for this machine.\n")
    return min(libraries, key=lambda library: min(_seconds(lambda: library(image)) for _ in range(2)))


def _by_zlib_like(module: Any) -> Callable[[MadeImage], int]:
    def unpack(path: Path) -> int:
        stream, size = module.decompressobj(31), 0
        with path.open("rb") as file:
            while waiting := file.read(_INPUT):
                while waiting:
                    size += len(stream.decompress(waiting, _OUTPUT))
                    waiting = stream.unconsumed_tail
        return size

    return lambda image: sum(unpack(path) if _is_gzip(path) else _zstd(path) for path in image.files.values())


def _by_igzip(module: Any) -> Callable[[MadeImage], int]:
    def unpack(path: Path) -> int:
        return _drained(path, module.IgzipDecompressor(flag=module.DECOMP_GZIP))

    return lambda image: sum(unpack(path) if _is_gzip(path) else _zstd(path) for path in image.files.values())


def _zstd(path: Path) -> int:
    return _drained(path, zstd.ZstdDecompressor())


def _drained(path: Path, stream: Any) -> int:
    size = 0
    with path.open("rb") as file:
        while given := file.read(_INPUT):
            size += len(stream.decompress(given, _OUTPUT))
            while not (stream.needs_input or stream.eof):
                size += len(stream.decompress(b"", _OUTPUT))
    return size


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _tar_and_file(image: MadeImage, folder: Path) -> float | None:
    """Return the seconds that it takes to unpack all layers to the disk and to ask `file` about every file."""
    if not all(map(shutil.which, ("tar", "zstd", "file", "find", "xargs"))):
        return None

    def unpack_and_ask() -> None:
        folder.mkdir()
        for path in image.files.values():
            packing = "--gzip" if _is_gzip(path) else "--zstd"
            subprocess.run(["tar", "--extract", packing, "--file", path, "--directory", folder], check=True)
        with subprocess.Popen(["find", folder, "-type", "f", "-print0"], stdout=subprocess.PIPE) as found:
            subprocess.run(
                ["xargs", "-0", "file", "--brief"], stdin=found.stdout, stdout=subprocess.DEVNULL, check=True
            )

    best = float("inf")
    for _ in range(2):
        best = min(best, _seconds(unpack_and_ask))
        shutil.rmtree(folder)
    return best


def _peak(image: MadeImage, folder: Path) -> float:
    """Return the most memory that a process which does nothing but this scan has held, its interpreter included."""
    description = folder / "image.json"
    files = {digest: str(path) for digest, path in image.files.items()}
    layers = [[layer.digest, layer.size] for layer in image.layers]
    description.write_text(json.dumps({"files": files, "layers": layers, "unpacked": image.unpacked}), encoding="utf-8")
    command = [sys.executable, "-m", "tests.bench.image_scan", str(description)]
    root = Path(__file__).parents[2]
    return float(subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout)


def _traffic(image: MadeImage, cache: LayerCache) -> Iterator[Figure]:
    stored = sum(layer.size for layer in image.layers)
    _, first = scan(image, cache)
    started = time.perf_counter()
    _, again = scan(image, cache)
    yield "scan_bytes_fetched_share", first / stored, "x"
    yield "scan_again_bytes_fetched_share", again / stored, "x"
    yield "scan_again_s", time.perf_counter() - started, "s"


def main() -> None:
    """Scan the image described in a file once, and print this process's peak memory in MiB."""
    import resource

    found = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    layers = tuple(Descriptor("", digest, size) for digest, size in found["layers"])
    files = {digest: Path(path) for digest, path in found["files"].items()}
    tree, _ = scan(MadeImage(layers, files, found["unpacked"]))
    if not any(True for _ in tree.files()):
        raise SystemExit("the scan found no file")
    # Linux counts in KiB (getrusage(2)).
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f}\n")


if __name__ == "__main__":
    main()
