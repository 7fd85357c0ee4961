"""One suite over the fake and over the real adapter, whose price list answers from recordings."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from migrate.adapters.aws.pricing import AwsPriceReader
from migrate.adapters.aws.session import AwsSession, Region
from migrate.core.cost.prices import HourlyRates
from migrate.errors import AccessError
from migrate.ports import PriceReader
from tests.fakes.prices import FakePriceReader
from tests.unit.aws.recordings import REGION, Recordings, made_up_core

RATES = HourlyRates(
    region=REGION,
    x86_vcpu=Decimal("0.05"),
    x86_gb=Decimal("0.006"),
    arm_vcpu=Decimal("0.04"),
    arm_gb=Decimal("0.005"),
    source="AWS Price List",
    date="2026-11-21",
)
PRICES = {
    "EUC1-Fargate-vCPU-Hours:perCPU": "0.05",
    "EUC1-Fargate-GB-Hours": "0.006",
    "EUC1-Fargate-ARM-vCPU-Hours:perCPU": "0.04",
    "EUC1-Fargate-ARM-GB-Hours": "0.005",
}


class FakeList:
    """A list in the fake."""

    def __init__(self) -> None:
        self.reader: PriceReader = FakePriceReader(RATES)

    def says_nothing(self) -> None:
        self.reader = FakePriceReader()

    def denies(self) -> None:
        self.reader = FakePriceReader(refusal=AccessError("Denied.", then="Allow it."))


class RecordedList:
    """A list behind the real adapter."""

    def __init__(self) -> None:
        self.recordings = Recordings(AwsSession(made_up_core(), Region(REGION, "the test"), sleep=lambda _: None))
        self.reader: PriceReader = AwsPriceReader(self.recordings.session)
        self._products = [_product(usage, price) for usage, price in PRICES.items()]
        self._refused = False

    def says_nothing(self) -> None:
        self._products = []

    def denies(self) -> None:
        self._refused = True

    def expect(self) -> None:
        if self._refused:
            self.recordings.refuse("pricing", "get_products", "AccessDeniedException")
        else:
            self.recordings.answer("pricing", "get_products", {"PriceList": self._products})


def _product(usage: str, price: str) -> str:
    dimensions = {"D": {"beginRange": "0", "pricePerUnit": {"USD": price}}}
    return json.dumps(
        {
            "product": {"attributes": {"usagetype": usage, "regionCode": REGION}},
            "terms": {"OnDemand": {"T": {"priceDimensions": dimensions}}},
            "publicationDate": "2026-11-21T00:00:00Z",
        }
    )


@pytest.fixture(params=[FakeList, RecordedList])
def prices(request: pytest.FixtureRequest) -> FakeList | RecordedList:
    made: FakeList | RecordedList = request.param()
    return made


def asked(prices: FakeList | RecordedList) -> HourlyRates | None:
    if isinstance(prices, RecordedList):
        prices.expect()
    return prices.reader.fargate_rates(REGION)


def test_the_rates_of_the_region_are_told(prices: FakeList | RecordedList) -> None:
    assert asked(prices) == RATES


def test_a_list_without_the_region_tells_none(prices: FakeList | RecordedList) -> None:
    prices.says_nothing()
    assert asked(prices) is None


def test_a_list_that_may_not_be_asked_is_an_access_error(prices: FakeList | RecordedList) -> None:
    prices.denies()
    with pytest.raises(AccessError):
        asked(prices)
