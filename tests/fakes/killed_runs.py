"""Processes that are killed while they work on a run: what they told is told, what they hold stays held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from migrate.adapters.store.claims import claim_of
from migrate.core.evidence import Event, Run, Worker
from migrate.workflows.durable import Durable
from migrate.workflows.runtime import Runtime
from tests.fakes.migration import Operator
from tests.fakes.mortal_steps import MortalSteps
from tests.fakes.record_store import FakeProcesses

WORKS = 4712
"""The process that takes up what others left."""

T = TypeVar("T")


class Killed(BaseException):
    """The process is gone; nothing of it may run on."""


@dataclass
class Deadly:
    """The port Narrator: the process is killed when it tells the event of this number, which is written already."""

    at: int
    heard: int = 0

    def tell(self, event: Event) -> None:
        del event
        self.heard += 1
        if self.heard == self.at:
            raise Killed


@dataclass
class Machine:
    """A machine on which one process after the other works for an operator; each can see that another is gone."""

    operator: Operator
    memory: MortalSteps = field(default_factory=MortalSteps)
    processes: FakeProcesses = field(default_factory=lambda: FakeProcesses(running={WORKS: "tick"}))

    def __post_init__(self) -> None:
        self.operator.store._processes = self.processes

    def killed_at(self, number: int, run: Run, carried: Callable[[Runtime, Durable, Run], object]) -> bool:
        """Let a process carry a run out until it tells its event of this number; return whether it came so far."""
        store = self.operator.store
        try:
            carried(replace(self.operator.runtime, narrator=Deadly(number)), self.memory, run)
        except Killed:
            # On the way out, which no killed process ever takes, the claim was given free.
            held = claim_of(run.service, run, store._processes, now=0.0)
            store._claims[run.service] = replace(held, token=store._tokens[run.service])
            store._held.clear()
            return True
        return False

    def runtimes(self, run: Run) -> Runtime:
        """Return what the process works with that takes a run up."""
        del run
        return replace(self.operator.runtime, worker=Worker("grace", "workstation", WORKS))

    def taken_up(self, run: Run, carried: Callable[[Runtime, Durable, Run], T]) -> T:
        """Let another process go on with the run."""
        return carried(self.runtimes(run), self.memory.restarted(), run)
