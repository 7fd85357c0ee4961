"""What the operator says while a run works: given in one thread, heeded by the run between its acts."""

from __future__ import annotations

import threading
from collections import deque
from typing import Protocol

from migrate.core.run.orders import Choice, Order


class Stoppable(Protocol):
    """An engine that may be in the middle of something."""

    def interrupt(self) -> None:
        """Let it finish what is under way, write its state, and end."""
        ...

    def go_on(self) -> None:
        """Let the next operation run again."""
        ...


class Orders(Protocol):
    """What the operator says to a run that works; given from any thread, taken by the run between its acts."""

    @property
    def going_back(self) -> bool:
        """Whether the run is on its way back."""
        ...

    def give(self, order: Order) -> None:
        """Tell the run; what stops it ends its waits and lets the engine finish what is under way."""
        ...

    def take(self) -> Order | None:
        """Return what was said and not taken yet; one to hold comes again with every call."""
        ...

    def turn_back(self) -> None:
        """Say that from now on the run is on its way back."""
        ...


class NoOrders:
    """Implements Orders where nobody says anything."""

    going_back = False

    def give(self, order: Order) -> None:
        """Hear nothing."""

    def take(self) -> Order | None:
        """Return that nothing was said."""
        return None

    def turn_back(self) -> None:
        """Change nothing."""


class GivenOrders:
    """Implements Orders for one run.

    ``stopping`` is set while a wait should end early. ``engine`` is interrupted by what stops the run, and by nothing
    else: a question that is open, or an answer to keep going, leaves it alone.
    """

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.engine: Stoppable | None = None
        self._lock = threading.Lock()
        self._given: deque[Order] = deque()
        self._held: Order | None = None
        self._going_back = False

    @property
    def going_back(self) -> bool:
        """Whether the run is on its way back."""
        return self._going_back

    def give(self, order: Order) -> None:
        """Tell the run; on the way back, to roll back is to keep going."""
        with self._lock:
            if self._going_back and order.choice is Choice.ROLL_BACK:
                order = Order(Choice.KEEP_GOING, order.by)
            self._given.append(order)
            if order.choice is Choice.KEEP_GOING:
                return
            self.stopping.set()
        if self.engine is not None:
            self.engine.interrupt()

    def take(self) -> Order | None:
        """Return the oldest order that was not taken yet; one to hold comes again whenever nothing newer was said."""
        with self._lock:
            if not self._given:
                return self._held
            order = self._given.popleft()
            if order.choice is Choice.HOLD:
                self._held = order
            elif order.choice is Choice.ROLL_BACK and self._held is None:
                self._released()
            return order

    def turn_back(self) -> None:
        """Say that from now on the run is on its way back."""
        with self._lock:
            self._going_back = True

    def _released(self) -> None:
        self.stopping.clear()
        if self.engine is not None:
            self.engine.go_on()
