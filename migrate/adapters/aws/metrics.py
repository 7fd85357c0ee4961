"""Reads CloudWatch metrics, many at once (CloudWatch API reference, GetMetricData)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from migrate.adapters.aws.ecs import batches
from migrate.adapters.aws.errors import translated
from migrate.adapters.aws.parse_ecs import utc
from migrate.adapters.aws.session import AwsSession
from migrate.core.gate.answers import Series
from migrate.core.gate_checks import MetricSource
from migrate.errors import AccessError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef, MetricDataQueryTypeDef, MetricStatTypeDef

METRICS_PER_CALL = 500
"""The most queries of one GetMetricData call."""


class AwsMetricReader:
    """The port MetricReader over boto3."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def series(self, metrics: Sequence[MetricSource], start: datetime, end: datetime) -> tuple[Series, ...]:
        """Return the values of each metric in the order asked. Raises AccessError."""
        queries = [_query(number, metric) for number, metric in enumerate(metrics)]
        found: dict[str, dict[datetime, float]] = {query["Id"]: {} for query in queries}
        for batch in batches(queries, METRICS_PER_CALL):
            with translated("cloudwatch", self._session.region.name):
                pages = (
                    self._session.cloudwatch()
                    .get_paginator("get_metric_data")
                    .paginate(MetricDataQueries=batch, StartTime=start, EndTime=end, ScanBy="TimestampAscending")
                )
                status: dict[str, str] = {}
                for page in pages:
                    for result in page["MetricDataResults"]:
                        name = result.get("Id", "")
                        status[name] = result.get("StatusCode", "Complete")
                        times = (utc(time) for time in result.get("Timestamps", []))
                        found[name].update(zip(times, result.get("Values", []), strict=False))
            _refuse_halves(status)
        return tuple(tuple(sorted(found[query["Id"]].items())) for query in queries)


def _query(number: int, metric: MetricSource) -> MetricDataQueryTypeDef:
    dimensions: list[DimensionTypeDef] = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    what: MetricStatTypeDef = {
        "Metric": {"Namespace": metric.namespace, "MetricName": metric.metric, "Dimensions": dimensions},
        "Period": int(metric.period.total_seconds()),
        "Stat": metric.statistic,
    }
    return {"Id": f"m{number}", "MetricStat": what, "ReturnData": True}


def _refuse_halves(status: dict[str, str]) -> None:
    """Take no answer for whole that CloudWatch calls partial, forbidden or failed on its last page."""
    wrong = {name: said for name, said in status.items() if said != "Complete"}
    if wrong:
        raise AccessError(
            "CloudWatch could not give all values of a metric.",
            why=f"GetMetricData answers {', '.join(sorted(set(wrong.values())))}.",
            then="It is asked again at the next measurement; Forbidden lacks cloudwatch:GetMetricData.",
            runbook="gates#metrics",
        )
