"""Values put into shell commands, quoted as the place where they go asks for (POSIX, Shell Command Language, 2.2)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

_IN_DOUBLE_QUOTES = ("\\", '"', "$", "`")
"""What a backslash has to stand before within double quotes."""


class _Quotes(Enum):
    NONE = ""
    SINGLE = "'"
    DOUBLE = '"'


@dataclass(frozen=True, slots=True)
class _Use:
    """A variable used from ``first`` to ``behind`` of a text, in quotes or not."""

    name: str
    first: int
    behind: int
    quotes: _Quotes


def names_in(text: str) -> frozenset[str]:
    """Return the variables (upper case) that commands use."""
    return frozenset(use.name for use in _uses(text))


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return commands with the variables replaced that have a value; a shell reads each value as one word."""
    for use in reversed(list(_uses(text))):
        if use.name in values:
            text = text[: use.first] + _quoted(values[use.name], use.quotes) + text[use.behind :]
    return text


def _quoted(value: str, quotes: _Quotes) -> str:
    if quotes is _Quotes.NONE:
        return shlex.quote(value)
    for character in _IN_DOUBLE_QUOTES:
        value = value.replace(character, f"\\{character}")
    return value


def _uses(text: str) -> Iterator[_Use]:
    """Yield every ``$NAME`` and ``${NAME}`` that a shell would expand: none in single quotes or behind a backslash."""
    quotes, at = _Quotes.NONE, 0
    while at < len(text):
        character = text[at]
        if character == "\\" and quotes is not _Quotes.SINGLE:
            at += 2
            continue
        if character == "#" and quotes is _Quotes.NONE and (at == 0 or text[at - 1].isspace()):
            # A comment may hold an apostrophe.
            at = text.find("\n", at) if "\n" in text[at:] else len(text)
            continue
        if character in "'\"" and quotes in (_Quotes.NONE, _Quotes(character)):
            quotes = _Quotes.NONE if quotes is not _Quotes.NONE else _Quotes(character)
        if character == "$" and quotes is not _Quotes.SINGLE and (use := _use(text, at, quotes)):
            yield use
            at = use.behind
            continue
        at += 1


def _use(text: str, at: int, quotes: _Quotes) -> _Use | None:
    braced = text.startswith("{", at + 1)
    first = at + 2 if braced else at + 1
    behind = first
    while behind < len(text) and (text[behind] == "_" or (text[behind].isascii() and text[behind].isalnum())):
        behind += 1
    name = text[first:behind]
    if not name or not name.isupper() or name[0].isdigit() or (braced and not text.startswith("}", behind)):
        return None
    return _Use(name, at, behind + 1 if braced else behind, quotes)
