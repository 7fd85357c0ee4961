"""The journal of one run: intent written, act, outcome written (design rule 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from migrate.core.documents import document
from migrate.core.evidence import Event, EventKind, Run
from migrate.core.facts import ServiceEvent
from migrate.core.gate.gate import Measurement, Sample
from migrate.core.notifications import Delivery, Notification, NotifiedEvent
from migrate.core.run.news import News, StoppedTask
from migrate.core.run.orders import Choice, Order
from migrate.errors import InterruptedRunError, MigrateError, RollBackAskedError
from migrate.ports import Clock, Narrator
from migrate.store_port import RecordStore
from migrate.workflows.durable import Durable
from migrate.workflows.orders import NoOrders, Orders

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Remaining:
    """What a gate still has to wait, in seconds; ``soak_left`` is None while something does not pass."""

    soak: float
    soak_left: float | None
    deadline_left: float


@dataclass(slots=True)
class Told:
    """What this process has told of a service since the run began: ids of its events, ARNs of stopped tasks."""

    since: datetime
    names: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Journal:
    """Writes evidence and tells the narrator; every act and every look is a durable step.

    ``acted`` says whether anything was attempted yet that a way back would undo. ``begun`` is the act that a process
    before this one had begun when it ended, and ``last`` the last event that it wrote. ``notifier`` tells others, None
    where nobody is to be told; ``at_work`` says whether they were told that the run began.
    """

    run: Run
    store: RecordStore
    clock: Clock
    narrator: Narrator
    durable: Durable
    acted: bool = False
    orders: Orders = field(default_factory=NoOrders)
    begun: Event | None = None
    last: Event | None = None
    notifier: Callable[[Notification], tuple[Delivery, ...]] | None = None
    at_work: bool = False
    told: Told = field(init=False)
    _written: Order | None = None

    def __post_init__(self) -> None:
        self.told = Told(self.run.started_at)

    def act(
        self,
        step: str,
        text: str,
        action: Callable[[], T],
        evidence: Callable[[T], Mapping[str, object]] | None = None,
        *,
        stays: bool = False,
        intent: Mapping[str, object] | None = None,
        again: Callable[[Event], T] | None = None,
    ) -> T:
        """Do something that changes the world: an intent before it, an outcome after it, also when it fails.

        ``stays`` marks what no way back takes away, a guard tag: having done only that leaves nothing to undo.
        ``again`` is done in place of ``action`` where a former process had begun the act and nobody knows how it
        ended: it gets the intent of then, with what stood in ``intent``, and looks first (design rule 4).
        """
        self.acted = self.acted or not stays

        def recorded() -> T:
            begun, self.begun = self.begun, None
            former = begun if begun is not None and begun.step == step else None
            if former is None:
                self.write(EventKind.INTENT, step, text, intent)
            else:
                self.write(EventKind.NOTE, step, f"{text}: begun at {former.at:%H:%M:%S} already, looking first")
            try:
                result = again(former) if again is not None and former is not None else action()
            except MigrateError as error:
                self.write(EventKind.OUTCOME, step, f"{text}: failed: {error}", {"error": type(error).__name__})
                raise
            self.write(EventKind.OUTCOME, step, f"{text}: done", evidence(result) if evidence else {})
            return result

        return self.look(step, recorded)

    def look(self, step: str, action: Callable[[], T]) -> T:
        """Read something that decides how the run goes on; a resumed run sees what it saw before.

        Raises InterruptedRunError or RollBackAskedError when the operator has said so: inside the step, so that a
        resumed run meets it at the same place. Raises ClaimLostError when the run is not the service's writer any
        more, before the action and also after it: what a stalled process has seen is not what its follower goes by.
        """

        def heeding() -> T:
            self.store.hold(self.run.service, self.run.id)
            self._heed()
            try:
                result = action()
            except InterruptedRunError:
                self._heed()
                raise
            self.store.hold(self.run.service, self.run.id)
            return result

        return self.durable.step(step, heeding)

    def _heed(self) -> None:
        """Take what the operator said, keep every choice as evidence, and stop where he said so."""
        while (order := self.orders.take()) is not None:
            if order is not self._written:
                self._written = order
                self.write(EventKind.NOTE, "operator", order.text, {"choice": order.choice.value, "by": order.by})
            if order.choice is Choice.HOLD:
                raise InterruptedRunError(
                    "You stopped the run.",
                    why=f"Held: {order.by}.",
                    then="`migrate resume` goes on, `migrate rollback` goes back.",
                )
            if order.choice is Choice.ROLL_BACK:
                raise RollBackAskedError(
                    "You asked to go back.", why=f"Rolled back: {order.by}.", then="Nothing was changed by this run."
                )

    def note(self, step: str, text: str, data: Mapping[str, object] | None = None) -> None:
        """Write down a decision or a remark, once."""
        self.durable.step(step, lambda: self.write(EventKind.NOTE, step, text, data))

    def announce(self, notification: Notification) -> None:
        """Tell others, once: a run that is taken up does not tell again what is on record as told.

        That somebody could not be told is written down, and stops nothing. A process killed right between telling and
        writing that down tells it again, under the same id.
        """
        self.at_work = self.at_work or notification.event is NotifiedEvent.STARTED
        notifier = self.notifier
        if notifier is None:
            return

        def told() -> None:
            self.store.hold(self.run.service, self.run.id)
            for one in notifier(notification):
                text = f"{one.target} was {f'not told: {one.error}' if one.error else f'told: {notification.event}'}"
                data = {"event": notification.event.value, "id": notification.id, "answer": one.answer}
                self.write(EventKind.NOTE, "notify", text, data)

        self.durable.step(f"notify {notification.event}", told)

    def sampled(self, step: str, sample: Sample, text: str, left: Remaining, heard: News) -> None:
        """Write down one sample of a gate: its checks, the tasks by kind, how long it still waits, and what ECS said.

        A process that takes a run up tells once more what the one before it had told: whoever reads goes by the ids.
        """
        data = {
            "at": sample.at.isoformat(),
            "measurements": [_plain(item) for item in sample.measurements],
            "tasks": [asdict(group) for group in sample.tasks],
            "desired": sample.desired,
            "events": [_dated(event) for event in heard.events],
            "stopped": [_dated(task) for task in heard.stopped],
            **asdict(left),
        }
        self.told.names |= heard.names
        self.write(EventKind.MEASUREMENT, step, text, data)

    def write(self, kind: EventKind, step: str, text: str, data: Mapping[str, object] | None = None) -> None:
        """Write one event to the evidence and tell it; what a former process wrote last is not written twice."""
        event = Event(self.run.id, self.clock.now(), kind, step, text, document(data or {}))
        last, self.last = self.last, None
        if kind is EventKind.FINISHED or last is None or replace(last, at=event.at) != event:
            self.store.append(event)
        self.narrator.tell(event)


def _dated(happened: ServiceEvent | StoppedTask) -> dict[str, object]:
    return {**asdict(happened), "at": happened.at and happened.at.isoformat()}


def _plain(measurement: Measurement) -> dict[str, object]:
    return {
        "check": measurement.check,
        "outcome": measurement.outcome.value,
        "text": measurement.text,
        "evidence": [list(pair) for pair in measurement.evidence],
        **({"reading": asdict(measurement.reading)} if measurement.reading else {}),
    }
