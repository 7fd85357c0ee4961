"""Property values between the protocol's structs and plain Python: unknowns are kept, secrets unwrapped."""

from __future__ import annotations

from enum import Enum
from typing import Any

from google.protobuf import struct_pb2

Props = dict[str, Any]

_SPECIAL = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a marker of the protocol, no secret
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
DEFAULTS = "__defaults"


class Unknown(Enum):
    """A value that a preview cannot know."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown.UNKNOWN


def from_struct(struct: struct_pb2.Struct) -> Props:
    """Read a struct; whole numbers become int."""
    return {name: _read(value) for name, value in struct.fields.items()}


def _read(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == _UNKNOWN_TEXT else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_read(item) for item in value.list_value.values]
    if kind == "struct_value":
        return _unwrapped(from_struct(value.struct_value))
    return None


def _unwrapped(fields: Props) -> Any:
    mark = fields.get(_SPECIAL)
    if mark == _SECRET:
        return fields.get("value")
    if mark == _OUTPUT:
        return fields.get("value", UNKNOWN)
    return fields


def to_struct(properties: Props) -> struct_pb2.Struct:
    """Write a struct; None is left out."""
    struct = struct_pb2.Struct()
    for name, value in properties.items():
        if value is not None:
            struct.fields[name].CopyFrom(_write(value))
    return struct


def _write(value: Any) -> struct_pb2.Value:
    if value is UNKNOWN:
        return struct_pb2.Value(string_value=_UNKNOWN_TEXT)
    if isinstance(value, bool | int | float | str):
        return _write_scalar(value)
    if isinstance(value, list | tuple):
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_write(item) for item in value]))
    if isinstance(value, dict):
        return struct_pb2.Value(struct_value=to_struct(value))
    return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)


def _write_scalar(value: bool | float | str) -> struct_pb2.Value:
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    return struct_pb2.Value(number_value=value)


def has_unknown(value: Any) -> bool:
    """Whether anything in ``value`` is unknown."""
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return value is UNKNOWN


def is_zero(value: Any) -> bool:
    """Whether Terraform's old SDK cannot tell ``value`` from an absent one."""
    if isinstance(value, dict):
        return all(is_zero(item) for name, item in value.items() if not name.startswith("__"))
    return value is not UNKNOWN and (value is None or value in ("", 0, False) or value == [])
