"""JSON documents as values: AWS answers kept whole, compared and hashed without caring about key order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import NewType, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

Document = NewType("Document", str)
"""Canonical JSON text of an object: sorted keys, no spaces. Equal text means equal content."""


def document(value: Mapping[str, object]) -> Document:
    """Return the canonical text of ``value``; anything JSON cannot hold (a date) is written as its text."""
    return Document(json.dumps(value, sort_keys=True, separators=(",", ":"), default=str))


def fields(text: Document) -> dict[str, Json]:
    """Return the object that a canonical text holds; what is inside of it is shared, and only to be read.

    A plan reads the same two documents some fifty times.
    """
    return dict(_parsed(text))


@lru_cache(maxsize=128)
def _parsed(text: Document) -> dict[str, Json]:
    value: dict[str, Json] = json.loads(text)
    return value


def fingerprint(value: Mapping[str, object]) -> str:
    """Return the SHA-256 of the canonical text, as 64 hexadecimal digits."""
    return hashlib.sha256(document(value).encode()).hexdigest()
