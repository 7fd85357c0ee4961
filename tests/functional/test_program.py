"""A service that a Pulumi program of the team's holds: what the workflows make of it, whatever runs the program."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from migrate.core.settings import ProgramSettings, ServiceOwner, Settings
from migrate.core.stages import Stage
from migrate.errors import BlockedError, ExitCode
from migrate.render.program import program_document, program_plan
from migrate.render.text import shown
from migrate.workflows.finish import finish
from tests.fakes.migration import SETTINGS, Operator

PROGRAM = ProgramSettings("infra", "dev")
THEIRS: Settings = replace(
    SETTINGS, service=replace(SETTINGS.service, owner=ServiceOwner.PULUMI), program=PROGRAM, capacity_steps=()
)


def with_providers() -> Operator:
    operator = Operator.of(settings=THEIRS)
    operator.world.associate(("FARGATE", "FARGATE_SPOT"))
    return operator


def test_the_providers_of_a_cluster_are_not_added_to_a_teams_program() -> None:
    operator = Operator.of(settings=THEIRS)
    operator.world.associate(("FARGATE",))
    with pytest.raises(BlockedError, match="in its way") as refused:
        operator.apply(0)
    assert "[service.program-providers]" in refused.value.why
    assert "FARGATE_SPOT" in refused.value.why
    assert "up_service" not in operator.stacks.calls


def test_who_holds_the_service_stays_on_record() -> None:
    operator = with_providers().reach(1)
    operator.settings = SETTINGS
    with pytest.raises(BlockedError, match=r'begun with service\.owner = "pulumi"'):
        operator.apply(2)
    with pytest.raises(BlockedError, match=r'begun with service\.owner = "pulumi"'):
        operator.roll_back(Stage.ORIGINAL)


def test_what_stays_in_the_program_is_told_at_the_end() -> None:
    operator = with_providers().reach(3)
    outcome = finish(operator.runtime, operator.durable, operator.run("finish", 3))
    assert outcome.exit_code is ExitCode.DONE
    assert "migrate:architecture, migrate:arm64Revision, migrate:capacity" in outcome.reasons[0]
    assert "stack dev" in outcome.reasons[0]


@pytest.mark.parametrize("program", [PROGRAM, replace(PROGRAM, image=True, namespace="shop")], ids=["service", "image"])
def test_a_plan_shows_what_each_stage_sets(program: ProgramSettings, snapshot: SnapshotAssertion) -> None:
    operator = with_providers()
    record, settings = operator.plan().record, replace(THEIRS, program=program)
    assert shown(program_plan(record, settings, program), width=100, colour=False) == snapshot
    assert program_document(record, settings, program) == snapshot


def test_a_plan_on_the_way_shows_what_is_left_by_what_was_made() -> None:
    operator = with_providers().reach(1)
    told = shown(program_plan(operator.record, THEIRS, PROGRAM), width=100, colour=False)
    assert "stage 0" not in told
    assert "<digest" not in told
    assert program_document(operator.record, THEIRS, PROGRAM)["stages"][1]["configuration"]["migrate:deployment"] == (
        operator.record.index.digest if operator.record.index else ""
    )
