"""How a resource's properties are described: the tables in :mod:`.resources` are made of these."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from migrate.sandbox.aws_plugin.values import Props

Validator = Callable[[Any], str | None]
"""Gives the text of what is wrong with a known value, or None."""

Equality = Callable[[Any, Any, Props], bool]
"""Whether the state's value and the program's mean the same; the third is the whole planned resource."""


class Kind(StrEnum):
    """The shape of a property's value."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"
    SET = "set"
    MAP = "map"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Property:
    """One property.

    ``computed``: AWS fills it when the program does not, so that leaving it out is no change. ``output``: never an
    input. ``replace``: a change makes a new resource. ``lenient``: removing the block is no change by itself
    ("optional block suppression", reference/provider.md section 1). ``fields``: of an object, or of the objects in a
    list or set; ``element`` is the kind of other members.
    """

    kind: Kind
    required: bool = False
    computed: bool = False
    output: bool = False
    replace: bool = False
    default: Any = None
    lenient: bool = False
    fields: Mapping[str, Property] = field(default_factory=dict)
    element: Kind = Kind.STRING
    at_most: int | None = None
    checks: tuple[Validator, ...] = ()
    equal: Equality | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One resource type: its token, properties, and what the shared machinery has to know about it."""

    token: str
    properties: Mapping[str, Property]
    named: bool = False
    tagged: bool = False
    delete_first: bool = False
    stable: tuple[str, ...] = ()

    def input_names(self) -> tuple[str, ...]:
        """Return the properties that a program may set."""
        return tuple(name for name, item in self.properties.items() if not item.output)


def text(*checks: Validator, **how: Any) -> Property:
    """Describe a string."""
    return Property(Kind.STRING, checks=checks, **how)


def whole(*checks: Validator, **how: Any) -> Property:
    """Describe an integer."""
    return Property(Kind.INTEGER, checks=checks, **how)


def number(*checks: Validator, **how: Any) -> Property:
    """Describe a number with a fraction."""
    return Property(Kind.NUMBER, checks=checks, **how)


def flag(**how: Any) -> Property:
    """Describe a boolean."""
    return Property(Kind.BOOLEAN, **how)


def mapping(**how: Any) -> Property:
    """Describe a map of strings."""
    return Property(Kind.MAP, **how)


def strings(*, ordered: bool = False, **how: Any) -> Property:
    """Describe a collection of strings; not ordered is Terraform's set."""
    return Property(Kind.LIST if ordered else Kind.SET, **how)


def block(fields: Mapping[str, Property], **how: Any) -> Property:
    """Describe a single nested object."""
    return Property(Kind.OBJECT, fields=fields, **how)


def blocks(fields: Mapping[str, Property], *, ordered: bool = False, **how: Any) -> Property:
    """Describe a collection of nested objects."""
    return Property(Kind.LIST if ordered else Kind.SET, fields=fields, element=Kind.OBJECT, **how)


def one_of(*values: str) -> Validator:
    """Allow only these values."""

    def check(value: Any) -> str | None:
        quoted = " ".join(f'"{item}"' for item in values)
        return None if value in values else f"expected to be one of [{quoted}], got {value}"

    return check


def between(low: float, high: float) -> Validator:
    """Allow only numbers from ``low`` to ``high``."""

    def check(value: Any) -> str | None:
        return None if low <= value <= high else f"expected to be in the range ({low} - {high}), got {value}"

    return check


def length(low: int, high: int) -> Validator:
    """Allow only strings of this length."""

    def check(value: Any) -> str | None:
        if low <= len(value) <= high:
            return None
        return f"expected length to be in the range ({low} - {high}), got {value}"

    return check


def matching(pattern: str, message: str) -> Validator:
    """Allow only strings that match ``pattern``."""
    compiled = re.compile(pattern)

    def check(value: Any) -> str | None:
        return None if compiled.search(value) else message

    return check


def arn(value: Any) -> str | None:
    """Allow only ARNs."""
    return None if str(value).startswith("arn:") else f"({value}) is an invalid ARN: arn: invalid prefix"


def whole_text(low: int, high: int) -> Validator:
    """Allow only strings that hold an integer from ``low`` to ``high``."""

    def check(value: Any) -> str | None:
        if str(value).isdigit() and low <= int(value) <= high:
            return None
        return f"must be a valid integer between {low} and {high}, got {value}"

    return check
