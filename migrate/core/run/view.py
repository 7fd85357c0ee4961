"""What a run looks like after each of its events: the state that a live view shows, and what is worth a line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from migrate.core.documents import fields
from migrate.core.evidence import Event, EventKind
from migrate.core.task_groups import TaskGroup

HEARTBEAT = timedelta(minutes=1)
"""How often a line is told again that says nothing new: often enough to see that the run lives."""

_RESOURCES_KEPT = 6
_AGE = re.compile(r" \(\d+ s ago\)$")
"""The age of what was not due (gates.standing): it grows with every sample and is no news."""


@dataclass(frozen=True, slots=True)
class CheckSeen:
    """The last outcome of one check of a gate."""

    check: str
    outcome: str
    text: str


@dataclass(frozen=True, slots=True)
class GateSeen:
    """A gate as its last sample showed it; durations in seconds, ``soak_left`` None while something does not pass."""

    at: datetime
    checks: tuple[CheckSeen, ...] = ()
    tasks: tuple[TaskGroup, ...] = ()
    desired: int | None = None
    soak: float = 0.0
    soak_left: float | None = None
    deadline_left: float | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """A run so far. ``doing`` is the act that was begun and has not ended, ``resources`` what Pulumi said in it."""

    title: str
    started_at: datetime
    going_back: bool = False
    doing: str = ""
    doing_since: datetime | None = None
    resources: tuple[tuple[str, str], ...] = ()
    gate: GateSeen | None = None
    verdict: str = ""
    ended: str = ""


def seen(view: RunView, event: Event) -> RunView:
    """Return the run after one more event."""
    changed: dict[str, Any] = {}
    match event.kind:
        case EventKind.INTENT:
            changed = {"doing": event.text, "doing_since": event.at, "resources": (), "gate": None, "verdict": ""}
        case EventKind.OUTCOME:
            changed = {"doing": "", "doing_since": None}
        case EventKind.RESOURCE:
            changed = {"resources": _with_resource(view.resources, event)}
        case EventKind.MEASUREMENT:
            changed = {"gate": _gate(view.gate, event), "verdict": ""}
        case EventKind.VERDICT:
            changed = {"verdict": event.text}
        case EventKind.NOTE if event.step == "roll back":
            changed = {"going_back": True, "gate": None, "verdict": ""}
        case EventKind.FINISHED:
            changed = {"ended": event.text, "doing": "", "doing_since": None}
    return replace(view, **changed)


def running_now(view: RunView) -> str:
    """Return in words which tasks run, as far as the last sample told; empty where there was none."""
    groups = [group for group in view.gate.tasks if group.running] if view.gate else []
    return ", ".join(
        f"{group.running} {group.architecture} on {group.provider} ({'new' if group.new else 'old'})"
        for group in groups
    )


@dataclass(slots=True)
class Telling:
    """Decides which events are worth a line: what is new, and once a minute what is not."""

    _last: str = ""
    _measured: dict[str, CheckSeen] = field(default_factory=dict)
    _measured_at: datetime | None = None

    def worth(self, event: Event) -> bool:
        """Say whether to tell this event; a countdown alone is nothing new."""
        if event.kind is EventKind.FINISHED or _only_started(event):
            return False
        if event.kind is EventKind.MEASUREMENT:
            return self._worth_a_measurement(event)
        if event.text == self._last:
            return False
        self._last = event.text
        self._measured.clear()
        return True

    def _worth_a_measurement(self, event: Event) -> bool:
        checks = {item.check: replace(item, text=_AGE.sub("", item.text)) for item in _checks(fields(event.data))}
        since = self._measured_at
        known = self._measured and all(self._measured.get(name) == item for name, item in checks.items())
        if known and since is not None and event.at - since < HEARTBEAT:
            return False
        self._measured.update(checks)
        self._measured_at, self._last = event.at, event.text
        return True


def _only_started(event: Event) -> bool:
    return event.kind is EventKind.RESOURCE and fields(event.data).get("phase") == "started"


def _with_resource(known: tuple[tuple[str, str], ...], event: Event) -> tuple[tuple[str, str], ...]:
    others = tuple(item for item in known if item[0] != event.step)
    return (*others, (event.step, event.text))[-_RESOURCES_KEPT:]


def _checks(data: Mapping[str, Any]) -> tuple[CheckSeen, ...]:
    return tuple(CheckSeen(item["check"], item["outcome"], item["text"]) for item in data.get("measurements", ()))


def _gate(before: GateSeen | None, event: Event) -> GateSeen:
    """Return the gate after a sample; a check that was not due keeps its last outcome."""
    data: dict[str, Any] = fields(event.data)
    known = {item.check: item for item in before.checks} if before else {}
    checks = tuple({**known, **{item.check: item for item in _checks(data)}}.values())
    groups = tuple(TaskGroup(**item) for item in data.get("tasks", ()))
    return GateSeen(
        at=event.at,
        checks=checks,
        tasks=groups,
        desired=data.get("desired"),
        soak=data.get("soak", 0.0),
        soak_left=data.get("soak_left"),
        deadline_left=data.get("deadline_left"),
    )
