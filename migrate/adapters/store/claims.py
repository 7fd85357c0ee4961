"""When a run may take a service: a pure decision on who holds it and what is known of the holder's process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from migrate.adapters.processes import ProcessTable, alive
from migrate.core.evidence import Run
from migrate.errors import LockedError


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds a service. ``machine`` and ``process_started`` are marks of a ProcessTable."""

    service: str
    run_id: str
    operator: str
    host: str
    process: int
    since: datetime
    machine: str
    process_started: str | None


def claim_of(service: str, run: Run, processes: ProcessTable) -> Claim:
    """Return the claim that a run of this machine makes."""
    return Claim(
        service=service,
        run_id=run.id,
        operator=run.operator,
        host=run.host,
        process=run.process,
        since=run.started_at,
        machine=processes.machine(),
        process_started=processes.started(run.process),
    )


def may_take(holder: Claim, wanted: Claim, processes: ProcessTable) -> None:
    """Refuse a claim on a held service with LockedError.

    Another run may have it once the holder's process is provably gone. The same run may have it (it is resumed)
    unless its former process is provably still there: two processes must not act for one run.
    """
    same_machine = holder.machine == wanted.machine
    lives = alive(processes, holder.process, holder.process_started) if same_machine else None
    if holder.run_id == wanted.run_id:
        if lives and holder.process != wanted.process:
            raise _locked(holder)
        return
    if lives is not False:
        raise _locked(holder)


def _locked(holder: Claim) -> LockedError:
    return LockedError(
        f"Run {holder.run_id} holds {holder.service}.",
        why=(
            f"{holder.operator} started it on {holder.host} (process {holder.process}) "
            f"at {holder.since.isoformat(sep=' ', timespec='seconds')}."
        ),
        then=(
            "Wait for it to end; `migrate status` shows how far it is. If that process is gone for good, run your "
            f"command on {holder.host}: there it can be seen that it is gone."
        ),
    )
