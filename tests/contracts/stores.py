"""What the suites of the record store are run over, and the clock that all its processes share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

from migrate.adapters.store.claim_rows import database_seconds
from migrate.adapters.store.record_store import SqlRecordStore
from migrate.store_port import RecordStore
from tests.fakes.record_store import FakeProcesses, MemoryRecordStore
from tests.fakes.records import SERVICE_ARN

OTHER_SERVICE = SERVICE_ARN.replace("/web", "/worker")


@dataclass
class Watch:
    """A clock that moves when it is told to."""

    seconds: float = 0.0

    def read(self, _: object = None) -> float:
        """Return the time, whoever asks."""
        return self.seconds


class HeardStore(RecordStore, Protocol):
    """A store whose heartbeat the test gives."""

    def beat(self) -> None:
        """Let the claims of this store be heard of."""
        ...


class Opener(Protocol):
    """Opens one more store on the same data, as another process would; ``watch`` stands for the database's clock."""

    def __call__(self, processes: FakeProcesses, watch: Watch | None = None) -> HeardStore:
        """Return the store."""
        ...


def in_memory() -> Opener:
    """Return what opens views of one store in memory."""
    one = MemoryRecordStore()

    def another(processes: FakeProcesses, watch: Watch | None = None) -> HeardStore:
        return one.seen_from(processes, (watch or Watch()).read)

    return another


@contextmanager
def in_database(url: str) -> Iterator[Opener]:
    """Give what opens stores on one database, and close them in the end."""
    with ExitStack() as opened:

        def another(processes: FakeProcesses, watch: Watch | None = None) -> HeardStore:
            seconds = database_seconds if watch is None else watch.read
            return opened.enter_context(SqlRecordStore(url, processes=processes, seconds=seconds))

        yield another
