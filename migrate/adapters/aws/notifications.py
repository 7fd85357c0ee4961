"""Notifications over SNS and EventBridge, each asked in the region of its topic or bus.

Sources: SNS API reference, Publish; EventBridge API reference, PutEvents.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from migrate.adapters.aws.arns import is_arn, region_of
from migrate.adapters.aws.errors import translated
from migrate.adapters.aws.session import AwsSession
from migrate.core.notifications import Notification
from migrate.errors import AccessError

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef
    from mypy_boto3_sns.type_defs import PublishInputTypeDef

SOURCE = "ecs-migrate"
"""The source of our events, to be matched by rules; those of AWS itself begin with ``aws.``."""
DETAIL_TYPE = "ECS migration"
_SUBJECT_LENGTH = 100
_FIFO = ".fifo"


class SnsTopics:
    """The port TopicPublisher over boto3; ``within`` bounds what one topic may take in all, retries included."""

    def __init__(self, session: AwsSession, within: timedelta) -> None:
        self._session = session
        self._within = within

    def publish(self, topic: str, notification: Notification) -> str:
        """Publish and return the message id: JSON for programs, a few lines for e-mail. Raises AccessError."""
        region = region_of(topic)
        message: PublishInputTypeDef = {
            "TopicArn": topic,
            "Subject": _subject(notification.title),
            "MessageStructure": "json",
            "Message": json.dumps(
                {
                    "default": json.dumps(dict(notification.document)),
                    "email": _lines(notification),
                    "sms": notification.title,
                }
            ),
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": value}
                for name, value in (("event", notification.event.value), ("service", notification.run.service))
            },
        }
        if topic.endswith(_FIFO):
            # Five minutes long a second one of the same id is taken and not delivered.
            message["MessageGroupId"] = notification.run.id
            message["MessageDeduplicationId"] = notification.id
        with translated("sns", region):
            return self._session.sns(region, self._within).publish(**message)["MessageId"]


class EventBuses:
    """The port EventPublisher over boto3; ``within`` bounds what one bus may take in all, retries included."""

    def __init__(self, session: AwsSession, within: timedelta) -> None:
        self._session = session
        self._within = within

    def put(self, bus: str, notification: Notification) -> str:
        """Put one event and return its id. Raises AccessError, also where EventBridge takes the call and not it."""
        region = region_of(bus) if is_arn(bus) else self._session.region.name
        event: PutEventsRequestEntryTypeDef = {
            "EventBusName": bus,
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Time": notification.at,
            "Resources": [notification.run.service],
            "Detail": json.dumps(dict(notification.document)),
        }
        with translated("events", region):
            answer = self._session.events(region, self._within).put_events(Entries=[event])
        entry = answer["Entries"][0] if answer["Entries"] else {}
        if answer["FailedEntryCount"] or not entry.get("EventId"):
            raise AccessError(
                f"EventBridge did not take the event for the bus {bus}.",
                why=f"{entry.get('ErrorCode', 'It said nothing')}: {entry.get('ErrorMessage', '')}".rstrip(": ") + ".",
                then="Look whether the bus exists in its region and takes events of this account.",
                runbook="errors#notifications",
            )
        return entry["EventId"]


def _subject(title: str) -> str:
    """Return what SNS takes as a subject: ASCII on one line, less than 100 characters."""
    printable = "".join(sign if " " <= sign <= "~" else "?" for sign in title)
    return printable if len(printable) < _SUBJECT_LENGTH else f"{printable[: _SUBJECT_LENGTH - 4]}..."


def _lines(notification: Notification) -> str:
    run = notification.run
    lines = [notification.text, *(f"- {reason}" for reason in notification.reasons)]
    more = (
        ("Next", notification.then),
        ("Runbook", notification.runbook),
        ("Service", run.service),
        ("Run", f"{run.id} ({run.verb}), by {run.operator} on {run.host}"),
    )
    return "\n".join([*lines, "", *(f"{name}: {value}" for name, value in more if value)])
