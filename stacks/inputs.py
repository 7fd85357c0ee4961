"""Stack inputs as JSON text, and back: how a stack's configuration carries the records that its program is made from.

The configuration key is ``migrate:inputs``. Because it is written before every operation, plain ``pulumi preview`` in
the working directory does what the tool does.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from enum import Enum
from typing import Any, TypeVar

from migrate.core.desired_state import ImageStackInputs, ServiceStackInputs
from migrate.errors import SettingsError

CONFIG_NAMESPACE = "migrate"
CONFIG_KEY = "inputs"

Inputs = TypeVar("Inputs", ImageStackInputs, ServiceStackInputs)


def inputs_to_text(inputs: ImageStackInputs | ServiceStackInputs) -> str:
    """Return stack inputs as JSON text, stable for equal inputs."""
    return json.dumps(dataclasses.asdict(inputs), sort_keys=True, separators=(",", ":"))


def inputs_from_text(kind: type[Inputs], text: str) -> Inputs:
    """Return the stack inputs that ``inputs_to_text`` wrote. Raises SettingsError when the text is of another shape."""
    try:
        inputs: Inputs = _read(kind, json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"The configuration {CONFIG_NAMESPACE}:{CONFIG_KEY} does not hold {kind.__name__}.",
            why=f"{type(error).__name__}: {error}",
            then="Run `migrate plan` once more: it writes the configuration anew.",
        ) from error
    return inputs


def _read(kind: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {types.UnionType, typing.Union}:
        if value is None and types.NoneType in arguments:
            return None
        return _read(next(argument for argument in arguments if argument is not types.NoneType), value)
    if origin is tuple:
        return _read_tuple(arguments, value)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _read_record(kind, value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    # A NewType (Document) stands for the type below it.
    plain = getattr(kind, "__supertype__", kind)
    if type(value) is not plain:
        raise TypeError(f"{value!r} is not of type {plain.__name__}")
    return value


def _read_tuple(arguments: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    if arguments[-1] is Ellipsis:
        return tuple(_read(arguments[0], item) for item in value)
    return tuple(_read(kind, item) for kind, item in zip(arguments, value, strict=True))


def _read_record(kind: type, value: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not an object")
    hints = typing.get_type_hints(kind)
    strange = set(value) - set(hints)
    if strange:
        raise KeyError(f"{kind.__name__} has no {', '.join(sorted(strange))}")
    return kind(**{name: _read(hints[name], item) for name, item in value.items()})
