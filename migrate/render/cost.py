"""What a plan costs, stage by stage, against now."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from migrate.core.cost.cost import HOURS_PER_MONTH, Price, PriceEstimate, UnknownPrice, change
from migrate.core.plan.plan import MigrationPlan
from migrate.render.lines import Paragraph

_HEADINGS = ("", "tasks", "vCPU h", "GB h", "a month", "change")


def costs(value: MigrationPlan) -> RenderableType:
    """Return the table of what a month costs now and after each stage, and what it is worked out from."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for _ in _HEADINGS[2:]:
        table.add_column(justify="right")
    table.add_row(*(Text(name, "dim") for name in _HEADINGS))
    for name, price in rows(value):
        for number, line in enumerate(cells(value.price_now, price)):
            table.add_row("" if number else name, *line)
    title = Text.assemble(("\nCost", "bold"), f"  a month of {HOURS_PER_MONTH} hours, {value.desired_count} tasks")
    return Group(title, Padding(table, (0, 0, 0, 2)), *(Paragraph(note, "dim", hang=2) for note in notes(value)))


def rows(value: MigrationPlan) -> Iterator[tuple[str, Price]]:
    """Yield what is priced: the service now, then each stage."""
    yield "now", value.price_now
    for item in value.stages:
        yield f"stage {item.stage.value}", item.price


def cells(now: Price, price: Price) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield the cells of a price, a line for each architecture and capacity; the sum stands in the first one."""
    if isinstance(price, UnknownPrice):
        yield price.reason, "", "", "unknown", ""
        return
    lines = [
        (f"{line.tasks.normalize():f} {line.architecture} {line.provider}", f"{line.vcpu_hours}", f"{line.gb_hours}")
        for line in price.lines
    ] or [("none", "0", "0")]
    for number, line in enumerate(lines):
        yield (*line, *(("", "") if number else (amount(price), changed(now, price))))


def amount(price: PriceEstimate) -> str:
    """Return what a month costs, a range where Spot is used."""
    if price.low == price.high:
        return f"{price.high} {price.currency}"
    return f"{price.low} to {price.high} {price.currency}"


def changed(now: Price, after: Price) -> str:
    """Return by how much a month changes against now, empty where it does not or that is not known."""
    found = change(now, after)
    if found is None or not isinstance(now, PriceEstimate) or not any(found):
        return ""
    told = [_share(part, whole) for part, whole in zip(found, (now.low, now.high), strict=True)]
    return told[0] if found[0] == found[1] else f"{told[1]} to {told[0]}"


def _share(part: Decimal, whole: Decimal) -> str:
    return f"{part / whole:+.0%}" if whole else f"{part:+}"


def notes(value: MigrationPlan) -> Iterator[str]:
    """Yield where the rates are from and what the figures leave out, each once."""
    prices = [price for _, price in rows(value) if isinstance(price, PriceEstimate)]
    for source, date in dict.fromkeys((price.source, price.date) for price in prices):
        yield f"Prices: {source} ({date})."
    if value.price_problem:
        yield value.price_problem
    yield from dict.fromkeys(note for price in prices for note in price.notes)
