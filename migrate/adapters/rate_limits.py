"""The port RateLimits within one process: what all its threads and sessions ask AWS is counted together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from migrate.core.rate_limits import ApiGroup, TokenBucket


class ProcessRateLimits:
    """Buckets in memory; ``seconds`` is a clock that never goes back."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str, str], TokenBucket] = {}

    def reserve(self, account: str, region: str, group: ApiGroup) -> float:
        """Promise one call and return how many seconds it has to wait."""
        key, rate = (account, region, group.name), group.paced
        with self._lock:
            now = self._seconds()
            bucket = self._buckets.get(key, TokenBucket(now)).take(rate, 1, now)
            self._buckets[key] = bucket
        return bucket.waits(rate, 1, now)[0]


PROCESS_LIMITS = ProcessRateLimits()
"""Whatever sessions this process opens, AWS counts their calls together."""
