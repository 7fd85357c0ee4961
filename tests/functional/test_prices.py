"""Which rates a plan is made with, and what it says where they could not be had."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from migrate.core.cost.cost import PriceEstimate
from migrate.core.cost.prices import KNOWN_RATES
from migrate.errors import AccessError
from tests.fakes.aws_world import REGION
from tests.fakes.migration import Operator

READ = replace(KNOWN_RATES[0], region=REGION, x86_vcpu=Decimal(1), source="AWS Price List", date="2026-11-21")


def source_of(operator: Operator) -> str:
    price = operator.plan().price_now
    assert isinstance(price, PriceEstimate)
    return price.source


def test_the_price_list_wins_over_what_is_built_in() -> None:
    operator = Operator.of()
    assert source_of(operator) == KNOWN_RATES[0].source
    operator.prices.rates = READ
    assert source_of(operator) == "AWS Price List"
    assert operator.plan().price_problem == ""


def test_what_the_settings_say_wins_and_the_list_is_not_asked() -> None:
    operator = Operator.of()
    mine = replace(READ, source="our contract")
    operator.settings = replace(operator.settings, prices=(mine,))
    operator.prices.rates = READ
    assert source_of(operator) == "our contract"
    assert operator.prices.asked == 0


def test_a_list_that_may_not_be_asked_is_said_and_stops_nothing() -> None:
    operator = Operator.of()
    operator.prices.refusal = AccessError("No.", why="pricing:GetProducts is denied.", then="Allow it.")
    assert source_of(operator) == KNOWN_RATES[0].source
    assert operator.plan().price_problem == "The AWS Price List could not be asked: pricing:GetProducts is denied."
    assert operator.apply(0).exit_code == 0


def test_a_list_without_the_region_is_said() -> None:
    operator = Operator.of()
    assert operator.plan().price_problem == f"The AWS Price List tells no price of Fargate in {REGION}."
