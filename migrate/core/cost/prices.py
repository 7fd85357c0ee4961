"""What Fargate asks an hour: rates as data, each with its source and its date.

The known ones are third-party readings (facts "Prices"); what the AWS Price List says wins over them, and what the
operator says in [prices] of migrate.toml wins over both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from migrate.core.facts import Architecture


@dataclass(frozen=True, slots=True)
class HourlyRates:
    """Fargate rates of one region for Linux, in ``currency`` per vCPU hour and per GB hour.

    ``source`` says who read them and ``date`` when (``2026-09``, or a day): a reader must be able to judge both.
    The rates of Spot are None where only the range is known in which they lie.
    """

    region: str
    x86_vcpu: Decimal
    x86_gb: Decimal
    arm_vcpu: Decimal
    arm_gb: Decimal
    source: str
    date: str
    currency: str = "USD"
    x86_spot_vcpu: Decimal | None = None
    x86_spot_gb: Decimal | None = None
    arm_spot_vcpu: Decimal | None = None
    arm_spot_gb: Decimal | None = None

    def of(self, architecture: Architecture) -> tuple[Decimal, Decimal]:
        """Return the on-demand rate of a vCPU hour and of a GB hour."""
        if architecture is Architecture.ARM64:
            return self.arm_vcpu, self.arm_gb
        return self.x86_vcpu, self.x86_gb

    def of_spot(self, architecture: Architecture) -> tuple[Decimal, Decimal] | None:
        """Return the rate of a vCPU hour and of a GB hour on Spot; None where it is not known."""
        arm = architecture is Architecture.ARM64
        vcpu, gb = (self.arm_spot_vcpu, self.arm_spot_gb) if arm else (self.x86_spot_vcpu, self.x86_spot_gb)
        return None if vcpu is None or gb is None else (vcpu, gb)


_READING = "third-party reading of the AWS Fargate price list"

KNOWN_RATES: tuple[HourlyRates, ...] = (
    HourlyRates(
        region="us-east-1",
        x86_vcpu=Decimal("0.04048"),
        x86_gb=Decimal("0.004445"),
        arm_vcpu=Decimal("0.03238"),
        arm_gb=Decimal("0.00356"),
        source=_READING,
        date="2026-09",
    ),
    HourlyRates(
        region="ap-northeast-1",
        x86_vcpu=Decimal("0.05056"),
        x86_gb=Decimal("0.00553"),
        arm_vcpu=Decimal("0.04045"),
        arm_gb=Decimal("0.00442"),
        source=_READING,
        date="2026-08",
    ),
)


def rates_of(region: str, better: Iterable[HourlyRates] = ()) -> HourlyRates | None:
    """Return the rates of a region, those that are ``better`` known before the known ones; None without any."""
    return next((rates for rates in (*better, *KNOWN_RATES) if rates.region == region), None)
