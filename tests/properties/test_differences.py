"""What differs between any two documents turns the one into the other, and nothing else does."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from migrate.core.differences import Difference, DifferenceKind, differences
from migrate.core.documents import Json

leaves = st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2)
names = st.sampled_from(["name", "with space", "a.b", "cpu"])
documents = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\['([^']*)'\]|\[(\d+)\]")


def applied(before: Json, found: tuple[Difference, ...]) -> Json:
    """Return ``before`` with every difference made."""
    holder: dict[str, Any] = {"$": json.loads(json.dumps(before))}
    removed: list[tuple[Any, Any]] = []
    for item in found:
        place: Any = holder
        key: Any = "$"
        for plain, quoted, index in _STEP.findall(item.path):
            place, key = place[key], int(index) if index else plain or quoted
        if item.kind is DifferenceKind.REMOVED:
            removed.append((place, key))
        elif isinstance(place, list) and key == len(place):
            place.append(item.after)
        else:
            place[key] = item.after
    for place, key in reversed(removed):
        del place[key]
    result: Json = holder["$"]
    return result


def exactly(value: Json) -> str:
    return json.dumps(value, sort_keys=True)


@given(before=documents, after=documents)
def test_the_differences_lead_from_one_document_to_the_other(before: Json, after: Json) -> None:
    assert exactly(applied(before, differences(before, after))) == exactly(after)


@given(document=documents)
def test_a_document_does_not_differ_from_itself(document: Json) -> None:
    assert differences(document, json.loads(json.dumps(document))) == ()


@given(before=documents, after=documents)
def test_what_is_told_as_changed_is_not_the_same(before: Json, after: Json) -> None:
    for item in differences(before, after):
        assert item.kind is not DifferenceKind.CHANGED or exactly(item.before) != exactly(item.after)
