"""The few files of an image whose content is kept while its layers stream by: they say what is installed.

Sources: dpkg(1) and distroless images (status.d), apk(8) (installed), the Python packaging guide (WHEEL, RECORD).
"""

from __future__ import annotations

LARGEST_KEPT = 2 << 20
MOST_KEPT = 32 << 20
"""How much is kept of one file, and of all files of an image; both in bytes."""

_WHOLE = frozenset({"var/lib/dpkg/status", "lib/apk/db/installed", "usr/lib/apk/db/installed"})
_FOLDERS = ("var/lib/dpkg/status.d/",)
_LISTS = "var/lib/dpkg/info/"
_WHEEL_FILES = (".dist-info/WHEEL", ".dist-info/RECORD")
_ENDINGS = ("/status", "/installed", ".list", *_WHEEL_FILES)


def kept_bytes(path: str) -> int:
    """Return how many bytes of a file are to be kept, 0 for most; ``path`` is the name in the layer, as written."""
    if not path.endswith(_ENDINGS) and "/status.d/" not in path:
        return 0
    name = path.lstrip("./")
    is_list = name.startswith(_LISTS) and name.endswith(".list")
    if name in _WHOLE or is_list or name.startswith(_FOLDERS) or name.endswith(_WHEEL_FILES):
        return LARGEST_KEPT
    return 0
