"""What the engine says while it works, as events of the run: ``telling`` holds the id of the one it works for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from migrate.core.documents import document
from migrate.core.evidence import Event, EventKind
from migrate.core.stack.preview import ResourceChange
from migrate.ports import Clock, Narrator
from migrate.store_port import RecordStore


def told_to(narrator: Narrator, telling: Sequence[str], clock: Clock) -> Callable[[ResourceChange, str], None]:
    """Pass on what the engine says about one resource while it works; previews are told as a whole."""

    def tell(change: ResourceChange, phase: str) -> None:
        if not change.changes or change.type.startswith("pulumi:"):
            return
        text = f"{change.operation} {change.name}: {phase}"
        data = document({"operation": change.operation, "type": change.type, "name": change.name, "phase": phase})
        narrator.tell(Event(telling[0], clock.now(), EventKind.RESOURCE, change.urn, text, data))

    return tell


def noted_by(store: RecordStore, narrator: Narrator, telling: Sequence[str], clock: Clock) -> Callable[[str], None]:
    """Keep what the engine did about a lock as evidence, and tell it."""

    def note(text: str) -> None:
        event = Event(telling[0], clock.now(), EventKind.NOTE, "stack lock", text)
        store.append(event)
        narrator.tell(event)

    return note
