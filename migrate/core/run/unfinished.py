"""Which run of a service did not come to its end, and what it left open: read from runs and their evidence alone."""

from __future__ import annotations

from collections.abc import Sequence

from migrate.core.documents import fields
from migrate.core.evidence import Event, EventKind, Run

RUNNING = "running"
INTERRUPTED = "interrupted"
SUPERSEDED = "superseded"
JUDGING = "gate"
"""The verb of a run that changes nothing: it is begun anew, and leaves what was open before it as it was."""

_REFUSED = frozenset({"blocked", "usage", "locked", "world_changed"})
"""How a run ends that was refused before it changed anything: what was open before it is open still."""


def interrupted(runs: Sequence[Run]) -> Run | None:
    """Return the run that is to be taken up, of the runs of one service, newest first; None where all is ended.

    One that is ``running`` may still be at work somewhere: only a claim tells.
    """
    newest = next((run for run in runs if run.status not in _REFUSED and run.verb != JUDGING), None)
    return newest if newest is not None and newest.status in {RUNNING, INTERRUPTED} else None


def predecessor(runs: Sequence[Run], run_id: str) -> Run | None:
    """Return the run that ``run_id`` goes on from, None where the one before it came to its end."""
    others = (run for run in runs if run.id != run_id and run.status not in _REFUSED and run.verb != JUDGING)
    newest = next(others, None)
    return newest if newest is not None and newest.status in {RUNNING, INTERRUPTED, SUPERSEDED} else None


def left_open(events: Sequence[Event]) -> tuple[Event | None, bool]:
    """Return the act that was begun last, and whether its end is not known or was no good end.

    Acts follow one another: only the last one can have been under way. That its outcome stands in the evidence does not
    say that the run knew of it.
    """
    begun = next((event for event in reversed(events) if event.kind is EventKind.INTENT), None)
    if begun is None:
        return None, False
    ends = (event for event in reversed(events) if event.kind is EventKind.OUTCOME)
    outcome = next((event for event in ends if event.step == begun.step and event.at >= begun.at), None)
    return begun, outcome is None or "error" in fields(outcome.data)
