"""GetMetricData: batched, paged, and nothing partial taken for whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from migrate.adapters.aws.metrics import METRICS_PER_CALL, AwsMetricReader
from migrate.core.gate_checks import MetricSource
from migrate.errors import AccessError
from tests.unit.aws.recordings import STARTED, Recordings

END = STARTED + timedelta(hours=1)
METRIC = MetricSource("AWS/ECS", "CPUUtilization", "p99", (("ServiceName", "web"),), timedelta(minutes=5))


def query(number: int) -> dict[str, Any]:
    return {
        "Id": f"m{number}",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/ECS",
                "MetricName": "CPUUtilization",
                "Dimensions": [{"Name": "ServiceName", "Value": "web"}],
            },
            "Period": 300,
            "Stat": "p99",
        },
        "ReturnData": True,
    }


def asked(*numbers: int, token: str | None = None) -> dict[str, Any]:
    more = {"NextToken": token} if token else {}
    return {
        "MetricDataQueries": [query(number) for number in numbers],
        "StartTime": STARTED,
        "EndTime": END,
        "ScanBy": "TimestampAscending",
        **more,
    }


def result(number: int, *minutes: int, status: str = "Complete") -> dict[str, Any]:
    times = [STARTED + timedelta(minutes=minute) for minute in minutes]
    return {"Id": f"m{number}", "Timestamps": times, "Values": [float(item) for item in minutes], "StatusCode": status}


def test_pages_are_put_together_and_an_unknown_metric_is_empty(aws: Recordings) -> None:
    first = {"MetricDataResults": [result(0, 5, status="PartialData"), result(1)], "NextToken": "more"}
    aws.answer("cloudwatch", "get_metric_data", first, **asked(0, 1))
    aws.answer("cloudwatch", "get_metric_data", {"MetricDataResults": [result(0, 10)]}, **asked(0, 1, token="more"))
    known, unknown = AwsMetricReader(aws.session).series([METRIC, METRIC], STARTED, END)
    assert known == ((STARTED + timedelta(minutes=5), 5.0), (STARTED + timedelta(minutes=10), 10.0))
    assert unknown == ()


def test_more_metrics_than_fit_into_a_call_are_asked_in_several(aws: Recordings) -> None:
    aws.answer("cloudwatch", "get_metric_data", {"MetricDataResults": []}, **asked(*range(METRICS_PER_CALL)))
    last = {"MetricDataResults": [result(METRICS_PER_CALL, 1)]}
    aws.answer("cloudwatch", "get_metric_data", last, **asked(METRICS_PER_CALL))
    found = AwsMetricReader(aws.session).series([METRIC] * (METRICS_PER_CALL + 1), STARTED, END)
    assert [len(series) for series in found] == [0] * METRICS_PER_CALL + [1]


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_a_part_is_not_taken_for_the_whole(aws: Recordings, status: str) -> None:
    aws.answer("cloudwatch", "get_metric_data", {"MetricDataResults": [result(0, 5, status=status)]})
    with pytest.raises(AccessError) as refused:
        AwsMetricReader(aws.session).series([METRIC], STARTED, END)
    assert status in refused.value.why


def test_a_refusal_is_translated(aws: Recordings) -> None:
    aws.refuse("cloudwatch", "get_metric_data", "AccessDenied")
    with pytest.raises(AccessError):
        AwsMetricReader(aws.session).series([METRIC], STARTED, END)


def test_no_metric_is_no_call(aws: Recordings) -> None:
    assert AwsMetricReader(aws.session).series([], STARTED, END) == ()
    assert aws.session.calls.total == 0
