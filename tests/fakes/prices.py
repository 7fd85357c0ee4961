"""The port PriceReader over what a test says."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.core.prices import HourlyRates
from migrate.errors import MigrateError


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
