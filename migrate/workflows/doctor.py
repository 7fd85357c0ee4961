"""Looks whether this machine has what a migration needs: nothing is changed, and nothing that fails hides the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from migrate.core.build.facts import Builder
from migrate.core.doctor import (
    Diagnoses,
    Diagnosis,
    Health,
    of_builder,
    of_clock,
    of_disk,
    of_error,
    of_permissions,
    of_plugin,
    of_schema,
)
from migrate.core.facts import Account
from migrate.core.permission.answers import PermissionAnswers, is_root, questions, simulated_principal
from migrate.core.permission.policy import without_use
from migrate.core.settings import ImageMode, ProgramSettings, Settings
from migrate.core.stages import Stage
from migrate.errors import AccessError, MigrateError
from migrate.ports import Clock
from migrate.workflows.permissions import read_scope
from migrate.workflows.runtime import Readers

_STAGES = tuple(stage for stage in Stage if stage is not Stage.ORIGINAL)
_NO_SETTINGS = "There is no migrate.toml here."
_ILL_SETTINGS = "The settings cannot be read."


@dataclass(frozen=True, slots=True)
class Machine:
    """What may be asked of a machine; each question may raise a MigrateError, which is then the diagnosis.

    ``settings`` returns None where there is no file. ``plugins`` are name, version wanted, and where it was found.
    ``answered_at`` is what AWS's clock said. ``schema`` is the database's name, the version of its tables (None: it is
    not there yet) and the newest one known. ``program`` reads the stack of a team's program and tells of it.
    ``disk`` is a folder and the bytes that are free there.
    """

    programs: str
    settings: Callable[[], Settings | None]
    pulumi: Callable[[], str]
    plugins: Callable[[], tuple[tuple[str, str, str], ...]]
    builder: Callable[[str | None], Builder]
    account: Callable[[], Account]
    answered_at: Callable[[], datetime]
    readers: Callable[[], AbstractContextManager[Readers]]
    schema: Callable[[], tuple[str, int | None, int]]
    backend: Callable[[], str]
    program: Callable[[ProgramSettings], str]
    disk: Callable[[], tuple[str, int]]
    clock: Clock


def diagnose(machine: Machine) -> Diagnoses:
    """Look at everything, in the order in which a migration meets it."""
    return Diagnoses(tuple(_diagnosed(machine)))


def _diagnosed(machine: Machine) -> Iterator[Diagnosis]:
    yield Diagnosis("migrate", Health.WELL, machine.programs)
    settings, told = _settings(machine)
    yield told
    yield _looked("pulumi", lambda: Diagnosis("pulumi", Health.WELL, machine.pulumi()))
    for name, wanted, place in machine.plugins():
        yield of_plugin(name, wanted, place)
    yield _looked("builder", lambda: _builder(machine, settings))
    account = _looked("aws", lambda: _account(machine))
    yield account
    yield _clock(machine, account)
    yield from _of_the_service(machine, settings, told, account)
    yield _looked("database", lambda: of_schema(*machine.schema()))
    yield _looked("backend", lambda: Diagnosis("backend", Health.WELL, machine.backend()))
    program = settings.program if settings else None
    if program is not None:
        yield _looked("program", lambda: Diagnosis("program", Health.WELL, machine.program(program)))
    yield of_disk(*machine.disk())


def _settings(machine: Machine) -> tuple[Settings | None, Diagnosis]:
    try:
        settings = machine.settings()
    except MigrateError as error:
        return None, of_error("settings", error)
    if settings is None:
        then = "`migrate init` writes one; what depends on the service is left out here."
        return None, Diagnosis("settings", Health.SKIPPED, _NO_SETTINGS, then)
    return settings, Diagnosis("settings", Health.WELL, f"{settings.service.cluster}/{settings.service.name}")


def _builder(machine: Machine, settings: Settings | None) -> Diagnosis:
    if settings is not None and settings.image.mode is ImageMode.EXTERNAL:
        return Diagnosis("builder", Health.SKIPPED, "Not needed: image.mode is external.")
    return of_builder(machine.builder(settings.image.builder if settings else None))


def _account(machine: Machine) -> Diagnosis:
    account = machine.account()
    return Diagnosis("aws", Health.WELL, f"{account.caller_arn} in {account.region}")


def _clock(machine: Machine, account: Diagnosis) -> Diagnosis:
    """Judge the clock also where AWS refuses the credentials: it may be the reason."""
    try:
        return of_clock(machine.clock.now() - machine.answered_at())
    except MigrateError as error:
        known = account.health is Health.ILL
        return Diagnosis("clock", Health.SKIPPED, "AWS does not answer.") if known else of_error("clock", error)


def _of_the_service(
    machine: Machine, settings: Settings | None, told: Diagnosis, account: Diagnosis
) -> Iterator[Diagnosis]:
    """Yield what can only be asked where there are settings and AWS answers."""
    if settings is None or account.health is not Health.WELL:
        unread = _ILL_SETTINGS if told.health is Health.ILL else _NO_SETTINGS
        why = unread if settings is None else "AWS does not answer."
        yield from (Diagnosis(subject, Health.SKIPPED, why) for subject in ("service", "permissions"))
        return
    try:
        with machine.readers() as readers:
            found = readers.services.service(settings.service.cluster, settings.service.name)
            text = f"{found.arn}, {found.running_count} of {found.desired_count} tasks run"
            yield Diagnosis("service", Health.WELL, text)
            yield _looked("permissions", lambda: of_permissions(_answers(readers)))
    except MigrateError as error:
        yield of_error("service", error)


def _answers(readers: Readers) -> PermissionAnswers:
    caller = readers.services.account().caller_arn
    principal = simulated_principal(caller)
    if is_root(caller) or principal is None:
        return PermissionAnswers(
            caller, problem="it simulates users and roles only, and these credentials are neither."
        )
    asked = questions(_STAGES, read_scope(readers), not_needed=without_use(readers.settings))
    try:
        return readers.permissions.answers(principal, asked)
    except AccessError as error:
        return PermissionAnswers(principal, problem=str(error))


def _looked(subject: str, look: Callable[[], Diagnosis]) -> Diagnosis:
    try:
        return look()
    except MigrateError as error:
        return of_error(subject, error)
