"""The machine that an image's entry point is really built for: a task dies of a wrong one, whatever the labels say.

Only what a plain look can decide is decided: an absolute path, a regular file in a gzip or plain tar layer, an ELF
header. Anything else is unknown, and an unknown machine runs.
"""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate.sandbox.front.http import Json

_ELF = b"\x7fELF"
_MACHINES = {0x3E: "amd64", 0xB7: "arm64"}  # e_machine of the ELF specification
_MACHINE_AT, _HEADER = 18, 20


def entry_point(config: Json) -> str | None:
    """Return the path that a container of this image configuration executes, when it is absolute."""
    inner = config.get("config") or {}
    words = [*(inner.get("Entrypoint") or []), *(inner.get("Cmd") or [])]
    return str(words[0]) if words and str(words[0]).startswith("/") else None


def machine_of(path: str, layers: Sequence[bytes]) -> str | None:
    """Return the architecture of the executable at ``path``, the last layer's where several hold it; None: unknown."""
    found = None
    for layer in layers:
        header = _header(path.lstrip("/"), layer)
        if header is not None:
            found = _MACHINES.get(header[_MACHINE_AT]) if header.startswith(_ELF) and len(header) >= _HEADER else None
    return found


def _header(name: str, layer: bytes) -> bytes | None:
    try:
        with tarfile.open(fileobj=io.BytesIO(layer), mode="r:*") as archive:
            for member in archive:
                if member.name.removeprefix("./").lstrip("/") == name:
                    content = archive.extractfile(member) if member.isfile() else None
                    return content.read(_HEADER) if content is not None else b""
    except (tarfile.TarError, EOFError, OSError):
        return None
    return None
