"""Remembers how far guided walks have come, in a file of the state directory."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from migrate.adapters.whole_file import write_whole
from migrate.core.runbook.walk import Walk
from migrate.errors import AccessError


class WalkFile:
    """Implements WalkStore in one JSON file, readable by the operator alone: values of commands may be in it.

    Raises AccessError where it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def walk(self, key: str) -> Walk | None:
        """Return how far a walk has come; what cannot be read counts as none."""
        with suppress(KeyError, TypeError, ValueError):
            kept = dict(self._all()[key])
            values = tuple((str(name), str(value)) for name, value in kept["values"])
            at = datetime.fromisoformat(kept["at"])
            return Walk(int(kept["step"]), str(kept["commands"]), at, bool(kept["under_way"]), values)
        return None

    def save(self, key: str, walk: Walk) -> None:
        """Remember how far a walk has come."""
        self._write({**self._all(), key: {**asdict(walk), "at": walk.at.isoformat()}})

    def forget(self, key: str) -> None:
        """Forget a walk that is over."""
        self._write({name: kept for name, kept in self._all().items() if name != key})

    def _all(self) -> dict[str, Any]:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}

    def _write(self, walks: dict[str, Any]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, json.dumps(walks, indent=1), private=True)
        except OSError as error:
            raise AccessError(
                "Where this walk is cannot be remembered.",
                why=f"{self._path.parent} cannot be written: {error.strerror}.",
                then="Make it writable or set MIGRATE_STATE_DIR; without --guided the runbook is shown all the same.",
                runbook="errors#state",
            ) from error
