"""Zip files in layers: which ELF files a wheel, a jar or an egg holds.

A zip file's directory stands at its end. Those that are too large to be held until then are read as a stream, by the
header before each member, which says the same.
Source: APPNOTE.TXT 6.3 (local file header, data descriptor, zip64 extended information).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from migrate.adapters.registry.byte_stream import Bounded, ByteStream
from migrate.adapters.registry.compression import DAMAGED, deflate_stream
from migrate.adapters.registry.file_window import FileWindow
from migrate.adapters.registry.zip_directory import inflated_start, listed_members
from migrate.core.image.elf_files import ELF_MAGIC, ElfHeader, read_elf
from migrate.core.image.executables import Archive

_ENDINGS = (".jar", ".war", ".ear", ".whl", ".egg", ".zip")
_LOCAL, _CENTRAL, _END, _END_64 = b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\6\6"
_AFTER_MEMBERS = frozenset({_CENTRAL, _END, _END_64, b"PK\6\7", b"PK\6\x08"})
_DESCRIPTOR = b"PK\7\x08"
_HEADER = struct.Struct("<4s2xHH8xIIHH")
_ZIP64_FIELD, _ZIP64_SIZE = 1, 0xFFFFFFFF
_ENCRYPTED, _SIZES_FOLLOW = 1, 8
_STORED, _DEFLATED = 0, 8
_DEEPEST = 2
# Nobody loads a library from a file of this name; most members of jars are passed by without a look.
_NEVER_PROGRAMS = (".class", ".py", ".pyc", "/")
_MOST_MEMBERS = 100_000
_MOST_FAULTS = 4
_MOST_INFLATED = 4 << 30
_FREELY_INFLATED, _HIGHEST_RATIO = 64 << 20, 100
_LONGEST_NAME = 4096
_INPUT, _PIECE = 1 << 16, 1 << 18
_LARGEST_WINDOW = 1 << 62
_LARGEST_DESCRIPTOR = 24


def is_zip_name(path: str) -> bool:
    """Whether a file of this name is looked into where it begins as a zip file does."""
    return path.lower().endswith(_ENDINGS)


def read_zip(window: FileWindow, size: int, charge: Callable[[int], None]) -> Archive:
    """Return the ELF files in a zip file of ``size`` bytes, nested zip files included, and what kept from reading all.

    ``charge`` takes the number of bytes inflated, and may refuse them. Raises only what it and the window do.
    """
    reading = Reading(charge, min(_MOST_INFLATED, _FREELY_INFLATED + _HIGHEST_RATIO * size))
    body = window.all()
    try:
        if body is None or not _by_directory(body, reading, "", 0):
            _members(ByteStream(window.whole() if body is None else iter((body,))), reading, "", 0)
    except ZipFaultError as fault:
        reading.fault(str(fault))
    return Archive(tuple(reading.found), "; ".join(reading.faults))


class ZipFaultError(Exception):
    """What ends the reading of one zip file."""


@dataclass(slots=True)
class Reading:
    """What all the zip files in one file have in common: results and limits."""

    charge: Callable[[int], None]
    inflated_left: int
    members_left: int = _MOST_MEMBERS
    found: list[tuple[str, ElfHeader]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def fault(self, text: str) -> None:
        """Remember what was not read."""
        if text not in self.faults and len(self.faults) < _MOST_FAULTS:
            self.faults.append(text)

    def member(self) -> None:
        """Count a member. Raises ZipFaultError for one too many."""
        self.members_left -= 1
        if self.members_left < 0:
            raise ZipFaultError(f"it has more than {_MOST_MEMBERS} members")

    def inflated(self, size: int) -> None:
        """Count inflated bytes. Raises ZipFaultError for more than this file may have."""
        self.inflated_left -= size
        self.charge(size)
        if self.inflated_left < 0:
            raise ZipFaultError("it unpacks to more than a zip file may")


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    method: int
    flags: int
    size: int | None


def _members(stream: ByteStream, reading: Reading, prefix: str, depth: int) -> None:
    while (member := _next_member(stream)) is not None:
        reading.member()
        name = f"{prefix}{member.name}"
        if member.flags & _ENCRYPTED or member.method not in {_STORED, _DEFLATED}:
            reading.fault(f"{name} is encrypted or compressed by method {member.method}")
            _pass_by(stream, member, name)
        elif member.method == _STORED:
            _stored(stream, member, name, reading, depth)
        else:
            _deflated(stream, member, name, reading, depth)


def _by_directory(body: bytes, reading: Reading, prefix: str, depth: int) -> bool:
    """Read a zip file that is there whole, by its directory; False where it has none that can be trusted."""
    listed = listed_members(body)
    if listed is None:
        return False
    for member in listed:
        reading.member()
        if member.name.endswith(_NEVER_PROGRAMS):
            continue
        name = f"{prefix}{member.name}"
        if member.flags & _ENCRYPTED or member.method not in {_STORED, _DEFLATED}:
            reading.fault(f"{name} is encrypted or compressed by method {member.method}")
            continue
        is_stored = member.method == _STORED
        start = body[member.begin : min(member.end, member.begin + 4)] if is_stored else inflated_start(body, member)
        if start is None:
            reading.fault(f"{name} is damaged")
        elif start[:4] in {ELF_MAGIC, _LOCAL}:
            # Members may lie over one another; what is looked at twice counts twice.
            reading.inflated(member.end - member.begin)
            _listed(body[member.begin : member.end], name, reading, depth, is_stored=is_stored)
    return True


def _listed(content: bytes, name: str, reading: Reading, depth: int, *, is_stored: bool) -> None:
    if not is_stored:
        inflating = _Inflating(ByteStream(iter((content,))), len(content), reading, name)
        _content(inflating, _LARGEST_WINDOW, name, reading, depth)
        return
    is_nested = content.startswith(_LOCAL) and is_zip_name(name) and depth < _DEEPEST
    if not (is_nested and _nested_by_directory(content, reading, name, depth)):
        _content(iter((content,)), len(content), name, reading, depth)


def _nested_by_directory(body: bytes, reading: Reading, name: str, depth: int) -> bool:
    try:
        return _by_directory(body, reading, f"{name}!/", depth + 1)
    except ZipFaultError as fault:
        reading.fault(f"{name}: {fault}")
        return True


def _next_member(stream: ByteStream) -> _Member | None:
    head = stream.read(4)
    if head in _AFTER_MEMBERS:
        return None
    block = head + stream.read(_HEADER.size - 4)
    if head != _LOCAL or len(block) < _HEADER.size:
        raise ZipFaultError("its members do not follow one another")
    _, flags, method, packed, unpacked, name_size, extra_size = _HEADER.unpack(block)
    raw, extra = stream.read(name_size), stream.read(extra_size)
    if len(raw) < name_size or len(extra) < extra_size:
        raise ZipFaultError("it ends in the header of a member")
    if name_size > _LONGEST_NAME:
        raise ZipFaultError("a member has a name longer than 4096 bytes")
    size: int | None = packed
    if packed == _ZIP64_SIZE:
        size = _zip64_size(extra, follows=unpacked == _ZIP64_SIZE)
    if flags & _SIZES_FOLLOW and not size:
        size = None
    return _Member(raw.decode("utf-8", "replace"), method, flags, size)


def _zip64_size(extra: bytes, *, follows: bool) -> int:
    """Return the packed size from the zip64 field, where it follows the unpacked one unless that fits its header."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        start = at + 4 + (8 if follows else 0)
        if kind == _ZIP64_FIELD and start + 8 <= min(len(extra), at + 4 + length):
            return int.from_bytes(extra[start : start + 8], "little")
        at += 4 + length
    raise ZipFaultError("a member's size is missing")


def _pass_by(stream: ByteStream, member: _Member, name: str) -> None:
    if member.size is None:
        raise ZipFaultError(f"where {name} ends is not said")
    if not stream.skip(member.size):
        raise ZipFaultError(f"it ends in {name}")
    _descriptor(stream, member, member.size, name)


def _stored(stream: ByteStream, member: _Member, name: str, reading: Reading, depth: int) -> None:
    if member.size is None:
        # A directory or an empty file, of a writer that could not go back; anything else has no end.
        _descriptor(stream, member, 0, name)
        return
    content = Bounded(stream, member.size)
    _content(content, member.size, name, reading, depth)
    if not stream.skip(content.left):
        raise ZipFaultError(f"it ends in {name}")
    _descriptor(stream, member, member.size, name)


def _deflated(stream: ByteStream, member: _Member, name: str, reading: Reading, depth: int) -> None:
    inflating = _Inflating(stream, member.size, reading, name)
    _content(inflating, _LARGEST_WINDOW, name, reading, depth)
    if member.size is None:
        for _ in inflating:
            pass
        _descriptor(stream, member, inflating.taken, name)
    else:
        # The rest of a member that is no ELF file need not be unpacked to be passed by.
        if not stream.skip(member.size - inflating.taken):
            raise ZipFaultError(f"it ends in {name}")
        _descriptor(stream, member, member.size, name)


def _content(pieces: Iterator[bytes], size: int, name: str, reading: Reading, depth: int) -> None:
    window = FileWindow(ByteStream(pieces), size)
    magic = bytes(window(0, 4))
    if magic == ELF_MAGIC:
        header = read_elf(window)
        if isinstance(header, ElfHeader):
            reading.found.append((name, header))
    elif magic == _LOCAL and is_zip_name(name):
        if depth >= _DEEPEST:
            reading.fault(f"{name} lies too deep to be looked into")
            return
        try:
            _members(ByteStream(window.whole()), reading, f"{name}!/", depth + 1)
        except ZipFaultError as fault:
            reading.fault(f"{name}: {fault}")


def _descriptor(stream: ByteStream, member: _Member, size: int, name: str) -> None:
    """Pass by what follows a member whose header was written before its size was known, in any of its four forms."""
    if not member.flags & _SIZES_FOLLOW:
        return
    block = stream.peek(_LARGEST_DESCRIPTOR + 2)
    for start in (len(_DESCRIPTOR), 0) if block.startswith(_DESCRIPTOR) else (0,):
        for width in (4, 8):
            said = start + 4
            end = said + 2 * width
            is_size = int.from_bytes(block[said : said + width], "little") == size
            if is_size and end <= len(block) and block[end : end + 2] in {b"PK", b""}:
                stream.skip(end)
                return
    raise ZipFaultError(f"where {name} ends is not said")


class _Inflating(Iterator[bytes]):
    """The content of a deflated member; ``taken`` counts the bytes of the stream that were used for it."""

    def __init__(self, stream: ByteStream, size: int | None, reading: Reading, name: str) -> None:
        self._stream = stream
        self._left = size
        self._reading = reading
        self._name = name
        self._inflater = deflate_stream()
        self._step = 1 << 10
        self.taken = 0

    def __next__(self) -> bytes:
        inflater = self._inflater
        while not self._inflater.eof:
            given = b""
            if inflater.needs_input:
                given = self._stream.some(self._step if self._left is None else min(self._step, self._left))
                if not given:
                    raise ZipFaultError(f"it ends in {self._name}")
                self._step = min(self._step * 4, _INPUT)
                self.taken += len(given)
                self._left = None if self._left is None else self._left - len(given)
            try:
                found = inflater.decompress(given, _PIECE)
            except DAMAGED as error:
                raise ZipFaultError(f"{self._name} is damaged: {error}") from error
            if inflater.eof:
                self._return(len(inflater.unused_data))
            self._reading.inflated(len(found))
            if found:
                return found
        raise StopIteration

    def _return(self, size: int) -> None:
        self._stream.return_to_stream(size)
        self.taken -= size
