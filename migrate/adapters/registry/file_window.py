"""A file in a stream, seen through a window: offsets may be asked for while they are there or still to come."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from migrate.adapters.registry.byte_stream import Bounded, ByteStream
from migrate.core.elf_files import ELF_MAGIC
from migrate.core.image_executables import HEAD_BYTES

ELF_WINDOW = 4 << 20
"""How much is held of an ELF file that does not lie in one piece: names stand that far into the largest libraries."""

_LARGEST_ANSWER = 1 << 20


class FileWindow:
    """The next ``size`` bytes of a stream; ``taken`` says how many of them have been taken from it so far."""

    __slots__ = ("_base", "_held", "_later", "_later_at", "_size", "_stream", "taken")

    def __init__(self, stream: ByteStream, size: int) -> None:
        self._stream = stream
        self._size = size
        self._later: bytes = b""
        self._later_at = 0
        if len(stream.piece) - stream.at >= size:
            # All in one piece: nothing is copied and nothing is taken.
            self._held, self._base, self.taken = stream.piece, stream.at, 0
            return
        held = stream.read(min(size, HEAD_BYTES))
        if held.startswith(ELF_MAGIC):
            held += stream.read(min(size, ELF_WINDOW) - len(held))
        self._held, self._base, self.taken = held, 0, len(held)

    def __call__(self, offset: int, size: int) -> bytes | memoryview:
        """Return up to ``size`` bytes at an offset of the file, none where they are out of reach."""
        size = min(size, _LARGEST_ANSWER, self._size - offset)
        if size <= 0:
            return b""
        if not self.taken or offset < len(self._held):
            return memoryview(self._held)[self._base + offset : self._base + offset + size]
        if self._later_at <= offset < self._later_at + len(self._later):
            return self._later[offset - self._later_at : offset - self._later_at + size]
        return self._ahead(offset, size)

    def _ahead(self, offset: int, size: int) -> bytes:
        if offset < self.taken or not self._stream.skip(offset - self.taken):
            return b""
        # The strings of an ELF file that was patched stand behind the section that refers to them.
        wanted = min(max(size, 2 * HEAD_BYTES), self._size - offset)
        self._later, self._later_at = self._stream.read(wanted), offset
        self.taken = offset + len(self._later)
        return self._later[:size]

    def whole(self) -> Iterator[bytes]:
        """Yield the file from its first byte on; nothing may have been asked for beyond its beginning."""
        rest = Bounded(self._stream, self._size - self.taken)
        for piece in chain((self._held,) if self.taken else (), rest):
            self.taken = self._size - rest.left
            yield piece
