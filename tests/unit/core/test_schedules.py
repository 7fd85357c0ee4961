"""Schedules of Application Auto Scaling against the examples and rules of its user guide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.schedules import next_time

NOW = datetime(2026, 11, 25, 7, 24, tzinfo=UTC)  # a Wednesday


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "zone", "expected"),
    [
        ("cron(0 7 * * ? *)", "UTC", "2026-11-26T07:00"),
        ("cron(0 7 ? * MON-FRI *)", "Europe/Berlin", "2026-11-26T06:00"),
        ("cron(30 6 ? * MON *)", "UTC", "2026-11-30T06:30"),
        ("cron(30 7 * * ? *)", "UTC", "2026-11-25T07:30"),
        ("cron(0/15 8-10 ? * FRI-MON *)", "UTC", "2026-11-27T08:00"),
        ("cron(0 0 L * ? *)", "UTC", "2026-11-30T00:00"),
        ("cron(0 9 1W * ? *)", "UTC", "2026-12-01T09:00"),
        ("cron(0 9 15W * ? *)", "UTC", "2026-12-15T09:00"),
        ("cron(0 9 ? * 2#1 *)", "UTC", "2026-12-07T09:00"),
        ("cron(0 9 ? * 6L *)", "UTC", "2026-11-27T09:00"),
        ("cron(0 9 ? JAN,JUL SUN *)", "UTC", "2027-01-03T09:00"),
        ("cron(0 9 1 1 ? 2028)", "UTC", "2028-01-01T09:00"),
        ("cron(0 7 29 FEB ? *)", "UTC", "2028-02-29T07:00"),
        ("at(2026-11-25T23:00:00)", "America/New_York", "2026-11-26T04:00"),
    ],
)
def test_the_next_time_is_told_in_utc(schedule: str, zone: str, expected: str) -> None:
    found = next_time(schedule, zone, NOW)
    assert found is not None
    assert found.isoformat() == at(expected).isoformat()


def test_daylight_saving_moves_the_time_in_utc() -> None:
    summer = at("2026-07-01T00:00")
    assert next_time("cron(0 7 * * ? *)", "Europe/Berlin", summer) == at("2026-07-01T05:00")


def test_a_weekday_nearest_to_a_saturday_or_sunday_stays_in_the_month() -> None:
    # 1 August 2026 is a Saturday, 15 November a Sunday, 31 October a Saturday.
    assert next_time("cron(0 9 1W 8 ? 2026)", "UTC", at("2026-07-01T00:00")) == at("2026-08-03T09:00")
    assert next_time("cron(0 9 15W 11 ? 2026)", "UTC", at("2026-07-01T00:00")) == at("2026-11-16T09:00")
    assert next_time("cron(0 9 LW 10 ? 2026)", "UTC", at("2026-07-01T00:00")) == at("2026-10-30T09:00")


def test_a_rate_counts_from_its_start_and_cannot_be_told_without_one() -> None:
    assert next_time("rate(2 hours)", "UTC", NOW, at("2026-11-24T00:00")) == at("2026-11-25T08:00")
    assert next_time("rate(1 day)", "UTC", NOW, at("2026-11-27T00:00")) == at("2026-11-27T00:00")
    assert next_time("rate(2 hours)", "UTC", NOW) is None


@pytest.mark.parametrize(
    "schedule",
    [
        "at(2020-11-25T23:00:00)",
        "cron(0 9 1 1 ? 2020)",
        "cron(0 9 * *)",
        "cron(0 25 * * ? *)",
        "cron(0/0 9 * * ? *)",
        "rate(0 hours)",
        "rate(1 fortnight)",
        "rate(99999999999999999999 days)",
        "at(tomorrow)",
        "0 7 * * *",
        "",
    ],
)
def test_what_never_comes_or_is_not_understood_is_none(schedule: str) -> None:
    assert next_time(schedule, "UTC", NOW, NOW - timedelta(days=1)) is None


def test_an_unknown_time_zone_is_none_and_no_error() -> None:
    assert next_time("cron(0 7 * * ? *)", "Mars/Olympus", NOW) is None
    assert next_time("cron(0 7 * * ? *)", "../../etc/passwd", NOW) is None


@given(st.integers(0, 20 * 365 * 86400), st.integers(0, 59), st.integers(0, 23))
def test_a_daily_schedule_comes_within_a_day_at_its_minute(passed: int, minute: int, hour: int) -> None:
    after = at("2020-01-01T00:00") + timedelta(seconds=passed)
    found = next_time(f"cron({minute} {hour} * * ? *)", "UTC", after)
    assert found is not None
    assert after < found <= after + timedelta(days=1)
    assert (found.minute, found.hour, found.second) == (minute, hour, 0)


@given(st.text(max_size=40), st.sampled_from(["cron", "at", "rate"]))
def test_no_text_is_an_error(text: str, kind: str) -> None:
    next_time(f"{kind}({text})", "UTC", NOW, NOW)
