"""What the owner of a service has to change, for people and for programs."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from migrate.core.owner.change import OwnerChange, StageChanges, owner_language, stage_changes
from migrate.core.owner.language import OwnerText, written
from migrate.core.record import Record
from migrate.core.settings import Settings
from migrate.core.stages import Stage
from migrate.render.lines import Paragraph


def owner_plan(record: Record, settings: Settings) -> RenderableType:
    """Return what the owner changes for each stage that is not proven, and for its way back."""
    stages = [stage for stage in Stage if stage > record.position.proven]
    return Group(*(owner_stage(record, settings, stage) for stage in stages))


def owner_stage(record: Record, settings: Settings, stage: Stage) -> RenderableType:
    """Return what the owner changes for one stage, and for its way back."""
    changes = stage_changes(record, settings, stage)
    parts = [_shown(change, record, settings) for change in changes.forward]
    if not parts:
        parts.append(Text(f"\nFor its owner, {stage.named}: nothing to change in the service"))
    if not changes.back.is_empty:
        parts.append(_shown(changes.back, record, settings))
    return Group(*parts)


def owner_document(record: Record, settings: Settings) -> dict[str, Any]:
    """Return what the owner changes for programs, stage by stage."""
    baseline = record.baseline
    language = owner_language(settings, baseline.service, baseline.task_definition)
    stages = [stage for stage in Stage if stage > Stage.ORIGINAL]
    return {
        "language": language.value,
        "stages": [_stage_document(stage_changes(record, settings, stage), record, settings) for stage in stages],
    }


def _stage_document(changes: StageChanges, record: Record, settings: Settings) -> dict[str, Any]:
    return {
        "stage": changes.stage.value,
        "changes": [_document(change, record, settings) for change in changes.forward],
        "back": _document(changes.back, record, settings),
    }


def _document(change: OwnerChange, record: Record, settings: Settings) -> dict[str, Any]:
    text = _text(change, record, settings)
    snippets = [{"place": item.place, "syntax": item.syntax, "text": item.text} for item in text.snippets]
    return {"title": text.title, "snippets": snippets, "remarks": list(text.remarks)}


def _text(change: OwnerChange, record: Record, settings: Settings) -> OwnerText:
    baseline = record.baseline
    return written(change, owner_language(settings, baseline.service, baseline.task_definition), baseline.service)


def _shown(change: OwnerChange, record: Record, settings: Settings) -> RenderableType:
    text = _text(change, record, settings)
    parts: list[RenderableType] = [Text(f"\nFor its owner, {text.title}, in {text.language}:", "bold")]
    for snippet in text.snippets:
        parts.append(Text(f"  {snippet.place if snippet.syntax == 'sh' else f'in {snippet.place}'}", "dim"))
        # Code is shown as it is to be copied: no line of it is folded or cut.
        parts += [Text(f"    {line}", no_wrap=True, overflow="ignore") for line in snippet.text.splitlines()]
    parts += [Paragraph(f"  {remark}") for remark in text.remarks]
    return Group(*parts)
