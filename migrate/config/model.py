"""The shape of migrate.toml in pydantic: types and ranges of single keys; rules.py holds what spans several."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from migrate.config.durations import parse_duration
from migrate.core.cost import HourlyRates
from migrate.core.facts import StrategyItem
from migrate.core.settings import (
    ArchitectureMode,
    GateSettings,
    ImageMode,
    ImageSettings,
    ServiceSettings,
    Settings,
)


def _duration(value: Any) -> timedelta:
    duration = parse_duration(value) if isinstance(value, str) else None
    if duration is None:
        raise ValueError
    return duration


def _decimal(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _date(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


Text = Annotated[str, Field(min_length=1)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Limit = Annotated[int, Field(ge=0)]
Rate = Annotated[Decimal, BeforeValidator(_decimal), Field(ge=0)]


class Table(BaseModel):
    """A table of the file: no key that is not known, no value that had to be guessed at."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ServiceTable(Table):
    """[service]."""

    cluster: Text
    name: Text
    region: Text | None = None


class ImageTable(Table):
    """[image]."""

    container: Text
    mode: Literal["extend", "rebuild", "external"] = "extend"
    context: Text | None = None
    dockerfile: Text | None = None
    target: Text | None = None
    builder: Text | None = None
    build_arguments: dict[str, str] = Field(default_factory=dict)


class ArchitectureTable(Table):
    """[architecture]."""

    mode: Literal["rolling"] = "rolling"


class StrategyTable(Table):
    """One item of the strategy in [capacity]."""

    provider: Text
    weight: int = Field(default=0, ge=0, le=1000)
    base: int = Field(default=0, ge=0, le=100_000)


class CapacityTable(Table):
    """[capacity]."""

    strategy: list[StrategyTable]


class GateTable(Table):
    """[gate]; defaults are those of the core."""

    interval: Duration = GateSettings().interval
    soak: Duration = GateSettings().soak
    deadline: Duration = GateSettings().deadline
    failure_limit: Limit = GateSettings().failure_limit
    error_limit: Limit = GateSettings().error_limit
    alarms: list[Text] = Field(default_factory=list)


class PricesTable(Table):
    """[prices.REGION]."""

    x86_vcpu: Rate
    x86_gb: Rate
    arm_vcpu: Rate
    arm_gb: Rate
    source: Text
    date: Annotated[Text, BeforeValidator(_date)]
    currency: Text = "USD"


class SettingsFile(Table):
    """The whole file."""

    service: ServiceTable
    image: ImageTable
    architecture: ArchitectureTable = ArchitectureTable()
    capacity: CapacityTable | None = None
    gate: GateTable = GateTable()
    prices: dict[str, PricesTable] = Field(default_factory=dict)


def to_settings(file: SettingsFile) -> Settings:
    """Return the core settings that a valid file stands for."""
    image, gate = file.image, file.gate
    settings = Settings(
        service=ServiceSettings(file.service.cluster, file.service.name, file.service.region),
        image=ImageSettings(
            container=image.container,
            mode=ImageMode(image.mode),
            context=image.context or ".",
            dockerfile=image.dockerfile,
            target=image.target,
            builder=image.builder,
            build_arguments=tuple(image.build_arguments.items()),
        ),
        architecture=ArchitectureMode(file.architecture.mode),
        gate=GateSettings(
            interval=gate.interval,
            soak=gate.soak,
            deadline=gate.deadline,
            failure_limit=gate.failure_limit,
            error_limit=gate.error_limit,
            alarms=tuple(gate.alarms),
        ),
        prices=tuple(HourlyRates(region=region, **dict(rates)) for region, rates in file.prices.items()),
    )
    if file.capacity is None:
        return settings
    strategy = tuple(StrategyItem(item.provider, item.weight, item.base) for item in file.capacity.strategy)
    return replace(settings, capacity=strategy)
