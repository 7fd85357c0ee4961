from __future__ import annotations

from typing import Any

import pytest

from migrate.adapters.aws import elbv2
from migrate.adapters.aws.health import AwsHealthReader
from migrate.core.facts import Alarm, TargetHealth
from migrate.errors import AccessError, NotFoundError
from tests.unit.aws.recordings import GROUP_ARN, STARTED, Recordings

OTHER_ARN = GROUP_ARN.replace("/web/", "/api/")
KINDS = ["MetricAlarm", "CompositeAlarm"]


@pytest.fixture
def reader(aws: Recordings) -> AwsHealthReader:
    return AwsHealthReader(aws.session)


def a_target(address: str, state: str, reason: str = "", text: str = "") -> dict[str, Any]:
    health = {"State": state} | ({"Reason": reason} if reason else {}) | ({"Description": text} if text else {})
    return {"Target": {"Id": address, "Port": 8080}, "TargetHealth": health, "HealthCheckPort": "8080"}


def test_every_group_is_asked_and_every_target_told(aws: Recordings, reader: AwsHealthReader) -> None:
    sick = a_target("10.0.0.7", "unhealthy", "Target.Timeout", "Request timed out")
    first = {"TargetHealthDescriptions": [sick, a_target("10.0.0.4", "healthy")]}
    aws.answer("elbv2", "describe_target_health", first, TargetGroupArn=GROUP_ARN)
    aws.answer("elbv2", "describe_target_health", {"TargetHealthDescriptions": []}, TargetGroupArn=OTHER_ARN)
    assert reader.target_health((GROUP_ARN, OTHER_ARN)) == (
        TargetHealth(GROUP_ARN, "10.0.0.4:8080", "healthy"),
        TargetHealth(GROUP_ARN, "10.0.0.7:8080", "unhealthy", "Target.Timeout: Request timed out"),
    )


def test_no_group_is_no_call(aws: Recordings, reader: AwsHealthReader) -> None:
    assert reader.target_health(()) == ()
    assert aws.session.calls.total == 0


def test_a_target_without_health_is_not_healthy() -> None:
    assert elbv2.parsed(GROUP_ARN, [{"Target": {"Id": "i-1"}}, {}]) == (
        TargetHealth(GROUP_ARN, "", "unavailable"),
        TargetHealth(GROUP_ARN, "i-1", "unavailable"),
    )


@pytest.mark.parametrize(("code", "kind"), [("TargetGroupNotFound", NotFoundError), ("AccessDenied", AccessError)])
def test_a_refused_look_at_targets_is_translated(
    aws: Recordings, reader: AwsHealthReader, code: str, kind: type[Exception]
) -> None:
    aws.refuse("elbv2", "describe_target_health", code)
    with pytest.raises(kind):
        reader.target_health((GROUP_ARN,))


def an_alarm(name: str, state: str = "OK") -> dict[str, Any]:
    return {"AlarmName": name, "StateValue": state, "StateReason": "because", "StateUpdatedTimestamp": STARTED}


def test_metric_and_composite_alarms_come_in_the_order_asked(aws: Recordings, reader: AwsHealthReader) -> None:
    answer = {"MetricAlarms": [an_alarm("b")], "CompositeAlarms": [an_alarm("a", "ALARM")]}
    aws.answer("cloudwatch", "describe_alarms", answer, AlarmNames=["a", "gone", "b"], AlarmTypes=KINDS)
    assert reader.alarms(("a", "gone", "b", "a")) == (
        Alarm("a", "ALARM", "because", STARTED),
        Alarm("b", "OK", "because", STARTED),
    )


def test_alarms_come_from_every_page_a_hundred_a_call(aws: Recordings, reader: AwsHealthReader) -> None:
    names = [f"alarm-{number}" for number in range(101)]
    first = {"MetricAlarms": [an_alarm(name) for name in names[:50]], "NextToken": "more"}
    aws.answer("cloudwatch", "describe_alarms", first, AlarmNames=names[:100], AlarmTypes=KINDS)
    rest = {"MetricAlarms": [an_alarm(name) for name in names[50:100]]}
    aws.answer("cloudwatch", "describe_alarms", rest, AlarmNames=names[:100], AlarmTypes=KINDS, NextToken="more")
    last = {"MetricAlarms": [an_alarm(names[100])]}
    aws.answer("cloudwatch", "describe_alarms", last, AlarmNames=names[100:], AlarmTypes=KINDS)
    assert [alarm.name for alarm in reader.alarms(names)] == names


def test_an_alarm_that_says_nothing_has_no_data(aws: Recordings, reader: AwsHealthReader) -> None:
    aws.answer("cloudwatch", "describe_alarms", {"MetricAlarms": [{"AlarmName": "a"}]})
    assert reader.alarms(("a",)) == (Alarm("a", "INSUFFICIENT_DATA", "", None),)


def test_no_alarm_is_no_call(aws: Recordings, reader: AwsHealthReader) -> None:
    assert reader.alarms(()) == ()
    assert aws.session.calls.total == 0


def test_a_refused_look_at_alarms_names_the_permission(aws: Recordings, reader: AwsHealthReader) -> None:
    aws.refuse("cloudwatch", "describe_alarms", "AccessDenied")
    with pytest.raises(AccessError, match="cloudwatch:DescribeAlarms"):
        reader.alarms(("a",))
