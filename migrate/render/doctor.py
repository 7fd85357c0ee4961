"""What `migrate doctor` found, for people and for programs."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from migrate.core.doctor import Diagnoses, Health
from migrate.render.lines import Rows
from migrate.render.structured import head, plain

_STYLES = {Health.WELL: "green", Health.DOUBTFUL: "yellow", Health.ILL: "bold red", Health.SKIPPED: "dim"}


def diagnoses(value: Diagnoses) -> RenderableType:
    """Return one line a thing, and what to do about it below."""
    table = Rows(labels=2, style="")
    for item in value.found:
        table.add(Text(item.health.value, _STYLES[item.health]), item.subject, Text(item.text))
        if item.then:
            table.add("", "", Text(f"Next: {item.then}"))
        if item.runbook and item.health is not Health.WELL:
            table.add("", "", Text(f"Runbook: {item.runbook}", "dim"))
    ill, doubtful = value.count(Health.ILL), value.count(Health.DOUBTFUL)
    if ill:
        end = Text(f"{ill} of {len(value.found)} stand in the way.", "bold red")
    elif doubtful:
        end = Text(f"Nothing stands in the way; {doubtful} may be worth a look.", "yellow")
    else:
        end = Text("Nothing stands in the way.", "green")
    return Group(table, Text(), end)


def doctor_document(value: Diagnoses) -> dict[str, Any]:
    """Return the same for programs."""
    return {**head("doctor"), "exit_code": int(value.exit_code), "checks": [plain(item) for item in value.found]}
