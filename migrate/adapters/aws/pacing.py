"""Lets every request to AWS wait for its turn, repeated ones included, so that no bucket of the account runs dry."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from migrate.core.rate_limits import api_group
from migrate.read_ports import RateLimits

if TYPE_CHECKING:
    from botocore.hooks import BaseEventHooks


class Pacing:
    """Waits before requests are signed, in whatever thread makes them.

    ``account`` is known once STS was asked; what is asked before is counted by itself. ``waited`` are the seconds that
    all calls together have waited.
    """

    def __init__(self, limits: RateLimits, sleep: Callable[[float], None]) -> None:
        self.account = ""
        self.limits = limits
        self.waited = 0.0
        self._sleep = sleep

    def attach(self, events: BaseEventHooks, service: str, region: str) -> None:
        """Listen to botocore's ``request-created``, which it emits for every attempt (botocore ``endpoint.py``)."""

        def wait(*, operation_name: str, **_: object) -> None:
            seconds = self.limits.reserve(self.account, region, api_group(f"{service}:{operation_name}"))
            if seconds > 0:
                self.waited += seconds
                self._sleep(seconds)

        # Before the signature, which holds the time.
        events.register_first("request-created", wait)
