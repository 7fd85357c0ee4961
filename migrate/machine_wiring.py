"""The composition root of what is about this machine and its database, whatever services are in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrate.adapters.store.record_store import SqlRecordStore
from migrate.config import read_environment
from migrate.store_port import RecordStore
from migrate.wiring import Place


@contextmanager
def database(place: Place) -> Iterator[RecordStore]:
    """Give the store alone; neither settings nor AWS are asked."""
    environment = read_environment(os.environ, directory=Path.cwd(), config=place.config)
    with SqlRecordStore(environment.database_url) as store:
        yield store
