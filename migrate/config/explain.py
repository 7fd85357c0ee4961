"""What is wrong with a key of migrate.toml: what was found, what was expected, what was probably meant."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from migrate.config.check_keys import CHECK_KEYS
from migrate.config.key import Key
from migrate.config.keys import KEYS, NOT_OFFERED, PRICE_KEYS, STRATEGY_KEYS, TABLES
from migrate.config.locate import KeyPath
from migrate.config.mistakes import Mistake, quoted, shown
from migrate.config.notification_keys import WEBHOOK_KEYS

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_LONGEST_SHOWN = 60


def mistake(error: ErrorDetails) -> Mistake:
    """Return what pydantic refused, in the words of migrate.toml."""
    path = tuple(error["loc"])
    if error["type"] == "extra_forbidden":
        return Mistake(path, _unknown(path))
    if error["type"] == "missing":
        return Mistake(path, f"is missing; expected {_expected(path)}")
    return Mistake(path, f"is {found(path, error['input'])}; expected {_expected(path)}")


def _unknown(path: KeyPath) -> str:
    why = NOT_OFFERED.get((str(path[0]), str(path[-1])))
    if why is not None:
        return why
    name, known = str(path[-1]), _siblings(path)
    homes = [f"[{key.table}]" for key in KEYS if key.name == name]
    if homes and not get_close_matches(name, known, n=1):
        return f"is not a known key here; it belongs in {' or '.join(homes)}"
    return meant(name, known)


def meant(name: str, known: list[str]) -> str:
    """Say that a key is not one of those that are known, and which one was probably meant."""
    near = get_close_matches(name, known, n=1)
    if near:
        return f"is not a known key; did you mean {near[0]}?"
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
    if path[:2] == ("notifications", "webhook") and len(path) > len(("notifications", "webhook", 0)):
        return WEBHOOK_KEYS
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


def found(path: KeyPath, value: object) -> str:
    """Return a value as TOML shows it, but nothing of build arguments and URLs that may be a secret."""
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
