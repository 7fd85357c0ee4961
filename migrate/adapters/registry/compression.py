"""Layers unpacked as they arrive: gzip, zstd or plain, in pieces of bounded size whatever they expand to.

The first bytes decide, not the media type: so do the runtimes (containerd, DetectCompression). ISA-L unpacks gzip
twice as fast as zlib does, which stands in where ISA-L has no wheel.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import chain
from typing import Protocol

from migrate.errors import MigrateError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_HAS_ISAL = find_spec("isal") is not None
if _HAS_ISAL:
    from isal import igzip_lib

PIECE = 1 << 20
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"\x2a\x4d\x18"
_MAGIC_BYTES = 4
_HEADER_CHECK = 2
_FIRST_STEP = 1 << 14
# Layers that can be read in parts (eStargz, zstd:chunked) have one for every few files; empty ones only cost time.
_MOST_PARTS = 1_000_000
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
# 128 MiB is the most that zstd's own command line takes without being told to; a layer's window is memory of ours.
_WIDEST_WINDOW = 27


class UnreadableLayerError(MigrateError):
    """A layer that no runtime could unpack, or that would take more than an image may; it ends as evidence."""


def unreadable(why: str) -> UnreadableLayerError:
    """Return the error for a layer, with the reason that becomes the evidence."""
    return UnreadableLayerError("A layer cannot be unpacked.", why=why, then="Rebuild the image.")


class Inflater(Protocol):
    """One deflate stream being unpacked, in the manner of ``bz2.BZ2Decompressor``."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether more can come only from more input."""

    @property
    def unused_data(self) -> bytes:
        """What followed the end of the stream."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return at most ``max_length`` bytes, keeping the input that is left. Raises one of ``DAMAGED``."""


class _ZlibInflater:
    """zlib in the manner of the others."""

    def __init__(self, window: int) -> None:
        self._stream = zlib.decompressobj(window)
        self._is_full = False

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._is_full and not self.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        found = self._stream.decompress(self._stream.unconsumed_tail + data, max(0, max_length))
        # Output may be left over once all input is taken.
        self._is_full = bool(self._stream.unconsumed_tail) or len(found) == max_length
        return found


DAMAGED: tuple[type[Exception], ...] = (zlib.error, *((igzip_lib.IsalError,) if _HAS_ISAL else ()))


def gzip_member(start: bytes) -> Inflater:
    """Return what unpacks a gzip member that begins with ``start``."""
    # ISA-L computes the header's own checksum, which hardly a writer adds, otherwise than RFC 1952 does.
    is_checked = len(start) >= _MAGIC_BYTES and start[3] & _HEADER_CHECK
    if not _HAS_ISAL or is_checked:
        return _ZlibInflater(_GZIP_WINDOW)
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


def deflate_stream() -> Inflater:
    """Return what unpacks a bare deflate stream, as zip files hold it."""
    if not _HAS_ISAL:
        return _ZlibInflater(-zlib.MAX_WBITS)
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)


def decompressed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the content of a layer in pieces of at most 1 MiB. Raises UnreadableLayerError."""
    start = b""
    for chunk in chunks:
        start += chunk
        if len(start) >= _MAGIC_BYTES:
            break
    whole = chain((start,), chunks)
    if start.startswith(_GZIP):
        return _gzip(whole)
    if start.startswith(_ZSTD) or start[1:_MAGIC_BYTES] == _SKIPPABLE:
        return _zstd(whole)
    return whole


def _gzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from _unpacked(chunks, gzip_member, "gzip")
    except DAMAGED as error:
        raise unreadable(f"The gzip data is damaged: {error}.") from error


def _zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    options = {int(zstd.DecompressionParameter.window_log_max): _WIDEST_WINDOW}
    try:
        yield from _unpacked(chunks, lambda _: zstd.ZstdDecompressor(options=options), "zstd")
    except zstd.ZstdError as error:
        raise unreadable(f"The zstd data is damaged: {error}.") from error


def _unpacked(chunks: Iterator[bytes], begin: Callable[[bytes], Inflater], name: str) -> Iterator[bytes]:
    """Unpack gzip members or zstd frames that follow one another; after the last one there may only be padding."""
    part: Inflater | None = None
    early, parts_left = b"", _MOST_PARTS
    for chunk in chunks:
        waiting = early + chunk
        at, step, early = 0, len(waiting), b""
        while at < len(waiting):
            if part is None:
                early = _next_start(waiting, at)
                if len(early) < _MAGIC_BYTES:
                    break
                part, step, early = begin(early), _FIRST_STEP, b""
                parts_left -= 1
            # What a part leaves over is copied: of many small parts in one chunk each is given little.
            given = waiting[at : at + step]
            at, step = at + len(given), step * 4
            yield part.decompress(given, PIECE)
            while not (part.needs_input or part.eof):
                yield part.decompress(b"", PIECE)
            if part.eof:
                at -= len(part.unused_data)
                part = None
        if parts_left < 0:
            raise unreadable(f"The {name} data has more than {_MOST_PARTS} parts.")
    if part is not None:
        raise unreadable(f"The {name} data ends too early.")
    if early:
        raise unreadable(f"Something follows the {name} data.")


def _next_start(waiting: bytes, at: int) -> bytes:
    """Return the first bytes of the part that begins at ``at``: fewer where the chunk ends, none for padding."""
    if not waiting[at] and not waiting[at:].strip(b"\0"):
        return b""
    return waiting[at : at + _MAGIC_BYTES]
