"""A TOML file, or an error that says where it is none."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from migrate.errors import SettingsError

_POSITION = re.compile(r"(?P<reason>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)")


def read_text(path: Path, *, missing: str) -> str:
    """Return the text of a settings file; ``missing`` says what to do where there is none. Raises SettingsError."""
    try:
        return path.read_bytes().decode()
    except FileNotFoundError as error:
        raise SettingsError(
            f"There is no settings file {path}.",
            then=missing,
        ) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SettingsError(
            f"{path}, line {line}: found bytes that are not UTF-8; TOML is always UTF-8.",
            then=f"Save {path} as UTF-8.",
        ) from error
    except OSError as error:
        raise SettingsError(
            f"The settings file {path} cannot be read.",
            why=f"{error.strerror}.",
            then="Check that it is a file and that you may read it.",
        ) from error


def read_toml(path: Path, text: str) -> dict[str, Any]:
    """Return what the text of a file says; SettingsError with the place where it is no TOML."""
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        match = _POSITION.fullmatch(str(error))
        reason, line, column = match.group("reason", "line", "column") if match else (str(error), None, None)
        place = f"line {line}, column {column}" if line else f"line {text.rstrip().count(chr(10)) + 1}"
        raise SettingsError(
            f"{path}, {place}: this is not TOML: {reason}.",
            why='Texts stand in double quotes (name = "web"), tables in brackets ([service]), every key only once.',
            then=f"Mend {path}; nothing was looked at and nothing was changed.",
        ) from error
