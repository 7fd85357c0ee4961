"""Every key of [[notifications.webhook]]: what it may hold; those of [notifications] itself stand in keys.py."""

from __future__ import annotations

from migrate.config.key import Key

_VARIABLE = 'the name of an environment variable such as "MIGRATE_WEBHOOK_SECRET"'
_TABLE = "notifications.webhook"

WEBHOOK_KEYS: tuple[Key, ...] = (
    Key(_TABLE, "url", "an http or https URL without name and password", ""),
    Key(_TABLE, "url_from", _VARIABLE, ""),
    Key(_TABLE, "secret", _VARIABLE, ""),
    Key(
        _TABLE,
        "headers",
        'a table of headers and names of environment variables such as { Authorization = "TOKEN_OF_MINE" }',
        "",
    ),
)

WEBHOOK_EXAMPLE = (
    'url = "https://example.com/migrations"',
    'secret = "MIGRATE_WEBHOOK_SECRET"',
)
"""A table as it may stand in migrate.toml."""
