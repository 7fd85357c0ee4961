"""What a guided walk through a runbook needs from outside, as small Protocols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from migrate.core.runbook.runbooks import Runbook
from migrate.core.runbook.walk import AfterStep, BeforeStep, Shown, Walk


@dataclass(frozen=True, slots=True)
class Answered:
    """How a command ended: its exit code as a shell tells it, and what it wrote to its standard output."""

    code: int
    output: str


class RunbookReader(Protocol):
    """Reads runbooks."""

    def runbooks(self) -> tuple[Runbook, ...]:
        """Return all runbooks, the index first. Raises NotFoundError where there are none."""
        ...


class CommandRunner(Protocol):
    """Runs a command in front of the operator."""

    def run(self, command: str, variables: Mapping[str, str], *, quiet: bool = False) -> Answered:
        """Run it in a shell that has the variables besides its own; ``quiet`` shows nothing of its standard output."""
        ...


class WalkStore(Protocol):
    """Remembers how far walks have come. ``key`` names the service and the section."""

    def walk(self, key: str) -> Walk | None:
        """Return how far a walk has come, None where there is none. What cannot be read counts as none."""
        ...

    def save(self, key: str, walk: Walk) -> None:
        """Remember how far a walk has come. Raises AccessError where that cannot be."""
        ...

    def forget(self, key: str) -> None:
        """Forget a walk that is over."""
        ...


class Companion(Protocol):
    """The operator, as a walk sees him. Every question may raise InterruptedRunError."""

    def tell(self, markdown: str) -> None:
        """Show what stands between two commands."""
        ...

    def go_on(self, walk: Walk, count: int) -> bool:
        """Ask whether to go on where an earlier walk stopped; no begins at the beginning."""
        ...

    def value(self, name: str) -> str:
        """Ask for the value of a variable."""
        ...

    def before(self, shown: Shown) -> BeforeStep:
        """Show a command and ask what to do with it."""
        ...

    def after(self, unmet: tuple[str, ...]) -> AfterStep:
        """Say what did not come true and ask what to do about it."""
        ...

    def met(self) -> None:
        """Say that a command ended as expected."""
        ...
