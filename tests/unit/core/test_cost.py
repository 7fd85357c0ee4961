"""Every expected figure here was worked out by hand from the rates in facts "Prices"; the sums stand beside them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.cost.cost import (
    DISCOUNT_NOTE,
    SPOT_NOTE,
    SPOT_RATE_NOTE,
    Price,
    PriceEstimate,
    TaskSize,
    UnknownPrice,
    change,
    is_fargate_size,
    monthly_price,
    planned_price,
    task_size,
)
from migrate.core.cost.prices import KNOWN_RATES, rates_of
from migrate.core.documents import document
from migrate.core.facts import Architecture, RuntimePlatform, StrategyItem, TaskDefinition

SMALL = TaskSize(256, 512)
X86, ARM = Architecture.X86_64, Architecture.ARM64


def figures(price: Price) -> tuple[str, str]:
    assert isinstance(price, PriceEstimate)
    return str(price.low), str(price.high)


@pytest.mark.parametrize(
    ("region", "architecture", "expected"),
    [
        # (0.25 x 0.04048 + 0.5 x 0.004445) x 730 x 4 = 0.0123425 x 2920
        ("us-east-1", X86, "36.04"),
        # (0.25 x 0.03238 + 0.5 x 0.00356) x 2920 = 0.009875 x 2920
        ("us-east-1", ARM, "28.84"),
        # (0.25 x 0.05056 + 0.5 x 0.00553) x 2920 = 0.015405 x 2920
        ("ap-northeast-1", X86, "44.98"),
        # (0.25 x 0.04045 + 0.5 x 0.00442) x 2920 = 0.0123225 x 2920
        ("ap-northeast-1", ARM, "35.98"),
    ],
)
def test_four_small_tasks_on_demand(region: str, architecture: Architecture, expected: str) -> None:
    assert figures(monthly_price(SMALL, {"FARGATE": 4}, architecture, region)) == (expected, expected)


def test_a_large_task_counts_whole_gigabytes() -> None:
    # (4 x 0.04048 + 30 x 0.004445) x 730 = 0.29527 x 730
    assert figures(monthly_price(TaskSize(4096, 30720), {"FARGATE": 1}, X86, "us-east-1")) == ("215.55", "215.55")


def test_spot_is_a_range_and_says_so() -> None:
    # One task of four on demand: 0.009875 x 730 = 7.20875; three on Spot: 21.62625 at most, 6.487875 at least.
    price = monthly_price(SMALL, {"FARGATE": 1, "FARGATE_SPOT": 3}, ARM, "us-east-1")
    assert figures(price) == ("13.70", "28.84")
    assert isinstance(price, PriceEstimate)
    assert SPOT_NOTE in price.notes


def test_a_planned_strategy_is_priced_by_its_ideal_split() -> None:
    # Base 1, then 3 tasks by 1:3, so 1.75 on demand and 2.25 on Spot:
    # 7.20875 x 1.75 = 12.6153125 and 7.20875 x 2.25 x 0.3 = 4.86590625
    strategy = (StrategyItem("FARGATE", weight=1, base=1), StrategyItem("FARGATE_SPOT", weight=3))
    assert figures(planned_price(SMALL, 4, strategy, ARM, "us-east-1")) == ("17.48", "28.84")


def test_no_task_costs_nothing() -> None:
    assert figures(monthly_price(SMALL, {}, ARM, "us-east-1")) == ("0.00", "0.00")


def test_an_estimate_names_the_source_and_date_of_its_rates() -> None:
    price = monthly_price(SMALL, {"FARGATE": 1}, ARM, "ap-northeast-1")
    assert isinstance(price, PriceEstimate)
    assert (price.currency, price.date) == ("USD", "2026-08")
    assert "third-party" in price.source


def test_an_override_wins_over_the_known_rates() -> None:
    mine = replace(KNOWN_RATES[0], arm_vcpu=Decimal(1), arm_gb=Decimal(0), source="our contract", date="2026-11-01")
    price = monthly_price(SMALL, {"FARGATE": 2}, ARM, "us-east-1", (mine,))
    assert figures(price) == ("365.00", "365.00")
    assert isinstance(price, PriceEstimate)
    assert (price.source, price.date) == ("our contract", "2026-11-01")


def test_an_override_opens_a_region_that_is_not_known() -> None:
    assert isinstance(monthly_price(SMALL, {"FARGATE": 1}, ARM, "eu-central-1"), UnknownPrice)
    mine = replace(KNOWN_RATES[0], region="eu-central-1")
    assert isinstance(monthly_price(SMALL, {"FARGATE": 1}, ARM, "eu-central-1", (mine,)), PriceEstimate)


@pytest.mark.parametrize(
    ("size", "split", "region", "reason"),
    [
        (SMALL, {"FARGATE": 1}, "eu-central-1", "Rates of eu-central-1 are not known"),
        (SMALL, {"graviton-asg": 2}, "us-east-1", "graviton-asg are billed through EC2"),
        (SMALL, {"": 2}, "us-east-1", "no capacity provider"),
        (TaskSize(512, 9216), {"FARGATE": 1}, "us-east-1", "512 CPU units with 9216 MiB is not a size"),
    ],
)
def test_what_cannot_be_priced_is_unknown_with_the_reason(
    size: TaskSize, split: dict[str, float], region: str, reason: str
) -> None:
    price = monthly_price(size, split, X86, region)
    assert isinstance(price, UnknownPrice)
    assert reason in price.reason


def test_a_provider_that_holds_no_task_does_not_spoil_the_price() -> None:
    assert isinstance(monthly_price(SMALL, {"FARGATE": 1, "graviton-asg": 0}, ARM, "us-east-1"), PriceEstimate)


@pytest.mark.parametrize(
    ("cpu", "gigabytes", "sold"),
    [
        (256, 0.5, True),
        (256, 4, False),
        (512, 4, True),
        (512, 0.5, False),
        (1024, 1, False),
        (2048, 16, True),
        (4096, 7, False),
        (8192, 20, True),
        (8192, 18, False),
        (16384, 40, True),
        (32768, 244, True),
        (32768, 64, False),
        (128, 0.5, False),
    ],
)
def test_sizes_that_fargate_sells(cpu: int, gigabytes: float, sold: bool) -> None:
    assert is_fargate_size(TaskSize(cpu, int(gigabytes * 1024))) is sold


def definition(**content: object) -> TaskDefinition:
    return TaskDefinition("arn", "web", 1, "ACTIVE", RuntimePlatform(), document(content))


def test_the_size_is_read_from_the_task_definition() -> None:
    assert task_size(definition(cpu="256", memory="512")) == SMALL


@pytest.mark.parametrize("content", [{}, {"cpu": "256"}, {"cpu": "1 vCPU", "memory": "2 GB"}])
def test_a_definition_without_a_task_size_has_none(content: dict[str, object]) -> None:
    assert task_size(definition(**content)) is None


@given(
    on_demand=st.integers(0, 50),
    spot=st.integers(0, 50),
    architecture=st.sampled_from(Architecture),
    region=st.sampled_from([rates.region for rates in KNOWN_RATES]),
)
def test_the_range_is_open_exactly_where_spot_is_used(
    on_demand: int, spot: int, architecture: Architecture, region: str
) -> None:
    split = {"FARGATE": on_demand, "FARGATE_SPOT": spot}
    price = monthly_price(SMALL, split, architecture, region)
    all_on_demand = monthly_price(SMALL, {"FARGATE": on_demand + spot}, architecture, region)
    assert isinstance(price, PriceEstimate)
    assert isinstance(all_on_demand, PriceEstimate)
    assert price.high == all_on_demand.high
    assert (price.low < price.high) is (spot > 0)


def test_arm_is_cheaper_everywhere() -> None:
    for rates in KNOWN_RATES:
        assert rates.of(ARM) < rates.of(X86)


WEB = TaskSize(1024, 2048)
"""1 vCPU and 2 GB."""
ON_SPOT = (StrategyItem("FARGATE", weight=1, base=2), StrategyItem("FARGATE_SPOT", weight=3))


def lines(price: Price) -> list[tuple[str, ...]]:
    assert isinstance(price, PriceEstimate)
    return [
        (f"{item.architecture} {item.provider}", *(str(getattr(item, name)) for name in NAMES)) for item in price.lines
    ]


NAMES = ("tasks", "vcpu_hours", "gb_hours", "low", "high")


def test_a_service_in_virginia_now_and_after_every_stage() -> None:
    """Ten tasks of 1 vCPU and 2 GB in us-east-1, 730 hours.

    Hours: 10 x 1 x 730 = 7300 vCPU hours, 10 x 2 x 730 = 14600 GB hours.

    Now, amd64 on demand: 7300 x 0.04048 + 14600 x 0.004445 = 295.504 + 64.897 = 360.401 -> 360.40.
    Stage 2, arm64 on demand: 7300 x 0.03238 + 14600 x 0.00356 = 236.374 + 51.976 = 288.35.

    Stage 3, base 2 on FARGATE and then 1:3: of the other 8 tasks 2 on FARGATE and 6 on Spot, so 4 and 6.
    On demand: 288.35 x 4/10 = 115.34. Spot at most 288.35 x 6/10 = 173.01, at least 173.01 x 0.3 = 51.903 -> 51.90.
    Sums: low 115.34 + 51.903 = 167.243 -> 167.24, high 288.35.
    """
    region = "us-east-1"
    now = planned_price(WEB, 10, (StrategyItem("FARGATE", weight=1),), X86, region)
    assert lines(now) == [("X86_64 FARGATE", "10.00", "7300.00", "14600.00", "360.40", "360.40")]
    arm = planned_price(WEB, 10, (StrategyItem("FARGATE", weight=1),), ARM, region)
    assert lines(arm) == [("ARM64 FARGATE", "10.00", "7300.00", "14600.00", "288.35", "288.35")]
    spot = planned_price(WEB, 10, ON_SPOT, ARM, region)
    assert lines(spot) == [
        ("ARM64 FARGATE", "4.00", "2920.00", "5840.00", "115.34", "115.34"),
        ("ARM64 FARGATE_SPOT", "6.00", "4380.00", "8760.00", "51.90", "173.01"),
    ]
    assert figures(spot) == ("167.24", "288.35")
    # 288.35 - 360.40 and 167.24 - 360.40
    assert change(now, arm) == (Decimal("-72.05"), Decimal("-72.05"))
    assert change(now, spot) == (Decimal("-193.16"), Decimal("-72.05"))


def test_a_service_in_tokyo_now_and_after_every_stage() -> None:
    """The same ten tasks in ap-northeast-1: 7300 vCPU hours and 14600 GB hours.

    Now, amd64 on demand: 7300 x 0.05056 + 14600 x 0.00553 = 369.088 + 80.738 = 449.826 -> 449.83.
    Stage 2, arm64 on demand: 7300 x 0.04045 + 14600 x 0.00442 = 295.285 + 64.532 = 359.817 -> 359.82.

    Stage 3, 4 tasks on demand and 6 on Spot: 359.817 x 4/10 = 143.9268 -> 143.93; Spot at most
    359.817 x 6/10 = 215.8902 -> 215.89, at least 215.8902 x 0.3 = 64.76706 -> 64.77.
    Sums: low 143.9268 + 64.76706 = 208.69386 -> 208.69, high 359.82.
    """
    region = "ap-northeast-1"
    now = planned_price(WEB, 10, (StrategyItem("FARGATE", weight=1),), X86, region)
    assert figures(now) == ("449.83", "449.83")
    arm = planned_price(WEB, 10, (StrategyItem("FARGATE", weight=1),), ARM, region)
    assert lines(arm) == [("ARM64 FARGATE", "10.00", "7300.00", "14600.00", "359.82", "359.82")]
    spot = planned_price(WEB, 10, ON_SPOT, ARM, region)
    assert lines(spot) == [
        ("ARM64 FARGATE", "4.00", "2920.00", "5840.00", "143.93", "143.93"),
        ("ARM64 FARGATE_SPOT", "6.00", "4380.00", "8760.00", "64.77", "215.89"),
    ]
    assert figures(spot) == ("208.69", "359.82")


def test_spot_of_the_account_s_own_is_a_figure_and_no_range() -> None:
    """One task of 1 vCPU and 2 GB on Spot at 0.01 and 0.001: 730 x 0.01 + 1460 x 0.001 = 7.30 + 1.46 = 8.76."""
    mine = replace(KNOWN_RATES[0], arm_spot_vcpu=Decimal("0.01"), arm_spot_gb=Decimal("0.001"), source="our bill")
    price = monthly_price(WEB, {"FARGATE_SPOT": 1}, ARM, "us-east-1", (mine,))
    assert figures(price) == ("8.76", "8.76")
    assert isinstance(price, PriceEstimate)
    assert SPOT_NOTE not in price.notes
    assert SPOT_RATE_NOTE in price.notes
    # Of amd64 the same source says nothing about Spot.
    assert isinstance(monthly_price(WEB, {"FARGATE_SPOT": 1}, X86, "us-east-1", (mine,)), PriceEstimate)
    assert figures(monthly_price(WEB, {"FARGATE_SPOT": 1}, X86, "us-east-1", (mine,)))[0] < "36.04"


def test_savings_plans_are_said_to_be_unseen() -> None:
    price = monthly_price(SMALL, {"FARGATE": 1}, ARM, "us-east-1")
    assert isinstance(price, PriceEstimate)
    assert DISCOUNT_NOTE in price.notes


def test_two_prices_are_compared_only_where_both_are_known_in_one_currency() -> None:
    dollars = monthly_price(SMALL, {"FARGATE": 1}, ARM, "us-east-1")
    yen = monthly_price(SMALL, {"FARGATE": 1}, ARM, "us-east-1", (replace(KNOWN_RATES[0], currency="JPY"),))
    assert change(dollars, UnknownPrice("Nobody knows.")) is None
    assert change(UnknownPrice("Nobody knows."), dollars) is None
    assert change(dollars, yen) is None
    assert change(dollars, dollars) == (Decimal(0), Decimal(0))


def test_better_rates_win_over_the_known_ones() -> None:
    read = replace(KNOWN_RATES[0], source="AWS Price List")
    mine = replace(KNOWN_RATES[0], source="our contract")
    assert rates_of("us-east-1", (mine, read)) == mine
    assert rates_of("us-east-1", (read,)) == read
    assert rates_of("us-east-1") == KNOWN_RATES[0]
    assert rates_of("eu-north-1", (read,)) is None
