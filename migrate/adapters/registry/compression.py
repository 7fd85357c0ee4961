"""Layers unpacked as they arrive: gzip, zstd or plain, in pieces of bounded size whatever they expand to.

The first bytes decide, not the media type: so do the runtimes (containerd, DetectCompression).
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from itertools import chain

from migrate.errors import MigrateError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_PIECE = 1 << 20
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"\x2a\x4d\x18"
_MAGIC_BYTES = 4
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
# 128 MiB is the most that zstd's own command line takes without being told to.
_WIDEST_WINDOW = 27


class UnreadableLayerError(MigrateError):
    """A layer that no runtime could unpack, or that would take more than an image may; it ends as evidence."""


def unreadable(why: str) -> UnreadableLayerError:
    """Return the error for a layer, with the reason that becomes the evidence."""
    return UnreadableLayerError("A layer cannot be unpacked.", why=why, then="Rebuild the image.")


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
    member = zlib.decompressobj(_GZIP_WINDOW)
    try:
        for chunk in chunks:
            waiting = chunk
            while waiting:
                if member.eof:
                    # Members may follow one another; anything else after the last one may only be padding.
                    if not waiting.strip(b"\0"):
                        break
                    member = zlib.decompressobj(_GZIP_WINDOW)
                yield member.decompress(waiting, _PIECE)
                waiting = member.unused_data if member.eof else member.unconsumed_tail
    except zlib.error as error:
        raise unreadable(f"The gzip data is damaged: {error}.") from error
    yield from _rest(member)
    if not member.eof:
        raise unreadable("The gzip data ends too early.")


def _rest(member: zlib._Decompress) -> Iterator[bytes]:
    # Output may be left over once all input is taken.
    while not member.eof and (piece := member.decompress(member.unconsumed_tail, _PIECE)):
        yield piece


def _zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    options = {int(zstd.DecompressionParameter.window_log_max): _WIDEST_WINDOW}
    frame = zstd.ZstdDecompressor(options=options)
    try:
        for chunk in chunks:
            waiting = chunk
            while waiting or not (frame.needs_input or frame.eof):
                if frame.eof:
                    frame = zstd.ZstdDecompressor(options=options)
                yield frame.decompress(waiting, _PIECE)
                waiting = frame.unused_data if frame.eof else b""
    except zstd.ZstdError as error:
        raise unreadable(f"The zstd data is damaged: {error}.") from error
    if not frame.eof:
        raise unreadable("The zstd data ends too early.")
