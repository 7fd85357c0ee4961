from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.config.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("15s", 15), ("10m", 600), ("1h", 3600), ("1h30m", 5400), ("2h0m5s", 7205), ("0s", 0)]
)
def test_durations_that_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "15", "s", "15 s", "-5s", "1.5m", "5m1h", "15S", "1d", "PT5M", "5s\n", "٣s", f"{'9' * 40}h"]
)
def test_texts_that_are_no_durations(text: str) -> None:
    assert parse_duration(text) is None


@given(st.integers(0, 10**9))
def test_what_is_written_is_read_back(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration
