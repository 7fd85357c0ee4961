"""Brings the images of a team's stack from pulumi-docker to docker-build in its state: look, keep, write, look again.

Nothing of this is a workflow of DBOS: it is one write, and whoever runs it again finds what is left to do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from migrate.core.stack.docker_state import Adoption, adoption
from migrate.errors import EngineError, MigrateError, SettingsError, WorldChangedError
from migrate.stack_state_port import StackState


@dataclass(frozen=True, slots=True)
class Seen:
    """The state as it was read, and what adopting its images comes to; ``version`` is docker-build's."""

    text: str
    adoption: Adoption
    version: str


def look(state: StackState, version: str) -> Seen:
    """Read the state and say what would become of it. Raises SettingsError, BlockedError, and what reading raises."""
    text = state.read()
    return Seen(text, adoption(_parsed(text, state.place), version), version)


def bring_about(state: StackState, seen: Seen) -> str:
    """Keep the state that was seen, write the new one, make sure of it, and return where the old one is kept.

    Raises WorldChangedError where it is not what was seen any more, EngineError where what is there afterwards is not
    what was written, and what reading and writing raise.
    """
    kept = state.keep(seen.text)
    if _parsed(state.read(), state.place) != _parsed(seen.text, state.place):
        raise WorldChangedError(
            f"The state of {state.place} changed while you were asked.",
            why="Somebody else ran Pulumi on it.",
            then="Nothing was written. Run this again, and look at it anew.",
            runbook="docker-build#adopt-the-state",
        )
    try:
        state.write(json.dumps(seen.adoption.state, indent=4, ensure_ascii=False) + "\n")
    except MigrateError as error:
        error.then += f" The state as it was is kept in {kept}."
        raise
    there = _parsed(state.read(), state.place)
    if _entries(there) != _entries(seen.adoption.state) or adoption(there, seen.version).changes:
        raise EngineError(
            f"The state of {state.place} is not what was written.",
            why="Other entries are there than those that were meant.",
            then=f"Bring back the one that was there: `{state.way_back(kept)}`. Then look who else writes it.",
            runbook="docker-build#adopt-the-state",
        )
    return kept


def _parsed(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingsError(
            f"The state of {place} is no JSON.",
            why=f"{error}.",
            then="Give what `pulumi stack export` writes.",
            runbook="errors#state-file",
        ) from error


def _entries(state: Any) -> list[tuple[object, ...]]:
    names = ("urn", "type", "id", "parent", "provider", "retainOnDelete")
    return [tuple(entry.get(name) or "" for name in names) for entry in state["deployment"]["resources"]]
