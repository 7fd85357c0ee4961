"""migrate.toml -> core settings, or one error that names every mistake in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrate.config.check_keys import CHECK_KEYS
from migrate.config.key import Key
from migrate.config.keys import KEYS, NOT_OFFERED, PRICE_KEYS, STRATEGY_KEYS, TABLES
from migrate.config.locate import KeyPath
from migrate.config.mistakes import Mistake, quoted, settings_error, shown
from migrate.core.settings import Settings
from migrate.errors import SettingsError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_POSITION = re.compile(r"(?P<reason>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)")
_LONGEST_SHOWN = 60


def load(path: Path) -> Settings:
    """Read the operator's settings.

    Raises SettingsError that names file, line, key, what was found and what was expected, for all mistakes at once.
    """
    from pydantic import ValidationError

    from migrate.config.model import SettingsFile, to_settings
    from migrate.config.rules import mistakes_in

    text = _text(path)
    content = _toml(path, text)
    try:
        file = SettingsFile.model_validate(content)
    except ValidationError as error:
        found = [_mistake(item) for item in error.errors(include_url=False)]
        raise settings_error(path, text, found) from error
    broken = mistakes_in(file)
    if broken:
        raise settings_error(path, text, broken)
    return to_settings(file)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError as error:
        raise SettingsError(
            f"There is no settings file {path}.",
            then="Run `migrate init` to write one, or name another with --config or MIGRATE_CONFIG.",
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


def _toml(path: Path, text: str) -> dict[str, Any]:
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


def _mistake(error: ErrorDetails) -> Mistake:
    path = tuple(error["loc"])
    if error["type"] == "extra_forbidden":
        return Mistake(path, _unknown(path))
    if error["type"] == "missing":
        return Mistake(path, f"is missing; expected {_expected(path)}")
    return Mistake(path, f"is {_found(path, error['input'])}; expected {_expected(path)}")


def _unknown(path: KeyPath) -> str:
    why = NOT_OFFERED.get((str(path[0]), str(path[-1])))
    if why is not None:
        return why
    name, known = str(path[-1]), _siblings(path)
    near = get_close_matches(name, known, n=1)
    if near:
        return f"is not a known key; did you mean {near[0]}?"
    homes = [f"[{key.table}]" for key in KEYS if key.name == name]
    if homes:
        return f"is not a known key here; it belongs in {' or '.join(homes)}"
    return f"is not a known key; expected one of {', '.join(known)}"


def _siblings(path: KeyPath) -> list[str]:
    if len(path) == 1:
        return list(TABLES)
    return [key.name for key in _keys(path)]


def _keys(path: KeyPath) -> tuple[Key, ...]:
    if path[0] == "prices":
        return PRICE_KEYS
    if path[:2] == ("capacity", "strategy") and len(path) > len(("capacity", "strategy", 0)):
        return STRATEGY_KEYS
    if path[0] == "gate" and path[1] in CHECK_KEYS and len(path) > len(("gate", "metric", 0)):
        return CHECK_KEYS[str(path[1])]
    return tuple(key for key in KEYS if key.table == path[0])


def _expected(path: KeyPath) -> str:
    if len(path) == 1 or (path[0] == "prices" and len(path) == len(("prices", "us-east-1"))):
        name = "prices.REGION" if path == ("prices",) else shown(path)
        return f"a table [{name}] with {', '.join(_required(path))}"
    named = {key.name: key.expected for key in _keys(path)}
    if path[:2] == ("capacity", "strategy") and isinstance(path[-1], int):
        return 'an item such as { provider = "FARGATE_SPOT", weight = 3 }'
    if "build_arguments" in path[:-1]:
        return "a text"
    # A mistake inside a list is explained by what the list may hold.
    return next(named[step] for step in reversed(path) if step in named)


def _required(path: KeyPath) -> list[str]:
    names = {"service": ["cluster", "name"], "image": ["container"], "prices": [key.name for key in PRICE_KEYS[:-1]]}
    return names.get(str(path[0]), [key.name for key in KEYS if key.table == path[0]])


def _found(path: KeyPath, value: object) -> str:
    """Return the value as TOML shows it, but nothing of build arguments and URLs that may be a secret."""
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if "build_arguments" in path:
        return "not a text"
    if path[-1] == "url" and isinstance(value, str) and "@" in value:
        return "a URL with a name or password"
    shown = str(value).lower() if isinstance(value, bool) else quoted(value) if isinstance(value, str) else str(value)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}..."
