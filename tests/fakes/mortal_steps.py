"""Durable steps with a memory, in a process that may die before or after any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from migrate.errors import MigrateError

T = TypeVar("T")


class Died(BaseException):
    """The process is gone; nothing of it may run on."""


@dataclass
class MortalSteps:
    """The port Durable: ``results`` outlive the process, errors among them, as DBOS keeps them.

    The process dies at step number ``left`` (0: it lives), right before that step or, if ``after``, right after it
    took effect and before its result was kept.
    """

    left: int = 0
    after: bool = False
    results: list[tuple[str, object]] = field(default_factory=list)
    position: int = 0

    def step(self, name: str, act: Callable[[], T]) -> T:
        if self.position < len(self.results):
            known, result = self.results[self.position]
            assert known == name, f"replay meets {name}, recorded was {known}"
            self.position += 1
            if isinstance(result, MigrateError):
                raise result
            return result  # type: ignore[return-value] # the name stands for the type
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Died
        try:
            result = act()
        except MigrateError as error:
            self._keep(name, error)
            raise
        self._keep(name, result)
        return result

    def restarted(self) -> MortalSteps:
        """Return the steps of the process that takes the run up."""
        return MortalSteps(results=self.results)

    def _keep(self, name: str, result: object) -> None:
        if self.left == 0:
            raise Died
        self.results.append((name, result))
        self.position += 1
