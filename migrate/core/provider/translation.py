"""Turns documents of the ECS API into arguments of the AWS provider, by tables; names what a table does not know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from migrate.core.documents import Json

Arguments = dict[str, Any]
"""Keyword arguments of a resource of pulumi_aws: snake case, nested objects as dictionaries."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an API shape: its argument name, and either a table for what is inside or a conversion.

    ``listed``: one object to the API, a list of one to the provider.
    """

    name: str
    inside: Mapping[str, Field] | None = None
    convert: Callable[[Json], Any] | None = None
    listed: bool = False


Table = Mapping[str, Field]


def translate(value: Mapping[str, Json], table: Table) -> Arguments:
    """Return the arguments for ``value``. What is empty is left out: to the provider empty and absent are the same."""
    arguments: Arguments = {}
    for name, field in table.items():
        translated = _translate_field(value.get(name), field)
        if not is_empty(translated):
            arguments[field.name] = translated
    return arguments


def untranslated(value: Mapping[str, Json], table: Table, path: str = "") -> tuple[str, ...]:
    """Return the paths of fields with content that the table has no place for, sorted."""
    missing = [f"{path}{name}" for name, item in value.items() if name not in table and says_something(item)]
    for name, field in table.items():
        inside = value.get(name)
        if field.inside is None:
            continue
        for item in inside if isinstance(inside, list) else [inside]:
            if isinstance(item, dict):
                missing.extend(untranslated(item, field.inside, f"{path}{name}."))
    return tuple(sorted(set(missing)))


def is_empty(value: Any) -> bool:
    """Tell whether a value says nothing: None, an empty text, list or object. False and 0 say something."""
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def says_something(value: Json) -> bool:
    """Tell whether a value has content anywhere inside; False, 0 and empty texts are what the API leaves out."""
    if isinstance(value, dict):
        return any(says_something(item) for item in value.values())
    if isinstance(value, list):
        return any(says_something(item) for item in value)
    return bool(value)


def same(*names: str) -> dict[str, Field]:
    """Return a table of fields that only change their spelling from camel case to snake case."""
    return {name: Field(_snake(name)) for name in names}


def names_to_values(value: Json, key: str = "name", item: str = "value") -> dict[str, str]:
    """Return a list of name and value objects as one object."""
    pairs = value if isinstance(value, list) else []
    return {str(pair[key]): str(pair.get(item) or "") for pair in pairs if isinstance(pair, dict) and key in pair}


def tags_to_values(value: Json) -> dict[str, str]:
    """Return a list of key and value objects as one object."""
    return names_to_values(value, key="key")


def number_to_text(value: Json) -> str | None:
    """Return a number as text: the provider keeps some counts as strings."""
    return None if value is None else str(value)


def _translate_field(value: Json, field: Field) -> Any:
    if field.convert is not None:
        return None if value is None else field.convert(value)
    if field.inside is None:
        return value
    if isinstance(value, list):
        return [translate(item, field.inside) for item in value if isinstance(item, dict)]
    if not isinstance(value, dict):
        return None
    translated = translate(value, field.inside)
    return [translated] if field.listed and translated else translated


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
