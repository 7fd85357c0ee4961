"""Gates: from measurements and time to one of four verdicts.

The semantics are those of Argo Rollouts' analysis (failure limit, consecutive error limit), stricter where that one is
lax: no data is never a pass, and the soak starts again whenever a check stops passing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from migrate.core.settings import GateSettings


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
    ``runbook`` names file and section; ``evidence`` are name and value pairs.
    """

    check: str
    outcome: Outcome
    text: str
    runbook: str
    evidence: tuple[tuple[str, str], ...] = ()
    final: bool = False
    overdue: Verdict = Verdict.INCONCLUSIVE


@dataclass(frozen=True, slots=True)
class Sample:
    """All checks of a gate, measured at one time."""

    at: datetime
    measurements: tuple[Measurement, ...]

    @property
    def passes(self) -> bool:
        """Whether every check passes; an empty sample has no data and does not."""
        return bool(self.measurements) and all(item.outcome is Outcome.PASS for item in self.measurements)


@dataclass(frozen=True, slots=True)
class GateState:
    """What a gate remembers between samples: counts by check, and since when everything has passed."""

    started_at: datetime
    passing_since: datetime | None = None
    failures: tuple[tuple[str, int], ...] = ()
    errors_in_a_row: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """The gate after a sample; ``verdict`` is None while it goes on. ``reasons`` are the texts that decided."""

    state: GateState
    verdict: Verdict | None
    reasons: tuple[str, ...] = ()


def assess(state: GateState, sample: Sample, gate: GateSettings) -> Assessment:
    """Take one sample into account and say whether the gate is decided, and how.

    Order of precedence: fail, error, inconclusive for good, pass after the soak, and at the deadline inconclusive: a
    rollout that is still under way then is undecided, not failed (case C57), unless a check says that it is overdue.
    """
    failures = _counted(state.failures, sample, Outcome.FAIL, reset=False)
    errors = _counted(state.errors_in_a_row, sample, Outcome.ERROR, reset=True)
    since = (state.passing_since or sample.at) if sample.passes else None
    after = replace(state, passing_since=since, failures=failures, errors_in_a_row=errors)
    verdict = _verdict(after, sample, gate)
    return Assessment(after, verdict, _reasons(sample, verdict) if verdict else ())


def soak_left(state: GateState, now: datetime, gate: GateSettings) -> float | None:
    """Return the seconds of soak that are left, None while something does not pass."""
    if state.passing_since is None:
        return None
    return max(0.0, (gate.soak - (now - state.passing_since)).total_seconds())


def _verdict(state: GateState, sample: Sample, gate: GateSettings) -> Verdict | None:
    failed = {check for check, count in state.failures if count > gate.failure_limit}
    failed |= {item.check for item in sample.measurements if item.final and item.outcome is Outcome.FAIL}
    if failed:
        return Verdict.FAIL
    if any(count > gate.error_limit for _, count in state.errors_in_a_row):
        return Verdict.ERROR
    if any(item.final and item.outcome is Outcome.INCONCLUSIVE for item in sample.measurements):
        return Verdict.INCONCLUSIVE
    if state.passing_since is not None and sample.at - state.passing_since >= gate.soak:
        return Verdict.PASS
    if sample.at - state.started_at >= gate.deadline:
        late = {item.overdue for item in sample.measurements if item.outcome is Outcome.WAITING}
        return Verdict.FAIL if Verdict.FAIL in late else Verdict.INCONCLUSIVE
    return None


def _reasons(sample: Sample, verdict: Verdict) -> tuple[str, ...]:
    if verdict is Verdict.PASS:
        return tuple(item.text for item in sample.measurements)
    told = tuple(f"{item.check}: {item.text}" for item in sample.measurements if item.outcome is not Outcome.PASS)
    if verdict is Verdict.INCONCLUSIVE and not told:
        return ("the deadline came before the soak was over",)
    return told


def _counted(
    counts: tuple[tuple[str, int], ...], sample: Sample, outcome: Outcome, *, reset: bool
) -> tuple[tuple[str, int], ...]:
    result = dict(counts)
    for item in sample.measurements:
        if item.outcome is outcome:
            result[item.check] = result.get(item.check, 0) + 1
        elif reset:
            result.pop(item.check, None)
    return tuple(sorted(result.items()))
