"""A run over a fleet as it stands: what is shown of it, and the exit code that goes with it."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.core.fleet.run import Decision, Entry, FleetRun, exit_code
from migrate.errors import ExitCode


@dataclass(frozen=True, slots=True)
class FleetReport:
    """A run, its members and what was decided."""

    run: FleetRun
    entries: tuple[Entry, ...]
    decision: Decision

    @property
    def exit_code(self) -> ExitCode:
        """The code of the run."""
        return exit_code([entry.standing for entry in self.entries], self.decision.state)
