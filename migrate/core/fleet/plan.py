"""What a plan of many services comes to: for each of them one verdict, and what stops it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from migrate.core.cost.cost import Price, PriceEstimate
from migrate.core.findings import Grade, blocking
from migrate.core.plan.plan import MigrationPlan, StageStatus
from migrate.core.stages import Stage


class MemberVerdict(StrEnum):
    """Where one service of a fleet stands.

    ready: nothing blocks a stage; held-up: the next stage may be applied, a later one is blocked; blocked: the next
    stage is; begun: a stage is entered and not proven; done: every stage is proven; unread: there is no plan.
    """

    READY = "ready"
    HELD_UP = "held-up"
    BLOCKED = "blocked"
    BEGUN = "begun"
    DONE = "done"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class MemberSummary:
    """One service in a line. ``stopper`` says what stops it, ``code`` which finding or runbook section that is.

    ``next_stage`` is the stage that comes next, None where there is none; ``stopped_stage`` the first that is blocked.
    """

    account: str
    region: str
    cluster: str
    service: str
    verdict: MemberVerdict
    next_stage: Stage | None = None
    stopped_stage: Stage | None = None
    stopper: str = ""
    code: str = ""
    blocks: int = 0
    warnings: int = 0
    unknowns: int = 0
    price_now: Price | None = None
    """A month as the service is now; None where there is no plan."""
    price_after: Price | None = None
    """A month once the last stage is done."""
    price_problem: str = ""
    """Why the AWS Price List did not tell the rates; empty where it did, or was not to be asked."""

    @property
    def name(self) -> str:
        """The service as people say it: ``cluster/service``."""
        return f"{self.cluster}/{self.service}"


def judged(plan: MigrationPlan, *, account: str, region: str, cluster: str, service: str) -> MemberSummary:
    """Return the summary of a plan."""
    grades = Counter(item.grade for item in plan.findings)
    begun = next((item.stage for item in plan.stages if item.status is StageStatus.ENTERED), None)
    left = [item for item in plan.stages if item.status is not StageStatus.PROVEN]
    upcoming = begun if begun is not None else (left[0].stage if left else None)
    blocked = next((item for item in left if item.status is StageStatus.BLOCKED), None)
    stopper = next(iter(blocking(plan.findings, blocked.stage)), None) if blocked is not None else None
    return MemberSummary(
        account=account,
        region=region,
        cluster=cluster,
        service=service,
        verdict=_verdict(upcoming, begun, blocked.stage if blocked else None),
        next_stage=upcoming,
        stopped_stage=blocked.stage if blocked else None,
        stopper=stopper.text if stopper else "",
        code=stopper.code if stopper else "",
        blocks=grades[Grade.BLOCK],
        price_now=plan.price_now,
        price_after=plan.stages[-1].price,
        price_problem=plan.price_problem,
        warnings=grades[Grade.WARN],
        unknowns=grades[Grade.UNKNOWN],
    )


def _verdict(upcoming: Stage | None, begun: Stage | None, blocked: Stage | None) -> MemberVerdict:
    if begun is not None:
        return MemberVerdict.BEGUN
    if upcoming is None:
        return MemberVerdict.DONE
    if blocked is None:
        return MemberVerdict.READY
    return MemberVerdict.BLOCKED if blocked is upcoming else MemberVerdict.HELD_UP


def totals(members: Iterable[MemberSummary]) -> dict[MemberVerdict, int]:
    """Return how many members have each verdict, all verdicts in their order."""
    counted = Counter(member.verdict for member in members)
    return {verdict: counted[verdict] for verdict in MemberVerdict}


@dataclass(frozen=True, slots=True)
class FleetCost:
    """A month of ``services`` services of a fleet in one currency: now, and once the last stage of each is done."""

    currency: str
    services: int
    now_low: Decimal
    now_high: Decimal
    after_low: Decimal
    after_high: Decimal


def fleet_costs(members: Iterable[MemberSummary]) -> tuple[FleetCost, ...]:
    """Return the sums over the members of which both prices are known, by currency; the others are in none."""
    found: dict[str, FleetCost] = {}
    for member in members:
        now, after = member.price_now, member.price_after
        if not isinstance(now, PriceEstimate) or not isinstance(after, PriceEstimate):
            continue
        so_far = found.get(now.currency, FleetCost(now.currency, 0, *(Decimal(0),) * 4))
        found[now.currency] = FleetCost(
            now.currency,
            so_far.services + 1,
            so_far.now_low + now.low,
            so_far.now_high + now.high,
            so_far.after_low + after.low,
            so_far.after_high + after.high,
        )
    return tuple(found[name] for name in sorted(found))
