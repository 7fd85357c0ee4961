"""Gates: from measurements and time to one of four verdicts.

The semantics are those of Argo Rollouts' analysis (count, initial delay, failure limit, inconclusive limit, consecutive
error limit), stricter where that one is lax: no data is never a pass, a check goes on being measured until the gate
ends, every check must pass anew within the soak, and the soak starts again whenever a check stops passing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from migrate.core.gate.readings import Reading
from migrate.core.gate_checks import GateCheck
from migrate.core.settings import GateSettings
from migrate.core.task_groups import TaskGroup


class Outcome(StrEnum):
    """What one measurement says. ``waiting`` is the normal state of a rollout that is under way."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    WAITING = "waiting"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


class Verdict(StrEnum):
    """How a gate ends."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One check measured once.

    ``final`` says that waiting cannot change the outcome: it decides the gate at once, whatever the limits.
    ``overdue`` is what waiting comes to at the deadline: a doubt, or a failure where the way back keeps what is good.
    ``excused`` is a wait that a healthy service knows as well, such as for the successor of an interrupted Spot task:
    nothing passes while it lasts, and the soak goes on afterwards. ``runbook`` names file and section; ``evidence``
    are name and value pairs, ``reading`` the number that was judged, where there is one.
    """

    check: str
    outcome: Outcome
    text: str
    runbook: str
    evidence: tuple[tuple[str, str], ...] = ()
    final: bool = False
    overdue: Verdict = Verdict.INCONCLUSIVE
    excused: bool = False
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rollout is: running tasks of our deployment and of others; ``complete`` when ECS says so."""

    ours: int
    others: int
    desired: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured at one time: the checks that every gate has, and those of the operator that were due."""

    at: datetime
    measurements: tuple[Measurement, ...]
    progress: Progress | None = None
    tasks: tuple[TaskGroup, ...] = ()
    desired: int | None = None

    @property
    def passes(self) -> bool:
        """Whether every check passes; an empty sample has no data and does not."""
        return bool(self.measurements) and all(item.outcome is Outcome.PASS for item in self.measurements)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a gate remembers of one check; ``passes`` counts since everything passes, ``failures`` since the start."""

    last: Measurement
    measured_at: datetime
    passes: int = 0
    failures: int = 0
    inconclusive: int = 0
    errors_in_a_row: int = 0


@dataclass(frozen=True, slots=True)
class GateState:
    """What a gate remembers between samples.

    ``passing_since`` is when the soak began, ``furthest`` the best that the rollout came to, and ``progressed_at``
    when that was; ``completed_at`` when it was first seen to be complete, ``scaled_at`` when the desired count was
    last seen to change.
    """

    started_at: datetime
    passing_since: datetime | None = None
    tallies: tuple[tuple[str, Tally], ...] = ()
    furthest: Progress | None = None
    progressed_at: datetime | None = None
    completed_at: datetime | None = None
    scaled_at: datetime | None = None

    def tally(self, check: str) -> Tally | None:
        """Return what is remembered of a check, None while it was not measured."""
        return dict(self.tallies).get(check)


@dataclass(frozen=True, slots=True)
class Assessment:
    """The gate after a sample; ``verdict`` is None while it goes on. ``reasons`` are the texts that decided."""

    state: GateState
    verdict: Verdict | None
    reasons: tuple[str, ...] = ()


def due(state: GateState, gate: GateSettings, now: datetime) -> tuple[GateCheck, ...]:
    """Return the operator's checks that are to be measured now; one without an interval at every sample."""
    return tuple(check for check in gate.checks if _is_due(check, state, now))


def assess(state: GateState, sample: Sample, gate: GateSettings) -> Assessment:
    """Take one sample into account and say whether the gate is decided, and how.

    Order of precedence: fail, error, inconclusive for good, pass after the soak, and at a deadline inconclusive: a
    rollout that is still under way then is undecided, not failed (case C57), unless a check says that it is overdue.
    """
    standing = (*sample.measurements, *_carried(state, sample, gate))
    passing = sample.passes and _complete(standing, gate) and all(item.outcome is Outcome.PASS for item in standing)
    excused = bool(sample.measurements) and all(item.excused or item.outcome is Outcome.PASS for item in standing)
    since = (state.passing_since or sample.at) if passing else state.passing_since if excused else None
    after = _progressed(replace(state, passing_since=since, tallies=_tallied(state, sample, since)), sample)
    verdict, why = _verdict(after, sample, gate, passing=passing)
    return Assessment(after, verdict, (*why, *_reasons(standing, verdict, why)) if verdict else ())


def deadline_left(state: GateState, now: datetime, gate: GateSettings) -> float:
    """Return the seconds until the gate gives up waiting."""
    return max(0.0, (gate.deadline - (now - state.started_at)).total_seconds())


def standing(state: GateState, sample: Sample, gate: GateSettings) -> tuple[Measurement, ...]:
    """Return what is known of every check at a sample: fresh, from before, or that it has not begun yet."""
    fresh = {item.check for item in sample.measurements}
    found = list(sample.measurements)
    for check in (check for check in gate.checks if check.name not in fresh):
        tally = state.tally(check.name)
        if tally is None:
            text = f"begins {check.initial_delay.total_seconds():g} s after the gate"
            found.append(Measurement(check.name, Outcome.WAITING, text, "errors#held"))
        else:
            ago = (sample.at - tally.measured_at).total_seconds()
            found.append(replace(tally.last, text=f"{tally.last.text} ({ago:.0f} s ago)"))
    return tuple(found)


def soak_left(state: GateState, now: datetime, gate: GateSettings) -> float | None:
    """Return the seconds of soak that are left, None while something does not pass."""
    if state.passing_since is None:
        return None
    return max(0.0, (gate.soak - (now - state.passing_since)).total_seconds())


def unmet(state: GateState, gate: GateSettings) -> tuple[str, ...]:
    """Return the operator's checks that have not passed as often as they have to since the soak began."""
    return tuple(
        check.name for check in gate.checks if (found := state.tally(check.name)) is None or found.passes < check.count
    )


def _is_due(check: GateCheck, state: GateState, now: datetime) -> bool:
    known = state.tally(check.name)
    if known is None:
        return now - state.started_at >= check.initial_delay
    return now - known.measured_at >= (check.interval or timedelta(0))


def _carried(state: GateState, sample: Sample, gate: GateSettings) -> tuple[Measurement, ...]:
    """Return what the operator's checks that were not due said last."""
    fresh = {item.check for item in sample.measurements}
    known = (state.tally(check.name) for check in gate.checks if check.name not in fresh)
    return tuple(tally.last for tally in known if tally is not None)


def _complete(standing: Iterable[Measurement], gate: GateSettings) -> bool:
    return {check.name for check in gate.checks} <= {item.check for item in standing}


def _tallied(state: GateState, sample: Sample, since: datetime | None) -> tuple[tuple[str, Tally], ...]:
    """Count the fresh measurements; passes count from the sample on with which everything passes."""
    anew = since is None or since != state.passing_since
    found = {check: replace(tally, passes=0) if anew else tally for check, tally in state.tallies}
    for item in sample.measurements:
        before = found.get(item.check) or Tally(item, sample.at)
        failed, doubtful = item.outcome is Outcome.FAIL, item.outcome is Outcome.INCONCLUSIVE
        found[item.check] = Tally(
            last=item,
            measured_at=sample.at,
            passes=before.passes + (since is not None and item.outcome is Outcome.PASS),
            failures=before.failures + failed,
            inconclusive=before.inconclusive + doubtful,
            errors_in_a_row=before.errors_in_a_row + 1 if item.outcome is Outcome.ERROR else 0,
        )
    return tuple(sorted(found.items(), key=lambda pair: pair[0]))


def _progressed(state: GateState, sample: Sample) -> GateState:
    """Keep the best that the rollout came to; tasks that start and crash again are no progress."""
    now, best = sample.progress, state.furthest
    if now is None:
        return state
    state = replace(state, completed_at=(state.completed_at or sample.at) if now.complete else None)
    if best is None:
        return replace(state, furthest=now, progressed_at=sample.at)
    scaled = now.desired != best.desired
    if scaled or now.complete != best.complete:
        scaled_at = sample.at if scaled else state.scaled_at
        return replace(state, furthest=now, progressed_at=sample.at, scaled_at=scaled_at)
    if now.ours <= best.ours and now.others >= best.others:
        return state
    further = replace(now, ours=max(now.ours, best.ours), others=min(now.others, best.others))
    return replace(state, furthest=further, progressed_at=sample.at)


def _verdict(
    state: GateState, sample: Sample, gate: GateSettings, *, passing: bool
) -> tuple[Verdict | None, tuple[str, ...]]:
    final = {item.outcome for item in sample.measurements if item.final}
    if Outcome.FAIL in final or _exceeds(state, gate, Outcome.FAIL):
        return Verdict.FAIL, ()
    if _exceeds(state, gate, Outcome.ERROR):
        return Verdict.ERROR, ()
    if Outcome.INCONCLUSIVE in final or _exceeds(state, gate, Outcome.INCONCLUSIVE):
        return Verdict.INCONCLUSIVE, ()
    left = unmet(state, gate)
    if passing and not left and state.passing_since is not None and sample.at - state.passing_since >= gate.soak:
        return Verdict.PASS, ()
    if sample.at - state.started_at >= gate.deadline:
        return _late(sample), tuple(f"{check}: it did not pass as often as it has to" for check in left)
    stalled = _stalled(state, sample, gate)
    return (_late(sample), (stalled,)) if stalled else (None, ())


def _exceeds(state: GateState, gate: GateSettings, outcome: Outcome) -> bool:
    """Tell whether some check had more of an outcome than is allowed; the operator's checks may have own limits."""
    own = {check.name: check for check in gate.checks}
    for name, tally in state.tallies:
        check = own.get(name)
        count, common, special = {
            Outcome.FAIL: (tally.failures, gate.failure_limit, check.failure_limit if check else None),
            Outcome.ERROR: (tally.errors_in_a_row, gate.error_limit, check.error_limit if check else None),
        }.get(outcome, (tally.inconclusive, gate.inconclusive_limit, check.inconclusive_limit if check else None))
        limit = common if special is None else special
        if limit is not None and count > limit:
            return True
    return False


def _stalled(state: GateState, sample: Sample, gate: GateSettings) -> str:
    """Return that the rollout stands still, empty while it moves or is done (Kubernetes: progressDeadlineSeconds)."""
    now = sample.progress
    if now is None or now.complete or state.progressed_at is None:
        return ""
    still = sample.at - state.progressed_at
    if still < gate.progress_deadline:
        return ""
    return (
        f"the rollout made no progress for {still.total_seconds():g} s: {now.ours} of {now.desired} tasks of our "
        f"deployment run, {now.others} of others"
    )


def _late(sample: Sample) -> Verdict:
    late = {item.overdue for item in sample.measurements if item.outcome is Outcome.WAITING}
    return Verdict.FAIL if Verdict.FAIL in late else Verdict.INCONCLUSIVE


def _reasons(standing: tuple[Measurement, ...], verdict: Verdict, why: tuple[str, ...]) -> tuple[str, ...]:
    if verdict is Verdict.PASS:
        return tuple(item.text for item in standing)
    told = tuple(f"{item.check}: {item.text}" for item in standing if item.outcome is not Outcome.PASS)
    if verdict is Verdict.INCONCLUSIVE and not told and not why:
        return ("the deadline came before the soak was over",)
    return told
