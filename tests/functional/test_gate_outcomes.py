"""How a stage ends that does not prove itself: rolled back, held, or rolled back in vain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from migrate.core.evidence import EventKind
from migrate.core.gate.gate import Verdict
from migrate.core.stages import Position, Stage
from migrate.errors import AccessError, BlockedError, ExitCode, WorldChangedError
from tests.fakes.aws_simulation import Fate
from tests.fakes.migration import Operator

REFUSED = AccessError("AWS refused the call.", why="ThrottlingException", then="Try again.")


def fails(fate: Fate) -> Callable[[Operator], None]:
    return lambda operator: operator.world.next_deployment(fate)


def fails_without_breaker_rollback(operator: Operator) -> None:
    operator.world.demo.breaker_rolls_back = False
    operator.world.next_deployment(Fate.EXEC_FORMAT)


def alarm_during_the_soak(operator: Operator) -> None:
    operator.world.script_alarm("web-errors", "ALARM", after=timedelta(minutes=3))


def targets_turn_unhealthy(operator: Operator) -> None:
    def sicken() -> None:
        operator.world.demo.primary.fate = Fate.UNHEALTHY

    operator.world.demo.breaker = False
    operator.world.clock.after(timedelta(minutes=3), sicken)


FAILURES = {
    "no image for the platform": fails(Fate.NO_PLATFORM),
    "exec format error": fails(Fate.EXEC_FORMAT),
    "unhealthy tasks": fails(Fate.UNHEALTHY),
    "stalled by the breaker": fails_without_breaker_rollback,
    "an alarm in the soak": alarm_during_the_soak,
    "targets that turn unhealthy": targets_turn_unhealthy,
}


@pytest.mark.parametrize("stage", [1, 2, 3])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failing_gate_rolls_its_stage_back_by_itself(stage: int, failure: str) -> None:
    operator = Operator.of().reach(stage - 1)
    before, tag = operator.status(), operator.tag
    FAILURES[failure](operator)
    outcome = operator.apply(stage)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert operator.verdicts() == [Verdict.FAIL, Verdict.PASS]
    assert f"rolled back to stage {stage - 1}" in outcome.text
    assert outcome.reasons
    after = operator.status()
    assert (after.revision, after.split, after.architectures) == (before.revision, before.split, before.architectures)
    assert operator.tag == tag
    assert after.position == Position(Stage(stage - 1))
    assert after.drift == ()


def test_a_baseline_that_fails_gives_the_launch_type_back() -> None:
    operator = Operator.of()
    operator.world.next_deployment(Fate.EXEC_FORMAT)
    outcome = operator.apply(0)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert (operator.service.launch_type, operator.service.strategy) == ("FARGATE", ())
    assert operator.record.position == Position()


def test_a_stage_that_was_rolled_back_can_be_applied_again() -> None:
    operator = Operator.of().reach(1)
    operator.world.next_deployment(Fate.EXEC_FORMAT)
    assert operator.apply(2).exit_code is ExitCode.ROLLED_BACK
    revisions = len(operator.world.revisions)
    assert operator.apply(2).exit_code is ExitCode.DONE
    assert len(operator.world.revisions) == revisions


def test_c31_a_rollback_by_ecs_is_told_with_the_events_of_the_service() -> None:
    operator = Operator.of().reach(1)
    operator.world.next_deployment(Fate.EXEC_FORMAT)
    outcome = operator.apply(2)
    assert "no longer PRIMARY" in outcome.reasons[0]
    measured = [event.data for event in operator.events() if event.kind is EventKind.MEASUREMENT]
    assert any("has started a deployment" in text for text in measured)
    assert operator.stacks.calls.count("refresh") == 1


@pytest.mark.parametrize("fate", [Fate.EXEC_FORMAT, Fate.STUCK, Fate.UNHEALTHY])
def test_c59_a_rollback_that_fails_is_the_loudest_end_and_names_what_runs(fate: Fate) -> None:
    operator = Operator.of().reach(1)
    operator.world.next_deployment(Fate.EXEC_FORMAT)
    # What ran so well until now cannot be started again: its image or its capacity has gone.
    operator.world.demo.primary.fate = fate
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.ROLLBACK_INCOMPLETE, outcome
    assert "ROLLBACK NOT COMPLETE" in outcome.text
    assert "of 4 tasks of arn:aws:ecs:" in outcome.text
    assert outcome.runbook == "incident#rollback-incomplete"
    assert operator.record.position.entered is Stage.ARCHITECTURE


def test_a_rollback_that_cannot_reach_aws_says_so() -> None:
    operator = Operator.of().reach(1)
    operator.world.next_deployment(Fate.EXEC_FORMAT)
    operator.world.refuse("refresh", REFUSED)
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.ROLLBACK_INCOMPLETE
    assert any("AWS refused the call." in reason for reason in outcome.reasons)


def test_an_incomplete_rollback_can_be_finished_by_hand() -> None:
    operator = Operator.of().reach(1)
    operator.world.next_deployment(Fate.EXEC_FORMAT)
    operator.world.refuse("refresh", REFUSED)
    operator.apply(2)
    assert operator.roll_back().exit_code is ExitCode.DONE
    assert operator.status().position == Position(Stage.IMAGE)


def stuck(operator: Operator) -> None:
    operator.world.next_deployment(Fate.STUCK)


def scaled_to_nothing(operator: Operator) -> None:
    operator.world.clock.after(timedelta(minutes=1), partial(operator.world.scale, 0))


def alarm_falls_silent(operator: Operator) -> None:
    operator.world.script_alarm("web-errors", "INSUFFICIENT_DATA", after=timedelta(minutes=1))


def alarm_disappears(operator: Operator) -> None:
    operator.world.clock.after(timedelta(minutes=1), partial(operator.world.remove_alarm, "web-errors"))


def credentials_expire(operator: Operator) -> None:
    operator.world.clock.after(timedelta(minutes=1), partial(operator.world.refuse, "target_health", REFUSED, times=9))


@pytest.mark.parametrize("stage", [1, 2, 3])
@pytest.mark.parametrize(
    ("undecided", "verdict"),
    [
        (stuck, Verdict.INCONCLUSIVE),
        (scaled_to_nothing, Verdict.INCONCLUSIVE),
        (alarm_falls_silent, Verdict.INCONCLUSIVE),
        (alarm_disappears, Verdict.INCONCLUSIVE),
        (credentials_expire, Verdict.ERROR),
    ],
)
def test_what_the_evidence_does_not_decide_is_held_and_nothing_undone(
    stage: int, undecided: Callable[[Operator], None], verdict: Verdict
) -> None:
    operator = Operator.of().reach(stage - 1)
    undecided(operator)
    outcome = operator.apply(stage)
    if undecided is stuck and stage == Stage.CAPACITY:
        # A lack of capacity is no doubt where the way back gives capacity and keeps ARM64: tested with case C60.
        assert outcome.exit_code is ExitCode.ROLLED_BACK
        return
    assert (outcome.exit_code, operator.verdicts()) == (ExitCode.HELD, [verdict]), outcome
    assert outcome.reasons
    assert outcome.runbook == "errors#held"
    assert "refresh" not in operator.stacks.calls
    assert operator.record.position == Position(Stage(stage - 1), entered=Stage(stage))
    assert operator.record.last_deployment_id != operator.service.deployments[0].id


def test_a_held_stage_can_be_taken_up_and_proven() -> None:
    operator = Operator.of().reach(1)
    alarm_falls_silent(operator)
    operator.apply(2)
    held = operator.service.primary
    operator.world.script_alarm("web-errors", "OK")
    assert operator.apply(2).exit_code is ExitCode.DONE
    assert operator.service.primary == held


def test_a_held_stage_can_be_rolled_back_instead() -> None:
    operator = Operator.of().reach(1)
    stuck(operator)
    operator.apply(2)
    assert operator.roll_back().exit_code is ExitCode.DONE
    assert operator.status().architectures == (("x86_64", 4),)


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_c43_a_service_that_somebody_deployed_stops_the_next_stage(stage: int) -> None:
    operator = Operator.of()
    operator.plan()
    operator.reach(stage - 1)
    operator.world.deploy()
    operator.world.pass_time(timedelta(minutes=10))
    before = list(operator.world.writes)
    with pytest.raises(WorldChangedError) as refused:
        operator.apply(stage)
    assert "web:" in refused.value.why
    assert operator.world.writes == before


def test_c43_a_revision_deployed_during_a_gate_is_not_undone() -> None:
    operator = Operator.of().reach(1)
    operator.world.clock.after(timedelta(minutes=1), operator.world.deploy)
    outcome = operator.apply(2)
    theirs = operator.service.task_definition_arn
    assert outcome.exit_code is ExitCode.HELD, outcome
    assert f"the service runs {theirs}, which this migration did not deploy" in outcome.reasons
    assert theirs.endswith("web:3")
    with pytest.raises(WorldChangedError):
        operator.roll_back()
    assert operator.service.task_definition_arn == theirs


def test_c43_a_rollback_does_not_go_behind_somebody_elses_revision() -> None:
    operator = Operator.of().reach(2)
    operator.world.deploy()
    with pytest.raises(WorldChangedError, match="Somebody else changed the service"):
        operator.roll_back()


def test_a_first_try_that_was_refused_binds_nobody() -> None:
    operator = Operator.of()
    operator.world.refuse("preview_service", REFUSED)
    with pytest.raises(AccessError):
        operator.apply(0)
    operator.world.deploy()
    operator.world.pass_time(timedelta(minutes=10))
    operator.plan()
    assert operator.apply(0).exit_code is ExitCode.DONE
    assert operator.record.baseline.task_definition.revision == 2


def test_an_alarm_that_fires_already_blocks_every_stage() -> None:
    operator = Operator.of().reach(0)
    operator.world.script_alarm("web-errors", "ALARM")
    with pytest.raises(BlockedError) as refused:
        operator.apply(1)
    assert "alarms.firing" in refused.value.why
