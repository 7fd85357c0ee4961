"""SNS and EventBridge as boto3 is asked, held to AWS's own service models."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from migrate.adapters.aws.notifications import EventBuses, SnsTopics
from migrate.core.notifications import Notification, end_of
from migrate.core.outcome import RunOutcome
from migrate.core.stages import Stage
from migrate.errors import AccessError, ExitCode
from tests.fakes.records import NOON, a_run
from tests.unit.aws.recordings import REGION, WITHIN, Recordings

TOPIC = f"arn:aws:sns:{REGION}:111122223333:migrations"
OUTCOME = RunOutcome("run-1", ExitCode.HELD, Stage.IMAGE, "Held: wer weiß.", ("no data", "too long"), "Look.", "g#i")
HELD = end_of(a_run(), OUTCOME, NOON)


def published(notification: Notification = HELD, **more: Any) -> dict[str, Any]:
    document = json.dumps(dict(notification.document))
    email = (
        f"Held: wer weiß.\n- no data\n- too long\n\nNext: Look.\nRunbook: g#i\nService: {notification.run.service}\n"
        "Run: run-1 (apply), by ada on workstation"
    )
    return {
        "TopicArn": TOPIC,
        "Subject": "web: Held: wer wei?.",
        "MessageStructure": "json",
        "Message": json.dumps({"default": document, "email": email, "sms": notification.title}),
        "MessageAttributes": {
            "event": {"DataType": "String", "StringValue": "held"},
            "service": {"DataType": "String", "StringValue": notification.run.service},
        },
        **more,
    }


def test_a_topic_gets_json_for_programs_and_lines_for_people(aws: Recordings) -> None:
    aws.answer("sns", "publish", {"MessageId": "m-1"}, **published())
    assert SnsTopics(aws.session, WITHIN).publish(TOPIC, HELD) == "m-1"


def test_a_fifo_topic_knows_a_second_one_by_its_id(aws: Recordings) -> None:
    fifo = f"{TOPIC}.fifo"
    more = {"TopicArn": fifo, "MessageGroupId": "run-1", "MessageDeduplicationId": "run-1-held"}
    aws.answer("sns", "publish", {"MessageId": "m-1"}, **{**published(), **more})
    SnsTopics(aws.session, WITHIN).publish(fifo, HELD)


def test_a_subject_is_one_that_sns_takes(aws: Recordings) -> None:
    long = replace(HELD, text="one\ntwo" + "x" * 200)
    expected = "web: one?two" + "x" * 84 + "..."
    aws.answer("sns", "publish", {"MessageId": "m-1"})
    SnsTopics(aws.session, WITHIN).publish(TOPIC, long)
    assert len(expected) < 100


def test_a_topic_that_may_not_be_told_is_an_error_in_words(aws: Recordings) -> None:
    aws.refuse("sns", "publish", "AuthorizationError", "no", status=403)
    with pytest.raises(AccessError, match="sns:Publish"):
        SnsTopics(aws.session, WITHIN).publish(TOPIC, HELD)


@pytest.mark.parametrize("bus", ["default", f"arn:aws:events:{REGION}:111122223333:event-bus/default"])
def test_a_bus_gets_an_event(aws: Recordings, bus: str) -> None:
    event = {
        "EventBusName": bus,
        "Source": "ecs-migrate",
        "DetailType": "ECS migration",
        "Time": NOON,
        "Resources": [HELD.run.service],
        "Detail": json.dumps(dict(HELD.document)),
    }
    aws.answer("events", "put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]}, Entries=[event])
    assert EventBuses(aws.session, WITHIN).put(bus, HELD) == "e-1"


@pytest.mark.parametrize(
    "answer",
    [
        {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "AccessDenied", "ErrorMessage": "no such bus"}]},
        {"FailedEntryCount": 0, "Entries": []},
    ],
)
def test_an_event_that_is_not_taken_is_no_success_though_the_call_is(aws: Recordings, answer: dict[str, Any]) -> None:
    aws.answer("events", "put_events", answer)
    with pytest.raises(AccessError, match="did not take the event"):
        EventBuses(aws.session, WITHIN).put("default", HELD)


@pytest.mark.parametrize(("seconds", "attempts"), [(0.5, 1), (3.9, 1), (4, 2), (10, 2), (60, 2)])
def test_telling_takes_no_longer_than_the_settings_say(aws: Recordings, seconds: float, attempts: int) -> None:
    within = timedelta(seconds=seconds)
    for client in (aws.session.sns("eu-west-1", within), aws.session.events("eu-west-1", within)):
        config: Any = client.meta.config
        pauses = attempts - 1
        assert attempts * (config.connect_timeout + config.read_timeout) + pauses == pytest.approx(seconds)
        assert config.retries["total_max_attempts"] == attempts
        assert client.meta.region_name == "eu-west-1"
