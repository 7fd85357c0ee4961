"""Webhooks: a POST of JSON, answered with ``{"verdict": "pass", "value": 0.3, "text": "..."}``."""

from __future__ import annotations

import json

import httpx

from migrate.adapters.web import Web, unreachable
from migrate.core.gate.answers import StageFacts, WebhookAnswer
from migrate.core.gate_checks import WebhookSource
from migrate.errors import AccessError

_RUNBOOK = "gates#webhooks"
_FINE = range(200, 300)
_SHOWN = 200


class Webhooks:
    """The port WebhookCaller over httpx."""

    def __init__(self, web: Web) -> None:
        self._web = web

    def ask(self, webhook: WebhookSource, facts: StageFacts) -> WebhookAnswer:
        """Tell a webhook the facts and return its answer. Raises AccessError."""
        headers = {**self._web.headers(webhook.headers, _RUNBOOK), "Content-Type": "application/json"}
        body = json.dumps(dict(facts.pairs)).encode()
        try:
            status, content = self._web.send("POST", webhook.url, webhook.timeout, headers, body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unreachable(webhook.url, error, _RUNBOOK) from error
        if status not in _FINE:
            raise _unreadable(webhook, f"It answered with status {status}")
        return _answer(webhook, content)


def _answer(webhook: WebhookSource, content: bytes) -> WebhookAnswer:
    try:
        found = json.loads(content)
    except ValueError as error:
        raise _unreadable(webhook, "Its answer is not JSON") from error
    verdict, value = (found.get("verdict"), found.get("value")) if isinstance(found, dict) else (None, None)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise _unreadable(webhook, "Its value is not a number")
    if verdict is None and value is None:
        raise _unreadable(webhook, "It has neither verdict nor value")
    text = str(found.get("text", ""))[:_SHOWN]
    return WebhookAnswer(str(verdict or "").casefold(), None if value is None else float(value), text)


def _unreadable(webhook: WebhookSource, why: str) -> AccessError:
    return AccessError(
        f"The answer of {webhook.url.partition('?')[0]} cannot be used.",
        why=f"{why}.",
        then='Let it answer with {"verdict": "pass", "value": 0.3}; verdict and value may each be left out.',
        runbook=_RUNBOOK,
    )
