"""The members of a zip file that is there whole, by the directory at its end, as Java and Python read it.

Source: APPNOTE.TXT 6.3 (end of central directory record, central directory header, local file header).
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

_END, _CENTRAL, _LOCAL = b"PK\5\6", b"PK\1\2", b"PK\3\4"
# total entries, size of the directory, where it begins, length of the comment
_END_RECORD = struct.Struct("<4s6xHIIH")
# flags, method, packed size; lengths of name, extra and comment; offset of the local header
_CENTRAL_HEADER = struct.Struct("<4s4xHH8xI4xHHH8xI")
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_LONGEST_COMMENT = 1 << 16
_LONGEST_NAME = 4096
_ZIP64 = {0xFFFF, 0xFFFFFFFF}
_START_INPUT, _START = 512, 64


class ListedMember(NamedTuple):
    """A member as the directory has it, and where its content begins and ends."""

    name: str
    method: int
    flags: int
    begin: int
    end: int


def listed_members(body: bytes) -> list[ListedMember] | None:
    """Return the members of a zip file, or None where its directory does not hold together or is of zip64's form."""
    at = body.rfind(_END, max(0, len(body) - _LONGEST_COMMENT - _END_RECORD.size))
    if at < 0 or len(body) - at < _END_RECORD.size:
        return None
    _, count, size, start, comment = _END_RECORD.unpack_from(body, at)
    # What stands before the first member, such as a start script, moves all offsets.
    moved = at - size - start
    if count in _ZIP64 or start in _ZIP64 or moved < 0 or at + _END_RECORD.size + comment != len(body):
        return None
    places = _places(body, at - size, at, moved)
    return places if places is not None and len(places) == count else None


def inflated_start(body: bytes, member: ListedMember) -> bytes | None:
    """Return the first bytes of a deflated member, None where it is damaged."""
    start = body[member.begin : min(member.end, member.begin + _START_INPUT)]
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(start, _START)
    except zlib.error:
        return None


def _places(body: bytes, at: int, end: int, moved: int) -> list[ListedMember] | None:
    """Return every member; None where one lies outside or is not where the directory has it."""
    found = []
    while at < end:
        if end - at < _CENTRAL_HEADER.size:
            return None
        magic, flags, method, size, name, extra, comment, local = _CENTRAL_HEADER.unpack_from(body, at)
        if magic != _CENTRAL or name > _LONGEST_NAME or size in _ZIP64 or local in _ZIP64:
            return None
        local += moved
        if local + _LOCAL_HEADER.size > len(body):
            return None
        local_magic, local_name, local_extra = _LOCAL_HEADER.unpack_from(body, local)
        begin = local + _LOCAL_HEADER.size + local_name + local_extra
        if local_magic != _LOCAL or begin + size > len(body):
            return None
        start = at + _CENTRAL_HEADER.size
        text = body[start : start + name].decode("utf-8", "replace")
        found.append(ListedMember(text, method, flags, begin, begin + size))
        at = start + name + extra + comment
    return found if at == end else None
