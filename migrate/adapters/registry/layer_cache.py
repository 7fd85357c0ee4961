"""What was read of a layer, kept by its digest: the same gigabyte is not fetched again at every stage.

An inventory is a function of the layer's digest and of how we read (``VERSION``). One that cannot be read, or is not
what was written, counts as none: the layer is then fetched as at the first time. The directory is the operator's own
and may be removed at any time.
"""

from __future__ import annotations

import hashlib
import os
import struct
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from migrate.adapters.registry.layer_records import decoded, encoded
from migrate.adapters.registry.tar_stream import TarEntry
from migrate.core.image.names import is_digest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

VERSION = 1
"""Raised whenever the same layer would give other entries than before."""

_MAGIC = b"migrate layer inventory %d\n" % VERSION
_ENDING = ".inventory"
_SUMMARY = struct.Struct("<QQQ")
_LENGTH = struct.Struct("<I")
_BATCH = 2048
_LARGEST_BATCH = 256 << 20
_LARGEST_INVENTORY = 64 << 20
_LARGEST_CACHE = 512 << 20
_DAMAGE = (ValueError, TypeError, LookupError, struct.error, zstd.ZstdError, RecursionError)


@dataclass(frozen=True, slots=True)
class Inventory:
    """A layer as it was read: its size as stored and unpacked in bytes, how many entries, and the entries in order."""

    stored_bytes: int
    unpacked_bytes: int
    entries: int
    batches: tuple[bytes, ...]

    def __iter__(self) -> Iterator[TarEntry]:
        """Yield the entries, unpacking a part of them at a time."""
        for batch in self.batches:
            yield from decoded(_unpacked(batch))


class Recorder:
    """Takes entries as they come and keeps them packed; ``inventory`` is None where they are too many to be kept."""

    def __init__(self) -> None:
        self._entries: list[TarEntry] = []
        self._batches: list[bytes] = []
        self._count = 0
        self._size = 0

    def add(self, entry: TarEntry) -> None:
        """Take one more entry."""
        self._entries.append(entry)
        if len(self._entries) >= _BATCH:
            self._pack()

    def inventory(self, stored_bytes: int, unpacked_bytes: int) -> Inventory | None:
        """Return all that was taken."""
        self._pack()
        if self._size > _LARGEST_INVENTORY:
            return None
        return Inventory(stored_bytes, unpacked_bytes, self._count, tuple(self._batches))

    def _pack(self) -> None:
        self._count += len(self._entries)
        if self._size <= _LARGEST_INVENTORY and self._entries:
            self._batches.append(zstd.compress(encoded(self._entries), level=1))
            self._size += len(self._batches[-1])
        self._entries = []
        if self._size > _LARGEST_INVENTORY:
            self._batches = []


class LayerCache:
    """Inventories in a directory, at most ``largest`` bytes of them; those not used for longest go first."""

    def __init__(self, directory: Path, largest: int = _LARGEST_CACHE) -> None:
        self._directory = directory
        self._largest = largest

    def read(self, digest: str) -> Inventory | None:
        """Return what is known of a layer, None where nothing is or it cannot be trusted. Never raises."""
        if not is_digest(digest):
            return None
        path = self._path(digest)
        try:
            if path.stat().st_size > 2 * _LARGEST_INVENTORY:
                return None
            body = path.read_bytes()
            inventory = _parsed(body, digest)
            os.utime(path)
        except (OSError, *_DAMAGE):
            return None
        return inventory

    def write(self, digest: str, inventory: Inventory) -> None:
        """Keep an inventory for later. Never raises: what cannot be written is read from the registry again."""
        if not is_digest(digest):
            return
        with suppress(OSError):
            self._directory.mkdir(parents=True, exist_ok=True)
            self._replace(self._path(digest), _serialized(inventory, digest))
            self._prune()

    def _path(self, digest: str) -> Path:
        return self._directory / f"{digest.replace(':', '-')}{_ENDING}"

    def _replace(self, path: Path, body: bytes) -> None:
        handle, name = tempfile.mkstemp(dir=self._directory, prefix=".", suffix=_ENDING)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(body)
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise

    def _prune(self) -> None:
        files = []
        for path in self._directory.glob(f"*{_ENDING}"):
            with suppress(OSError):
                found = path.stat()
                files.append((found.st_mtime_ns, found.st_size, path))
        left = self._largest
        for _, size, path in sorted(files, reverse=True):
            left -= size
            if left < 0:
                with suppress(OSError):
                    path.unlink()


def _serialized(inventory: Inventory, digest: str) -> bytes:
    summary = _SUMMARY.pack(inventory.stored_bytes, inventory.unpacked_bytes, inventory.entries)
    body = summary + b"".join(_LENGTH.pack(len(batch)) + batch for batch in inventory.batches)
    return _MAGIC + _check(body, digest) + body


def _parsed(content: bytes, digest: str) -> Inventory:
    """Return the inventory, after its checksum over every byte of it and over the digest it is for."""
    start = len(_MAGIC) + hashlib.sha256().digest_size
    body = content[start:]
    if not content.startswith(_MAGIC) or content[len(_MAGIC) : start] != _check(body, digest):
        raise ValueError(digest)
    stored, unpacked, entries = _SUMMARY.unpack_from(body)
    batches = []
    at = _SUMMARY.size
    while at < len(body):
        (length,) = _LENGTH.unpack_from(body, at)
        at += _LENGTH.size
        batches.append(body[at : at + length])
        at += length
    inventory = Inventory(stored, unpacked, entries, tuple(batches))
    # Read once to the end: an inventory must not fail when half of it stands in a tree.
    if sum(1 for _ in inventory) != entries:
        raise ValueError(digest)
    return inventory


def _check(body: bytes, digest: str) -> bytes:
    return hashlib.sha256(_MAGIC + digest.encode() + b"\n" + body).digest()


def _unpacked(batch: bytes) -> bytes:
    found = zstd.ZstdDecompressor().decompress(batch, _LARGEST_BATCH)
    if len(found) >= _LARGEST_BATCH:
        raise ValueError(batch[:1])
    return found
