"""What the tasks of a service cost a month, by architecture and capacity, and never a made-up number.

What cannot be priced (EC2 capacity, an unknown region, a size that Fargate does not sell) is unknown, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from migrate.core.capacity import expected_split
from migrate.core.cost.prices import KNOWN_RATES, HourlyRates, rates_of
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
class TaskSize:
    """CPU units (1024 are one vCPU) and MiB of memory that a whole task reserves."""

    cpu_units: int
    memory_mib: int


@dataclass(frozen=True, slots=True)
class CostLine:
    """The part of a price that tasks of one architecture on one capacity provider have.

    ``tasks`` may be a fraction: weights say shares. Hours are those of a month (730 hours); ``vcpu_rate`` and
    ``gb_rate`` are what an hour costs at most. All but the rates is rounded to two places.
    """

    architecture: Architecture
    provider: str
    tasks: Decimal
    vcpu_hours: Decimal
    gb_hours: Decimal
    vcpu_rate: Decimal
    gb_rate: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class PriceEstimate:
    """A month (730 hours) of all tasks; ``low`` and ``high`` are rounded to cents and differ only where Spot is used.

    ``source`` and ``date`` are those of the rates; ``notes`` say what the figure assumes, ``lines`` what it is made of.
    """

    low: Decimal
    high: Decimal
    currency: str
    source: str
    date: str
    notes: tuple[str, ...] = ()
    lines: tuple[CostLine, ...] = ()


@dataclass(frozen=True, slots=True)
class UnknownPrice:
    """No figure can be given, and ``reason`` is a sentence that says why."""

    reason: str


Price: TypeAlias = PriceEstimate | UnknownPrice

SPOT_NOTE = 'Spot has no list price: the range runs from 30 % of the on-demand price ("up to 70% off") to all of it.'
SPOT_RATE_NOTE = "Spot is priced as the same source had it on its date; that price moves."
SCOPE_NOTE = "vCPU and memory of the tasks only; storage above 20 GB, data transfer and load balancing are apart."
DISCOUNT_NOTE = (
    "Savings Plans and other discounts of the account are not seen here; a Savings Plan covers Fargate, not its Spot."
)


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
    rates = rates_of(region, overrides)
    if rates is None:
        known = ", ".join(item.region for item in KNOWN_RATES)
        return UnknownPrice(f"Rates of {region} are not known here ({known} are); give them in [prices.{region}].")
    strange = sorted(name for name, count in split.items() if count and name not in {ON_DEMAND, SPOT})
    if strange:
        names = ", ".join(name or "no capacity provider" for name in strange)
        return UnknownPrice(f"Tasks on {names} are billed through EC2 instances, whose prices are not known here.")
    if not is_fargate_size(size):
        return UnknownPrice(f"{size.cpu_units} CPU units with {size.memory_mib} MiB is not a size that Fargate sells.")
    parts = [
        _part(size, Decimal(count), architecture, provider, rates) for provider, count in sorted(split.items()) if count
    ]
    spot_note = (SPOT_NOTE if rates.of_spot(architecture) is None else SPOT_RATE_NOTE,) if split.get(SPOT) else ()
    return PriceEstimate(
        low=_cents(sum((part.low for part in parts), Decimal(0))),
        high=_cents(sum((part.high for part in parts), Decimal(0))),
        currency=rates.currency,
        source=rates.source,
        date=rates.date,
        notes=(*spot_note, SCOPE_NOTE, DISCOUNT_NOTE),
        lines=tuple(_rounded(part) for part in parts),
    )


def _part(size: TaskSize, tasks: Decimal, architecture: Architecture, provider: str, rates: HourlyRates) -> CostLine:
    """Return the tasks of one capacity provider, to the last digit."""
    hours = tasks * HOURS_PER_MONTH
    vcpu_hours, gb_hours = hours * size.cpu_units / _CPU_UNITS_PER_VCPU, hours * size.memory_mib / _MIB_PER_GB
    known = rates.of_spot(architecture) if provider == SPOT else None
    vcpu, gb = known or rates.of(architecture)
    high = vcpu_hours * vcpu + gb_hours * gb
    low = high * SPOT_LOWEST if provider == SPOT and known is None else high
    return CostLine(architecture, provider, tasks, vcpu_hours, gb_hours, vcpu, gb, low, high)


def _rounded(part: CostLine) -> CostLine:
    return replace(
        part,
        tasks=_cents(part.tasks),
        vcpu_hours=_cents(part.vcpu_hours),
        gb_hours=_cents(part.gb_hours),
        low=_cents(part.low),
        high=_cents(part.high),
    )


def change(now: Price, after: Price) -> tuple[Decimal, Decimal] | None:
    """Return by how much a month gets dearer, negative where it gets cheaper, at the low and the high end of the range.

    None where one of both is not known, or they are in two currencies.
    """
    if isinstance(now, UnknownPrice) or isinstance(after, UnknownPrice) or now.currency != after.currency:
        return None
    return after.low - now.low, after.high - now.high


def added(one: Price, other: Price) -> Price:
    """Return the price of two services of one region together; unknown where one of them is."""
    if isinstance(one, UnknownPrice):
        return one
    if isinstance(other, UnknownPrice):
        return other
    notes = one.notes if len(one.notes) >= len(other.notes) else other.notes
    lines = (*one.lines, *other.lines)
    return replace(one, low=one.low + other.low, high=one.high + other.high, notes=notes, lines=lines)


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


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, rounding=ROUND_HALF_UP)
