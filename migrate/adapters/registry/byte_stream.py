"""Bytes that come in pieces, read in the amounts that a format asks for; what need not be copied is not."""

from __future__ import annotations

from collections.abc import Iterator


class ByteStream:
    """Reads exact amounts from pieces; ``passed`` counts what has come so far.

    ``piece`` and ``at`` are open to readers that look before they take: ``piece[at:]`` comes next.
    """

    __slots__ = ("_pieces", "at", "passed", "piece")

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.piece = b""
        self.at = 0
        self.passed = 0

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, fewer only at the end."""
        found = self.piece[self.at : self.at + size]
        self.at += len(found)
        if len(found) == size:
            return found
        parts = bytearray(found)
        while len(parts) < size and self.advance():
            part = self.piece[: size - len(parts)]
            self.at = len(part)
            parts += part
        return bytes(parts)

    def peek(self, size: int) -> bytes:
        """Return the next ``size`` bytes, fewer only at the end, and leave them where they are."""
        if self.at + size > len(self.piece):
            found = self.read(size)
            self.piece, self.at = found + self.piece[self.at :], 0
        return self.piece[self.at : self.at + size]

    def skip(self, size: int) -> bool:
        """Pass ``size`` bytes by and say whether as many were there."""
        end = self.at + size
        while end > len(self.piece):
            end -= len(self.piece)
            if not self.advance():
                return False
        self.at = end
        return True

    def some(self, limit: int) -> bytes:
        """Return between one byte and ``limit``, none only at the end."""
        while self.at >= len(self.piece):
            if not self.advance():
                return b""
        found = self.piece[self.at : self.at + limit]
        self.at += len(found)
        return found

    def view(self, limit: int) -> memoryview:
        """Return what ``some`` does, as a view of the piece that is not copied."""
        while self.at >= len(self.piece):
            if not self.advance():
                return memoryview(b"")
        found = memoryview(self.piece)[self.at : self.at + limit]
        self.at += len(found)
        return found

    def passed_by(self, size: int) -> int:
        """Pass up to ``size`` bytes by, and return how many there were."""
        left = size
        while left > (there := len(self.piece) - self.at):
            left -= there
            if not self.advance():
                return size - left
        self.at += left
        return size

    def return_to_stream(self, size: int) -> None:
        """Take back the last ``size`` bytes of what ``some`` gave last."""
        self.at -= size

    def drain(self) -> None:
        """Pass everything by that is still to come."""
        while self.advance():
            pass

    def advance(self) -> bool:
        """Go on to the next piece, whatever is left of this one; say whether there is one."""
        piece = next(self._pieces, None)
        if piece is None:
            self.piece, self.at = b"", 0
            return False
        self.piece, self.at = piece, 0
        self.passed += len(piece)
        return True


class Bounded(Iterator[bytes]):
    """The next ``left`` bytes of a stream as pieces of their own; ``left`` says how many are still to come."""

    _PIECE = 1 << 17

    def __init__(self, stream: ByteStream, left: int) -> None:
        self._stream = stream
        self.left = left

    def __next__(self) -> bytes:
        found = self._stream.some(min(self.left, self._PIECE)) if self.left else b""
        if not found:
            raise StopIteration
        self.left -= len(found)
        return found
