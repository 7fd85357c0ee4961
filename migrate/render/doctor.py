"""What `migrate doctor` found, for people and for programs."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from migrate.core.doctor import Diagnoses, Health
from migrate.render.structured import head, plain

_STYLES = {Health.WELL: "green", Health.DOUBTFUL: "yellow", Health.ILL: "bold red", Health.SKIPPED: "dim"}


def diagnoses(value: Diagnoses) -> RenderableType:
    """Return one line a thing, and what to do about it below."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for item in value.found:
        table.add_row(Text(item.health.value, _STYLES[item.health]), item.subject, Text(item.text))
        if item.then:
            table.add_row("", "", Text(f"Next: {item.then}"))
        if item.runbook and item.health is not Health.WELL:
            table.add_row("", "", Text(f"Runbook: {item.runbook}", "dim"))
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
