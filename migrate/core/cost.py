"""What the tasks of a service cost a month: Fargate's rates as data with their date, and never a made-up number.

Rates are third-party readings (facts "Prices") that the operator may override in [prices] of migrate.toml. What
cannot be priced (EC2 capacity, an unknown region, a size that Fargate does not sell) is unknown, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from migrate.core.capacity import expected_split
from migrate.core.documents import fields
from migrate.core.facts import Architecture, Strategy, TaskDefinition

HOURS_PER_MONTH = 730
ON_DEMAND = "FARGATE"
SPOT = "FARGATE_SPOT"
SPOT_LOWEST = Decimal("0.3")
"""Share of the on-demand price that is left when Spot is at its cheapest ("up to 70% off", AWS Fargate pricing)."""

_CPU_UNITS_PER_VCPU = 1024
_MIB_PER_GB = 1024
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class HourlyRates:
    """On-demand Fargate rates of one region for Linux, in ``currency`` per vCPU hour and per GB hour.

    ``source`` says who read them and ``date`` when (``2026-09``, or a day): a reader must be able to judge both.
    """

    region: str
    x86_vcpu: Decimal
    x86_gb: Decimal
    arm_vcpu: Decimal
    arm_gb: Decimal
    source: str
    date: str
    currency: str = "USD"

    def of(self, architecture: Architecture) -> tuple[Decimal, Decimal]:
        """Return the rate of a vCPU hour and of a GB hour."""
        if architecture is Architecture.ARM64:
            return self.arm_vcpu, self.arm_gb
        return self.x86_vcpu, self.x86_gb


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


@dataclass(frozen=True, slots=True)
class TaskSize:
    """CPU units (1024 are one vCPU) and MiB of memory that a whole task reserves."""

    cpu_units: int
    memory_mib: int


@dataclass(frozen=True, slots=True)
class PriceEstimate:
    """A month (730 hours) of all tasks; ``low`` and ``high`` are rounded to cents and differ only where Spot is used.

    ``source`` and ``date`` are those of the rates; ``notes`` say what the figure assumes.
    """

    low: Decimal
    high: Decimal
    currency: str
    source: str
    date: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnknownPrice:
    """No figure can be given, and ``reason`` is a sentence that says why."""

    reason: str


Price: TypeAlias = PriceEstimate | UnknownPrice

SPOT_NOTE = 'Spot has no list price: the range runs from 30 % of the on-demand price ("up to 70% off") to all of it.'
SCOPE_NOTE = "vCPU and memory of the tasks only; storage above 20 GB, data transfer and load balancing are apart."


def monthly_price(
    size: TaskSize,
    split: Mapping[str, float],
    architecture: Architecture,
    region: str,
    overrides: tuple[HourlyRates, ...] = (),
) -> Price:
    """Return what a month costs with ``split`` tasks on each capacity provider (seen, or expected_split's ideal).

    A service on launchType FARGATE is ``{"FARGATE": count}``: the price is the same. ``overrides`` win over the
    known rates of the same region.
    """
    rates = _rates(region, overrides)
    if isinstance(rates, UnknownPrice):
        return rates
    strange = sorted(name for name, count in split.items() if count and name not in {ON_DEMAND, SPOT})
    if strange:
        names = ", ".join(name or "no capacity provider" for name in strange)
        return UnknownPrice(f"Tasks on {names} are billed through EC2 instances, whose prices are not known here.")
    if not is_fargate_size(size):
        return UnknownPrice(f"{size.cpu_units} CPU units with {size.memory_mib} MiB is not a size that Fargate sells.")
    vcpu, gb = rates.of(architecture)
    hour = vcpu * size.cpu_units / _CPU_UNITS_PER_VCPU + gb * size.memory_mib / _MIB_PER_GB
    task = hour * HOURS_PER_MONTH
    steady = task * Decimal(split.get(ON_DEMAND, 0))
    spot = task * Decimal(split.get(SPOT, 0))
    return PriceEstimate(
        low=_cents(steady + spot * SPOT_LOWEST),
        high=_cents(steady + spot),
        currency=rates.currency,
        source=rates.source,
        date=rates.date,
        notes=(SPOT_NOTE, SCOPE_NOTE) if spot else (SCOPE_NOTE,),
    )


def added(one: Price, other: Price) -> Price:
    """Return the price of two services of one region together; unknown where one of them is."""
    if isinstance(one, UnknownPrice):
        return one
    if isinstance(other, UnknownPrice):
        return other
    notes = one.notes if len(one.notes) >= len(other.notes) else other.notes
    return replace(one, low=one.low + other.low, high=one.high + other.high, notes=notes)


def planned_price(
    size: TaskSize,
    count: int,
    strategy: Strategy,
    architecture: Architecture,
    region: str,
    overrides: tuple[HourlyRates, ...] = (),
) -> Price:
    """Return what a month costs when ``count`` tasks follow a capacity provider strategy exactly."""
    return monthly_price(size, expected_split(strategy, count), architecture, region, overrides)


def task_size(definition: TaskDefinition) -> TaskSize | None:
    """Return the size of a task; None where the definition leaves it to its containers (possible on EC2 only).

    DescribeTaskDefinition answers both as texts of integers, whatever was registered ("1 vCPU" comes back as "1024";
    ECS API, RegisterTaskDefinition).
    """
    document = fields(definition.document)
    cpu, memory = document.get("cpu"), document.get("memory")
    if isinstance(cpu, str) and isinstance(memory, str) and cpu.isdecimal() and memory.isdecimal():
        return TaskSize(int(cpu), int(memory))
    return None


def is_fargate_size(size: TaskSize) -> bool:
    """Tell whether Fargate sells the size (facts F29)."""
    return size.memory_mib in _FARGATE_SIZES.get(size.cpu_units, ())


def _gigabytes(first: int, last: int, step: int = 1) -> tuple[int, ...]:
    return tuple(gb * _MIB_PER_GB for gb in range(first, last + 1, step))


_FARGATE_SIZES: Mapping[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: _gigabytes(1, 4),
    1024: _gigabytes(2, 8),
    2048: _gigabytes(4, 16),
    4096: _gigabytes(8, 30),
    8192: _gigabytes(16, 60, 4),
    16384: _gigabytes(32, 120, 8),
    32768: (60 * _MIB_PER_GB, 120 * _MIB_PER_GB, 244 * _MIB_PER_GB),
}


def _rates(region: str, overrides: tuple[HourlyRates, ...]) -> HourlyRates | UnknownPrice:
    for rates in (*overrides, *KNOWN_RATES):
        if rates.region == region:
            return rates
    known = ", ".join(rates.region for rates in KNOWN_RATES)
    return UnknownPrice(f"Rates of {region} are not known here ({known} are); give them in [prices.{region}].")


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, rounding=ROUND_HALF_UP)
