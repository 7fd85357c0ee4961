"""One run over a fleet: which members it has, where each stands, and what may begin now.

All of it is a function of the rules and of where the members stand, so that any number of workers, each asking for
itself, comes to the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from migrate.core.fleet.definition import Concurrency, Member, StopRules
from migrate.errors import ExitCode


class FleetVerb(StrEnum):
    """What is done to every member."""

    APPLY = "apply"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class FleetRun:
    """What was asked for. ``stage`` is where each member is brought; None (rollback) is one stage back for each.

    ``opened`` is how many waves a person has let begin (it counts only with ``hold_between_waves``), ``forgiven`` how
    many failures a person has seen and gone on from; ``hold`` keeps every further member from starting.
    """

    id: str
    fleet: str
    verb: FleetVerb
    stage: int | None
    waves: tuple[str, ...]
    started_at: datetime
    operator: str
    host: str
    stop: StopRules
    concurrency: Concurrency
    opened: int = 1
    forgiven: int = 0
    hold: bool = False

    @property
    def title(self) -> str:
        """The run in words."""
        if self.verb is FleetVerb.APPLY:
            return f"stage {self.stage} of fleet {self.fleet}"
        to = (
            "one stage back"
            if self.stage is None
            else "to the original"
            if self.stage < 0
            else f"to stage {self.stage}"
        )
        return f"{to} for fleet {self.fleet}"


class MemberState(StrEnum):
    """Where one member of a run stands."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Standing:
    """As much of a member as decisions need. ``exit_code`` is that of its run, once it has ended."""

    arn: str
    wave: int
    state: MemberState = MemberState.WAITING
    exit_code: int | None = None

    @property
    def failed(self) -> bool:
        """Whether it ended without being where it should be; one that was only interrupted is to be taken up."""
        return self.state is MemberState.ENDED and self.exit_code not in {ExitCode.DONE, ExitCode.INTERRUPTED}


@dataclass(frozen=True, slots=True, order=True)
class Attempt:
    """One member (ARN) of one run (id), given out once; ``number`` counts from 1.

    Who has the one that a member is in may write about it; whoever had an earlier one may not any more.
    """

    run: str
    arn: str
    number: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of one run. ``attempt`` counts how often it was given out; ``worker`` is the id of who has it.

    ``text`` is what it does or waits for, and in the end how it ended; ``run_id`` the last run on the service.
    """

    run: str
    member: Member
    wave: int
    state: MemberState = MemberState.WAITING
    attempt: int = 1
    worker: str = ""
    text: str = ""
    exit_code: int | None = None
    then: str = ""
    runbook: str = ""
    run_id: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def current(self) -> Attempt:
        """The attempt that it is in."""
        return Attempt(self.run, self.member.arn, self.attempt)

    @property
    def standing(self) -> Standing:
        """What decisions need of it."""
        return Standing(self.member.arn, self.wave, self.state, self.exit_code)


@dataclass(frozen=True, slots=True)
class MemberOrder:
    """What a process that runs one member is told; nothing of it is secret."""

    verb: FleetVerb
    stage: int | None
    member: Member


@dataclass(frozen=True, slots=True)
class MemberEnd:
    """How the run of one member ended: its exit code, the words for it, and the id of the run on the service."""

    exit_code: int
    text: str
    then: str = ""
    runbook: str = ""
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that takes members.

    ``beat`` changes as long as it lives; ``machine`` and ``process_started`` are marks that let a process of the same
    machine see whether it is gone.
    """

    id: str
    host: str
    process: int
    machine: str
    process_started: str | None
    concurrency: int
    beat: int = 0

    @property
    def name(self) -> str:
        """The worker as people say it."""
        return f"{self.host}:{self.process}"


class FleetState(StrEnum):
    """Where a whole run stands."""

    RUNNING = "running"
    HELD = "held"
    STOPPED = "stopped"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done now. ``start`` are the members (ARNs) that may begin, ``wave`` the one that is under way."""

    state: FleetState
    wave: int
    start: tuple[str, ...] = ()
    why: str = ""


def decide(run: FleetRun, standings: Sequence[Standing]) -> Decision:
    """Return which members may begin: those of the first wave that is not over, unless a rule or a person says no.

    What is under way always goes on to its end, whatever another member came to.
    """
    left = [item for item in standings if item.state is not MemberState.ENDED]
    if not left:
        return Decision(FleetState.DONE, len(run.waves) - 1)
    wave = min(item.wave for item in left)
    working = any(item.state is MemberState.RUNNING for item in left)
    refused = _refused(run, standings, wave)
    if refused is not None:
        state, why = refused
        return Decision(FleetState.RUNNING if working else state, wave, why=why)
    start = tuple(item.arn for item in left if item.wave == wave and item.state is MemberState.WAITING)
    return Decision(FleetState.RUNNING, wave, start)


def _refused(run: FleetRun, standings: Sequence[Standing], wave: int) -> tuple[FleetState, str] | None:
    failed = sum(item.failed for item in standings) - run.forgiven
    if run.verb is FleetVerb.APPLY and failed > run.stop.failure_limit:
        return FleetState.STOPPED, f"{failed} failed, and failure_limit is {run.stop.failure_limit}"
    if run.hold:
        return FleetState.HELD, "held by a person"
    if run.stop.hold_between_waves and wave >= run.opened:
        return FleetState.HELD, f"wave {run.waves[wave]} waits for a person"
    return None


_SEVERITY = (
    ExitCode.ROLLBACK_INCOMPLETE,
    ExitCode.FAULT,
    ExitCode.ROLLED_BACK,
    ExitCode.HELD,
    ExitCode.WORLD_CHANGED,
    ExitCode.LOCKED,
    ExitCode.BLOCKED,
    ExitCode.USAGE,
    ExitCode.INTERRUPTED,
    ExitCode.DONE,
)
"""What has to be seen to first stands first."""


def gone_on(run: FleetRun, standings: Sequence[Standing]) -> FleetRun:
    """Return the run after a person said to go on: what held or stopped it is seen, and holds it no more."""
    decision = decide(run, standings)
    return replace(
        run,
        opened=max(run.opened, decision.wave + 1),
        forgiven=sum(item.failed for item in standings),
        hold=False,
    )


def exit_code(standings: Sequence[Standing], state: FleetState) -> ExitCode:
    """Return the code of the whole run: the worst of its members', and HELD where the run itself is held or stopped."""
    codes = [item.exit_code for item in standings if item.exit_code is not None]
    known = {ExitCode(code) if code in set(ExitCode) else ExitCode.FAULT for code in codes}
    if state in {FleetState.HELD, FleetState.STOPPED}:
        known.add(ExitCode.HELD)
    elif state is FleetState.RUNNING:
        known.add(ExitCode.INTERRUPTED)
    return min(known, key=_SEVERITY.index, default=ExitCode.DONE)
