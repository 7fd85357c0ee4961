"""The composition root of `migrate doctor`: every question is asked for itself, so that none can hide another."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from migrate import __version__
from migrate.adapters.aws.session import AwsSession, open_session
from migrate.adapters.aws.sts import answered_at, caller
from migrate.adapters.builder.reader import LocalBuildReader
from migrate.adapters.pulumi import tools
from migrate.adapters.rate_limits import PROCESS_LIMITS
from migrate.adapters.store.database import Database
from migrate.adapters.system_clock import SystemClock
from migrate.config import effective_region, load, read_environment
from migrate.core.settings import ProgramSettings, Settings
from migrate.errors import MigrateError
from migrate.wiring import Place, opened_place
from migrate.workflows.doctor import Machine
from migrate.workflows.runtime import Readers


def machine(place: Place) -> Machine:
    """Return this machine, as a migration of ``place`` would find it. Raises SettingsError (database URL)."""
    environment = read_environment(os.environ, directory=Path.cwd(), config=place.config)
    variables = dict(os.environ)

    @cache
    def settings() -> Settings | None:
        given = place.config is not None or environment.config.exists()
        return load(environment.config) if given else None

    def region() -> str | None:
        try:
            known = settings()
        except MigrateError:
            known = None
        return effective_region(place.region, known, environment) if known else place.region or environment.region

    @cache
    def session() -> AwsSession:
        return open_session(region(), environment=os.environ, profile=place.profile, limits=PROCESS_LIMITS)

    @contextmanager
    def readers() -> Iterator[Readers]:
        with opened_place(place) as opened:
            yield opened.readers

    def schema() -> tuple[str, int | None, int]:
        database = Database(environment.database_url)
        try:
            return database.name, *database.schema()
        finally:
            database.close()

    def disk() -> tuple[str, int]:
        folder = next(item for item in (environment.state_dir, *environment.state_dir.parents) if item.exists())
        return str(folder), shutil.disk_usage(folder).free

    def program(wanted: ProgramSettings) -> str:
        return tools.program(environment.config.parent / wanted.directory, wanted.stack, variables)

    return Machine(
        programs=f"{__version__}, Python {platform.python_version()} on {platform.system()} {platform.machine()}",
        settings=settings,
        pulumi=lambda: tools.pulumi(variables),
        plugins=lambda: tools.plugins(variables),
        builder=LocalBuildReader(variables).builder,
        account=lambda: caller(session()),
        answered_at=lambda: answered_at(session()),
        readers=readers,
        schema=schema,
        backend=lambda: tools.backend(environment.state_dir, variables),
        program=program,
        disk=disk,
        clock=SystemClock(),
    )
