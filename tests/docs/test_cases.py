"""Every field case that the product promises to handle has tests that carry its number."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PROMISED = (
    "C01",
    "C03",
    "C04",
    "C05",
    "C06",
    "C08",
    "C09",
    "C11",
    "C12",
    "C13",
    "C14",
    "C15",
    "C18",
    "C20",
    "C23",
    "C24",
    "C26",
    "C27",
    "C28",
    "C30",
    "C31",
    "C32",
    "C33",
    "C34",
    "C35",
    "C37",
    "C39",
    "C41",
    "C43",
    "C44",
    "C46",
    "C47",
    "C48",
    "C50",
    "C52",
    "C53",
    "C54",
    "C56",
    "C57",
    "C59",
    "C60",
    "C62",
)
_NUMBER = re.compile(r"(?:^test|_)_?c(\d\d)(?=_)")


def numbers(name: str) -> set[str]:
    """Return the cases that a test's name carries; one test may stand for several."""
    return {f"C{number}" for number in _NUMBER.findall(name)}


def cases_tested() -> Counter[str]:
    found: Counter[str] = Counter()
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.update(numbers(node.name))
    return found


FOUND = cases_tested()


@pytest.mark.parametrize("case", PROMISED)
def test_a_promised_case_is_tested_under_its_number(case: str) -> None:
    assert FOUND[case] >= 1


def test_numbers_are_read_from_names() -> None:
    assert numbers("test_c34_c37_an_unsafe_preview_stops") == {"C34", "C37"}
    assert numbers("test_the_client_c_is_read") == set()
