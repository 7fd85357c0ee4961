"""Variables in a Dockerfile as BuildKit puts them in (Dockerfile reference, "Environment replacement")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_NAME = re.compile(r"\$(?:(?P<plain>\w+)|\{(?P<name>\w+)(?P<change>:?[-+?#%/]+)?)")
_DEEPEST = 16
_LONGEST = 64 << 10
"""How long a text becomes at most: variables that hold each other can make it grow without end."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """A text with its variables put in; ``missing`` are those that had no value and no default.

    ``undecided`` are those changed in a way that is not followed here (``${name#pattern}`` and the like).
    """

    text: str
    missing: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()


def expand(text: str, values: Mapping[str, str]) -> Expanded:
    """Put variables in and take quotes off. A variable without a value is empty, as BuildKit has it."""
    reading = _Reading(values)
    plain = reading.expanded(text, 0)
    return Expanded(plain, tuple(reading.missing), tuple(reading.undecided))


@dataclass(slots=True)
class _Reading:
    """Goes through a text once, and through the words within ``${name:-word}`` in turn."""

    values: Mapping[str, str]
    missing: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    left: int = _LONGEST

    def expanded(self, text: str, depth: int) -> str:
        parts: list[str] = []
        at, quoted = 0, False
        while at < len(text) and self.left > 0:
            sign = text[at]
            match = _NAME.match(text, at) if sign == "$" else None
            if sign == "\\":
                parts.append(text[at + 1 : at + 2])
                at += 2
            elif sign == "'" and not quoted:
                end = text.find("'", at + 1)
                end = end if end >= 0 else len(text)
                parts.append(text[at + 1 : end])
                at = end + 1
            elif match is not None:
                value, at = self._variable(match, text, depth)
                parts.append(value)
            else:
                quoted ^= sign == '"'
                parts.append("" if sign == '"' else sign)
                at += 1
            self.left -= len(parts[-1])
        return "".join(parts)

    def _variable(self, match: re.Match[str], text: str, depth: int) -> tuple[str, int]:
        """Return what a variable stands for, and where the text goes on behind it."""
        name, change = match["plain"] or match["name"], match["change"] or ""
        end = match.end() if match["plain"] else _closing(text, match.end())
        value = self.values.get(name)
        unset = not value if change.startswith(":") else value is None
        if change.endswith(("-", "+")):
            takes_word = unset is change.endswith("-")
            word = text[match.end() : end - 1] if takes_word and depth < _DEEPEST else ""
            return (self.expanded(word, depth + 1) if takes_word else "" if change.endswith("+") else value or ""), end
        if change and not change.endswith("?"):
            self.undecided.append(name)
        if value is None:
            self.missing.append(name)
        return value or "", end


def _closing(text: str, at: int) -> int:
    """Return the place behind the brace that closes a variable; the end of the text where none does."""
    depth = 1
    while at < len(text) and depth:
        depth += (text[at] == "{") - (text[at] == "}")
        at += 1
    return at


def names_in(text: str) -> frozenset[str]:
    """Return the variables that a text mentions, escaped ones and those in single quotes included."""
    return frozenset(re.findall(r"(?<!\\)\$\{?(\w+)", text))
