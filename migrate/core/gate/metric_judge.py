"""Whether a metric changed since a stage began: Mann-Whitney U against the time before it, as Kayenta's judge does.

Sources: Kayenta's MannWhitneyClassifier and EffectSizes (github.com/spinnaker/kayenta, kayenta-judge); the normal
approximation with tie and continuity correction is that of scipy.stats.mannwhitneyu(method="asymptotic").
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from migrate.core.gate_checks import BaselineComparison, Direction

_NO_EFFECT = 0.5


@dataclass(frozen=True, slots=True)
class RankTest:
    """``statistic`` is U of the second sample, ``p_value`` two-sided.

    ``effect`` is the common-language effect size: how likely a value of the second sample is larger than one of the
    first, ties counting half; 0.5 is no effect.
    """

    statistic: float
    p_value: float
    effect: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A metric before and since; ``is_worse`` says that it moved the bad way, surely and by more than is tolerated."""

    is_worse: bool
    baseline_mean: float
    current_mean: float
    test: RankTest


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> RankTest:
    """Compare two samples of at least one number each, no NaN among them."""
    ranks, ties = _ranks([*first, *second])
    count_first, count_second = len(first), len(second)
    statistic = sum(ranks[count_first:]) - count_second * (count_second + 1) / 2
    pairs, total = count_first * count_second, count_first + count_second
    correction = sum(count**3 - count for count in ties) / (total * (total - 1))
    deviation = math.sqrt(pairs / 12 * ((total + 1) - correction))
    distance = abs(statistic - pairs / 2)
    if deviation == 0:
        return RankTest(statistic, 1.0, statistic / pairs)
    # The half is the continuity correction; it can never make two equal samples more different than they are.
    z = max(0.0, distance - 0.5) / deviation
    return RankTest(statistic, min(1.0, math.erfc(z / math.sqrt(2))), statistic / pairs)


def compare(baseline: Sequence[float], current: Sequence[float], rule: BaselineComparison) -> Comparison:
    """Judge the values since the stage began against those before; both hold at least one number."""
    test = mann_whitney(baseline, current)
    before, now = math.fsum(baseline) / len(baseline), math.fsum(current) / len(current)
    bad = {
        Direction.INCREASE: test.effect > _NO_EFFECT and now > before,
        Direction.DECREASE: test.effect < _NO_EFFECT and now < before,
        Direction.EITHER: test.effect != _NO_EFFECT and now != before,
    }[rule.direction]
    sure = test.p_value < 1 - rule.confidence
    return Comparison(bad and sure and abs(now - before) > rule.tolerance * abs(before), before, now, test)


def _ranks(values: Sequence[float]) -> tuple[list[float], list[int]]:
    """Return the rank of each value, ties sharing the mean of theirs, and how often each value occurs."""
    counts = Counter(values)
    rank_of: dict[float, float] = {}
    below = 0
    for value in sorted(counts):
        rank_of[value] = below + (counts[value] + 1) / 2
        below += counts[value]
    return [rank_of[value] for value in values], list(counts.values())
