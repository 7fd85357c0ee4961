"""Times of AWS's answers, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from botocore.utils import parse_timestamp


def timestamp(value: str | float) -> datetime:
    """Return a time as botocore does, but in UTC and without a look at this machine's time zone for each number.

    A service tells a hundred events, each with its time: botocore spends half of a DescribeServices answer on them.
    """
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    found: datetime = parse_timestamp(value)
    return found.astimezone(UTC)
