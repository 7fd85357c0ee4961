"""Durable steps: what a run did is not done again when the run is taken up by another process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Durable(Protocol):
    """Runs the steps of one workflow, each at most once as far as its recorded result goes."""

    def step(self, name: str, act: Callable[[], T]) -> T:
        """Return the recorded result of the step, or run it and record what comes of it."""
        ...


class InMemory:
    """Steps without a memory, for reads and for tests in virtual time."""

    def step(self, name: str, act: Callable[[], T]) -> T:  # noqa: ARG002 - only a memory needs the name
        """Run the step."""
        return act()
