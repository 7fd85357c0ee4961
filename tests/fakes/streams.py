"""Streams that a test or a generator writes to."""

from __future__ import annotations

import io


class Unseekable(io.RawIOBase):
    """Cannot go back: a zip writer then puts sizes behind the members, as java.util.zip does."""

    def __init__(self, target: io.BytesIO) -> None:
        self._target = target

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        return self._target.write(data)  # type: ignore[arg-type]
