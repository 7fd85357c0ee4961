"""The port PriceReader over what a test says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from migrate.core.cost.prices import HourlyRates
from migrate.errors import MigrateError


def a_product(usage: str, price: str, currency: str = "USD", begins: str = "0") -> dict[str, Any]:
    """Return a product of AmazonECS as GetProducts answers it (AWS Price List Query API reference)."""
    dimension = {"unit": "hours", "beginRange": begins, "endRange": "Inf", "pricePerUnit": {currency: price}}
    return {
        "product": {"productFamily": "Compute", "attributes": {"regionCode": "eu-central-1", "usagetype": usage}},
        "serviceCode": "AmazonECS",
        "terms": {"OnDemand": {"SKU.JRTCKXETXF": {"priceDimensions": {"SKU.JRTCKXETXF.6YS6EN2CT7": dimension}}}},
        "publicationDate": "2026-11-21T18:21:30Z",
    }


@dataclass
class FakePriceReader:
    """Tells ``rates`` of their own region and no other one; raises ``refusal`` where there is one."""

    rates: HourlyRates | None = None
    refusal: MigrateError | None = None
    asked: int = 0

    def fargate_rates(self, region: str) -> HourlyRates | None:
        self.asked += 1
        if self.refusal is not None:
            raise self.refusal
        return self.rates if self.rates is not None and self.rates.region == region else None
