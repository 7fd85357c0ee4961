"""A Pulumi program of a team's goes through all stages and back; nothing else of it changes, and nothing else may."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Operator
from tests.e2e.team_program import STACK, TeamProgram

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def test_a_teams_program_goes_through_all_stages_and_back_and_keeps_all_else(operator: Operator) -> None:
    program = TeamProgram.written(operator)
    program.pulumi("stack", "init", STACK)
    program.pulumi("up", "--yes", "--skip-preview", "--stack", STACK)
    program.steady()
    before, written = program.foreign(), program.file.read_text(encoding="utf-8")
    (_, definition), tag = program.described(), operator.tag()

    program.change()
    operator.done("apply", "--stage", "0", "--yes")
    operator.done("apply", "--stage", "1", "--yes")
    _a_foreign_change_in_the_same_up_is_refused(program)
    operator.done("apply", "--stage", "2", "--yes")
    operator.done("apply", "--stage", "3", "--yes")
    assert program.foreign() == before
    service, revision = program.described()
    assert revision["runtimePlatform"]["cpuArchitecture"] == "ARM64"
    assert {item["capacityProvider"] for item in service["capacityProviderStrategy"]} == {"FARGATE", "FARGATE_SPOT"}
    assert _beside_ours(program) == written

    operator.done("rollback", "--to", "original", "--yes")
    assert program.foreign() == before
    service, revision = program.described()
    assert (service["launchType"], service.get("capacityProviderStrategy", [])) == ("FARGATE", [])
    assert revision == definition
    assert operator.tag() == tag
    assert _beside_ours(program) == written


def _a_foreign_change_in_the_same_up_is_refused(program: TeamProgram) -> None:
    state, configuration = program.exported(), program.file.read_bytes()
    program.change(team="jobs")
    refused = program.operator.run("apply", "--stage", "2", "--yes")
    assert refused.code != 0, refused.said
    assert "receipts (aws:s3/bucket:Bucket): it is none of the service's" in refused.said
    assert (program.exported(), program.file.read_bytes()) == (state, configuration)
    program.change()


def _beside_ours(program: TeamProgram) -> str:
    """Return the stack's configuration without what the tool has set."""
    lines = program.file.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("  migrate:"))
