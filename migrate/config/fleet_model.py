"""The shape of fleet.toml in pydantic; the tables of migrate.toml in it are read service by service (fleet.py)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from migrate.config.table import Limit, Table, Text
from migrate.core.fleet.definition import Concurrency, Fleet, FleetAccount, Selection, StopRules, Wave

Some = Annotated[int, Field(ge=1)]
Patterns = list[Text]


class FleetTable(Table):
    """[fleet]."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]


class StopTable(Table):
    """[stop]."""

    failure_limit: Limit = StopRules().failure_limit
    hold_between_waves: bool = StopRules().hold_between_waves


class ConcurrencyTable(Table):
    """[concurrency]."""

    cluster: Some = Concurrency().cluster
    account: Some = Concurrency().account


class AccountTable(Table):
    """One of [[accounts]]."""

    name: Text
    profile: Text | None = None
    role_arn: Annotated[str, Field(pattern=r"^arn:[a-z-]+:iam::\d{12}:role/.+$")] | None = None
    external_id: Text | None = None
    region: Text | None = None


class MemberTables(Table):
    """Tables of migrate.toml, as they stand."""

    image: dict[str, Any] = Field(default_factory=dict)
    architecture: dict[str, Any] = Field(default_factory=dict)
    capacity: dict[str, Any] = Field(default_factory=dict)
    gate: dict[str, Any] = Field(default_factory=dict)
    notifications: dict[str, Any] = Field(default_factory=dict)
    prices: dict[str, Any] = Field(default_factory=dict)


class ServicesTable(MemberTables):
    """One of [[services]]."""

    account: Text | None = None
    region: Text | None = None
    clusters: list[Text] = Field(default_factory=list)
    names: Patterns = Field(default_factory=list)
    tags: dict[str, str] = Field(default_factory=dict)
    exclude: Patterns = Field(default_factory=list)


class OverrideTable(MemberTables):
    """One of [[overrides]]."""

    services: Annotated[Patterns, Field(min_length=1)]


class WaveTable(Table):
    """One of [[waves]]."""

    name: Text
    services: Patterns = Field(default_factory=list)
    share: Annotated[int, Field(ge=1, le=100)] | None = None


class FleetFile(Table):
    """The whole file."""

    fleet: FleetTable
    stop: StopTable = StopTable()
    concurrency: ConcurrencyTable = ConcurrencyTable()
    accounts: list[AccountTable] = Field(default_factory=list)
    defaults: MemberTables = MemberTables()
    services: Annotated[list[ServicesTable], Field(min_length=1)]
    overrides: list[OverrideTable] = Field(default_factory=list)
    waves: list[WaveTable] = Field(default_factory=list)


def to_fleet(file: FleetFile) -> Fleet:
    """Return the fleet that a valid file stands for."""
    accounts = {table.name: FleetAccount(**dict(table)) for table in file.accounts}
    return Fleet(
        name=file.fleet.name,
        selections=tuple(
            Selection(
                position=position,
                account=accounts[table.account] if table.account is not None else FleetAccount(),
                region=table.region,
                clusters=tuple(table.clusters),
                names=tuple(table.names),
                tags=tuple(table.tags.items()),
                exclude=tuple(table.exclude),
            )
            for position, table in enumerate(file.services)
        ),
        waves=tuple(Wave(table.name, tuple(table.services), table.share) for table in file.waves),
        stop=StopRules(**dict(file.stop)),
        concurrency=Concurrency(**dict(file.concurrency)),
    )
