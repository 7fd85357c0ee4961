"""What a look at the running service came to, where nothing was to be changed."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.core.gate.gate import Measurement, Verdict
from migrate.core.outcome import RunOutcome


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a run that only judges ended: its outcome, its verdict, and what each check said last."""

    outcome: RunOutcome
    verdict: Verdict
    checks: tuple[Measurement, ...]
