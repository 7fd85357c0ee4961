"""What a stage sets in the stack configuration of a team's program, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from migrate.core.owner.program_configuration import Configuration, planned_configuration
from migrate.core.record import Record
from migrate.core.settings import ProgramSettings, Settings
from migrate.core.stages import Stage


def program_plan(record: Record, settings: Settings, program: ProgramSettings) -> RenderableType:
    """Return what each stage that is not proven sets, takes out and leaves in the program's configuration."""
    parts: list[RenderableType] = []
    for stage in [stage for stage in Stage if stage > max(record.position.proven, Stage.ORIGINAL)]:
        parts.append(Text(f"\nIn the configuration of the program, stack {program.stack}, {stage.named}:", "bold"))
        # As it stands in the file: no line of it is folded or cut.
        parts += [
            Text(f"    {line}", no_wrap=True, overflow="ignore") for line in _lines(record, settings, program, stage)
        ]
    return Group(*parts)


def program_document(record: Record, settings: Settings, program: ProgramSettings) -> dict[str, Any]:
    """Return all keys at every stage; a key without a value is not in the configuration."""
    stages = [stage for stage in Stage if stage > Stage.ORIGINAL]
    return {
        "directory": program.directory,
        "stack": program.stack,
        "stages": [
            {"stage": stage.value, "configuration": dict(planned_configuration(record, settings, program, stage))}
            for stage in stages
        ],
    }


def _lines(record: Record, settings: Settings, program: ProgramSettings, stage: Stage) -> Iterator[str]:
    before: Configuration = {}
    if stage > Stage.BASELINE:
        before = planned_configuration(record, settings, program, stage.before)
    for key, value in planned_configuration(record, settings, program, stage).items():
        if value == before.get(key):
            continue
        yield f"{key}: {json.dumps(value)}" if value is not None else f"without {key}"
