"""A plan of many services: one line for each, and what they come to together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from migrate.core.cost.cost import PriceEstimate
from migrate.core.fleet.plan import MemberSummary, MemberVerdict, fleet_costs, totals
from migrate.render.lines import Paragraph, Rows
from migrate.render.structured import head, plain

_STYLES = {
    MemberVerdict.READY: "green",
    MemberVerdict.HELD_UP: "yellow",
    MemberVerdict.BLOCKED: "bold red",
    MemberVerdict.BEGUN: "yellow",
    MemberVerdict.DONE: "dim",
    MemberVerdict.UNREAD: "bold red",
}

_COUNTED = ("next", "verdict", "block", "warn", "unknown")
_SHORTEST_WHY = 24

_LEFT_OUT = "Without Savings Plans and other discounts; Spot is a range where the prices do not tell what it costs."
_NOT_LOOKED_AT = (
    "What a build needs, and what an amd64 image would leave behind, was not looked at: `migrate plan` of one service "
    "does, and so does every apply."
)


def fleet_plan(members: Sequence[MemberSummary]) -> RenderableType:
    """Return the table of a fleet's plan, totals first; account and region are told where there are several."""
    places = {(member.account, member.region) for member in members}
    table = Rows(labels=1 + len(_COUNTED), style="", room=_SHORTEST_WHY)
    table.add(*(Text(name, "dim") for name in ("service", *_COUNTED, "why")))
    place = None
    for member in members:
        if len(places) > 1 and place != (member.account, member.region):
            place = (member.account, member.region)
            table.add(Text(f"{member.region} of {member.account}", "bold"), *[""] * len(_COUNTED), "")
        table.add(*_cells(member))
    cost: list[RenderableType] = [Text(), *(Paragraph(line, hang=2) for line in told_costs(members))]
    return Group(Text(told_totals(members), "bold"), Text(), table, *cost, Text(), Paragraph(_NOT_LOOKED_AT, "dim"))


def _cells(member: MemberSummary) -> tuple[str | Text, ...]:
    stage = str(member.next_stage.value) if member.next_stage is not None else "-"
    why = f"{member.code}: {member.stopper}" if member.code and member.stopper else member.stopper
    if member.stopped_stage is not None and member.verdict is not MemberVerdict.BLOCKED:
        why = f"stage {member.stopped_stage.value}: {why}"
    return (
        member.name,
        stage,
        Text(member.verdict.value, _STYLES[member.verdict]),
        *(str(count or "") for count in (member.blocks, member.warnings, member.unknowns)),
        why,
    )


def told_totals(members: Sequence[MemberSummary]) -> str:
    """Return how many services have each verdict, in words."""
    counted = ", ".join(f"{count} {verdict.value}" for verdict, count in totals(members).items() if count)
    return f"{_services(len(members))}: {counted or 'none'}"


def told_costs(members: Sequence[MemberSummary]) -> Iterator[str]:
    """Yield what a month of the fleet costs now and at the end, a line for each currency, and how many are in none."""
    costs = fleet_costs(members)
    for cost in costs:
        now, after = _range(cost.now_low, cost.now_high), _range(cost.after_low, cost.after_high)
        yield f"A month of {_services(cost.services)}: {now} {cost.currency} now, {after} {cost.currency} at the end"
    unknown = len(members) - sum(cost.services for cost in costs)
    if unknown:
        yield f"The price of {_services(unknown)} is not known"
    yield from _priced_by(members)
    if costs:
        yield _LEFT_OUT


def _priced_by(members: Sequence[MemberSummary]) -> Iterator[str]:
    """Yield where the rates are from, and why the AWS Price List did not tell them, each once."""
    prices = [member.price_now for member in members if isinstance(member.price_now, PriceEstimate)]
    for source, date in dict.fromkeys((price.source, price.date) for price in prices):
        yield f"Prices: {source} ({date})."
    yield from dict.fromkeys(member.price_problem for member in members if member.price_problem)


def _range(low: Decimal, high: Decimal) -> str:
    return f"{high}" if low == high else f"{low} to {high}"


def _services(count: int) -> str:
    return f"{count} service{'' if count == 1 else 's'}"


def fleet_plan_document(members: Sequence[MemberSummary]) -> dict[str, Any]:
    """Return a fleet's plan for programs."""
    return {
        **head("fleet_plan"),
        "totals": {verdict.value: count for verdict, count in totals(members).items()},
        "costs": [plain(cost) for cost in fleet_costs(members)],
        "members": [
            {
                "account": member.account,
                "region": member.region,
                "cluster": member.cluster,
                "service": member.service,
                "verdict": member.verdict.value,
                "next_stage": plain(member.next_stage),
                "stopped_stage": plain(member.stopped_stage),
                "stopper": member.stopper,
                "code": member.code,
                "price_now": plain(member.price_now),
                "price_after": plain(member.price_after),
                "price_problem": member.price_problem,
                "counts": {"block": member.blocks, "warn": member.warnings, "unknown": member.unknowns},
            }
            for member in members
        ],
    }
