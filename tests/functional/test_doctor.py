"""`migrate doctor` over a machine that is well, and over ones that lack something: no failure hides the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from syrupy.assertion import SnapshotAssertion

from migrate.core.doctor import Diagnoses, Diagnosis, Health
from migrate.core.settings import ImageMode, ProgramSettings, Settings
from migrate.errors import AccessError, EngineError, ExitCode, MigrateError, SettingsError
from migrate.render.doctor import diagnoses
from migrate.render.text import shown
from migrate.workflows.doctor import Machine, diagnose
from migrate.workflows.runtime import Readers
from tests.fakes.migration import Operator

GONE = AccessError("It is gone.", then="Look.", runbook="errors#access")


def machine(operator: Operator | None = None) -> Machine:
    found = operator or Operator.of()
    clock = found.world.clock

    @contextmanager
    def readers() -> Iterator[Readers]:
        yield found.runtime

    return Machine(
        programs="0.1.0, Python 3.13.0 on Linux x86_64",
        settings=lambda: found.settings,
        pulumi=lambda: "3.274.1, /usr/bin/pulumi",
        plugins=lambda: (("aws", "7.51.1", "/plugins/aws"), ("docker-build", "0.0.22", "/plugins/docker-build")),
        builder=found.builds.builder,
        account=found.runtime.services.account,
        answered_at=clock.now,
        readers=readers,
        schema=lambda: ("sqlite:////state/migrate.sqlite", 4, 4),
        backend=lambda: "s3://bucket, as ada",
        program=lambda program: f"stack {program.stack} of /{program.directory}, entries in its state: 9",
        disk=lambda: ("/state", 9 << 30),
        clock=clock,
    )


def raising(error: MigrateError) -> Callable[..., Any]:
    def raised(*_: object) -> Any:
        raise error

    return raised


def by_subject(found: Diagnoses) -> dict[str, Diagnosis]:
    return {item.subject: item for item in found.found}


def test_a_machine_that_is_well(snapshot: SnapshotAssertion) -> None:
    found = diagnose(machine())
    assert found.exit_code is ExitCode.DONE
    assert {item.health for item in found.found} == {Health.WELL}
    assert shown(diagnoses(found), width=100, colour=False) == snapshot


def test_a_bare_machine_is_told_all_that_it_lacks(snapshot: SnapshotAssertion) -> None:
    engine = EngineError("The Pulumi command line was not found.", then="Install Pulumi.", runbook="errors#engine")
    bare = replace(
        machine(),
        settings=lambda: None,
        pulumi=raising(engine),
        plugins=lambda: (("aws", "7.51.1", ""),),
        account=raising(GONE),
        answered_at=raising(GONE),
        schema=lambda: ("sqlite:////state/migrate.sqlite", None, 4),
        backend=raising(GONE),
        disk=lambda: ("/state", 1 << 20),
    )
    found = diagnose(bare)
    assert found.exit_code is ExitCode.BLOCKED
    assert all(item.then for item in found.found if item.health in (Health.ILL, Health.DOUBTFUL))
    assert shown(diagnoses(found), width=80, colour=False) == snapshot


def test_a_clock_that_is_off_is_found_though_aws_refuses_it() -> None:
    off = machine()
    behind = replace(off, account=raising(GONE), answered_at=lambda: off.clock.now() + timedelta(minutes=20))
    found = by_subject(diagnose(behind))
    assert (found["aws"].health, found["clock"].health) == (Health.ILL, Health.ILL)
    assert "1200 s behind" in found["clock"].text
    assert found["service"].health is Health.SKIPPED


def test_settings_that_cannot_be_read_hide_nothing_else() -> None:
    broken = replace(machine(), settings=raising(SettingsError("No TOML.", then="Mend it.")))
    found = by_subject(diagnose(broken))
    assert found["settings"].health is Health.ILL
    assert found["permissions"].health is Health.SKIPPED
    assert found["permissions"].text == "The settings cannot be read.", "and not that there are none"
    assert found["aws"].health is Health.WELL


def test_a_service_that_is_not_there_and_permissions_that_are_missing() -> None:
    operator = Operator.of()
    operator.settings = replace(operator.settings, service=replace(operator.settings.service, name="no"))
    assert by_subject(diagnose(machine(operator)))["service"].health is Health.ILL
    denied = Operator.of()
    denied.permissions.denials["ecr:PutImage"] = ("implicitDeny", ())
    found = by_subject(diagnose(machine(denied)))["permissions"]
    assert found.health is Health.DOUBTFUL
    assert "ecr:PutImage" in found.text


def test_no_builder_is_needed_where_another_builds() -> None:
    operator = Operator.of()
    external: Settings = replace(operator.settings, image=replace(operator.settings.image, mode=ImageMode.EXTERNAL))
    operator.settings = external
    asked = replace(machine(operator), builder=raising(GONE))
    assert by_subject(diagnose(asked))["builder"].health is Health.SKIPPED


def test_iam_that_may_not_be_asked_is_no_illness() -> None:
    operator = Operator.of()
    operator.permissions.refuses = True
    assert by_subject(diagnose(machine(operator)))["permissions"].health is Health.SKIPPED


def test_a_teams_program_is_looked_for_where_one_is_named() -> None:
    operator = Operator.of()
    assert "program" not in by_subject(diagnose(machine(operator)))
    operator.settings = replace(operator.settings, program=ProgramSettings("infra", "dev"))
    found = by_subject(diagnose(machine(operator)))["program"]
    assert (found.health, found.text) == (Health.WELL, "stack dev of /infra, entries in its state: 9")
    missing = diagnose(replace(machine(operator), program=raising(GONE)))
    assert (missing.exit_code, by_subject(missing)["program"].runbook) == (ExitCode.BLOCKED, "errors#access")
