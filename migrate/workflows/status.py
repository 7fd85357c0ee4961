"""Reading where a service is."""

from __future__ import annotations

from migrate.core.record import still_open
from migrate.core.status import Status, status_of
from migrate.workflows.observe import observe
from migrate.workflows.runtime import Readers


def read_status(runtime: Readers) -> Status:
    """Return the service as it is now, beside what is on record."""
    observation = observe(runtime, readiness=False, guarding=False)
    arn = observation.service.arn
    runs = runtime.store.runs(arn)
    return status_of(observation, still_open(runtime.store.record(arn)), runtime.settings, runs[0] if runs else None)
