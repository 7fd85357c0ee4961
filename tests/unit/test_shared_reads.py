"""Within one look nothing is read twice, refusals are not asked for again, and memory does not grow with the fleet."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from migrate.adapters.shared_reads import SharedReads, once
from migrate.errors import AccessError


class Source:
    """Counts what is read of it."""

    def __init__(self) -> None:
        self.reads: list[str] = []

    def read(self, name: str) -> str:
        self.reads.append(name)
        return name.upper()


def test_a_thing_is_read_once_and_each_kind_has_its_own_keys() -> None:
    shared, source = SharedReads(), Source()
    for _ in range(3):
        assert shared.once("cluster", "shop", lambda: source.read("shop")) == "SHOP"
    assert shared.once("service", "shop", lambda: source.read("web")) == "WEB"
    assert source.reads == ["shop", "web"]


def test_what_came_with_others_is_not_read_and_a_refusal_is_told_again() -> None:
    shared, source = SharedReads(), Source()
    shared.put("service", "web", "from the batch")
    shared.put("service", "api", AccessError("The credentials may not do that.", then="Ask."))
    assert shared.once("service", "web", lambda: source.read("web")) == "from the batch"
    for _ in range(2):
        with pytest.raises(AccessError, match="may not"):
            shared.once("service", "api", lambda: source.read("api"))
    assert source.reads == []


def test_a_refused_read_is_not_asked_again_and_an_interrupted_one_is() -> None:
    shared, asked = SharedReads(), list[int]()

    def refused() -> str:
        asked.append(1)
        raise AccessError("Denied.", then="Ask.")

    def broken() -> str:
        asked.append(2)
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(AccessError):
            shared.once("service", "web", refused)
        with pytest.raises(KeyboardInterrupt):
            shared.once("service", "api", broken)
    assert asked.count(1) == 1
    assert asked.count(2) == 2


def test_threads_that_want_the_same_wait_for_one_read() -> None:
    shared, source, begun = SharedReads(), Source(), threading.Event()

    def slowly() -> str:
        begun.wait(10)
        return source.read("shop")

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(shared.once, "cluster", "shop", slowly) for _ in range(8)]
        begun.set()
        assert {answer.result(10) for answer in answers} == {"SHOP"}
    assert source.reads == ["shop"]


def test_the_oldest_go_first_whether_used_since_or_not() -> None:
    shared, source = SharedReads(most=2), Source()
    for name in ("a", "b", "a", "c", "a", "b"):
        shared.once("image", name, lambda name=name: source.read(name))  # type: ignore[misc]
    assert source.reads == ["a", "b", "c", "a", "b"]


def test_without_anything_shared_every_read_is_fresh() -> None:
    source = Source()
    for _ in range(2):
        assert once(None, "cluster", "shop", lambda: source.read("shop")) == "SHOP"
    assert source.reads == ["shop", "shop"]
