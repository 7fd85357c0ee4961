"""What a run keeps of its preflight: every finding, and what each stage would cost, as evidence and back again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from migrate.core.cost.cost import Price, UnknownPrice
from migrate.core.findings import Finding, Grade
from migrate.core.plan.plan import MigrationPlan


@dataclass(frozen=True, slots=True)
class StagePrice:
    """A month of the tasks, as texts; ``low`` and ``high`` are None where ``why`` says that there is no figure.

    ``stage`` is the one that is done then, None for how it is now.
    """

    stage: int | None
    low: str | None
    high: str | None
    currency: str = ""
    source: str = ""
    date: str = ""
    why: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preflight:
    """What stood in the way and what it costs, as the run saw it when it began; ``versions`` are name and version."""

    findings: tuple[Finding, ...] = ()
    prices: tuple[StagePrice, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()


def evidence_of(plan: MigrationPlan, versions: Mapping[str, str]) -> dict[str, object]:
    """Return what is kept of a plan, by the versions of what made it."""
    return {
        "findings": [asdict(item) for item in plan.findings],
        "prices": [
            asdict(_price(None, plan.price_now)),
            *(asdict(_price(stage.stage.value, stage.price)) for stage in plan.stages),
        ],
        "versions": dict(versions),
    }


def told(plan: MigrationPlan) -> str:
    """Return how many findings there are of each grade, as one line."""
    counts = [(grade, sum(item.grade is grade for item in plan.findings)) for grade in Grade]
    counted = ", ".join(f"{count} {grade}" for grade, count in counts if count)
    return f"preflight: {counted or 'nothing found'}"


def preflight_of(data: Mapping[str, Any]) -> Preflight:
    """Return what was kept; evidence of an older version has less in it."""
    return Preflight(
        tuple(
            Finding(**{**item, "grade": Grade(item["grade"]), "evidence": tuple(map(tuple, item["evidence"]))})
            for item in data.get("findings", ())
        ),
        tuple(StagePrice(**{**item, "notes": tuple(item["notes"])}) for item in data.get("prices", ())),
        tuple(data.get("versions", {}).items()),
    )


def _price(stage: int | None, price: Price) -> StagePrice:
    if isinstance(price, UnknownPrice):
        return StagePrice(stage, None, None, why=price.reason)
    low, high = str(price.low), str(price.high)
    return StagePrice(stage, low, high, price.currency, price.source, price.date, notes=price.notes)
