"""What telling others needs from the outside; adapters and fakes implement it.

Every method returns what the other side calls the message, and may raise a MigrateError: it is then said that nobody
was told there, and the migration goes on. Each is called from a thread of its own, and its time is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from migrate.core.notifications import Notification, WebhookTarget


class TopicPublisher(Protocol):
    """Publishes to SNS topics."""

    def publish(self, topic: str, notification: Notification) -> str:
        """Publish to the topic of an ARN, wherever it lies."""
        ...


class EventPublisher(Protocol):
    """Puts events on EventBridge buses."""

    def put(self, bus: str, notification: Notification) -> str:
        """Put an event on the bus of a name (of the service's region) or an ARN."""
        ...


class WebhookSender(Protocol):
    """Tells webhooks."""

    def deliver(self, webhook: WebhookTarget, notification: Notification, timeout: timedelta) -> str:
        """Deliver within ``timeout``, retries included."""
        ...


@dataclass(frozen=True, slots=True)
class NotificationChannels:
    """One sender for each kind of target."""

    topics: TopicPublisher
    buses: EventPublisher
    webhooks: WebhookSender
