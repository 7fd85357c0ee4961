"""Records as JSON and back, without loss: pydantic reads the annotations of the frozen core dataclasses."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from migrate.errors import BlockedError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")


def encode(value: object) -> str:
    """Return a core record as a JSON object; the same value always gives the same text."""
    wrapped: bytes = _adapter(type(value)).dump_json((value,))
    return wrapped.decode()[1:-1]


def decode(kind: type[T], text: str) -> T:
    """Return the core record that ``text`` holds.

    Raises BlockedError where the text is of another shape: a field that is not known here must not be lost by writing
    the record back without it.
    """
    from pydantic import ValidationError

    try:
        value: T = _adapter(kind).validate_json(f"[{text}]")[0]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"][1:])
        raise BlockedError(
            f"A stored {kind.__name__} cannot be read.",
            why=f"{place or 'It'}: {first['msg']}.",
            then="It was most likely written by a newer version of migrate: use that version for this service.",
            runbook="errors#state",
        ) from error
    return value


def _adapter(kind: Any) -> TypeAdapter[Any]:
    return _made(kind)


@cache
def _made(kind: Any) -> TypeAdapter[Any]:
    # Imported late: reading state is rare, `migrate --help` is not. A dataclass takes no configuration from outside; a
    # tuple around it does, and hands it down.
    from pydantic import ConfigDict, TypeAdapter

    return TypeAdapter(tuple[kind], config=ConfigDict(extra="forbid", strict=True))
