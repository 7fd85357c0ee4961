"""Time during which nobody looked at a gate: its process was gone, or asleep, and what happened then is not known.

Such time is no soak, for something may have failed in it and come back, and it does not bring a deadline nearer: a
stage whose operator's machine was restarted over lunch is neither proven nor given up by that.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from migrate.core.gate.gate import GateState
from migrate.core.settings import GateSettings

LONGEST_LOOK = timedelta(minutes=1)
"""How much longer than the interval one look may take before the time counts as unseen: AWS may be slow to answer."""


def after_gap(state: GateState, gate: GateSettings, seen_at: datetime, now: datetime) -> tuple[GateState, GateSettings]:
    """Return what a gate remembers and asks for, both put off by the time that nobody saw since ``seen_at``."""
    gap = now - seen_at - gate.interval
    if gap <= max(gate.interval, LONGEST_LOOK):
        return state, gate
    later = replace(
        state, passing_since=_later(state.passing_since, gap), progressed_at=_later(state.progressed_at, gap)
    )
    return later, replace(gate, deadline=gate.deadline + gap)


def _later(at: datetime | None, gap: timedelta) -> datetime | None:
    return None if at is None else at + gap
