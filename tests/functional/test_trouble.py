"""Trouble on the way that has a name: slow rollouts, no capacity, no room, no tasks, sick targets, lost images."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from migrate.adapters.pulumi.failure import Failure
from migrate.adapters.pulumi.failures import translate_failure
from migrate.core.desired_state import ServiceStackInputs
from migrate.core.documents import document, fields
from migrate.core.evidence import EventKind
from migrate.core.facts import StrategyItem
from migrate.core.gate.gate import Verdict
from migrate.core.stack.preview import StackOutcome
from migrate.core.stages import Position, Stage
from migrate.errors import AccessError, ExitCode
from tests.fakes.aws_simulation import Fate
from tests.fakes.aws_world import World
from tests.fakes.clock import FakeClock
from tests.fakes.migration import Operator

THROTTLED = AccessError("AWS throttled the call.", why="ThrottlingException: Rate exceeded", then="Wait a minute.")
EXPIRED = AccessError("The session has expired.", why="ExpiredTokenException", then="Sign in again.")


def gate_texts(operator: Operator) -> list[str]:
    return [event.text for event in operator.events() if event.kind is EventKind.MEASUREMENT]


def test_c57_a_rollout_that_takes_14_minutes_and_drains_for_5_is_waited_for() -> None:
    operator = Operator.of().reach(1)
    operator.gate(deadline=timedelta(minutes=30))
    operator.world.demo.pace.start, operator.world.demo.pace.drain = timedelta(minutes=14), timedelta(seconds=300)
    assert operator.apply(2).exit_code is ExitCode.DONE
    assert operator.world.clock.elapsed > timedelta(minutes=19)


def test_c57_a_time_out_is_undecided_undoes_nothing_and_is_taken_up_when_the_rollout_has_ended() -> None:
    operator = Operator.of().reach(1)
    operator.gate(deadline=timedelta(minutes=12))
    operator.world.demo.pace.start = timedelta(minutes=14)
    before = len(operator.world.writes)
    late = operator.apply(2)
    assert (late.exit_code, operator.verdicts()) == (ExitCode.HELD, [Verdict.INCONCLUSIVE])
    assert "rollout IN_PROGRESS" in late.reasons[0]
    assert operator.world.writes[before:] == ["update service"], "the rollout that was begun, and nothing after it"
    running = operator.service.primary
    operator.world.pass_time(timedelta(minutes=4))
    assert operator.apply(2).exit_code is ExitCode.DONE
    assert operator.service.primary is not None
    assert running is not None
    assert operator.service.primary.id == running.id


@pytest.mark.parametrize("error", [THROTTLED, EXPIRED], ids=["throttled", "expired"])
@pytest.mark.parametrize("call", ["service", "tasks", "target_health", "alarms"])
def test_c57_errors_in_the_middle_of_polling_do_not_fail_a_stage(error: AccessError, call: str) -> None:
    operator = Operator.of().reach(1)
    for minute in (1, 2, 3):
        refuse = partial(operator.world.refuse, call, error, times=2)
        operator.world.clock.after(timedelta(minutes=minute), refuse)
    assert operator.apply(2).exit_code is ExitCode.DONE
    assert any(error.what in text for text in gate_texts(operator))


def test_c57_credentials_that_stay_expired_hold_the_stage_until_somebody_signs_in() -> None:
    operator = Operator.of().reach(1)
    operator.world.clock.after(timedelta(minutes=1), partial(operator.world.refuse, "service", EXPIRED, times=5))
    held = operator.apply(2)
    assert (held.exit_code, operator.verdicts()) == (ExitCode.HELD, [Verdict.ERROR])
    assert "The session has expired." in held.reasons[0]
    running = operator.service.primary
    assert operator.apply(2).exit_code is ExitCode.DONE
    assert operator.service.primary is not None
    assert running is not None
    assert operator.service.primary.id == running.id


def test_c57_before_a_rollback_the_service_is_read_once_more() -> None:
    operator = Operator.of().reach(1)
    operator.world.next_deployment(Fate.EXEC_FORMAT)

    def deployed_by_others() -> None:
        operator.world.deploy()

    failed = operator.listener
    told: list[str] = []

    class Meanwhile:
        """Let somebody deploy right after the verdict, before the way back begins."""

        def tell(self, event: object) -> None:
            failed.tell(event)  # type: ignore[arg-type] # the narrator's event
            if getattr(event, "kind", None) is EventKind.VERDICT and not told:
                told.append("verdict")
                deployed_by_others()

    operator.listener = Meanwhile()  # type: ignore[assignment] # a narrator as well
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.HELD, outcome
    assert "which this migration did not deploy" in outcome.reasons[0]
    assert "refresh" not in operator.stacks.calls


SPOT_ONLY = (StrategyItem("FARGATE_SPOT", weight=1),)
MIXED = (StrategyItem("FARGATE", weight=1, base=1), StrategyItem("FARGATE_SPOT", weight=3))


@pytest.mark.parametrize(("strategy", "placed"), [(MIXED, 1), (SPOT_ONLY, 0)], ids=["base 1", "spot only"])
def test_c60_without_spot_capacity_stage_3_goes_back_to_fargate_and_keeps_arm64(
    strategy: tuple[StrategyItem, ...], placed: int
) -> None:
    operator = Operator.of().reach(2)
    operator.settings = replace(operator.settings, capacity=strategy, capacity_steps=())
    operator.gate(deadline=timedelta(minutes=30))
    operator.world.demo.lacking.add("FARGATE_SPOT")
    revision = operator.service.task_definition_arn
    outcome = operator.apply(3)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert operator.world.clock.elapsed > timedelta(minutes=30), "the whole deadline was waited for"
    told = next(reason for reason in outcome.reasons if reason.startswith("capacity:"))
    assert f"capacity, not the application: {placed} of 4 tasks could be placed" in told
    assert "Capacity is unavailable at this time" in told
    assert "a base of 4 on FARGATE" in told, "minimumHealthyPercent 100 of 4 tasks"
    status = operator.status()
    assert (status.architectures, status.split) == ((("arm64", 4),), (("FARGATE", 4),))
    assert operator.service.task_definition_arn == revision
    assert status.position == Position(Stage.ARCHITECTURE)


def test_c60_without_capacity_for_arm64_on_demand_a_person_decides() -> None:
    operator = Operator.of().reach(1)
    operator.world.demo.lacking.add("FARGATE")
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.HELD
    assert any("capacity, not the application" in reason for reason in outcome.reasons)
    operator.world.demo.lacking.clear()
    assert operator.apply(2).exit_code is ExitCode.DONE


def test_c60_a_region_that_refuses_arm64_on_spot_is_told_so_and_the_service_stays_on_arm64() -> None:
    operator = Operator.of().reach(2)
    said = "ClientException: FARGATE_SPOT capacity provider is not supported when using ARM architecture."
    operator.world.refuse("up_service", translate_failure(Failure("service", "update", (said,), said)))
    outcome = operator.apply(3)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert "does not run ARM64 tasks on FARGATE_SPOT" in outcome.reasons[0]
    assert outcome.runbook == "gates#no-capacity"
    assert operator.status().architectures == (("arm64", 4),)


def test_c46_percentages_that_leave_no_room_end_the_gate_at_once_and_undo_nothing() -> None:
    operator = Operator.of(World.with_demo_service(FakeClock(), desired=1)).reach(1)
    operator.world.next_deployment(Fate.NO_ROOM)
    started = operator.world.clock.elapsed
    outcome = operator.apply(2)
    assert (outcome.exit_code, operator.verdicts()) == (ExitCode.HELD, [Verdict.INCONCLUSIVE]), outcome
    assert operator.world.clock.elapsed - started < timedelta(minutes=2)
    assert "desired count 1, minimumHealthyPercent 100 and maximumPercent 200 leave no room" in outcome.reasons[0]
    evidence = [event.data for event in operator.events() if event.kind is EventKind.MEASUREMENT]
    assert any("because of the service deployment configuration" in text for text in evidence)
    assert operator.service.running_count == 1


def test_c47_a_service_without_tasks_is_never_proven_and_one_task_to_try_is_offered() -> None:
    world = World.with_demo_service(FakeClock())
    arn = next(iter(world.services))
    network = {"awsvpcConfiguration": {"securityGroups": ["sg-1"], "assignPublicIp": "ENABLED"}}
    world.settings[arn]["networkConfiguration"] = network
    operator = Operator.of(world).reach(1)
    operator.world.scale(0)
    operator.world.pass_time(timedelta(minutes=5))
    outcome = operator.apply(2)
    assert (outcome.exit_code, operator.service.desired_count) == (ExitCode.HELD, 0)
    told = next(reason for reason in outcome.reasons if "not" in reason and "exercised" in reason)
    command = shlex.split(told.partition("beside the service: ")[2])
    assert command[:3] == ["aws", "ecs", "run-task"]
    options = dict(zip(command[3::2], command[4::2], strict=True))
    assert options["--task-definition"] == operator.record.arm64_task_definition_arn
    assert options["--cluster"] == operator.service.cluster_arn
    assert options["--count"] == "1"
    assert options["--capacity-provider-strategy"] == "capacityProvider=FARGATE,weight=1"
    assert options["--platform-version"] == operator.service.platform_version
    assert json.loads(options["--network-configuration"]) == network


def test_c47_a_service_that_is_scheduled_to_run_at_seven_is_proven_then() -> None:
    operator = Operator.of().reach(1)
    operator.world.scale(0)
    operator.world.pass_time(timedelta(minutes=5))
    assert operator.apply(2).exit_code is ExitCode.HELD
    operator.world.scale(4)
    operator.world.pass_time(timedelta(minutes=5))
    assert operator.apply(2).exit_code is ExitCode.DONE


def test_c59_tasks_that_never_get_healthy_are_told_with_what_ecs_says_of_their_targets() -> None:
    operator = Operator.of()
    arn = next(iter(operator.world.services))
    operator.world.settings[arn]["healthCheckGracePeriodSeconds"] = 20
    operator.reach(1)
    operator.world.next_deployment(Fate.UNHEALTHY)
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.ROLLED_BACK
    assert "is unhealthy in (target-group arn:aws:elasticloadbalancing" in outcome.reasons[0]
    assert any("the service's grace period is 20 s" in text for text in gate_texts(operator))


def test_c59_one_of_two_target_groups_is_not_enough() -> None:
    operator = Operator.of().reach(1)
    arn = next(iter(operator.world.services))
    balancers = operator.world.settings[arn]["loadBalancers"]
    second = balancers[0]["targetGroupArn"].replace("0123456789abcdef", "fedcba9876543210")
    balancers.append({**balancers[0], "targetGroupArn": second})
    operator.world.empty_target_groups.add(second)
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.HELD
    assert "1 of 2 target groups have no target in service" in "; ".join(outcome.reasons)
    operator.world.empty_target_groups.clear()
    assert operator.apply(2).exit_code is ExitCode.DONE


def lose(operator: Operator, digest: str) -> None:
    operator.world.shelf.manifests.pop(digest)


def test_c30_an_original_that_disappears_during_a_stage_is_for_a_person_to_decide() -> None:
    operator = Operator.of().reach(1)
    original = operator.record.baseline.image.digest
    operator.world.clock.after(timedelta(minutes=2), partial(lose, operator, original))
    outcome = operator.apply(2)
    assert (outcome.exit_code, operator.verdicts()) == (ExitCode.HELD, [Verdict.INCONCLUSIVE]), outcome
    assert outcome.reasons == (f"image: {original} is gone from team/app: the tag can no longer go back to it",)
    assert "refresh" not in operator.stacks.calls


def test_c30_an_index_that_disappears_during_a_stage_is_no_success() -> None:
    operator = Operator.of().reach(1)
    assert operator.record.index is not None
    digest = operator.record.index.digest
    operator.world.clock.after(timedelta(minutes=2), partial(lose, operator, digest))
    outcome = operator.apply(2)
    assert operator.verdicts()[0] is Verdict.FAIL
    assert f"image: {digest} is gone from team/app: no task that runs it can be replaced" in outcome.reasons
    assert outcome.exit_code is ExitCode.ROLLBACK_INCOMPLETE, "stage 1 runs that index as well"


def test_c35_auto_scaling_is_read_anew_at_each_poll_and_never_lowered() -> None:
    world = World.with_demo_service(FakeClock(), desired=3)
    operator = Operator.of(world).reach(1)
    world.scale(10)
    world.pass_time(timedelta(minutes=5))
    for minute, count in ((1, 14), (3, 6)):
        world.clock.after(timedelta(minutes=minute), partial(world.scale, count))
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.DONE
    assert operator.service.desired_count == 6
    measured = [
        int(fields(document(json.loads(event.data)))["measurements"][0]["text"].split(" of ")[1].split()[0])  # type: ignore[call-overload,index,union-attr] # evidence as written
        for event in operator.events()
        if event.kind is EventKind.MEASUREMENT and "rollout IN_PROGRESS" in event.data
    ]
    assert {10, 14} <= set(measured)
    assert "all 6 tasks run" in "; ".join(outcome.reasons)


def slow_engine(operator: Operator) -> None:
    """Let every ``up`` of the service stack end only when the circuit breaker would long have gone back."""
    up = operator.stacks.up_service

    def slow_up(inputs: ServiceStackInputs) -> StackOutcome:
        outcome = up(inputs)
        operator.world.pass_time(timedelta(minutes=3))
        return outcome

    operator.stacks.up_service = slow_up  # type: ignore[method-assign] # an engine that takes its time to end


@pytest.mark.parametrize("service_deployments", [True, False])
def test_c31_a_circuit_breaker_that_was_quicker_than_the_first_look_is_told_with_how_the_container_ended(
    service_deployments: bool,
) -> None:
    world = World.with_demo_service(FakeClock())
    world.reporting.service_deployments = service_deployments
    operator = Operator.of(world).reach(1)
    slow_engine(operator)
    world.next_deployment(Fate.EXEC_FORMAT)
    outcome = operator.apply(2)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    said = "; ".join(outcome.reasons)
    assert "4 of its tasks stopped by themselves, the last one: essential container exited" in said
    assert "web exit 255 (what a binary for another architecture ends with)" in said


def test_c31_a_circuit_breaker_that_was_quicker_than_the_first_look_fails_a_stage_that_keeps_its_revision() -> None:
    world = World.with_demo_service(FakeClock())
    operator = Operator.of(world).reach(0)
    slow_engine(operator)
    world.next_deployment(Fate.EXEC_FORMAT)
    outcome = operator.apply(1)
    assert outcome.exit_code is ExitCode.ROLLED_BACK, outcome
    assert "ECS rolled this stage back" in "; ".join(outcome.reasons)
    assert operator.apply(1).exit_code is ExitCode.DONE
