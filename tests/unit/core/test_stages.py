from __future__ import annotations

import pytest

from migrate.core.stages import Position, Stage, may_apply, rollback_target
from migrate.errors import BlockedError
from tests.fakes.facts import record

ALL = [stage for stage in Stage if stage is not Stage.ORIGINAL]


@pytest.mark.parametrize("proven", list(Stage))
@pytest.mark.parametrize("stage", ALL)
def test_a_stage_may_start_when_the_one_before_it_is_proven(proven: Stage, stage: Stage) -> None:
    position = Position(proven=proven)
    if stage <= proven + 1:
        may_apply(position, stage)
        return
    with pytest.raises(BlockedError, match=f"Stage {stage.value} cannot start") as refused:
        may_apply(position, stage)
    assert f"--stage {proven + 1}" in refused.value.then
    assert refused.value.runbook == "errors#out-of-order"


@pytest.mark.parametrize("entered", ALL)
@pytest.mark.parametrize("stage", ALL)
def test_a_stage_that_was_begun_is_finished_before_any_other(entered: Stage, stage: Stage) -> None:
    position = Position(proven=entered.before, entered=entered)
    if stage is entered:
        may_apply(position, stage)
        return
    with pytest.raises(BlockedError, match=f"stage {entered.value} was begun"):
        may_apply(position, stage)


@pytest.mark.parametrize(
    ("position", "wish", "target"),
    [
        (Position(Stage.CAPACITY), None, Stage.ARCHITECTURE),
        (Position(Stage.BASELINE), None, Stage.ORIGINAL),
        (Position(Stage.ORIGINAL), None, Stage.ORIGINAL),
        (Position(Stage.IMAGE, entered=Stage.ARCHITECTURE), None, Stage.IMAGE),
        (Position(Stage.CAPACITY), Stage.ORIGINAL, Stage.ORIGINAL),
        (Position(Stage.CAPACITY), Stage.IMAGE, Stage.IMAGE),
        (Position(Stage.IMAGE, entered=Stage.ARCHITECTURE), Stage.IMAGE, Stage.IMAGE),
    ],
)
def test_a_rollback_leads_one_stage_down_or_where_it_is_told(
    position: Position, wish: Stage | None, target: Stage
) -> None:
    assert rollback_target(position, wish) is target


def test_there_is_no_rollback_upwards() -> None:
    with pytest.raises(BlockedError, match="nothing above stage 1"):
        rollback_target(Position(Stage.IMAGE), Stage.ARCHITECTURE)


def test_no_way_back_proves_a_stage_that_was_only_begun() -> None:
    with pytest.raises(BlockedError, match="Stage 2 was begun and is not proven") as refusal:
        rollback_target(Position(Stage.IMAGE, entered=Stage.ARCHITECTURE), Stage.ARCHITECTURE)
    assert "migrate apply --stage 2" in refusal.value.then


def test_entering_a_stage_again_takes_the_proof_of_it_and_of_all_above() -> None:
    proven = record().reached(Stage.CAPACITY, "D9")
    again = proven.entered(Stage.IMAGE)
    assert again.position == Position(Stage.BASELINE, entered=Stage.IMAGE)
    assert again.reached(Stage.IMAGE, None).last_deployment_id == "D9"


@pytest.mark.parametrize("stage", list(Stage))
def test_every_stage_has_a_title_and_an_end_of_its_rollback(stage: Stage) -> None:
    assert stage.title
    assert stage.before == max(stage - 1, Stage.ORIGINAL)
