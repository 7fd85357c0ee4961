"""What differs between two JSON documents, leaf by leaf: the path, and the value on either side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest

from migrate.core.documents import Json

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class DifferenceKind(StrEnum):
    """Whether a value is on one side alone, or on both and not the same."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two documents differ; ``path`` is a JSON path (``$.runtimePlatform.cpuArchitecture``).

    ``before`` is None where it was added, ``after`` where it was removed: ``kind`` tells that from a null.
    """

    path: str
    kind: DifferenceKind
    before: Json
    after: Json


class _Absent:
    """Stands for a value that is not there, which JSON's null is."""


_ABSENT = _Absent()


def differences(before: Json, after: Json) -> tuple[Difference, ...]:
    """Return every place where two documents differ, in the order of their keys; empty where they say the same.

    What is on one side alone is told as a whole. Lists are compared place by place.
    """
    return tuple(_between("$", before, after))


def _between(path: str, before: Json | _Absent, after: Json | _Absent) -> Iterator[Difference]:
    if isinstance(before, _Absent):
        if not isinstance(after, _Absent):
            yield Difference(path, DifferenceKind.ADDED, None, after)
    elif isinstance(after, _Absent):
        yield Difference(path, DifferenceKind.REMOVED, before, None)
    elif isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from _between(path + _step(name), before.get(name, _ABSENT), after.get(name, _ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        for index, (old, new) in enumerate(zip_longest(before, after, fillvalue=_ABSENT)):
            yield from _between(f"{path}[{index}]", old, new)
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        # True is 1 to Python, and is not to JSON.
        yield Difference(path, DifferenceKind.CHANGED, before, after)


def _step(name: str) -> str:
    return f".{name}" if _PLAIN_NAME.fullmatch(name) else f"['{name}']"
