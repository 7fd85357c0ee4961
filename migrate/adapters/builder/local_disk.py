"""How much room a BuildKit on this machine has: who listens on its socket, and where that one keeps its files.

Sources: unix(7), SO_PEERCRED (Linux); BuildKit 0.34, cmd/buildkitd (``--root``, ``--config``) and
docs/buildkitd.toml.md (root). Where the listener is no buildkitd that can be looked at, nothing is known.
"""

from __future__ import annotations

import shutil
import socket
import struct
import tomllib
from collections.abc import Sequence
from pathlib import Path

_PROGRAM = "buildkitd"
_DEFAULT_ROOT = "/var/lib/buildkit"
_DEFAULT_CONFIG = "/etc/buildkit/buildkitd.toml"
_SECONDS = 2.0
_CREDENTIALS = struct.Struct("3i")


def free_bytes_behind(endpoint: str) -> int | None:
    """Return the free bytes where the BuildKit behind ``unix://`` keeps its files; None where that is not known."""
    path = endpoint.removeprefix("unix://")
    process = _listener(path) if path != endpoint else None
    if process is None:
        return None
    try:
        arguments = Path(f"/proc/{process}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        root = root_directory([argument for argument in arguments if argument])
        return shutil.disk_usage(root).free if root is not None else None
    except OSError:
        return None


def root_directory(arguments: Sequence[str]) -> Path | None:
    """Return where a buildkitd that was started so keeps its files; None where it is no buildkitd."""
    if not arguments or Path(arguments[0]).name != _PROGRAM:
        return None
    given = _option(arguments, "root")
    if given:
        return Path(given)
    try:
        settings = tomllib.loads(Path(_option(arguments, "config") or _DEFAULT_CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        settings = {}
    return Path(str(settings.get("root") or _DEFAULT_ROOT))


def _option(arguments: Sequence[str], name: str) -> str:
    """Return the value of ``--name value`` or ``--name=value``; Go's flags take one dash as well."""
    for place, argument in enumerate(arguments):
        flag, equals, value = argument.lstrip("-").partition("=")
        if argument.startswith("-") and flag == name:
            return value if equals else "".join(arguments[place + 1 : place + 2])
    return ""


def _listener(path: str) -> int | None:
    """Return the process that listens on a socket; systems other than Linux do not say."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(_SECONDS)
            probe.connect(path)
            process, _, _ = _CREDENTIALS.unpack(probe.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))
    except OSError:
        return None
    return int(process) or None
