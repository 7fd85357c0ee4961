"""A guided walk through the commands of a section, as values: how far it is, and what the operator chose."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from migrate.core.runbook.runbooks import Step


class BeforeStep(StrEnum):
    """What the operator does with a command that he was shown."""

    RUN = "run"
    SKIP = "skip"
    STOP = "stop"


class AfterStep(StrEnum):
    """What the operator does about a command that did not end as expected."""

    AGAIN = "again"
    GO_ON = "go on"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a walk has come: ``step`` counts from 0 and is the next one, or the one that is ``under_way``.

    ``commands`` is a digest of the section's commands: where they are other ones by now, the walk begins anew.
    """

    step: int
    commands: str
    at: datetime
    under_way: bool = False
    values: tuple[tuple[str, str], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Shown:
    """A command as the operator is asked about it; ``number`` counts from 1."""

    number: int
    count: int
    command: str
    expectation: str


def digest(steps: Sequence[Step]) -> str:
    """Return what tells the commands of a section from those of another version of it."""
    return hashlib.sha256("\n".join(step.command for step in steps).encode()).hexdigest()


def to_take_up(walk: Walk | None, steps: Sequence[Step]) -> Walk | None:
    """Return a walk that can be taken up: one through these very commands that has come to any of them."""
    if walk is None or walk.commands != digest(steps) or not 0 <= walk.step < len(steps):
        return None
    return walk if walk.step or walk.under_way else None
