"""The state of a stack in a file that `pulumi stack export` has written, and copies of a state beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from migrate.adapters.whole_file import write_whole
from migrate.errors import SettingsError


class StateFile:
    """Implements StackState on a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def place(self) -> str:
        """The file's name."""
        return str(self._path)

    def read(self) -> str:
        """Return what the file holds. Raises SettingsError."""
        try:
            return self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "It is not UTF-8"
            raise SettingsError(
                f"{self._path} cannot be read.",
                why=f"{reason}.",
                then="Name a file that `pulumi stack export --file FILE` has written.",
                runbook="errors#state-file",
            ) from error

    def keep(self, text: str) -> str:
        """Write a copy beside the file. Raises SettingsError."""
        return kept_beside(self._path, text)

    def write(self, text: str) -> None:
        """Replace the file. Raises SettingsError."""
        replace_file(self._path, text)

    def import_command(self) -> str:
        """Return what Pulumi takes the file into the stack by."""
        return f"pulumi stack import --file {self._path}"

    def way_back(self, kept: str) -> str:
        """Return what Pulumi takes the copy into the stack by, whether or not it has the new one."""
        return f"pulumi stack import --file {kept}"


def kept_beside(path: Path, text: str) -> str:
    """Write a copy under a name that tells its content apart, and return where it is. Raises SettingsError."""
    content = hashlib.sha256(text.encode()).hexdigest()[:8]
    copy = path.with_name(f"{path.stem}.before-adopt-{content}.json")
    replace_file(copy, text)
    return str(copy)


def replace_file(path: Path, text: str) -> None:
    """Replace a file whole, readable by its owner alone. Raises SettingsError."""
    try:
        # Encrypted or not, a state tells a lot.
        write_whole(path, text, private=True)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written.",
            why=f"{error.strerror}.",
            then="Nothing was changed. Make its folder writable, then run this again.",
            runbook="errors#state-file",
        ) from error
