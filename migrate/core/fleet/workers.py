"""When a worker counts as gone, as another one sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from migrate.core.fleet.run import Worker

BEAT = timedelta(seconds=2)
"""How often a worker says that it lives."""

LOST_AFTER = timedelta(seconds=30)
"""How long one may be silent. Long enough for a database that restarts, short beside any gate."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What one worker has seen of the others: the last beat of each, and when it saw it first, on its own clock.

    Only the watcher's clock counts: those of two machines need not agree.
    """

    seen: Mapping[str, tuple[int, datetime]] = field(default_factory=dict)

    def look(self, workers: Iterable[Worker], now: datetime) -> Watch:
        """Return the watch after one more look."""
        found = {}
        for worker in workers:
            beat, since = self.seen.get(worker.id, (worker.beat, now))
            found[worker.id] = (beat, since) if beat == worker.beat else (worker.beat, now)
        return Watch(found)

    def silent(self, now: datetime) -> frozenset[str]:
        """Return the workers that were not heard for so long that they count as gone."""
        return frozenset(name for name, (_, since) in self.seen.items() if now - since >= LOST_AFTER)


def gone(watch: Watch, workers: Iterable[Worker], now: datetime, dead: Callable[[Worker], bool]) -> tuple[Worker, ...]:
    """Return the workers whose members others have to take: silent ones, and those that are provably dead."""
    silent = watch.silent(now)
    return tuple(worker for worker in workers if worker.id in silent or dead(worker))
