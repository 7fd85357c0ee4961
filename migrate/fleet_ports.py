"""What a run over a fleet needs from outside: a memory that workers share, a queue, and a way to run one member."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from migrate.core.facts import Account, Service
from migrate.core.fleet.run import Attempt, Entry, FleetRun, MemberEnd, Standing, Worker


class FleetReader(Protocol):
    """Looks for the services of one account and region."""

    def account(self) -> Account:
        """Return who asks, and where."""
        ...

    def clusters(self) -> tuple[str, ...]:
        """Return the names of the clusters of the region, sorted."""
        ...

    def service_arns(self, cluster: str) -> tuple[str, ...]:
        """Return the ARNs of the services of a cluster (name or ARN), sorted; NotFoundError without such a cluster."""
        ...

    def described(self, cluster: str, names: Sequence[str]) -> tuple[Service, ...]:
        """Return many services of a cluster with their tags; names without a service are left out."""
        ...


class FleetStore(Protocol):
    """Remembers runs over fleets and who works on them; every change is one transaction, whoever else makes one."""

    def begin(self, run: FleetRun, entries: Sequence[Entry]) -> None:
        """Write a new run with all its members."""
        ...

    def fleet_run(self, run_id: str) -> FleetRun | None:
        """Return a run."""
        ...

    def fleet_runs(self, fleet: str | None = None) -> tuple[FleetRun, ...]:
        """Return the runs of a fleet, or of all, newest first."""
        ...

    def change(self, run_id: str, decided: Callable[[FleetRun, Sequence[Standing]], FleetRun]) -> FleetRun:
        """Replace a run by what ``decided`` makes of it and of where its members stand; return the new one.

        NotFoundError where there is no such run.
        """
        ...

    def standings(self, run_id: str) -> tuple[Standing, ...]:
        """Return where the members stand, in the order of waves and names."""
        ...

    def entries(self, run_id: str) -> tuple[Entry, ...]:
        """Return the members with all that is known of them, in the same order."""
        ...

    def attempts(self, run_id: str, arns: Iterable[str]) -> frozenset[Attempt]:
        """Return the attempt that each of these members is in."""
        ...

    def start(self, attempt: Attempt, worker: str) -> Entry | None:
        """Give a member to a worker if ``core.fleet.run.decide`` lets it begin now.

        None where it may not, or where ``attempt`` is over; one that may not begin is then in its next attempt, so
        that it can be given out again.
        """
        ...

    def note(self, attempt: Attempt, text: str) -> None:
        """Remember what a running member does; an attempt that is over changes nothing."""
        ...

    def finish(self, attempt: Attempt, end: MemberEnd) -> None:
        """End a member; an attempt that is over changes nothing."""
        ...

    def give_back(self, attempt: Attempt) -> bool:
        """Let somebody else take a member that has not ended: it waits again, in its next attempt.

        False where that attempt is over already.
        """
        ...

    def held_by(self, worker_id: str) -> tuple[Attempt, ...]:
        """Return the attempts that are running with a worker."""
        ...

    def take_up(self, run_id: str, codes: Iterable[int]) -> int:
        """Let the members that ended with one of these codes wait again; return how many did."""
        ...

    def beat(self, worker: Worker) -> None:
        """Say that a worker lives; ``beat`` has to be another number each time."""
        ...

    def leave(self, worker_id: str) -> None:
        """Strike a worker off the list."""
        ...

    def workers(self) -> tuple[Worker, ...]:
        """Return the workers that did not leave."""
        ...


class FleetQueue(Protocol):
    """Hands members out to workers: each attempt once, no more at a time than the run's concurrency allows."""

    def offer(self, run: FleetRun, entries: Iterable[Entry], *, later: bool = False) -> None:
        """Put members on the queue; offering an attempt again is harmless. ``later``: leave others a moment first."""
        ...

    def taken_by(self, worker_id: str) -> tuple[Attempt, ...]:
        """Return what a worker took from the queue and has not ended."""
        ...

    def withdraw(self, attempt: Attempt) -> None:
        """Take an attempt off the queue for good, whoever has it."""
        ...


class MemberRunner(Protocol):
    """Runs ``apply`` or ``rollback`` on one member, apart from this process."""

    def run(self, run: FleetRun, entry: Entry, tell: Callable[[str], None]) -> MemberEnd:
        """Run it to its end; ``tell`` hears what it does. A crash is an end like any other, with the code FAULT."""
        ...

    def hold(self) -> None:
        """Let everything that runs stop between two acts; it ends with the code INTERRUPTED."""
        ...
