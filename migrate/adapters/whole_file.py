"""A file that others may read at any time, and that a kill may hit at any time: whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_OF_ANYBODY = 0o666
_OF_ITS_OWNER = 0o600


def write_whole(path: Path, text: str, *, private: bool = False) -> None:
    """Write a file beside its place and move it there, on the disk before it counts, every byte as in ``text``.

    ``private`` lets its owner alone read it; otherwise the umask decides. Raises OSError, and leaves nothing behind.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        mode = _OF_ITS_OWNER if private else _OF_ANYBODY
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
