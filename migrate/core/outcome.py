"""How a run ended, as data: the command line turns it into words and an exit code."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.core.stages import Stage
from migrate.errors import ExitCode


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """The end of an apply or a rollback. ``reasons`` are what decided; ``then`` is what to do next."""

    run_id: str
    exit_code: ExitCode
    stage: Stage
    text: str
    reasons: tuple[str, ...] = ()
    then: str = ""
    runbook: str = ""
