"""What a migration must remember, as the workflows see it; the adapter and the fake pass one contract suite.

Every method may raise AccessError where the database cannot be used, and BlockedError where a newer version of the
program wrote it.
"""

from __future__ import annotations

from typing import Protocol

from migrate.core.evidence import Event, Run
from migrate.core.record import Record


class RecordStore(Protocol):
    """Remembers records, runs and evidence. ``service`` is always the service's ARN."""

    def record(self, service: str) -> Record | None:
        """Return the record of a service."""
        ...

    def save_record(self, service: str, record: Record) -> Record:
        """Write the record of a service and return it as saved, its ``version`` one higher: go on with that one.

        WorldChangedError when another writer saved it since ``record`` was read. Saving the same change again is fine.
        """
        ...

    def claim(self, service: str, run: Run) -> None:
        """Make ``run`` the only writer of the service and list it under ``runs``; LockedError names who already is.

        The same run may claim again (it is being resumed), and a claim whose process is provably dead is taken over.
        """
        ...

    def release(self, service: str, run_id: str) -> None:
        """Give the service free, if ``run_id`` holds it."""
        ...

    def append(self, event: Event) -> None:
        """Add an event of a run to the evidence.

        FINISHED also ends the run: ``data["status"]`` becomes its status, ``at`` its ``finished_at``.
        """
        ...

    def events(self, run_id: str) -> tuple[Event, ...]:
        """Return the events of a run, oldest first."""
        ...

    def runs(self, service: str) -> tuple[Run, ...]:
        """Return the runs of a service, newest first."""
        ...

    def runs_like(self, prefix: str) -> tuple[Run, ...]:
        """Return the runs of any service whose id begins with ``prefix``, newest first (core.history.only_run)."""
        ...

    def save_plan(self, service: str, plan: str) -> None:
        """Keep the newest plan (JSON text) of a service."""
        ...

    def plan(self, service: str) -> str | None:
        """Return the newest plan of a service."""
        ...
