"""Walks with an operator through the commands of a runbook's section, one by one.

Where it is gets written down before every command, as under way, and after it: who comes back after a kill is told
that the command may have run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from migrate.core.runbook.runbooks import Section, Step
from migrate.core.runbook.walk import AfterStep, BeforeStep, Shown, Walk, digest, to_take_up
from migrate.errors import HeldError, InterruptedRunError
from migrate.ports import Clock
from migrate.runbook_ports import Answered, CommandRunner, Companion, WalkStore


@dataclass(slots=True)
class GuidedWalk:
    """One walk. ``key`` names service and section, ``word`` is what the operator called it."""

    word: str
    key: str
    section: Section
    values: dict[str, str]
    companion: Companion
    runner: CommandRunner
    walks: WalkStore
    clock: Clock
    surrounding: frozenset[str] = frozenset()
    """Names of variables that the shell of the commands has by itself."""
    _given: dict[str, str] = field(default_factory=dict, init=False)

    def go(self) -> None:
        """Go from the first command, or from where an earlier walk stopped, to the last one.

        Raises InterruptedRunError where the operator stops before a command, HeldError where he stops at one that did
        not end as expected; the same walk then goes on from there.
        """
        steps = self.section.steps
        for index in range(self._beginning(), len(steps)):
            self._step(index, steps[index])
        self.walks.forget(self.key)
        self.companion.tell(self.section.rest)

    def _beginning(self) -> int:
        steps = self.section.steps
        former = to_take_up(self.walks.walk(self.key), steps)
        if former is None or not self.companion.go_on(former, len(steps)):
            return 0
        self._given = dict(former.values)
        return former.step

    def _step(self, index: int, step: Step) -> None:
        self._save(index)
        self.companion.tell(step.told)
        for name in sorted(step.needs - set(self.values) - set(self._given) - self.surrounding):
            self._given[name] = self.companion.value(name)
        command = step.with_values({**self.values, **self._told}).command
        count = len(self.section.steps)
        choice = self.companion.before(Shown(index + 1, count, command, step.expectation))
        if choice is BeforeStep.STOP:
            raise self._stopped(index)
        if choice is BeforeStep.RUN:
            self._carried_out(index, step, command)
        self._save(index + 1)

    @property
    def _told(self) -> dict[str, str]:
        """What the operator gave; what a command gave stays a variable, for it may be a whole document."""
        made = {step.sets for step in self.section.steps}
        return {name: value for name, value in self._given.items() if name not in made}

    def _carried_out(self, index: int, step: Step, command: str) -> None:
        while True:
            self._save(index, under_way=True)
            answered = self._run(step, command)
            unmet = step.expected.unmet(answered.code, answered.output)
            if not unmet:
                self.companion.met()
                return
            choice = self.companion.after(unmet)
            if choice is AfterStep.GO_ON:
                return
            if choice is AfterStep.STOP:
                raise HeldError(
                    f"Step {index + 1} did not end as expected.", why=" ".join(unmet), then=self._then(index)
                )

    def _run(self, step: Step, command: str) -> Answered:
        name = step.sets
        if name is None:
            return self.runner.run(command, self._given)
        answered = self.runner.run(f'{command} && printf %s "${name}"', self._given, quiet=True)
        if answered.code == 0:
            self._given[name] = answered.output
        return answered

    def _save(self, step: int, *, under_way: bool = False) -> None:
        given = tuple(self._given.items())
        self.walks.save(self.key, Walk(step, digest(self.section.steps), self.clock.now(), under_way, given))

    def _then(self, index: int) -> str:
        return f"`migrate runbook {self.word} --guided` goes on from step {index + 1}."

    def _stopped(self, index: int) -> InterruptedRunError:
        return InterruptedRunError(f"Stopped before step {index + 1}.", then=self._then(index))
