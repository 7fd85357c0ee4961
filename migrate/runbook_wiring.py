"""The composition root of `migrate runbook`: what is known of the service without asking AWS, and guided walks."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from migrate.adapters.runbook_files import RunbookFiles
from migrate.adapters.shell import ShellCommands
from migrate.adapters.system_clock import SystemClock
from migrate.adapters.walk_file import WalkFile
from migrate.config import Environment, effective_region, load, read_environment
from migrate.core.runbook.runbooks import Runbook, Section
from migrate.core.runbook.values import record_values, run_values, settings_values
from migrate.core.settings import Settings
from migrate.errors import MigrateError
from migrate.runbook_ports import Companion
from migrate.wiring import Place
from migrate.workflows.guided import GuidedWalk

WALKS_FILE = "runbook-walks.json"


@dataclass(frozen=True, slots=True)
class Known:
    """What may be put into commands, and in words why something that could be known is not."""

    values: dict[str, str]
    gap: str = ""


def runbooks() -> tuple[Runbook, ...]:
    """Return all runbooks. Raises NotFoundError where they were not installed."""
    return RunbookFiles().runbooks()


def known(place: Place) -> Known:
    """Return what settings and record say of the service; a runbook is shown whatever is wrong with either."""
    try:
        environment = _environment(place)
        if place.config is None and not environment.config.exists():
            return Known({}, "no migrate.toml here: the names of the service are left open")
        settings = load(environment.config)
    except MigrateError as error:
        return Known({}, f"the names of the service are left open: {error}")
    region = effective_region(place.region, settings, environment)
    values = settings_values(settings, region)
    try:
        return Known({**values, **_recorded(environment, settings, region)})
    except MigrateError as error:
        return Known(values, f"what is on record is left open: {error}")


def _recorded(environment: Environment, settings: Settings, region: str | None) -> dict[str, str]:
    from migrate.adapters.store.record_store import SqlRecordStore
    from migrate.core.run.history import of_service

    with SqlRecordStore(environment.database_url) as store:
        found = of_service(settings.service, region, store.services())
        if len(found) != 1:
            return {}
        record = store.record(found[0])
        return {**(record_values(record) if record else {}), **run_values(store.runs(found[0]))}


def guided(
    place: Place, word: str, walked: tuple[Runbook, Section], companion: Companion, write: Callable[[str], object]
) -> GuidedWalk:
    """Return a walk through a section, for the service of the place; its commands act on the same place."""
    environment = _environment(place)
    book, section = walked
    values = known(place).values
    service = f"{values.get('CLUSTER', '-')}/{values.get('SERVICE', '-')}"
    return GuidedWalk(
        word=word,
        key=f"{service} {book.name}#{section.anchor}",
        section=section,
        values=values,
        companion=companion,
        runner=ShellCommands({**os.environ, **_meant(place, environment, values.get("REGION"))}, write),
        walks=WalkFile(environment.state_dir / WALKS_FILE),
        clock=SystemClock(),
        surrounding=frozenset(os.environ),
    )


def _meant(place: Place, environment: Environment, region: str | None) -> dict[str, str]:
    """Return the variables that make `migrate` and `aws` look where the operator pointed."""
    said = {
        "MIGRATE_CONFIG": str(environment.config) if place.config else None,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_PROFILE": place.profile,
    }
    return {name: value for name, value in said.items() if value}


def _environment(place: Place) -> Environment:
    return read_environment(os.environ, directory=Path.cwd(), config=place.config)
