"""Tar archives read as a stream with flat memory: names, kinds, and what a reader makes of each file's content.

The headers that nearly all entries have are read here; the standard library reads the odd ones (TarInfo.frombuf). The
walk from header to header is ours, because ``tarfile`` keeps every member, reads extended headers of any size at
once, and has had endless loops on crafted archives (CVE-2019-20907, CVE-2025-8194).

Sources: POSIX pax (ustar and extended headers); GNU tar manual (long names, sparse files); Go's archive/tar, which
containerd unpacks with.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from migrate.adapters.registry.byte_stream import ByteStream
from migrate.adapters.registry.compression import unreadable
from migrate.adapters.registry.tar_extensions import Extension, extend
from migrate.core.image.executables import PLAIN, Executable

_BLOCK = 512
_LARGEST_EXTENSION = 1 << 20
_MOST_EXTENSIONS = 16
_LONGEST_PATH = 4096
_LONGEST_NAME = 255
_SPARSE_FLAG, _SPARSE_MORE = 482, 504
_LARGEST_FILE = 1 << 50
_GNU_MAGIC = b"ustar  \0"
_EXTENSIONS = frozenset(
    {
        tarfile.XHDTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
)
# name, mode, size, chksum, typeflag, linkname, magic and version, prefix, each up to its first NUL: one match is
# several times quicker than to take the fields one by one, and most of the walk is this.
_USUAL = re.compile(
    rb"(?=([^\0]{1,100})).{100}(?=([0-7]{6,7})[ \0]).{24}([0-7]{11})[ \0].{12}(?=([0-7]{6,7})[ \0])(.{8})([0-7LKSgx])"
    rb"(?=([^\0]{0,100})).{100}(?:ustar\x0000.{80}(?=([^\0]{0,155}))|ustar  \0)",
    re.DOTALL,
)
_ADLER_BASE = 65521


class EntryKind(StrEnum):
    """What an entry makes in the tree; OTHER is what runtimes pass by."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"
    HARD_LINK = "hard link"
    DEVICE = "device"
    OTHER = "other"


class FileFacts(NamedTuple):
    """What a reader made of a file's content."""

    content: Executable = PLAIN
    kept: bytes = b""


NO_FACTS = FileFacts()
"""Those of most files: there is nothing to be said about them."""


class TarEntry(NamedTuple):
    """One entry."""

    kind: EntryKind
    path: str
    target: str = ""
    is_executable: bool = False
    facts: FileFacts = NO_FACTS


ContentReader: TypeAlias = Callable[[ByteStream, int, str], tuple[FileFacts, int]]
"""Given the stream at a file's first byte, the file's size and its path: the facts, and how many bytes it took."""

_FILE = EntryKind.FILE
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


_Header: TypeAlias = tuple[bytes, str, int, int, str]
"""Type, path, mode, size and target."""


def tar_entries(stream: ByteStream, read_content: ContentReader) -> Iterator[TarEntry]:
    """Yield the entries in order. Raises UnreadableLayerError for what is no archive, or a hostile one."""
    extension: Extension | None = None
    while True:
        block = stream.read(_BLOCK)
        header = _usual(block) or _odd(block)
        if header is None:
            _check_end(stream)
            return
        kind, path, mode, size, _ = header
        if kind in _EXTENSIONS:
            extension = _extended(extension or Extension(), header, stream)
            continue
        if extension is None and kind == tarfile.REGTYPE:
            facts = _file(stream, size, path, read_content) if size else NO_FACTS
            entry = TarEntry(_FILE, path, "", (mode & 0o111) != 0, facts)
        else:
            entry = _entry(stream, block, header, extension or Extension(), read_content)
            extension = None
        if len(entry.path) > _LONGEST_NAME or len(entry.target) > _LONGEST_NAME:
            _check_names(entry)
        yield entry


def _usual(block: bytes) -> _Header | None:
    """Read a header as all writers of our time make them; None leaves it to the standard library."""
    found = _USUAL.match(block)
    if found is None or len(block) != _BLOCK:
        return None
    name, mode, size, stored, check, kind, target, prefix = found.groups()
    # The sum of all bytes, by way of Adler-32, whose lower half is just that, one more and modulo its base.
    if (int(stored, 8) + sum(check) - 255 - (zlib.adler32(block) & 0xFFFF)) % _ADLER_BASE:
        return None
    path = _decoded(prefix + b"/" + name if prefix else name)
    return kind, path, int(mode, 8), int(size, 8), _decoded(target) if target else ""


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")


def _odd(block: bytes) -> _Header | None:
    """Read any header; None stands for the end of the archive."""
    if not block.strip(b"\0"):
        return None
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "backslashreplace")
    except (tarfile.HeaderError, ValueError, OverflowError) as error:
        raise unreadable(f"The archive has a header that cannot be read: {error}.") from error
    name = info.name
    if block[257:265] == _GNU_MAGIC and block[345]:
        # What is the prefix elsewhere are times in GNU's format.
        name = _decoded(block[:100].partition(b"\0")[0])
    return info.type, name, info.mode, info.size, info.linkname


def _check_end(stream: ByteStream) -> None:
    if stream.read(_BLOCK).strip(b"\0"):
        raise unreadable("An empty block stands in the middle of the archive.")


def _extended(extension: Extension, header: _Header, stream: ByteStream) -> Extension:
    extension.headers += 1
    if extension.headers > _MOST_EXTENSIONS:
        raise unreadable(f"An entry has more than {_MOST_EXTENSIONS} extended headers.")
    kind, _, _, size, _ = header
    if not 0 <= size <= _LARGEST_EXTENSION:
        raise unreadable(f"An extended header claims {size} bytes.")
    content = stream.read(size)
    _skip(stream, -size % _BLOCK)
    extend(extension, kind, content)
    return extension


def _entry(
    stream: ByteStream, block: bytes, header: _Header, extension: Extension, read_content: ContentReader
) -> TarEntry:
    """Read an entry that is no plain file, or has more to it than its header says."""
    type_, path, mode, size, target = header
    kind = _KINDS.get(type_, EntryKind.OTHER)
    path, target = extension.path or path, extension.target or target
    is_program = kind is EntryKind.FILE and (mode & 0o111) != 0
    if kind not in {EntryKind.FILE, EntryKind.OTHER}:
        return TarEntry(kind, path, target)
    size = size if extension.size is None else extension.size
    is_sparse = extension.is_sparse or type_ == tarfile.GNUTYPE_SPARSE
    if type_ == tarfile.GNUTYPE_SPARSE:
        _skip_sparse_map(stream, block)
    if kind is EntryKind.FILE and not is_sparse:
        return TarEntry(kind, path, "", is_program, _file(stream, size, path, read_content) if size else NO_FACTS)
    _check_size(size)
    _skip(stream, size + -size % _BLOCK)
    return TarEntry(kind, path, "", is_program)


def _file(stream: ByteStream, size: int, path: str, read_content: ContentReader) -> FileFacts:
    _check_size(size)
    facts, taken = read_content(stream, size, path)
    end = stream.at + size - taken + -size % _BLOCK
    if end <= len(stream.piece):
        stream.at = end
    else:
        _skip(stream, end - stream.at)
    return facts


def _check_size(size: int) -> None:
    if not 0 <= size <= _LARGEST_FILE:
        raise unreadable(f"An entry claims a size of {size} bytes.")


def _check_names(entry: TarEntry) -> None:
    if max(len(entry.path), len(entry.target)) > _LONGEST_PATH:
        raise unreadable("An entry has a name longer than 4096 characters.")
    if any(len(part) > _LONGEST_NAME and len(part.encode()) > _LONGEST_NAME for part in entry.path.split("/")):
        raise unreadable("An entry has a part of its name longer than 255 bytes.")


def _skip(stream: ByteStream, size: int) -> None:
    if not stream.skip(size):
        raise unreadable("The archive ends in the middle of a file.")


def _skip_sparse_map(stream: ByteStream, block: bytes) -> None:
    more = block[_SPARSE_FLAG]
    while more:
        following = stream.read(_BLOCK)
        if len(following) < _BLOCK:
            raise unreadable("The archive ends in the map of a sparse file.")
        more = following[_SPARSE_MORE]
