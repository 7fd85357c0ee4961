"""Engine events become core records: what each resource meets, and what the engine had to say."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from enum import StrEnum

from pulumi.automation import EngineEvent
from pulumi.automation.events import DiagnosticEvent, StepEventMetadata

from migrate.core.stack.preview import TASK_DEFINITION, ResourceChange

_CHATTER = re.compile(r"^warning: using pulumi-(resource|language|analyzer)-\S+ from \$PATH")
_COLOUR = re.compile(r"<\{%.*?%\}>")
_STACK = "pulumi:pulumi:Stack"
_LONGEST_DIAGNOSTIC = 4000


class Phase(StrEnum):
    """How far one resource has come in an operation; in a preview everything only starts."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"


ChangeListener = Callable[[ResourceChange, Phase], None]


def ignore_changes(change: ResourceChange, phase: Phase) -> None:
    """Listen to nothing."""
    del change, phase


class EventCollector:
    """Listens to one operation and keeps what a Preview or a StackOutcome is made of."""

    def __init__(self, listener: ChangeListener = ignore_changes) -> None:
        self._listener = listener
        self._resources: list[ResourceChange] = []
        self._diagnostics: list[str] = []
        self._errors: list[str] = []
        self._outputs: dict[str, str] = {}
        self._gone: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, event: EngineEvent) -> None:
        """Take one event; events arrive in threads of the event server."""
        with self._lock:
            if event.resource_pre_event is not None:
                change = change_of(event.resource_pre_event.metadata)
                self._resources.append(change)
                self._listener(change, Phase.STARTED)
            elif event.res_outputs_event is not None:
                self._finished(event.res_outputs_event.metadata)
            elif event.res_op_failed_event is not None:
                self._listener(change_of(event.res_op_failed_event.metadata), Phase.FAILED)
            elif event.diagnostic_event is not None:
                self._heard(event.diagnostic_event)

    @property
    def resources(self) -> tuple[ResourceChange, ...]:
        """One entry a step, in the engine's order."""
        return tuple(self._resources)

    @property
    def diagnostics(self) -> tuple[str, ...]:
        """Warnings and errors, each once."""
        return tuple(dict.fromkeys(self._diagnostics))

    @property
    def errors(self) -> tuple[str, ...]:
        """Errors only, each once."""
        return tuple(dict.fromkeys(self._errors))

    @property
    def outputs(self) -> tuple[tuple[str, str], ...]:
        """The stack's outputs by name: texts as they are, anything else as JSON text."""
        return tuple(sorted(self._outputs.items()))

    @property
    def gone(self) -> tuple[str, ...]:
        """Names of resources that a refresh no longer found."""
        return tuple(dict.fromkeys(self._gone))

    def _finished(self, metadata: StepEventMetadata) -> None:
        change = change_of(metadata)
        self._listener(change, Phase.DONE)
        if change.type == _STACK and metadata.new is not None:
            self._outputs = {
                name: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
                for name, value in (metadata.new.outputs or {}).items()
            }
        dropped = change.operation in {"refresh", "delete"} and metadata.old is not None and metadata.new is None
        # The provider drops an INACTIVE revision; a rollback then registers a copy of it (case C32).
        if dropped and change.type != TASK_DEFINITION:
            self._gone.append(change.name)

    def _heard(self, diagnostic: DiagnosticEvent) -> None:
        text = _COLOUR.sub("", f"{diagnostic.prefix or ''}{diagnostic.message}").strip()[:_LONGEST_DIAGNOSTIC]
        if diagnostic.ephemeral or not text or diagnostic.severity not in {"warning", "error"}:
            return
        if _CHATTER.search(text):
            return
        self._diagnostics.append(text)
        if diagnostic.severity == "error":
            self._errors.append(text)


def change_of(metadata: StepEventMetadata) -> ResourceChange:
    """Return what a step does to its resource."""
    return ResourceChange(
        urn=metadata.urn,
        type=metadata.type,
        name=metadata.urn.rpartition("::")[2],
        operation=str(metadata.op.value),
        properties=_properties(metadata),
    )


def _properties(metadata: StepEventMetadata) -> tuple[str, ...]:
    """Return the top-level properties that differ; the detailed difference names paths, as ``triggers.image``."""
    paths = list(metadata.detailed_diff or {}) or list(metadata.diffs or ())
    return tuple(sorted({re.split(r"[.\[]", path, maxsplit=1)[0] for path in paths}))
