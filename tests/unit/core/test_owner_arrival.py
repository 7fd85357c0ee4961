"""What differs between two documents, in words, and what of a change is still to come."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from migrate.core.facts import Architecture, StrategyItem
from migrate.core.owner.arrival import differences, shown_change
from migrate.core.owner.change import Capacity, OwnerChange

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=4), inside, max_size=3),
    max_leaves=12,
)


@given(DOCUMENTS)
def test_a_document_does_not_differ_from_itself(document: Any) -> None:
    assert list(differences(document, document)) == []


@given(st.dictionaries(st.sampled_from("abc"), st.integers()), st.dictionaries(st.sampled_from("abc"), st.integers()))
def test_every_field_that_differs_is_told_once(one: dict[str, Any], other: dict[str, Any]) -> None:
    found = list(differences(one, other))
    assert [line.split()[0] for line in found] == sorted(
        name for name in one.keys() | other.keys() if one.get(name) != other.get(name)
    )


def test_things_with_names_are_compared_by_name_whatever_their_order() -> None:
    web: dict[str, Any] = {"name": "web", "image": "a:1"}
    proxy: dict[str, Any] = {"name": "proxy", "image": "b:1"}
    assert list(differences({"c": [web, proxy]}, {"c": [proxy, web]})) == []
    assert list(differences({"c": [web]}, {"c": [{**web, "image": "a:2"}]})) == ["c.web.image was a:1 and is a:2"]
    assert list(differences({"c": [web]}, {"c": [web, proxy]})) == [
        "c.proxy.image was absent and is b:1",
        "c.proxy.name was absent and is proxy",
    ]


def test_values_that_may_be_secret_are_never_told() -> None:
    olds: list[Any] = [None, [], [{"name": "TOKEN", "value": "old"}], ["old"], {"token": "old"}]
    news: list[Any] = [[{"name": "TOKEN", "value": "s3cret"}], ["s3cret"], {"token": "s3cret"}]
    for place in ("environment", "options", "command", "entryPoint", "dockerLabels"):
        for before in olds:
            for after in news:
                told = " ".join(differences({place: before}, {place: after}))
                assert place in told
                assert "s3cret" not in told
                assert "old" not in told


def test_a_long_value_is_cut() -> None:
    assert len(next(differences({"a": "x" * 5000}, {"a": 1}))) < 200


def test_what_is_still_to_come_is_told_in_one_line() -> None:
    change = OwnerChange(
        "",
        Architecture.ARM64,
        capacity=Capacity(None, (StrategyItem("FARGATE_SPOT", weight=1),)),
        deployment="sha256:1",
    )
    told = shown_change(change)
    assert "cpuArchitecture ARM64" in told
    assert "FARGATE_SPOT" in told
    assert "a new deployment" in told
    assert shown_change(OwnerChange("")) == "nothing"
