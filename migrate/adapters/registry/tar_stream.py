"""Tar archives read as a stream with flat memory: names, kinds and the first bytes of each file.

The standard library reads the headers (TarInfo.frombuf); the walk from header to header is ours, because
``tarfile`` keeps every member, reads extended headers of any size at once, and has had endless loops on crafted
archives (CVE-2019-20907, CVE-2025-8194).
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from migrate.adapters.registry.compression import unreadable
from migrate.core.image_executables import HEAD_BYTES

_BLOCK = 512
_LARGEST_EXTENSION = 1 << 20
_LONGEST_PATH = 4096
_SPARSE_FLAG, _SPARSE_MORE = 482, 504
_LARGEST_FILE = 1 << 50
_GNU_SPARSE = "GNU.sparse."
_EXTENSIONS = frozenset({tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK})


class EntryKind(StrEnum):
    """What an entry makes in the tree."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"
    HARD_LINK = "hard link"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class TarEntry:
    """One entry; ``head`` are the first bytes of a file (none, where it is stored sparsely)."""

    kind: EntryKind
    path: str
    target: str = ""
    is_executable: bool = False
    head: bytes = b""


_KINDS = {
    tarfile.REGTYPE: EntryKind.FILE,
    tarfile.AREGTYPE: EntryKind.FILE,
    tarfile.CONTTYPE: EntryKind.FILE,
    tarfile.GNUTYPE_SPARSE: EntryKind.FILE,
    tarfile.DIRTYPE: EntryKind.DIRECTORY,
    tarfile.SYMTYPE: EntryKind.LINK,
    tarfile.LNKTYPE: EntryKind.HARD_LINK,
    tarfile.CHRTYPE: EntryKind.DEVICE,
    tarfile.BLKTYPE: EntryKind.DEVICE,
    tarfile.FIFOTYPE: EntryKind.DEVICE,
}


class ByteStream:
    """Reads exact amounts from pieces, never more than ``limit`` bytes in all."""

    def __init__(self, pieces: Iterator[bytes], limit: int) -> None:
        self._pieces = pieces
        self._piece = b""
        self._at = 0
        self.left = limit

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, fewer only at the end."""
        found = self._take(size)
        if len(found) == size:
            return found
        parts = bytearray(found)
        while len(parts) < size and self._next():
            parts += self._take(size - len(parts))
        return bytes(parts)

    def skip(self, size: int) -> None:
        """Pass ``size`` bytes by. Raises UnreadableLayerError where fewer are there."""
        while size > (there := len(self._piece) - self._at):
            size -= there
            self._at = len(self._piece)
            if not self._next():
                raise unreadable("The archive ends in the middle of a file.")
        self._at += size

    def drain(self) -> None:
        """Pass everything by that is still to come."""
        while self._next():
            pass

    def _take(self, size: int) -> bytes:
        found = self._piece[self._at : self._at + size]
        self._at += len(found)
        return found

    def _next(self) -> bool:
        piece = next(self._pieces, None)
        if piece is None:
            return False
        self._piece, self._at = piece, 0
        self.left -= len(piece)
        if self.left < 0:
            raise unreadable("The layers unpack to more than an image may hold.")
        return True


@dataclass(slots=True)
class _Extension:
    """What headers before a header say about it."""

    path: str = ""
    target: str = ""
    size: int | None = None
    is_sparse: bool = False


def tar_entries(stream: ByteStream) -> Iterator[TarEntry]:
    """Yield the entries in order. Raises UnreadableLayerError for what is no archive, or a hostile one."""
    extension = _Extension()
    while (header := _header(stream)) is not None:
        info, block = header
        if info.type in _EXTENSIONS or info.type == tarfile.XGLTYPE:
            _extend(extension, info, _content(stream, info.size))
            continue
        kind = _KINDS.get(info.type)
        stored = kind in {EntryKind.FILE, None}
        size = (info.size if extension.size is None else extension.size) if stored else 0
        if not 0 <= size <= _LARGEST_FILE:
            raise unreadable(f"An entry claims a size of {size} bytes.")
        is_sparse = extension.is_sparse or info.type == tarfile.GNUTYPE_SPARSE
        if info.type == tarfile.GNUTYPE_SPARSE:
            _skip_sparse_map(stream, block)
        head = stream.read(min(size, HEAD_BYTES))
        stream.skip(size - len(head) + -size % _BLOCK)
        path, target = extension.path or info.name, extension.target or info.linkname
        if max(len(path), len(target)) > _LONGEST_PATH:
            raise unreadable("An entry has a name longer than 4096 characters.")
        if kind is not None:
            is_executable = kind is EntryKind.FILE and bool(info.mode & 0o111)
            yield TarEntry(kind, path, target, is_executable, b"" if is_sparse else head)
        extension = _Extension()


def _header(stream: ByteStream) -> tuple[tarfile.TarInfo, bytes] | None:
    block = stream.read(_BLOCK)
    if not block or not block.strip(b"\0"):
        if stream.read(_BLOCK).strip(b"\0"):
            raise unreadable("An empty block stands in the middle of the archive.")
        return None
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "backslashreplace"), block
    except (tarfile.HeaderError, ValueError, OverflowError) as error:
        raise unreadable(f"The archive has a header that cannot be read: {error}.") from error


def _content(stream: ByteStream, size: int) -> bytes:
    if not 0 <= size <= _LARGEST_EXTENSION:
        raise unreadable(f"An extended header claims {size} bytes.")
    content = stream.read(size)
    stream.skip(-size % _BLOCK)
    return content


def _extend(extension: _Extension, info: tarfile.TarInfo, content: bytes) -> None:
    if info.type == tarfile.GNUTYPE_LONGNAME:
        extension.path = _decoded(content.partition(b"\0")[0])
    elif info.type == tarfile.GNUTYPE_LONGLINK:
        extension.target = _decoded(content.partition(b"\0")[0])
    elif info.type != tarfile.XGLTYPE:
        for name, value in _records(content):
            if name in {"path", f"{_GNU_SPARSE}name"}:
                extension.path = _decoded(value)
            elif name == "linkpath":
                extension.target = _decoded(value)
            elif name == "size":
                extension.size = _number(value)
            extension.is_sparse |= name.startswith(_GNU_SPARSE)


def _records(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the records of a pax header: ``length name=value`` and a line feed (POSIX, pax)."""
    at = 0
    while at < len(content):
        digits, space, _ = content[at : at + 20].partition(b" ")
        length = _number(digits)
        record = content[at + len(digits) + 1 : at + length]
        name, equals, value = record.partition(b"=")
        if not space or length <= len(digits) + 1 or not equals or not record.endswith(b"\n"):
            raise unreadable("An extended header cannot be read.")
        yield name.decode("utf-8", "backslashreplace"), value[:-1]
        at += length


def _skip_sparse_map(stream: ByteStream, block: bytes) -> None:
    more = block[_SPARSE_FLAG]
    while more:
        following = stream.read(_BLOCK)
        if len(following) < _BLOCK:
            raise unreadable("The archive ends in the map of a sparse file.")
        more = following[_SPARSE_MORE]


def _number(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > len(str(_LARGEST_FILE)):
        raise unreadable("An extended header holds a number that is none.")
    return int(digits)


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
