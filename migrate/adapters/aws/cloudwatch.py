"""Reads what CloudWatch alarms say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from migrate.adapters.aws.ecs import batches
from migrate.adapters.aws.errors import translated
from migrate.adapters.aws.parse_ecs import utc
from migrate.adapters.aws.session import AwsSession
from migrate.core.facts import Alarm

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import CompositeAlarmTypeDef, MetricAlarmTypeDef

ALARMS_PER_CALL = 100


def alarms(session: AwsSession, names: Sequence[str]) -> tuple[Alarm, ...]:
    """Return metric and composite alarms by name, in the order of the names; a name without alarm is left out.

    Without AlarmTypes the API answers metric alarms only (DescribeAlarms reference). Raises AccessError.
    """
    found: dict[str, Alarm] = {}
    for batch in batches(tuple(dict.fromkeys(names)), ALARMS_PER_CALL):
        with translated("cloudwatch", session.region.name):
            pages = (
                session.cloudwatch()
                .get_paginator("describe_alarms")
                .paginate(AlarmNames=batch, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
            )
            for page in pages:
                found.update({item["AlarmName"]: parsed(item) for item in page.get("MetricAlarms", [])})
                found.update({item["AlarmName"]: parsed(item) for item in page.get("CompositeAlarms", [])})
    return tuple(found[name] for name in dict.fromkeys(names) if name in found)


def parsed(answer: MetricAlarmTypeDef | CompositeAlarmTypeDef) -> Alarm:
    """Return an alarm of DescribeAlarms."""
    updated = answer.get("StateUpdatedTimestamp")
    return Alarm(
        name=answer["AlarmName"],
        state=answer.get("StateValue", "INSUFFICIENT_DATA"),
        reason=answer.get("StateReason", ""),
        updated_at=None if updated is None else utc(updated),
    )
