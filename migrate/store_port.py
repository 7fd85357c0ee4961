"""What a migration must remember, as the workflows see it; the adapter and the fake pass one contract suite.

Every method may raise AccessError where the database cannot be used, and BlockedError where a newer version of the
program wrote it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from migrate.core.evidence import Event, Run
from migrate.core.record import Record
from migrate.errors import MigrateError


class RecordStore(Protocol):
    """Remembers records, runs and evidence. ``service`` is always the service's ARN."""

    def record(self, service: str) -> Record | None:
        """Return the record of a service."""
        ...

    def records(self, services: Collection[str]) -> Mapping[str, Record | MigrateError]:
        """Return the records of those services that have one; an error stands for one that cannot be read."""
        ...

    def save_record(self, service: str, record: Record) -> Record:
        """Write the record of a service and return it as saved, its ``version`` one higher: go on with that one.

        WorldChangedError when another writer saved it since ``record`` was read. Saving the same change again is fine.
        """
        ...

    def claim(self, service: str, run: Run) -> int:
        """Make ``run`` the only writer of the service and list it under ``runs``; LockedError names who already is.

        A claim whose process is provably dead, or that was not heard of for SILENCE, is taken over, by the same run
        (it is being resumed) or by another one, which ends the former. A living one is never taken.

        Return the claim's token: a number that grows with every claim of a service and never comes again. Until the
        release the store lets it be heard that the claim lives, and checks it in every write of the run.
        """
        ...

    def hold(self, service: str, run_id: str) -> None:
        """Raise ClaimLostError unless the claim that this store made for the run still stands.

        ``save_record`` and ``append`` raise it as well, for a run that has made a claim, and then write nothing.
        """
        ...

    def release(self, service: str, run_id: str) -> None:
        """Give the service free, if ``run_id`` holds it by the claim that this store made."""
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

    def services(self) -> tuple[str, ...]:
        """Return the services that any run was on, sorted."""
        ...

    def runs_like(self, prefix: str) -> tuple[Run, ...]:
        """Return the runs of any service whose id begins with ``prefix``, newest first (core.history.only_run)."""
        ...

    def save_plans(self, plans: Mapping[str, str]) -> None:
        """Keep the newest plans (JSON texts) of services."""
        ...

    def plan(self, service: str) -> str | None:
        """Return the newest plan of a service."""
        ...
