"""What many reads at once need from the outside: room at the API's rate limits, and calls that answer for many."""

from __future__ import annotations

from typing import Protocol

from migrate.core.rate_limits import ApiGroup


class RateLimits(Protocol):
    """Keeps the calls of everybody who shares it below the API's rates; one bucket for account, region and group."""

    def reserve(self, account: str, region: str, group: ApiGroup) -> float:
        """Promise one call and return how many seconds it has to wait; nothing waits in here.

        A promise is never taken back: who does not make its call has only been slower than it had to be.
        """
        ...
