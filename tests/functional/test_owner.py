"""A service that somebody else's code deploys: this tool waits, proves that it is the planned change, and judges."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from migrate.core.evidence import Run
from migrate.core.facts import StrategyItem
from migrate.core.gate.gate import Verdict
from migrate.core.judgement import Judgement
from migrate.core.outcome import RunOutcome
from migrate.core.plan.detail import stage_details
from migrate.core.run.orders import Choice, Order
from migrate.core.run.unfinished import interrupted
from migrate.core.settings import ServiceOwner
from migrate.core.stages import Position, Stage
from migrate.core.surroundings import ScalableTarget
from migrate.errors import BlockedError, ExitCode, WorldChangedError
from migrate.workflows.apply import apply_stage
from migrate.workflows.finish import finish
from migrate.workflows.judge import judge_now
from migrate.workflows.orders import GivenOrders
from tests.fakes.aws_simulation import Fate
from tests.fakes.clock import NOON
from tests.fakes.migration import SETTINGS
from tests.fakes.mortal_steps import Died, MortalSteps
from tests.fakes.service_owner import LATER, ON_DEMAND, Owner

SPOT = (StrategyItem("FARGATE", weight=1, base=1), StrategyItem("FARGATE_SPOT", weight=3))


def writes_of_ours(owner: Owner) -> list[str]:
    guard = f"tag {owner.operator.record.baseline.image.guard_tag}"
    return [write for write in owner.operator.world.writes if write not in ("update service", guard)]


def test_all_stages_and_all_the_way_back_by_the_owners_hand() -> None:
    owner = Owner.of_the_demo().reach(3)
    operator = owner.operator
    assert operator.record.position == Position(proven=Stage.CAPACITY)
    assert {task.architecture for task in operator.tasks} == {"arm64"}
    owner.later(lambda: owner.deploy(architecture="X86_64", strategy=ON_DEMAND))
    back = operator.roll_back(Stage.IMAGE)
    assert (back.exit_code, back.stage) == (ExitCode.DONE, Stage.IMAGE)
    assert {task.architecture for task in operator.tasks} == {"x86_64"}
    owner.later(lambda: owner.deploy(strategy=()))
    back = operator.roll_back(Stage.ORIGINAL)
    assert (back.exit_code, back.stage) == (ExitCode.DONE, Stage.ORIGINAL)
    assert operator.service.launch_type == "FARGATE"
    assert operator.stacks.calls == []
    assert writes_of_ours(owner) == []


def test_a_deployment_that_arrived_before_is_taken_as_it_is() -> None:
    owner = Owner.of_the_demo().reach(1)
    deployment = owner.deploy(architecture="ARM64")
    outcome = owner.operator.apply(2)
    assert outcome.exit_code is ExitCode.DONE, outcome
    assert owner.operator.record.last_deployment_id == deployment


def test_the_wait_says_what_it_waits_for() -> None:
    owner = Owner.of_the_demo().reach(1)
    owner.later(lambda: owner.deploy(architecture="ARM64"))
    owner.operator.apply(2)
    told = [event.text for event in owner.operator.events()]
    assert any("wait for the owner's deployment of stage 2 (architecture): runtimePlatform" in text for text in told)


def test_the_wait_ends_at_its_deadline_and_goes_on_with_the_same_command() -> None:
    owner = Owner.of_the_demo().reach(1)
    began = owner.operator.world.clock.now()
    outcome = owner.operator.apply(2)
    assert (outcome.exit_code, outcome.runbook) == (ExitCode.HELD, "errors#owner-waits")
    assert "runtimePlatform.cpuArchitecture ARM64" in outcome.reasons[0]
    waited = owner.operator.world.clock.now() - began
    assert timedelta(hours=1) <= waited < timedelta(hours=1, minutes=5)
    owner.deploy(architecture="ARM64")
    assert owner.operator.apply(2).exit_code is ExitCode.DONE


def test_ctrl_c_ends_the_wait_and_it_can_be_taken_up() -> None:
    owner = Owner.of_the_demo().reach(1)
    owner.operator.world.clock.stop_after(timedelta(minutes=2))
    assert owner.operator.apply(2).exit_code is ExitCode.INTERRUPTED
    owner.later(lambda: owner.deploy(architecture="ARM64"))
    assert owner.operator.apply(2).exit_code is ExitCode.DONE


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "image": ({"image": "example.com/other:2"}, "image was "),
    "environment": ({"environment": [{"name": "TOKEN", "value": "s3cret"}]}, "environment"),
    "port": ({"portMappings": [{"containerPort": 9090}]}, "portMappings"),
}


@pytest.mark.parametrize("arrived", [True, False], ids=["before", "meanwhile"])
@pytest.mark.parametrize("wrong", WRONG)
def test_another_change_of_the_container_beside_the_planned_one_is_refused(wrong: str, arrived: bool) -> None:
    owner = Owner.of_the_demo().reach(1)
    changes, told = WRONG[wrong]

    def deploy() -> None:
        owner.deploy(architecture="ARM64", containerDefinitions=owner.container(**changes))

    if arrived:
        deploy()
        with pytest.raises(WorldChangedError) as refused:
            owner.operator.apply(2)
        assert "web" in refused.value.why
        assert owner.operator.record.position == Position(proven=Stage.IMAGE)
        return
    owner.later(deploy)
    outcome = owner.operator.apply(2)
    assert (outcome.exit_code, outcome.runbook) == (ExitCode.WORLD_CHANGED, "errors#owner-change")
    assert told in outcome.reasons[0]
    assert "s3cret" not in str(outcome)
    assert owner.operator.record.position.proven is Stage.IMAGE


@pytest.mark.parametrize("arrived", [True, False], ids=["before", "meanwhile"])
def test_another_count_beside_the_planned_change_is_refused(arrived: bool) -> None:
    owner = Owner.of_the_demo().reach(1)

    def deploy() -> None:
        owner.operator.world.scale(2)
        owner.deploy(architecture="ARM64")

    if arrived:
        deploy()
    else:
        owner.later(deploy)
    outcome = owner.operator.apply(2)
    assert outcome.exit_code is ExitCode.WORLD_CHANGED
    assert "desiredCount was 4 and is 2" in outcome.reasons[0]


def test_a_count_that_changed_between_two_stages_is_nobodys_wrong() -> None:
    owner = Owner.of_the_demo().reach(1)
    owner.operator.world.scale(2)
    owner.operator.world.pass_time(timedelta(minutes=10))
    owner.later(lambda: owner.deploy(architecture="ARM64"))
    assert owner.operator.apply(2).exit_code is ExitCode.DONE


def test_two_stages_in_one_deployment_are_refused() -> None:
    owner = Owner.of_the_demo().reach(1)
    owner.later(lambda: owner.deploy(architecture="ARM64", strategy=SPOT))
    outcome = owner.operator.apply(2)
    assert outcome.exit_code is ExitCode.WORLD_CHANGED
    assert "its capacity is" in outcome.reasons[0]


def test_a_failed_gate_is_held_and_tells_the_way_back_in_the_owners_language() -> None:
    owner = Owner.of_the_demo().reach(1)
    owner.operator.world.script_alarm("web-errors", "ALARM", after=timedelta(minutes=5))
    owner.later(lambda: owner.deploy(architecture="ARM64"))
    outcome = owner.operator.apply(2)
    assert (outcome.exit_code, outcome.runbook) == (ExitCode.HELD, "rollback#owner")
    assert 'cpu_architecture        = "X86_64"' in outcome.then
    assert "migrate rollback --to-stage 1" in outcome.then
    owner.operator.world.script_alarm("web-errors", "OK")
    owner.later(lambda: owner.deploy(architecture="X86_64"))
    assert owner.operator.roll_back().exit_code is ExitCode.DONE
    assert owner.operator.record.position == Position(proven=Stage.IMAGE)


def test_stop_on_failure_stops_the_deployment_and_proves_what_ecs_brings_back() -> None:
    owner = Owner.of_the_demo().reach(1)
    owner.operator.world.script_alarm("web-errors", "ALARM", after=LONG_BEFORE_COMPLETE)

    def deploy() -> None:
        owner.operator.world.next_deployment(Fate.STUCK)
        owner.deploy(architecture="ARM64")

    owner.later(deploy)
    outcome = owner.operator.apply(2, stop_on_failure=True)
    assert (outcome.exit_code, outcome.stage) == (ExitCode.ROLLED_BACK, Stage.IMAGE), outcome
    assert "stop deployment" in owner.operator.world.writes
    assert {task.architecture for task in owner.operator.tasks} == {"x86_64"}
    assert 'cpu_architecture        = "X86_64"' in outcome.then


LONG_BEFORE_COMPLETE = timedelta(minutes=3, seconds=20)


def test_stop_on_failure_stops_a_deployment_of_something_else() -> None:
    owner = Owner.of_the_demo().reach(1)
    owner.later(lambda: owner.deploy(architecture="ARM64", containerDefinitions=owner.container(cpu=64)))
    outcome = owner.operator.apply(2, stop_on_failure=True)
    assert outcome.exit_code is ExitCode.WORLD_CHANGED
    assert "stop deployment" in owner.operator.world.writes


def test_the_owner_may_deploy_the_same_thing_again_between_two_stages() -> None:
    owner = Owner.of_the_demo().reach(2)
    owner.deploy()
    owner.operator.world.pass_time(timedelta(minutes=10))
    assert owner.operator.status().drift == ()
    owner.later(lambda: owner.deploy(strategy=owner.operator.settings.capacity))
    assert owner.operator.apply(3).exit_code is ExitCode.DONE


def test_an_owner_who_went_back_by_himself_is_seen() -> None:
    owner = Owner.of_the_demo().reach(2)
    owner.deploy(architecture="X86_64")
    assert any("X86_64" in line for line in owner.operator.status().drift)


def test_stage_3_waits_for_each_step() -> None:
    owner = Owner.of_the_demo(capacity_steps=(50,)).reach(2)
    first = (StrategyItem("FARGATE", weight=5, base=1), StrategyItem("FARGATE_SPOT", weight=3))
    owner.later(lambda: owner.deploy(strategy=first))
    owner.later(lambda: owner.deploy(strategy=SPOT), after=timedelta(minutes=20))
    outcome = owner.operator.apply(3)
    assert outcome.exit_code is ExitCode.DONE, outcome
    assert [str(verdict) for verdict in owner.operator.verdicts()] == ["pass", "pass"]


def test_a_migration_keeps_the_owner_that_it_was_begun_with() -> None:
    owner = Owner.of_the_demo().reach(0)
    service = replace(owner.operator.settings.service, owner=ServiceOwner.MIGRATE)
    owner.operator.settings = replace(owner.operator.settings, service=service)
    with pytest.raises(BlockedError, match=r"begun with service\.owner"):
        owner.operator.apply(1)
    with pytest.raises(BlockedError, match=r"begun with service\.owner"):
        owner.operator.roll_back()
    assert owner.operator.stacks.calls == []


def judged(owner: Owner, stage: int) -> Judgement:
    return judge_now(owner.operator.runtime, owner.operator.run("gate", stage))


def test_the_gate_judges_what_runs_and_proves_nothing() -> None:
    owner = Owner.of_the_demo().reach(1)
    owner.deploy(architecture="ARM64")
    found = judged(owner, 2)
    assert (found.verdict, found.outcome.exit_code) == (Verdict.PASS, ExitCode.DONE)
    assert {item.outcome.value for item in found.checks} == {"pass"}
    assert {"change", "image", "deployment", "tasks"} <= {item.check for item in found.checks}
    assert owner.operator.record.position == Position(proven=Stage.IMAGE)
    assert any(event.kind.value == "verdict" for event in owner.operator.events()), "its evidence is kept"


def test_the_gate_needs_no_record() -> None:
    owner = Owner.of_the_demo()
    owner.push()
    owner.deploy(architecture="ARM64", strategy=ON_DEMAND)
    assert judged(owner, 2).verdict is Verdict.PASS
    assert judged(owner, 3).outcome.exit_code is ExitCode.WORLD_CHANGED
    assert owner.operator.store.record(owner.operator.service.arn) is None


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_the_gate_fails_what_is_not_the_stage(stage: int) -> None:
    owner = Owner.of_the_demo()
    if stage:
        owner.reach(0)
    found = judged(owner, stage)
    assert found.verdict is Verdict.FAIL
    assert found.outcome.exit_code is (ExitCode.HELD if stage == 1 else ExitCode.WORLD_CHANGED)


def test_the_gate_fails_an_image_that_nobody_planned() -> None:
    owner = Owner.of_the_demo().reach(1)
    owner.deploy(architecture="ARM64", containerDefinitions=owner.container(image="example.com/other:2"))
    found = judged(owner, 2)
    assert found.outcome.exit_code is ExitCode.WORLD_CHANGED
    assert "image was " in next(item.text for item in found.checks if item.check == "change")


def test_a_gate_leaves_an_interrupted_stage_to_be_taken_up() -> None:
    owner = Owner.of_the_demo().reach(1)
    owner.operator.world.clock.stop_after(timedelta(minutes=2))
    assert owner.operator.apply(2).exit_code is ExitCode.INTERRUPTED
    owner.deploy(architecture="ARM64")
    judged(owner, 2)
    found = interrupted(owner.operator.store.runs(owner.operator.service.arn))
    assert found is not None
    assert (found.verb, found.stage) == ("apply", 2)


def test_a_plan_promises_no_request_but_the_guard_tag() -> None:
    owner = Owner.of_the_demo()
    plan = owner.operator.plan()
    made = [item.call for detail in stage_details(plan, owner.operator.settings) for item in detail.requests]
    assert made == ["ecr:PutImage"]


def test_to_roll_back_while_nothing_has_arrived_proves_what_was_there() -> None:
    owner = Owner.of_the_demo().reach(1)
    orders = GivenOrders()
    owner.operator.orders = orders
    owner.later(lambda: orders.give(Order(Choice.ROLL_BACK, "Ctrl-C, answered")))
    owner.operator.world.clock.stop_after(LATER)
    outcome = owner.operator.apply(2)
    assert (outcome.exit_code, outcome.stage) == (ExitCode.ROLLED_BACK, Stage.IMAGE), outcome
    assert owner.operator.record.position == Position(proven=Stage.IMAGE)


def test_a_rollback_whose_deployment_does_not_arrive_is_not_complete() -> None:
    owner = Owner.of_the_demo().reach(2)
    outcome = owner.operator.roll_back()
    assert outcome.exit_code is ExitCode.ROLLBACK_INCOMPLETE
    assert "runtimePlatform.cpuArchitecture X86_64" in outcome.reasons[1]


def test_auto_scaling_may_change_the_count_while_the_owner_deploys() -> None:
    owner = Owner.of_the_demo().reach(1)
    surroundings = replace(owner.operator.world.surroundings, scalable_target=ScalableTarget(1, 10))
    owner.operator.world.surroundings = surroundings
    owner.later(lambda: owner.operator.world.scale(6))
    owner.later(lambda: owner.deploy(architecture="ARM64"), after=timedelta(minutes=5))
    assert owner.operator.apply(2).exit_code is ExitCode.DONE


def test_a_way_back_is_proven_whatever_the_count_is_by_now() -> None:
    owner = Owner.of_the_demo().reach(2)
    owner.operator.world.scale(2)
    owner.later(lambda: owner.deploy(architecture="X86_64"))
    assert owner.operator.roll_back().exit_code is ExitCode.DONE
    assert owner.operator.record.known_count == 2


@pytest.mark.parametrize("after", [False, True], ids=["before a step", "after it"])
def test_a_run_that_is_killed_at_any_step_comes_to_the_same_end(after: bool) -> None:
    undisturbed = MortalSteps()
    _applied(_waiting(), undisturbed)
    for left in range(1, len(undisturbed.results) + 1):
        owner, steps = _waiting(), MortalSteps(left, after)
        with pytest.raises(Died):
            _applied(owner, steps)
        outcome = _applied(owner, steps.restarted())
        assert (outcome.exit_code, outcome.stage) == (ExitCode.DONE, Stage.ARCHITECTURE), (left, outcome)
        assert writes_of_ours(owner) == []
        assert owner.operator.world.writes.count("update service") == 3


def _waiting() -> Owner:
    minute = timedelta(minutes=1)
    owner = Owner.of_the_demo(gate=replace(SETTINGS.gate, interval=minute, soak=minute)).reach(1)
    owner.later(lambda: owner.deploy(architecture="ARM64"))
    return owner


def _applied(owner: Owner, steps: MortalSteps) -> RunOutcome:
    operator = owner.operator
    run = Run("killed", operator.service.arn, "apply", 2, NOON, "ada", "workstation", 4711)
    return apply_stage(operator.runtime, steps, run)


def test_the_end_speaks_of_the_owners_code_and_of_no_stack_of_ours() -> None:
    owner = Owner.of_the_demo().reach(2)
    operator = owner.operator
    outcome = finish(operator.runtime, operator.durable, operator.run("finish", 3))
    assert (outcome.exit_code, outcome.stage) == (ExitCode.DONE, Stage.ARCHITECTURE)
    told = " ".join((outcome.text, *outcome.reasons, outcome.then, *(event.text for event in operator.events())))
    assert "the code that owns the service has deployed what runs" in told
    assert "Nothing is left to do" in outcome.then
    assert "both stacks" not in told
    assert operator.stacks.calls == []
    assert operator.record.over
