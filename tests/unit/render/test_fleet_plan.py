"""What people read of a plan of many services, and where its verdicts come from."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from migrate.core.cost.cost import PriceEstimate, UnknownPrice
from migrate.core.findings import Finding, Grade
from migrate.core.fleet.plan import MemberSummary, MemberVerdict, fleet_costs, judged, totals
from migrate.core.plan.plan import MigrationPlan, StageStatus, make_plan
from migrate.core.stages import Position, Stage
from migrate.render import text
from migrate.render.fleet_plan import fleet_plan, told_costs
from tests.fakes.facts import observation, record, repository, settings

PLACE = ("111122223333", "eu-west-1", "shop")
MEMBERS = (
    MemberSummary(*PLACE, "api", MemberVerdict.READY, Stage.BASELINE, warnings=1),
    MemberSummary(*PLACE, "billing", MemberVerdict.DONE),
    MemberSummary(
        *PLACE,
        "cart-with-a-rather-long-name",
        MemberVerdict.BLOCKED,
        Stage.BASELINE,
        Stage.BASELINE,
        "The tags of the repository are IMMUTABLE: the tag cannot become an index.",
        "repository.immutable",
        blocks=2,
        warnings=3,
        unknowns=1,
    ),
    MemberSummary(
        *PLACE, "checkout", MemberVerdict.HELD_UP, Stage.IMAGE, Stage.CAPACITY, "No Spot here.", "spot.none", blocks=1
    ),
    MemberSummary(*PLACE, "search", MemberVerdict.BEGUN, Stage.ARCHITECTURE),
    MemberSummary(
        *PLACE, "web", MemberVerdict.UNREAD, stopper="The credentials may not do that.", code="errors#permission"
    ),
)
ELSEWHERE = replace(MEMBERS[0], account="444455556666", region="us-east-1")


def summary(plan: MigrationPlan) -> MemberSummary:
    return judged(plan, account="1", region="eu-west-1", cluster="shop", service="web")


def plan_of(**more: object) -> MigrationPlan:
    return make_plan(observation(**more), settings(), None)


def month(cents: int, *, spot: bool = False, currency: str = "USD") -> PriceEstimate:
    high = Decimal(cents).scaleb(-2)
    low = (high * Decimal("0.3")).quantize(high) if spot else high
    return PriceEstimate(low, high, currency, "the test", "2026-11")


PRICED = (
    replace(MEMBERS[0], price_now=month(36040), price_after=month(28840, spot=True)),
    replace(MEMBERS[1], price_now=month(10000), price_after=month(8000)),
    replace(MEMBERS[2], price_now=month(5000, currency="JPY"), price_after=month(4000, currency="JPY")),
    replace(MEMBERS[3], price_now=UnknownPrice("On EC2."), price_after=UnknownPrice("On EC2.")),
    MEMBERS[5],
)


def test_a_fleet_costs_what_its_services_cost_together() -> None:
    """360.40 + 100.00 = 460.40 now; 288.40 x 0.3 + 80.00 = 166.52 at least and 288.40 + 80.00 = 368.40 at most."""
    yen, dollars = fleet_costs(PRICED)
    assert (dollars.services, dollars.now_low, dollars.now_high) == (2, Decimal("460.40"), Decimal("460.40"))
    assert (dollars.after_low, dollars.after_high) == (Decimal("166.52"), Decimal("368.40"))
    assert (yen.currency, yen.services, yen.now_high, yen.after_high) == ("JPY", 1, Decimal(50), Decimal(40))
    assert list(told_costs(PRICED))[:3] == [
        "A month of 1 service: 50.00 JPY now, 40.00 JPY at the end",
        "A month of 2 services: 460.40 USD now, 166.52 to 368.40 USD at the end",
        "The price of 2 services is not known",
    ]


def test_a_plan_tells_its_prices_to_the_fleet() -> None:
    plan = plan_of()
    found = summary(plan)
    assert (found.price_now, found.price_after) == (plan.price_now, plan.stages[-1].price)


@pytest.mark.parametrize("width", [80, 140])
def test_a_line_for_each_service(width: int, snapshot: SnapshotAssertion) -> None:
    assert text.shown(fleet_plan(MEMBERS), width=width, colour=False) == snapshot


@pytest.mark.parametrize("width", [80, 120])
def test_the_cost_of_a_fleet_stands_below_its_table(width: int, snapshot: SnapshotAssertion) -> None:
    assert text.shown(fleet_plan(PRICED), width=width, colour=False) == snapshot


def test_places_are_told_where_there_are_several(snapshot: SnapshotAssertion) -> None:
    assert text.shown(fleet_plan((*MEMBERS[:2], ELSEWHERE)), width=100, colour=False) == snapshot


def test_a_fleet_of_nothing_is_told_too() -> None:
    assert "0 services: none" in text.shown(fleet_plan(()), width=80, colour=False)


def test_every_verdict_is_counted() -> None:
    assert totals(MEMBERS) == dict.fromkeys(MemberVerdict, 1)


def test_what_nothing_blocks_is_ready() -> None:
    seen = summary(plan_of())
    assert (seen.verdict, seen.next_stage, seen.stopped_stage) == (MemberVerdict.READY, Stage.BASELINE, None)
    assert (seen.stopper, seen.code, seen.blocks) == ("", "", 0)


def test_a_later_stage_that_is_blocked_holds_up_and_says_where() -> None:
    seen = summary(plan_of(repository=replace(repository(), tag_mutability="IMMUTABLE")))
    assert (seen.verdict, seen.next_stage) == (MemberVerdict.HELD_UP, Stage.BASELINE)
    assert seen.stopped_stage is Stage.IMAGE
    assert seen.code.startswith("repository.")
    assert seen.stopper
    assert seen.blocks >= 1


def test_the_next_stage_that_is_blocked_blocks() -> None:
    plan = plan_of()
    stopper = Finding("service.gone", Grade.BLOCK, 0, "It is gone.", "Look.", "findings#x")
    first = replace(plan.stages[0], status=StageStatus.BLOCKED)
    seen = summary(replace(plan, stages=(first, *plan.stages[1:]), findings=(stopper,)))
    assert (seen.verdict, seen.stopped_stage, seen.code) == (MemberVerdict.BLOCKED, Stage.BASELINE, "service.gone")


def test_a_stage_on_its_way_is_begun_whatever_blocks_later_ones() -> None:
    known = record(position=Position(Stage.BASELINE, entered=Stage.IMAGE))
    seen = summary(make_plan(observation(), settings(), known))
    assert (seen.verdict, seen.next_stage) == (MemberVerdict.BEGUN, Stage.IMAGE)


def test_where_every_stage_is_proven_nothing_is_left() -> None:
    plan = plan_of()
    proven = tuple(replace(stage, status=StageStatus.PROVEN) for stage in plan.stages)
    seen = summary(replace(plan, stages=proven))
    assert (seen.verdict, seen.next_stage) == (MemberVerdict.DONE, None)
