"""[[notifications.webhook]] -> tables of migrate.toml."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrate.config.check_template import pairs
from migrate.config.key import Key
from migrate.config.mistakes import quoted
from migrate.config.notification_keys import WEBHOOK_EXAMPLE
from migrate.core.notifications import WebhookTarget


def webhook_lines(key: Key, webhooks: Sequence[WebhookTarget]) -> Iterator[str]:
    """Return the tables with what they mean, or an example that is commented out."""
    yield ""
    yield from (f"# {line}" for line in key.explanation.split("\n"))
    if not webhooks:
        yield "# [[notifications.webhook]]"
        yield from (f"# {line}" for line in WEBHOOK_EXAMPLE)
    for position, webhook in enumerate(webhooks):
        yield from [""] if position else []
        yield "[[notifications.webhook]]"
        for name in ("url", "url_from", "secret"):
            if getattr(webhook, name):
                yield f"{name} = {quoted(getattr(webhook, name))}"
        yield f"headers = {pairs(webhook.headers)}"
