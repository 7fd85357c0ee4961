"""When a run may take a service, and when it has lost one: pure decisions on who holds it and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from migrate.adapters.processes import ProcessTable, alive
from migrate.core.documents import document
from migrate.core.evidence import Event, EventKind, Run
from migrate.errors import ClaimLostError, LockedError

BEAT = timedelta(seconds=15)
"""How often a holder lets hear that it lives."""

SILENCE = timedelta(minutes=2)
"""How long a holder may not be heard of before its claim may be taken over: eight beats."""

SUPERSEDED = "superseded"
"""The status of a run whose service another one took over."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds a service. ``machine`` and ``process_started`` are marks of a ProcessTable.

    ``token`` grows from claim to claim of a service. ``heard_at`` is by the database's clock, in seconds since 1970;
    None for a program that does not say when it lives.
    """

    service: str
    run_id: str
    operator: str
    host: str
    process: int
    since: datetime
    machine: str
    process_started: str | None
    token: int = 0
    heard_at: float | None = None

    def silent(self, now: float) -> timedelta | None:
        """Return for how long the holder was not heard of; None where it never says so."""
        return None if self.heard_at is None else timedelta(seconds=now - self.heard_at)


def claim_of(service: str, run: Run, processes: ProcessTable, *, token: int = 0, now: float | None = None) -> Claim:
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
        token=token,
        heard_at=now,
    )


def may_take(holder: Claim, wanted: Claim, processes: ProcessTable, now: float, silence: timedelta = SILENCE) -> None:
    """Refuse a claim on a held service with LockedError.

    It may be had once the holder's process is provably gone, or the holder was not heard of for ``silence``, wherever
    it is: should it wake up, its token is old. The process that holds it for a run may claim it again for that run.
    """
    same_machine = holder.machine == wanted.machine
    lives = alive(processes, holder.process, holder.process_started) if same_machine else None
    quiet = holder.silent(now)
    if lives is False or (quiet is not None and quiet >= silence):
        return
    if holder.run_id == wanted.run_id and same_machine and holder.process == wanted.process:
        return
    if holder.run_id == wanted.run_id and lives is None and quiet is None:
        # Nothing can tell: whoever resumes a run by its id has made sure that it does not go on elsewhere.
        return
    raise _locked(holder, now, silence)


def lost(service: str, run_id: str, holder: Claim | None) -> ClaimLostError:
    """Return what a run is told that another one took its service from; ``holder`` is who has it now, if anybody."""
    if holder is None:
        taken = "Another run took it over, and has ended since"
    elif holder.run_id == run_id:
        taken = f"This run was taken up again: {_who(holder)}"
    else:
        taken = f"Run {holder.run_id} took it over: {_who(holder)}"
    return ClaimLostError(
        f"This run has lost {service}.",
        why=f"It was not heard of for longer than {_words(SILENCE)}. {taken}.",
        then="It has written nothing since, and stops here. `migrate history` shows what followed it.",
    )


def superseded(holder: Claim, by: Claim, now: float) -> tuple[Event, Event]:
    """Return the end of the run that lost its service, and what the one that took it over remembers of that."""
    at = datetime.fromtimestamp(now, UTC)
    ended = Event(
        holder.run_id,
        at,
        EventKind.FINISHED,
        "finished",
        f"run {by.run_id} took the service over: {_who(by)}",
        document({"status": SUPERSEDED, "by": by.run_id}),
    )
    taken = Event(
        by.run_id,
        at,
        EventKind.NOTE,
        "claim",
        f"took the service over from run {holder.run_id}: {_who(holder)}{_heard(holder, now)}",
        document({"from": holder.run_id}),
    )
    return ended, taken


def _locked(holder: Claim, now: float, silence: timedelta) -> LockedError:
    return LockedError(
        f"Run {holder.run_id} holds {holder.service}.",
        why=f"{_who(holder)}{_heard(holder, now)}.",
        then=(
            "Wait for it to end; `migrate status` shows how far it is. If that process is gone for good, run your "
            f"command on {holder.host}, where that can be seen"
            + ("." if holder.heard_at is None else f", or once it was not heard of for {_words(silence)}.")
        ),
    )


def _who(holder: Claim) -> str:
    since = holder.since.isoformat(sep=" ", timespec="seconds")
    return f"{holder.operator} started it on {holder.host} (process {holder.process}) at {since}"


def _heard(holder: Claim, now: float) -> str:
    quiet = holder.silent(now)
    if quiet is None or holder.heard_at is None:
        return ""
    at = datetime.fromtimestamp(holder.heard_at, UTC).isoformat(sep=" ", timespec="seconds")
    return f"; last heard of {_words(max(quiet, timedelta(0)))} ago, at {at}"


def _words(duration: timedelta) -> str:
    minutes, seconds = divmod(round(duration.total_seconds()), 60)
    return (
        " ".join(part for part in (f"{minutes} min" * (minutes > 0), f"{seconds} s" * (seconds > 0)) if part) or "0 s"
    )
