"""What holds for calls in any order and at any time: the API's buckets never overflow, and nobody waits for nothing."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from migrate.core.rate_limits import Rate, TokenBucket

RATES = st.builds(Rate, st.integers(1, 200).map(float), st.sampled_from([0.5, 1.0, 4.5, 18.0, 20.0]))
ARRIVALS = st.lists(st.tuples(st.sampled_from([0.0, 0.0, 0.01, 0.3, 2.0, 40.0]), st.integers(1, 12)), max_size=60)


def granted(rate: Rate, arrivals: list[tuple[float, int]]) -> list[float]:
    """Return when each call is made, if calls come in bunches after pauses."""
    bucket, times = TokenBucket(), []
    for now, (_, calls) in zip(accumulate(pause for pause, _ in arrivals), arrivals, strict=True):
        bucket = bucket.take(rate, calls, now)
        times += [now + wait for wait in bucket.waits(rate, calls, now)]
    return times


@given(RATES, ARRIVALS)
def test_no_window_holds_more_than_the_burst_and_what_flows_in_meanwhile(
    rate: Rate, arrivals: list[tuple[float, int]]
) -> None:
    times = granted(rate, arrivals)
    assert times == sorted(times)
    for first, start in enumerate(times):
        for last in range(first, len(times)):
            allowed = rate.burst + rate.refill * (times[last] - start)
            assert last - first + 1 <= allowed + 1e-6


@given(RATES, ARRIVALS)
def test_a_bucket_as_aws_keeps_it_never_runs_dry(rate: Rate, arrivals: list[tuple[float, int]]) -> None:
    held, at = rate.burst, 0.0
    for time in granted(rate, arrivals):
        held, at = min(rate.burst, held + rate.refill * (time - at)) - 1, time
        assert held >= -1e-6


@given(RATES, st.integers(1, 400))
def test_who_asks_for_all_at_once_is_done_as_early_as_the_bucket_allows(rate: Rate, calls: int) -> None:
    waits = TokenBucket().take(rate, calls, 7.0).waits(rate, calls, 7.0)
    assert len(waits) == calls
    assert abs(waits[-1] - max(0.0, (calls - rate.burst) / rate.refill)) < 1e-6


@given(RATES, st.floats(0, 1e9))
def test_a_clock_that_went_back_holds_nobody_for_ever(rate: Rate, ahead: float) -> None:
    bucket = TokenBucket(full_at=ahead).take(rate, 1, now=0.0)
    assert bucket.waits(rate, 1, 0.0)[0] <= 300 + 1 / rate.refill + 1e-6
