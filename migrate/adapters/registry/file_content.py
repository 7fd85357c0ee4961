"""What the content of one file says, read while it streams by: a few bytes of most files, more of those that tell."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from migrate.adapters.registry.byte_stream import ByteStream
from migrate.adapters.registry.compression import unreadable
from migrate.adapters.registry.file_window import FileWindow
from migrate.adapters.registry.tar_stream import NO_FACTS, FileFacts
from migrate.adapters.registry.zip_stream import is_zip_name, read_zip
from migrate.core.image.executables import (
    PLAIN,
    TELLING,
    Archive,
    ElfHeader,
    Executable,
    Script,
    read_through,
    without_text,
)
from migrate.core.image.package_files import MOST_KEPT, kept_bytes

_ZIP = b"PK"
_MOST_TEXT = 16 << 20
_MOST_NAMES = 32 << 20
_SHELLS = frozenset({"sh", "bash", "ash", "dash", "busybox", "ksh", "zsh"})


class ContentReader:
    """Reads the files of one layer. What it keeps of them is bounded, whatever the layer holds.

    ``charge`` takes the number of bytes that were unpacked beyond the layer's own content, and may refuse them.
    """

    def __init__(self, charge: Callable[[int], None]) -> None:
        self._charge = charge
        self._kept_left = MOST_KEPT
        self._text_left = _MOST_TEXT
        self._names_left = _MOST_NAMES

    def __call__(self, stream: ByteStream, size: int, path: str) -> tuple[FileFacts, int]:
        """Return the facts of the file that begins here, and how many of its bytes were taken from the stream.

        Raises UnreadableLayerError where the archive ends in the file, or tells more than an image may.
        """
        magic = stream.piece[stream.at : stream.at + 2]
        kept = kept_bytes(path)
        if magic not in TELLING and magic != _ZIP and not kept and len(magic) == len(_ZIP):
            return NO_FACTS, 0
        if kept:
            return self._keep(stream, min(size, kept, self._kept_left))
        window = FileWindow(stream, size)
        if bytes(window(0, 2)) == _ZIP and is_zip_name(path):
            content: Executable = self._bounded(read_zip(window, size, self._charge))
        else:
            content = self._bounded(read_through(window))
        return (NO_FACTS if content is PLAIN else FileFacts(content)), window.taken

    def _keep(self, stream: ByteStream, size: int) -> tuple[FileFacts, int]:
        found = stream.read(size)
        if len(found) < size:
            raise unreadable("The archive ends in the middle of a file.")
        self._kept_left -= size
        return FileFacts(PLAIN, found), size

    def _bounded(self, content: Executable) -> Executable:
        if isinstance(content, Script):
            is_shell = not _SHELLS.isdisjoint(map(posixpath.basename, (content.interpreter, *content.argument.split())))
            self._text_left -= len(content.text) if is_shell else 0
            return content if is_shell and self._text_left >= 0 else without_text(content)
        self._names_left -= evidence_bytes(content)
        if self._names_left < 0:
            raise unreadable("The programs of a layer name more than an image may hold.")
        return content


def evidence_bytes(content: Executable) -> int:
    """Return about how much is kept of a file."""
    if isinstance(content, Script):
        return len(content.text)
    if isinstance(content, ElfHeader):
        return _names(content)
    if isinstance(content, Archive):
        return sum(len(name) + _names(header) for name, header in content.members)
    return 0


def _names(header: ElfHeader) -> int:
    return sum(map(len, (header.loader, *header.needed, *header.library_path)))
