"""Webhooks in the form of Standard Webhooks (standardwebhooks.com, version 1): a POST of JSON, signed.

The headers ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` are that specification's: HMAC with SHA-256
over id, timestamp and body, so that its libraries verify it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import math
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential

from migrate.adapters.web import Web
from migrate.core.notifications import Notification, WebhookTarget
from migrate.errors import AccessError, MigrateError, TransientError

_RUNBOOK = "errors#notifications"
_PREFIX = "whsec_"
_FINE = range(200, 300)
_LATER = frozenset({408, 425, 429})
"""Answers that ask for another try; so does any of 500 and more."""
_SERVER_FAULT = 500
_ATTEMPTS = 4
_LONGEST_PAUSE = 2.0


class SignedWebhooks:
    """The port WebhookSender over httpx; secrets come out of ``environment``, ``sleep`` waits in seconds."""

    def __init__(
        self,
        environment: Mapping[str, str],
        sleep: Callable[[float], None],
        *,
        web: Web | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environment = environment
        self._web = web or Web(environment)
        self._sleep = sleep
        self._seconds = seconds

    def deliver(self, webhook: WebhookTarget, notification: Notification, timeout: timedelta) -> str:
        """Deliver within ``timeout``, retries included, and return the status. Raises AccessError."""
        url = self._url(webhook)
        body = json.dumps(dict(notification.document)).encode()
        headers = {
            **self._web.headers(webhook.headers, _RUNBOOK),
            "Content-Type": "application/json",
            **self._signed(webhook, notification, body),
        }
        until = self._seconds() + timeout.total_seconds()

        def given_up(state: RetryCallState) -> bool:
            return state.attempt_number >= _ATTEMPTS or self._seconds() + state.upcoming_sleep >= until

        trying = Retrying(
            retry=retry_if_exception_type(TransientError),
            wait=wait_exponential(multiplier=0.25, max=_LONGEST_PAUSE),
            stop=given_up,
            sleep=self._sleep,
            reraise=True,
        )
        return trying(lambda: self._sent(url, headers, body, timedelta(seconds=max(0.0, until - self._seconds()))))

    def _url(self, webhook: WebhookTarget) -> str:
        if webhook.url:
            return webhook.url
        found = self._variable(webhook.url_from, "the URL of a webhook")
        if urlsplit(found).scheme not in {"http", "https"} or not urlsplit(found).hostname:
            raise _unusable(webhook.url_from, "It holds no http or https URL.")
        return found

    def _signed(self, webhook: WebhookTarget, notification: Notification, body: bytes) -> dict[str, str]:
        moment = str(math.floor(notification.at.timestamp()))
        signed = {"webhook-id": notification.id, "webhook-timestamp": moment}
        if not webhook.secret:
            return signed
        key = _key(webhook.secret, self._variable(webhook.secret, "the key of a webhook"))
        content = b".".join((notification.id.encode(), moment.encode(), body))
        made = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        return {**signed, "webhook-signature": f"v1,{made}"}

    def _variable(self, name: str, what: str) -> str:
        value = self._environment.get(name, "")
        if not value:
            raise AccessError(
                f"The environment variable {name} is not set.",
                why=f"[notifications] of migrate.toml takes {what} from it.",
                then=f"Set {name} for this process.",
                runbook=_RUNBOOK,
            )
        return value

    def _sent(self, url: str, headers: Mapping[str, str], body: bytes, timeout: timedelta) -> str:
        host = urlsplit(url).hostname
        try:
            status, _ = self._web.send("POST", url, timeout, headers, body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The error's own words may hold the URL, and with it a secret.
            raise _refused(TransientError, f"{host} did not answer.", f"{type(error).__name__}.") from error
        if status in _FINE:
            return f"status {status}"
        kind = TransientError if status in _LATER or status >= _SERVER_FAULT else AccessError
        raise _refused(kind, f"{host} did not take the notification.", f"It answered with status {status}.")


def _key(name: str, secret: str) -> bytes:
    """Return the key that a secret of Standard Webhooks stands for: base64, with or without ``whsec_``."""
    try:
        key = base64.b64decode(f"{secret.strip().removeprefix(_PREFIX)}==", validate=False)
    except (binascii.Error, ValueError) as error:
        raise _unusable(name, "It holds no base64.") from error
    if not key:
        raise _unusable(name, "It holds no key.")
    return key


def _unusable(name: str, why: str) -> AccessError:
    return AccessError(
        f"The environment variable {name} cannot be used.",
        why=why,
        then=f"Set {name} anew; the runbook section says how a key is made.",
        runbook=_RUNBOOK,
    )


def _refused(kind: type[MigrateError], what: str, why: str) -> MigrateError:
    return kind(what, why=why, then="Look whether it can be reached from this machine.", runbook=_RUNBOOK)
