"""The number behind a check's words, and the limits that it is held against: what a chart of a check is drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass

from migrate.core.conditions import Condition


@dataclass(frozen=True, slots=True)
class Limit:
    """One bound of a check, as ``operator`` and number; ``good`` tells what is wanted from what is not."""

    operator: str
    bound: float
    good: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """A number that a check measured, in the unit of its source (a probe: seconds), and its limits."""

    value: float
    limits: tuple[Limit, ...] = ()


def reading(value: float | None, good: Condition | None = None, bad: Condition | None = None) -> Reading | None:
    """Return a number with the limits of two conditions; None where there is no number."""
    if value is None or not math.isfinite(value):
        return None
    wanted = [Limit(item.operator, item.bound) for item in (good.comparisons if good else ())]
    refused = [Limit(item.operator, item.bound, good=False) for item in (bad.comparisons if bad else ())]
    return Reading(value, (*wanted, *refused))
