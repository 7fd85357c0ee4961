"""Variables in a Dockerfile as BuildKit puts them in (Dockerfile reference, "Environment replacement")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_VARIABLE = re.compile(
    r"\\(?P<escaped>.)|'(?P<quoted>[^']*)'|\$(?P<plain>\w+)|\$\{(?P<name>\w+)(?P<change>:?[-+?#%/]+)?(?P<word>(?:\$\{[^}]*\}|[^}])*)\}"
)


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
    missing: list[str] = []
    undecided: list[str] = []

    def put_in(match: re.Match[str]) -> str:
        if match["escaped"] is not None:
            return match["escaped"]
        if match["quoted"] is not None:
            return match["quoted"]
        name, change = match["plain"] or match["name"], match["change"] or ""
        value = values.get(name)
        unset = not value if change.startswith(":") else value is None
        if change.endswith("-"):
            return expand(match["word"], values).text if unset else value or ""
        if change.endswith("+"):
            return "" if unset else expand(match["word"], values).text
        if change and not change.endswith("?"):
            undecided.append(name)
        if value is None:
            missing.append(name)
        return value or ""

    plain = _VARIABLE.sub(put_in, text).replace('"', "")
    return Expanded(plain, tuple(missing), tuple(undecided))


def names_in(text: str) -> frozenset[str]:
    """Return the variables that a text mentions, escaped ones and those in single quotes included."""
    return frozenset(re.findall(r"(?<!\\)\$\{?(\w+)", text))
