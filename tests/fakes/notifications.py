"""The notification ports from a script: what is told is kept, and a target may refuse."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from migrate.core.notifications import Notification, WebhookTarget
from migrate.errors import AccessError
from migrate.notification_ports import NotificationChannels


@dataclass
class FakeChannels:
    """All of the ports. ``refusal`` is raised for every target that it is put down for, ``told`` holds the rest."""

    told: list[tuple[str, Notification]] = field(default_factory=list)
    refusal: dict[str, Exception] = field(default_factory=dict)
    known: frozenset[str] | None = None
    """Topics and buses that exist; None: all of them."""

    def publish(self, topic: str, notification: Notification) -> str:
        return self._tell(topic, notification)

    def put(self, bus: str, notification: Notification) -> str:
        return self._tell(bus, notification)

    def deliver(self, webhook: WebhookTarget, notification: Notification, timeout: timedelta) -> str:
        del timeout
        return self._tell(webhook.url, notification)

    def events(self, target: str | None = None) -> list[str]:
        """Return the events that were told, in order; those of one target, where it is named."""
        return [told.event.value for name, told in self.told if target in (None, name)]

    @property
    def ports(self) -> NotificationChannels:
        return NotificationChannels(self, self, self)

    def _tell(self, target: str, notification: Notification) -> str:
        if target in self.refusal:
            raise self.refusal[target]
        if self.known is not None and target not in self.known:
            raise AccessError(f"There is no {target}.", then="Look.", runbook="errors#notifications")
        self.told.append((target, notification))
        return f"message {len(self.told)}"
