"""A result in a file that others may read at any time: whole or not at all."""

from __future__ import annotations

from pathlib import Path

from migrate.adapters.whole_file import write_whole
from migrate.errors import SettingsError


def put(path: Path, text: str) -> None:
    """Write the file beside its place and move it there. Raises SettingsError where it cannot be written."""
    try:
        write_whole(path, text)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written.", why=f"{error.strerror}.", then="Choose another place for it."
        ) from error


def read(path: Path) -> str:
    """Return the text of a file. Raises SettingsError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"{path} cannot be read.", why=f"{reason}.", then="Give a file that can be.") from error
