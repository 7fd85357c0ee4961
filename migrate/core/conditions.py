"""Conditions on a measured number, as an operator writes them: ``<= 0.01``, ``== 200``, ``> 0 and < 5``."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_COMPARISON = re.compile(
    r"(?P<operator><=|>=|==|!=|<|>)\s*(?P<bound>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)", re.ASCII
)
_AND = re.compile(r"\s+and\s+")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of the value (left) with a bound (right)."""

    operator: str
    bound: float

    def __str__(self) -> str:
        return f"{self.operator} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Condition:
    """Comparisons that all have to hold; ``text`` is what the operator wrote."""

    text: str
    comparisons: tuple[Comparison, ...]

    def holds(self, value: float) -> bool:
        """Tell whether the value fulfils it. No number (NaN) fulfils anything, not even ``!=``."""
        return not math.isnan(value) and all(_OPERATORS[item.operator](value, item.bound) for item in self.comparisons)


def parse_condition(text: str) -> Condition | None:
    """Read a condition; None where the text is none."""
    matches = [_COMPARISON.fullmatch(part) for part in _AND.split(text.strip())]
    found = tuple(Comparison(match["operator"], float(match["bound"])) for match in matches if match is not None)
    if len(found) != len(matches) or not all(math.isfinite(item.bound) for item in found):
        return None
    return Condition(text.strip(), found)
