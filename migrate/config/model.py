"""The shape of migrate.toml in pydantic: types and ranges of single keys; rules.py holds what spans several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from migrate.config.check_tables import CheckTable, CommandTable, MetricTable, ProbeTable, PrometheusTable, WebhookTable
from migrate.config.notification_tables import NotificationsTable
from migrate.config.table import Duration, Limit, Number, Table, Text
from migrate.core.cost.prices import HourlyRates
from migrate.core.facts import StrategyItem
from migrate.core.settings import (
    ArchitectureMode,
    GateSettings,
    ImageMode,
    ImageSettings,
    OwnerLanguage,
    ProgramSettings,
    ServiceOwner,
    ServiceSettings,
    Settings,
)


def _date(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


Rate = Annotated[Number, Field(ge=0)]
Percentage = Annotated[int, Field(ge=1, le=99)]
Share = Annotated[int, Field(ge=1, le=100)]
ProgramKey = Literal["stage", "image", "originalDigest", "architecture", "arm64Revision", "capacity", "deployment"]
_DEFAULTS = Settings(ServiceSettings(cluster="", name=""), ImageSettings(container=""))


class ServiceTable(Table):
    """[service]."""

    cluster: Text
    name: Text
    region: Text | None = None
    owner: Literal["migrate", "pulumi", "external"] = "migrate"
    owner_tool: Literal["terraform", "cloudformation", "cdk", "copilot", "ecspresso"] | None = None
    owner_deadline: Duration = ServiceSettings(cluster="", name="").owner_deadline


class ProgramTable(Table):
    """[program]."""

    directory: Text
    stack: Text
    image: bool = False
    namespace: Text = ProgramSettings("", "").namespace
    keys: dict[ProgramKey, Text] = Field(default_factory=dict)


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

    mode: Literal["rolling", "canary", "mixed"] = "rolling"
    canary_share: Share = _DEFAULTS.canary_share


class StrategyTable(Table):
    """One item of the strategy in [capacity]."""

    provider: Text
    weight: int = Field(default=0, ge=0, le=1000)
    base: int = Field(default=0, ge=0, le=100_000)


class CapacityTable(Table):
    """[capacity]."""

    strategy: list[StrategyTable] | None = None
    steps: list[Percentage] = Field(default_factory=lambda: list(_DEFAULTS.capacity_steps))
    step_soak: Duration | None = None


class GateTable(Table):
    """[gate]; defaults are those of the core."""

    interval: Duration = GateSettings().interval
    soak: Duration = GateSettings().soak
    deadline: Duration = GateSettings().deadline
    failure_limit: Limit = GateSettings().failure_limit
    error_limit: Limit = GateSettings().error_limit
    alarms: list[Text] = Field(default_factory=list)
    inconclusive_limit: Limit | None = None
    progress_deadline: Duration = GateSettings().progress_deadline
    interruption_limit: Annotated[int, Field(ge=0, le=100)] = GateSettings().interruption_limit
    metric: list[MetricTable] = Field(default_factory=list)
    probe: list[ProbeTable] = Field(default_factory=list)
    command: list[CommandTable] = Field(default_factory=list)
    webhook: list[WebhookTable] = Field(default_factory=list)
    prometheus: list[PrometheusTable] = Field(default_factory=list)

    def checks(self) -> tuple[Sequence[CheckTable], ...]:
        """Return the operator's own checks, kind by kind."""
        return self.metric, self.probe, self.command, self.webhook, self.prometheus


class PricesTable(Table):
    """[prices.REGION]."""

    x86_vcpu: Rate
    x86_gb: Rate
    arm_vcpu: Rate
    arm_gb: Rate
    source: Text
    date: Annotated[Text, BeforeValidator(_date)]
    currency: Text = "USD"
    x86_spot_vcpu: Rate | None = None
    x86_spot_gb: Rate | None = None
    arm_spot_vcpu: Rate | None = None
    arm_spot_gb: Rate | None = None


class SettingsFile(Table):
    """The whole file."""

    service: ServiceTable
    program: ProgramTable | None = None
    image: ImageTable
    architecture: ArchitectureTable = ArchitectureTable()
    capacity: CapacityTable = CapacityTable()
    gate: GateTable = GateTable()
    notifications: NotificationsTable = NotificationsTable()
    prices: dict[str, PricesTable] = Field(default_factory=dict)


def _service(table: ServiceTable) -> ServiceSettings:
    return ServiceSettings(
        table.cluster,
        table.name,
        table.region,
        owner=ServiceOwner(table.owner),
        owner_tool=OwnerLanguage(table.owner_tool) if table.owner_tool else None,
        owner_deadline=table.owner_deadline,
    )


def _program(table: ProgramTable | None) -> ProgramSettings | None:
    if table is None:
        return None
    keys: tuple[tuple[str, str], ...] = tuple(table.keys.items())
    return ProgramSettings(table.directory, table.stack, table.image, table.namespace, keys)


def to_settings(file: SettingsFile) -> Settings:
    """Return the core settings that a valid file stands for."""
    image, gate, capacity = file.image, file.gate, file.capacity
    settings = Settings(
        service=_service(file.service),
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
        canary_share=file.architecture.canary_share,
        gate=GateSettings(
            interval=gate.interval,
            soak=gate.soak,
            deadline=gate.deadline,
            failure_limit=gate.failure_limit,
            error_limit=gate.error_limit,
            alarms=tuple(gate.alarms),
            inconclusive_limit=gate.inconclusive_limit,
            progress_deadline=gate.progress_deadline,
            interruption_limit=gate.interruption_limit,
            checks=tuple(table.check() for tables in gate.checks() for table in tables),
        ),
        capacity_steps=tuple(capacity.steps),
        step_soak=capacity.step_soak,
        notifications=file.notifications.settings(),
        program=_program(file.program),
        prices=tuple(HourlyRates(region=region, **dict(rates)) for region, rates in file.prices.items()),
    )
    if capacity.strategy is None:
        return settings
    strategy = tuple(StrategyItem(item.provider, item.weight, item.base) for item in capacity.strategy)
    return replace(settings, capacity=strategy)
