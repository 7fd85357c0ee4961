"""Both sides of the documents that a stage is about, whole, as text for people."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from migrate.core.documents import Document, fields
from migrate.core.plan.detail import StageDetail
from migrate.core.plan.plan import MigrationPlan
from migrate.core.plan.sides import Sides

_STYLES = {"-": "red", "+": "green"}
_WHOLE = 1_000_000
"""Lines around a difference that are shown: all of them."""


def sides(plan: MigrationPlan, details: Sequence[StageDetail]) -> RenderableType:
    """Return every document of the stages, a line for each of its own, with - and + where the sides differ."""
    head = Text.assemble(("Documents of ", "bold"), (plan.service_arn, "bold"), "\nnothing was changed")
    return Group(head, *(part for detail in details for part in _stage(detail)))


def _stage(detail: StageDetail) -> Iterator[RenderableType]:
    yield Text(f"\nStage {detail.stage.value} {detail.stage.title}", "bold")
    for item in detail.sides:
        yield Text(f"\n{item.what} {item.name}" + ("" if item.differences else ": unchanged"), "bold")
        for line in compared(item):
            yield Text(line, _STYLES.get(line[:1], ""))


def compared(item: Sides) -> Iterator[str]:
    """Yield the lines of both sides together, as a unified diff marks them; one that is unchanged is shown once."""
    before, after = _lines(item.before), _lines(item.after)
    if before == after:
        yield from (f" {line}" for line in before)
        return
    # The first three lines name files and places.
    yield from list(difflib.unified_diff(before, after, n=_WHOLE, lineterm=""))[3:]


def _lines(side: Document | None) -> list[str]:
    if side is None:
        return []
    # Other people's control characters stay escaped.
    return json.dumps(fields(side), indent=2, sort_keys=True, ensure_ascii=True).splitlines()
