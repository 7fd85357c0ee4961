"""Tar headers that speak about the header after them: pax records, and GNU's long names."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from migrate.adapters.registry.compression import unreadable

_MOST_DIGITS = 16
_GNU_SPARSE = "GNU.sparse."


@dataclass(slots=True)
class Extension:
    """What headers before a header say about it."""

    path: str = ""
    target: str = ""
    size: int | None = None
    is_sparse: bool = False
    headers: int = 0


def extend(extension: Extension, kind: bytes, content: bytes) -> None:
    """Add what one more header says. Raises UnreadableLayerError where it cannot be read.

    Global headers say nothing that a runtime takes up (containerd passes them by).
    """
    if kind == tarfile.GNUTYPE_LONGNAME:
        extension.path = _decoded(content.partition(b"\0")[0])
    elif kind == tarfile.GNUTYPE_LONGLINK:
        extension.target = _decoded(content.partition(b"\0")[0])
    elif kind != tarfile.XGLTYPE:
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


def _number(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > _MOST_DIGITS:
        raise unreadable("An extended header holds a number that is none.")
    return int(digits)


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
