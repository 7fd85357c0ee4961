"""Documents in which every field of an ECS API shape is filled, made from botocore's own model of the API."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import botocore.session
from botocore.model import ListShape, Shape, StructureShape

_MODEL = botocore.session.get_session().get_service_model("ecs")


def shape_names(shape: str) -> frozenset[str]:
    """Return the names of the members of a structure."""
    return frozenset(_structure(shape).members)


def filled(shape: str, leave_out: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return a structure in which every leaf has a value of its own."""
    numbers = count(1000)
    value: dict[str, Any] = {
        name: _filled(member, name, numbers)
        for name, member in _structure(shape).members.items()
        if name not in leave_out
    }
    return value


def leaves(value: Any) -> Iterator[str]:
    """Yield every leaf that is a text or a number, as text."""
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, float) and value.is_integer():
        yield str(int(value))
    elif not isinstance(value, bool):
        yield str(value)


def keys_and_leaves(value: Any) -> Iterator[str]:
    """Yield every leaf and every key: what is a name and value pair to the API is an entry to the provider."""
    yield from leaves(value)
    if isinstance(value, dict):
        yield from value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys_and_leaves(item)


def take_out(value: Any, path: str) -> None:
    """Delete what a dotted path names, in every item of the lists on the way."""
    name, _, rest = path.partition(".")
    for item in value if isinstance(value, list) else [value]:
        if rest:
            take_out(item[name], rest)
        else:
            del item[name]


def _structure(name: str) -> StructureShape:
    shape = _MODEL.shape_for(name)
    assert isinstance(shape, StructureShape)
    return shape


def _filled(shape: Shape, name: str, numbers: Iterator[int]) -> Any:
    if isinstance(shape, StructureShape):
        return {member: _filled(inside, member, numbers) for member, inside in shape.members.items()}
    if isinstance(shape, ListShape):
        return [_filled(shape.member, name, numbers)]
    if shape.type_name == "map":
        return {f"{name}-key": f"{name}-{next(numbers)}"}
    if shape.type_name == "boolean":
        return True
    if shape.type_name in {"integer", "long", "double", "float"}:
        return next(numbers)
    return f"{name}-{next(numbers)}"
