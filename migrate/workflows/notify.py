"""Telling others: all at the same time, each within its bound, and never at the cost of the migration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import urlsplit

from migrate.core.notifications import Delivery, Notification, NotificationSettings, WebhookTarget
from migrate.errors import MigrateError
from migrate.notification_ports import NotificationChannels
from migrate.workflows.at_once import at_once
from migrate.workflows.runtime import Runtime

Notifier = Callable[[Notification], tuple[Delivery, ...]]
_AT_ONCE = 16


def notifier_of(runtime: Runtime) -> Notifier | None:
    """Return what tells the targets of the settings; None where nobody is to be told."""
    settings, channels = runtime.settings.notifications, runtime.channels
    if channels is None or not settings.asked_for:
        return None
    return partial(deliver, channels, settings)


def deliver(
    channels: NotificationChannels, settings: NotificationSettings, notification: Notification
) -> tuple[Delivery, ...]:
    """Tell every target that wants this event, and return what came of each, in the order of the settings."""
    if notification.event not in settings.events:
        return ()
    return at_once([partial(_told, *item) for item in _sends(channels, settings, notification)], _AT_ONCE)


def _sends(
    channels: NotificationChannels, settings: NotificationSettings, notification: Notification
) -> Iterator[tuple[str, Callable[[], str]]]:
    for topic in settings.topics:
        yield f"SNS topic {topic}", partial(channels.topics.publish, topic, notification)
    for bus in settings.event_buses:
        yield f"event bus {bus}", partial(channels.buses.put, bus, notification)
    for webhook in settings.webhooks:
        yield _named(webhook), partial(channels.webhooks.deliver, webhook, notification, settings.timeout)


def _named(webhook: WebhookTarget) -> str:
    # Path and query of such URLs are often the secret.
    return f"webhook {urlsplit(webhook.url).hostname}" if webhook.url else f"webhook of {webhook.url_from}"


def _told(target: str, send: Callable[[], str]) -> Delivery:
    try:
        return Delivery(target, answer=send())
    except MigrateError as error:
        return Delivery(target, error=f"{error} {error.then}")
    except Exception as fault:  # noqa: BLE001 - whatever goes wrong here must not become a fault of the migration
        return Delivery(target, error=f"{type(fault).__name__}: {fault}")
