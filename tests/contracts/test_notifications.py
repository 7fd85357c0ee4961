"""One suite over the scripted channels and the real ones: an endpoint of this machine, and the sandbox's AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any, Protocol

import pytest

from migrate.adapters.aws.notifications import EventBuses, SnsTopics
from migrate.adapters.notifications.webhooks import SignedWebhooks
from migrate.core.notifications import Notification, WebhookTarget, start_of
from migrate.errors import AccessError
from migrate.notification_ports import NotificationChannels
from tests.contracts.aws_scenes import endpoint_of, front_session
from tests.fakes.front_hosts import WholeProcess
from tests.fakes.notifications import FakeChannels
from tests.fakes.records import NOON, a_run
from tests.fakes.web_endpoint import WebEndpoint, web_endpoint

WITHIN = timedelta(seconds=10)
TOLD = start_of(a_run(), NOON)
_NUMBERS = count(1)


class Scene(Protocol):
    topic: str
    bus: str
    url: str

    @property
    def channels(self) -> NotificationChannels: ...
    def arrived(self, target: str) -> list[dict[str, Any]]: ...


class FakeScene:
    topic, bus, url = "arn:aws:sns:us-east-1:000000000000:all", "migrations", "http://127.0.0.1:1/"

    def __init__(self) -> None:
        self.fake = FakeChannels(known=frozenset({self.topic, self.bus, self.url}))

    @property
    def channels(self) -> NotificationChannels:
        return self.fake.ports

    def arrived(self, target: str) -> list[dict[str, Any]]:
        return [dict(notification.document) for name, notification in self.fake.told if name == target]


class RealScene:
    """A queue behind the topic, and one behind a rule of the bus; each test has its own."""

    def __init__(self, host: WholeProcess, endpoint: WebEndpoint) -> None:
        self._endpoint, self.url = endpoint, endpoint.url
        self._sqs, sns, events = (host.client(name) for name in ("sqs", "sns", "events"))
        name = f"told-{next(_NUMBERS)}"
        self.topic, self.bus = sns.create_topic(Name=name)["TopicArn"], name
        self._queues = {what: self._sqs.create_queue(QueueName=f"{name}-{what}")["QueueUrl"] for what in ("t", "b")}
        topic_queue, bus_queue = (self._arn(url) for url in self._queues.values())
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=topic_queue)
        events.create_event_bus(Name=name)
        events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": ["ecs-migrate"]}))
        events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "1", "Arn": bus_queue}])
        session = front_session(host)
        self.channels = NotificationChannels(
            SnsTopics(session, WITHIN), EventBuses(session, WITHIN), SignedWebhooks({}, lambda _: None)
        )

    def arrived(self, target: str) -> list[dict[str, Any]]:
        if target == self.url:
            return [json.loads(request.body) for request in self._endpoint.asked]
        queue = self._queues["t" if target == self.topic else "b"]
        found = self._sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", [])
        bodies = [json.loads(message["Body"]) for message in found]
        return [json.loads(body["Message"]) if target == self.topic else body["detail"] for body in bodies]

    def _arn(self, url: str) -> str:
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        return str(attributes["QueueArn"])


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.e2e)])
def scene(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    if request.param == "fake":
        yield FakeScene()
        return
    host: WholeProcess = request.getfixturevalue("live_front")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint_of(host))
    with web_endpoint() as endpoint:
        yield RealScene(host, endpoint)


def plain(notification: Notification) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(dict(notification.document)))
    return found


def test_a_topic_is_told_and_answers_with_an_id(scene: Scene) -> None:
    assert scene.channels.topics.publish(scene.topic, TOLD)
    assert scene.arrived(scene.topic) == [plain(TOLD)]


def test_a_bus_is_told_and_answers_with_an_id(scene: Scene) -> None:
    assert scene.channels.buses.put(scene.bus, TOLD)
    assert scene.arrived(scene.bus) == [plain(TOLD)]


def test_a_webhook_is_told_and_answers(scene: Scene) -> None:
    assert scene.channels.webhooks.deliver(WebhookTarget(scene.url), TOLD, WITHIN)
    assert scene.arrived(scene.url) == [plain(TOLD)]


def test_a_topic_that_is_not_there_is_an_error(scene: Scene) -> None:
    with pytest.raises(AccessError):
        scene.channels.topics.publish(f"{scene.topic}-of-others", TOLD)
