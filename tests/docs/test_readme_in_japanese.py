"""The Japanese README has what the English one has: a command, a link or a row that one gains, both need."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest

from tests.docs.markdown import ROOT, links, without_code

ENGLISH, JAPANESE = (ROOT / "README.md", ROOT / "README.ja.md")
_EACH_OTHER = frozenset({"README.md", "README.ja.md"})


def _levels(text: str) -> list[str]:
    return re.findall(r"^#+(?= )", without_code(text), flags=re.MULTILINE)


def _shown(text: str) -> list[str]:
    return re.findall(r"^ *```\w*\n.*?^ *```$", text, flags=re.MULTILINE | re.DOTALL)


def _rows(text: str) -> list[int]:
    return [line.count("|") for line in text.splitlines() if line.startswith("|")]


def _points(text: str) -> list[str]:
    return re.findall(r"^(?:-|\d\.)(?= )", text, flags=re.MULTILINE)


def _words(text: str) -> set[str]:
    return {" ".join(word.split()) for word in re.findall(r"(?<!`)`([^`]+)`(?!`)", without_code(text))}


@pytest.mark.parametrize("seen", [_levels, _shown, _rows, _points, _words])
def test_both_have_the_same_form(seen: Callable[[str], object]) -> None:
    assert seen(JAPANESE.read_text(encoding="utf-8")) == seen(ENGLISH.read_text(encoding="utf-8"))


def test_both_lead_to_the_same_pages() -> None:
    english, japanese = (
        Counter(link.partition("#")[0] for link in links(path) if link not in _EACH_OTHER)
        for path in (ENGLISH, JAPANESE)
    )
    assert japanese == english
