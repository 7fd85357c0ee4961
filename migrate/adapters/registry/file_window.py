"""A file in a stream, seen through a window: offsets may be asked for while they are held or still to come."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.adapters.registry.byte_stream import Bounded, ByteStream

WINDOW = 16 << 20
"""How much is held from a file's first byte on: that far into it the largest libraries have the names they need."""

_LARGEST_ANSWER = 1 << 20
_AFTER = 8192


class FileWindow:
    """The next ``size`` bytes of a stream; ``taken`` says how many of them have been taken from it so far.

    What is held are the stream's own pieces: nothing is copied until it is asked for across two of them.
    """

    __slots__ = ("_held", "_held_size", "_later", "_later_at", "_size", "_stream", "taken")

    def __init__(self, stream: ByteStream, size: int) -> None:
        self._stream = stream
        self._size = size
        self._held: list[memoryview] = []
        self._held_size = 0
        self._later = b""
        self._later_at = 0
        self.taken = 0

    def __call__(self, offset: int, size: int) -> bytes | memoryview:
        """Return up to ``size`` bytes at an offset of the file, none where they are out of reach."""
        end = min(offset + min(size, _LARGEST_ANSWER), self._size)
        while self._held_size < min(end, WINDOW) and self.taken == self._held_size:
            view = self._stream.view(self._size - self.taken)
            if not view:
                break
            self._held.append(view)
            self._held_size = self.taken = self.taken + len(view)
        if offset < self._held_size:
            return self._from_held(offset, end)
        if self._later_at <= offset < self._later_at + len(self._later):
            return self._later[offset - self._later_at : end - self._later_at]
        return self._ahead(offset, end)

    def _from_held(self, offset: int, end: int) -> bytes | memoryview:
        first = self._held[0]
        if end <= len(first):
            return first[offset:end]
        parts = []
        for view in self._held:
            if offset < len(view) and end > 0:
                parts.append(view[max(offset, 0) : end])
            offset, end = offset - len(view), end - len(view)
        return b"".join(parts)

    def _ahead(self, offset: int, end: int) -> bytes:
        if end <= offset or offset < self.taken:
            return b""
        passed = self._stream.passed_by(offset - self.taken)
        self.taken += passed
        if self.taken < offset:
            return b""
        # The strings of an ELF file that was patched stand behind the section that refers to them.
        self._later = self._stream.read(min(max(end - offset, _AFTER), self._size - offset))
        self._later_at = offset
        self.taken += len(self._later)
        return self._later[: end - offset]

    def all(self) -> bytes | None:
        """Return the file, or None where it is larger than the window; then ``whole`` has still all of it."""
        if self._size > WINDOW:
            return None
        while self.taken < self._size and (view := self._stream.view(self._size - self.taken)):
            self._held.append(view)
            self._held_size = self.taken = self.taken + len(view)
        return bytes(self._held[0]) if len(self._held) == 1 else b"".join(self._held)

    def whole(self) -> Iterator[bytes]:
        """Yield the file from its first byte on; nothing may have been asked for beyond what is held."""
        for view in self._held:
            yield bytes(view)
        rest = Bounded(self._stream, self._size - self.taken)
        for piece in rest:
            self.taken = self._size - rest.left
            yield piece
