from __future__ import annotations

import math

import pytest

from migrate.core.conditions import parse_condition


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("<= 0.01", 0.01, True),
        ("<= 0.01", 0.0101, False),
        ("== 200", 200, True),
        ("!= 200", 200, False),
        (" >1e3 ", 1001, True),
        ("< -0.5", -1, True),
        (">= 5", 4.9, False),
        ("> 0 and < 5", 3, True),
        ("> 0 and < 5", 5, False),
        ("!= 1", math.nan, False),
        ("< 1", -math.inf, True),
    ],
)
def test_a_condition_holds_as_it_reads(text: str, value: float, *, holds: bool) -> None:
    condition = parse_condition(text)
    assert condition is not None
    assert condition.holds(value) is holds
    assert condition.text == text.strip()


@pytest.mark.parametrize("text", ["", "1", "=< 1", "<= x", "<= nan", "<= 1e999", "< 1 or > 2", "< 1 and", "<= 1 %"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    assert parse_condition(text) is None
