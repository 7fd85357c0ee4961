"""The shape of [notifications], what it must obey beyond the type of each key, and the settings that it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from migrate.config.check_tables import Headers, Url, Variable
from migrate.config.durations import format_duration
from migrate.config.mistakes import Mistake, quoted
from migrate.config.table import Duration, Table
from migrate.core.notifications import NotificationSettings, NotifiedEvent, WebhookTarget

LONGEST = timedelta(minutes=1)
_DEFAULTS = NotificationSettings()
_ACCOUNT = r"[a-z0-9-]+:\d{12}"

Topic = Annotated[str, Field(pattern=rf"^arn:[a-z-]+:sns:{_ACCOUNT}:[A-Za-z0-9_-]+(\.fifo)?$")]
Bus = Annotated[str, Field(pattern=rf"^(arn:[a-z-]+:events:{_ACCOUNT}:event-bus/)?[A-Za-z0-9_./-]{{1,256}}$")]


class NotifiedWebhookTable(Table):
    """[[notifications.webhook]]."""

    url: Url | None = None
    url_from: Variable | None = None
    secret: Variable | None = None
    headers: Headers = Field(default_factory=dict)


class NotificationsTable(Table):
    """[notifications]."""

    events: list[Annotated[NotifiedEvent, Field(strict=False)]] = Field(default_factory=lambda: list(_DEFAULTS.events))
    topics: list[Topic] = Field(default_factory=list)
    event_buses: list[Bus] = Field(default_factory=list)
    timeout: Duration = _DEFAULTS.timeout
    webhook: list[NotifiedWebhookTable] = Field(default_factory=list)

    def settings(self) -> NotificationSettings:
        """Return the settings that the table stands for."""
        return NotificationSettings(
            events=tuple(self.events),
            topics=tuple(self.topics),
            event_buses=tuple(self.event_buses),
            timeout=self.timeout,
            webhooks=tuple(
                WebhookTarget(item.url or "", item.url_from or "", item.secret or "", tuple(item.headers.items()))
                for item in self.webhook
            ),
        )


def notification_mistakes(table: NotificationsTable) -> Iterator[Mistake]:
    """Yield every broken rule of [notifications]."""
    if not timedelta(0) < table.timeout <= LONGEST:
        text = f'is "{format_duration(table.timeout)}"; expected more than 0, and {format_duration(LONGEST)} at most'
        yield Mistake(("notifications", "timeout"), text)
    for name, targets in (("topics", table.topics), ("event_buses", table.event_buses)):
        for position, target in enumerate(targets):
            if target in targets[:position]:
                yield Mistake(("notifications", name, position), f"is {quoted(target)} a second time")
    for position, webhook in enumerate(table.webhook):
        if (webhook.url is None) == (webhook.url_from is None):
            text = "has both url and url_from" if webhook.url else "has neither url nor url_from"
            yield Mistake(("notifications", "webhook", position), f"{text}; expected one of them")
