from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from migrate.core.documents import document
from migrate.core.facts import Deployment, Service, ServiceDeployment, ServiceEvent, Strategy, TaskContainer
from migrate.core.gate.checks import (
    Expectation,
    alarms_check,
    capacity_check,
    deployment_check,
    targets_check,
    tasks_check,
)
from migrate.core.gate.gate import GateState, Measurement, Outcome, Sample, Verdict, assess
from migrate.core.gate.trouble import health_hint
from migrate.core.settings import GateSettings
from tests.fakes.facts import (
    ARM64,
    ARM64_DIGEST,
    FARGATE,
    IMAGE,
    INDEX_DIGEST,
    NEW,
    OLD,
    ORIGINAL_DIGEST,
    SPOT,
    alarm,
    deployment,
    service,
    target,
    task,
    tasks,
)
from tests.fakes.records import NOON

EXPECTED = Expectation(
    deployment_id="D2",
    task_definition_arn=NEW,
    architecture=ARM64,
    container="app",
    digests=(INDEX_DIGEST, ARM64_DIGEST),
    strategy=FARGATE,
    launch_type=None,
)


def arm64_tasks(count: int = 4, **more: Any) -> Any:
    return tasks(count, NEW, **({"architecture": "arm64", "digest": ARM64_DIGEST, "started_by": "D2"} | more))


def judged(*deployments: Deployment) -> tuple[Outcome, bool]:
    measurement = deployment_check(service(*deployments), EXPECTED)
    return measurement.outcome, measurement.final


OURS = deployment("D2", NEW)
ROLLING = replace(OURS, rollout_state="IN_PROGRESS", running_count=1)
FORMER = deployment("D1", OLD, status="ACTIVE")
LOST = (Outcome.FAIL, True)


def test_only_our_own_completed_primary_deployment_on_the_expected_revision_passes() -> None:
    assert judged(OURS) == (Outcome.PASS, False)


@pytest.mark.parametrize(
    ("deployments", "seen"),
    [
        ((ROLLING, FORMER), (Outcome.WAITING, False)),
        ((replace(ROLLING, failed_tasks=3), FORMER), (Outcome.WAITING, False)),
        ((deployment("D1", OLD),), LOST),
        ((deployment("D3", OLD),), LOST),
        ((deployment("D3", OLD, state="IN_PROGRESS"), replace(OURS, status="ACTIVE")), LOST),
        ((replace(OURS, rollout_state="FAILED"), FORMER), LOST),
        ((deployment("D3", NEW),), LOST),
        ((replace(OURS, task_definition_arn=OLD),), LOST),
    ],
    ids=[
        "under way",
        "tasks fail, the rollout goes on",
        "back to D1",
        "D3 with the old revision, steady",
        "D3 under way, ours no longer PRIMARY",
        "stalled: no completed deployment to go back to",
        "another deployment of our revision",
        "our id on the old revision",
    ],
)
def test_c31_a_rollback_by_ecs_is_never_a_success(deployments: tuple[Deployment, ...], seen: Any) -> None:
    assert judged(*deployments) == seen


def test_c31_service_events_and_all_deployments_are_kept_as_evidence() -> None:
    event = ServiceEvent("e1", NOON, "(service web) rolling back to deployment D1.")
    back = replace(service(deployment("D3", OLD)), events=(event,))
    evidence = dict(deployment_check(back, EXPECTED).evidence)
    assert evidence == {"ours": "gone", "D3": "PRIMARY COMPLETED web:1", "event": event.message}


def test_c44_a_service_without_a_primary_deployment_is_not_waited_for() -> None:
    task_sets = document({"deploymentController": {"type": "CODE_DEPLOY"}, "taskSets": [{"status": "PRIMARY"}]})
    empty = replace(service(), deployments=(), deployment_controller="CODE_DEPLOY", document=task_sets)
    measurement = deployment_check(empty, EXPECTED)
    assert (measurement.outcome, measurement.final) == (Outcome.INCONCLUSIVE, True)
    sample = Sample(NOON, (measurement,))
    assert assess(GateState(NOON), sample, GateSettings()).verdict is Verdict.INCONCLUSIVE, "at the first look"


NO_ROOM = "(service web) was unable to stop or start tasks during a deployment because of the service deployment "
NO_ROOM += "configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
NO_CAPACITY = "(service web) was unable to place a task. Reason: Capacity is unavailable at this time. Please try "
NO_CAPACITY += "again later or in a different availability zone."
SICK = "(service web) (port 80) is unhealthy in (target-group arn:aws:x:targetgroup/web/1) due to (reason "
SICK += "Target.Timeout)."


def rolling(message: str, *, minutes: int = 1, desired: int = 4, **settings: int) -> Service:
    """Return the service in the middle of our rollout, with one event and these percentages."""
    event = ServiceEvent("e1", NOON + timedelta(minutes=minutes), message)
    text = document({"deploymentConfiguration": settings, "healthCheckGracePeriodSeconds": 20})
    return replace(service(ROLLING, FORMER), events=(event,), document=text, desired_count=desired)


@pytest.mark.parametrize(("desired", "minimum", "maximum"), [(1, 100, 100), (1, 50, 150), (1, 100, 134), (3, 100, 100)])
def test_c46_ecs_that_can_neither_stop_nor_start_ends_the_gate_with_both_percentages(
    desired: int, minimum: int, maximum: int
) -> None:
    stuck = rolling(NO_ROOM, desired=desired, minimumHealthyPercent=minimum, maximumPercent=maximum)
    measurement = deployment_check(stuck, EXPECTED)
    assert (measurement.outcome, measurement.final) == (Outcome.INCONCLUSIVE, True)
    assert f"desired count {desired}, minimumHealthyPercent {minimum} and maximumPercent {maximum}" in measurement.text
    assert ("event", NO_ROOM) in measurement.evidence


def test_c46_an_event_from_before_our_deployment_decides_nothing() -> None:
    assert deployment_check(rolling(NO_ROOM, minutes=-1), EXPECTED).outcome is Outcome.WAITING


@pytest.mark.parametrize(("only_capacity", "overdue"), [(True, Verdict.FAIL), (False, Verdict.INCONCLUSIVE)])
def test_c60_a_lack_of_capacity_is_told_apart_from_the_application(only_capacity: bool, overdue: Verdict) -> None:
    expected = replace(EXPECTED, strategy=SPOT, only_capacity=only_capacity)
    found = rolling(NO_CAPACITY, minimumHealthyPercent=50, maximumPercent=200)
    measurement = capacity_check(found, arm64_tasks(1), expected)
    assert (measurement.outcome, measurement.final, measurement.overdue) == (Outcome.WAITING, False, overdue)
    assert measurement.text.startswith("capacity, not the application: 1 of 4 tasks could be placed")
    assert "a base of 2 on FARGATE" in measurement.text
    assert measurement.runbook == "gates#no-capacity"
    assert capacity_check(found, arm64_tasks(4), expected).runbook == "gates#capacity", "all are placed: it is over"


def test_c59_what_ecs_says_of_unhealthy_targets_is_told_with_the_grace_period() -> None:
    sick = rolling(SICK)
    hint = health_hint(sick)
    assert hint == f"; ECS says: {SICK}; the service's grace period is 20 s"
    assert SICK in deployment_check(sick, EXPECTED).text
    targets = (target(), target("10.0.0.2", "unhealthy", group="group-2", reason="Target.Timeout"))
    assert targets_check(targets, ("group-1", "group-2"), deployed=True, hint=hint).text.endswith(hint)
    assert health_hint(rolling("(service web) has reached a steady state.")) == ""


@pytest.mark.parametrize("states", [("initial", "unhealthy"), ("draining", "unhealthy"), ("draining", "draining")])
def test_c59_a_loop_of_start_and_stop_never_passes(states: tuple[str, str]) -> None:
    targets = [target(f"10.0.0.{number}", state, reason="Target.Timeout") for number, state in enumerate(states)]
    assert targets_check(targets, ("group-1",), deployed=False).outcome is Outcome.WAITING


def on_arm64(found: Any, desired: int = 4) -> Measurement:
    return tasks_check(replace(service(OURS), desired_count=desired), found, EXPECTED)


@pytest.mark.parametrize("digest", [ARM64_DIGEST, INDEX_DIGEST])
def test_tasks_pass_on_the_digest_of_the_child_or_of_the_index(digest: str) -> None:
    assert on_arm64(arm64_tasks(digest=digest)).outcome is Outcome.PASS


@pytest.mark.parametrize("spelling", ["arm64", "ARM64"])
def test_the_architecture_is_compared_without_case(spelling: str) -> None:
    assert on_arm64(arm64_tasks(architecture=spelling)).outcome is Outcome.PASS


def test_weaker_evidence_is_named() -> None:
    text = on_arm64(arm64_tasks(architecture=None, digest=None)).text
    assert "no cpu-architecture attribute" in text
    assert "no image digest" in text
    assert "no cpu-architecture" not in on_arm64(arm64_tasks()).text


@pytest.mark.parametrize(
    "found",
    [
        arm64_tasks(3),
        (*arm64_tasks(3), task(4, OLD)),
        (*arm64_tasks(4), task(5, OLD)),
        arm64_tasks(5),
        arm64_tasks(4, last_status="PENDING"),
        (),
    ],
    ids=["one missing", "one of the old revision", "an old one beside four", "one too many", "all pending", "none"],
)
def test_tasks_are_waited_for_while_they_change(found: Any) -> None:
    assert on_arm64(found).outcome is Outcome.WAITING


def test_a_task_of_ours_with_the_wrong_architecture_or_digest_will_not_change_by_waiting() -> None:
    for wrong in ({"architecture": "x86_64"}, {"digest": ORIGINAL_DIGEST}):
        measurement = on_arm64((*arm64_tasks(3), *arm64_tasks(1, **wrong)))
        assert (measurement.outcome, measurement.final) == (Outcome.FAIL, True), wrong
    elsewhere = on_arm64((*arm64_tasks(3), *arm64_tasks(1, digest=ORIGINAL_DIGEST, started_by="D1")))
    assert elsewhere.outcome is Outcome.WAITING


def test_the_digest_of_a_sidecar_is_not_compared() -> None:
    sidecar = TaskContainer("sidecar", "envoy:1", f"sha256:{'f' * 64}", "RUNNING")
    app = TaskContainer("app", str(IMAGE), ARM64_DIGEST, "RUNNING")
    assert on_arm64(arm64_tasks(containers=(sidecar, app))).outcome is Outcome.PASS


def test_c47_a_desired_count_of_0_was_not_exercised() -> None:
    measurement = on_arm64((), desired=0)
    assert (measurement.outcome, measurement.final) == (Outcome.INCONCLUSIVE, True)
    assert measurement.runbook == "gates#not-exercised"


def spread(wanted: Any, *providers: str | None, **more: Any) -> Measurement:
    """``wanted`` is a strategy or a launch type; ``more`` is what the service has instead."""
    named = isinstance(wanted, str)
    expected = replace(EXPECTED, strategy=() if named else wanted, launch_type=wanted if named else None)
    found = [task(number, NEW, provider=provider) for number, provider in enumerate(providers)]
    return capacity_check(replace(service(OURS), **({"strategy": expected.strategy} | more)), found, expected)


def test_capacity_passes_when_the_split_follows_base_and_weights() -> None:
    assert spread(SPOT, "FARGATE", "FARGATE", "FARGATE_SPOT", "FARGATE_SPOT").outcome is Outcome.PASS
    measurement = spread(SPOT, *["FARGATE"] * 4)
    assert measurement.outcome is Outcome.WAITING
    assert measurement.text == "tasks by provider: FARGATE 4; base and weights ask for FARGATE 1.75, FARGATE_SPOT 2.25"


def test_capacity_waits_while_no_task_runs_or_tasks_stay_on_no_provider() -> None:
    assert spread(SPOT).outcome is Outcome.WAITING
    assert "no provider 4" in spread(SPOT, None, None, None, None).text


def test_a_strategy_that_somebody_changed_is_theirs_to_explain() -> None:
    changed = spread(SPOT, "FARGATE", strategy=FARGATE)
    reordered = spread(tuple(reversed(SPOT)), "FARGATE", "FARGATE_SPOT", strategy=SPOT)
    assert (changed.outcome, changed.final) == (Outcome.INCONCLUSIVE, True)
    assert reordered.outcome is Outcome.PASS


def test_the_launch_type_passes_when_no_strategy_and_no_provider_is_left() -> None:
    there = {"launch_type": "FARGATE"}
    assert spread("FARGATE", None, None, **there).outcome is Outcome.PASS
    assert spread("FARGATE", "FARGATE", None, **there).text == "1 tasks still run on a capacity provider"
    assert spread("FARGATE", None, strategy=FARGATE).outcome is Outcome.WAITING


GROUPS = ("group-1", "group-2")
BOTH = (target(), target("10.0.0.2", group="group-2"))


def test_c59_every_target_group_needs_healthy_targets() -> None:
    assert targets_check(BOTH, GROUPS, deployed=True).outcome is Outcome.PASS
    assert targets_check(BOTH[:1], GROUPS, deployed=True).outcome is Outcome.WAITING
    assert targets_check((), GROUPS, deployed=True).outcome is Outcome.WAITING


def test_an_unhealthy_target_fails_once_the_deployment_is_completed() -> None:
    sick = (*BOTH, target("10.0.0.3", "unhealthy", reason="Target.Timeout"))
    assert targets_check(sick, GROUPS, deployed=False).outcome is Outcome.WAITING
    failed = targets_check(sick, GROUPS, deployed=True)
    assert failed.outcome is Outcome.FAIL
    assert ("10.0.0.3", "unhealthy Target.Timeout") in failed.evidence


def test_targets_that_arrive_or_leave_are_waited_for_or_not_counted() -> None:
    assert targets_check((*BOTH, target("10.0.0.3", "initial")), GROUPS, deployed=True).outcome is Outcome.WAITING
    assert targets_check((*BOTH, target("10.0.0.3", "draining")), GROUPS, deployed=True).outcome is Outcome.PASS
    assert targets_check((), (), deployed=True).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        ({"a": "OK", "b": "OK"}, Outcome.PASS),
        ({"a": "OK", "b": "ALARM"}, Outcome.FAIL),
        ({"a": "OK", "b": "INSUFFICIENT_DATA"}, Outcome.INCONCLUSIVE),
        ({"a": "OK"}, Outcome.INCONCLUSIVE),
        ({"a": "ALARM"}, Outcome.FAIL),
        ({}, Outcome.INCONCLUSIVE),
    ],
)
def test_an_alarm_without_data_proves_nothing(states: dict[str, str], outcome: Outcome) -> None:
    found = [alarm(name, state) for name, state in states.items()]
    assert alarms_check(found, ("a", "b")).outcome is outcome


def test_a_service_without_alarms_is_told_so() -> None:
    assert alarms_check((), ()).text == "no alarm is watched"


ROLLED_BACK = ServiceDeployment("sd-2", "ROLLBACK_IN_PROGRESS", "alarm web-errors fired", "revision-2", NOON)


@pytest.mark.parametrize(
    ("status", "strategy", "outcome"),
    [
        ("ROLLBACK_SUCCESSFUL", (), Outcome.FAIL),
        ("ROLLBACK_IN_PROGRESS", SPOT, Outcome.FAIL),
        ("ROLLBACK_SUCCESSFUL", FARGATE, Outcome.PASS),
        ("SUCCESSFUL", (), Outcome.PASS),
    ],
)
def test_c31_a_way_back_of_ecs_that_was_found_in_place_of_our_deployment_is_no_success(
    status: str, strategy: Strategy, outcome: Outcome
) -> None:
    found = replace(service(OURS), strategy=strategy)
    told = replace(ROLLED_BACK, status=status)
    assert deployment_check(found, EXPECTED, (told,)).outcome is outcome
    back_to_launch_type = replace(EXPECTED, launch_type="FARGATE", strategy=())
    assert deployment_check(found, back_to_launch_type, (told,)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("follows", "outcome"),
    [
        (NOON - timedelta(minutes=5), Outcome.FAIL),
        (NOON + timedelta(minutes=5), Outcome.PASS),
        (None, Outcome.PASS),
    ],
    ids=["rolled back since", "rolled back long ago", "nothing was started"],
)
def test_c31_on_the_same_revision_a_way_back_of_ecs_is_known_by_when_it_began(
    follows: datetime | None, outcome: Outcome
) -> None:
    found = replace(service(OURS), strategy=FARGATE)
    told = replace(ROLLED_BACK, status="ROLLBACK_SUCCESSFUL")
    assert deployment_check(found, replace(EXPECTED, follows=follows), (told,)).outcome is outcome


@pytest.mark.parametrize("deployments", [(ROLLING, FORMER), (deployment("D3", OLD),)], ids=["under way", "lost"])
def test_what_ecs_says_of_its_service_deployment_is_told_and_decides_nothing(
    deployments: tuple[Deployment, ...],
) -> None:
    silent = deployment_check(service(*deployments), EXPECTED)
    told = deployment_check(service(*deployments), EXPECTED, (ROLLED_BACK,))
    assert (told.outcome, told.final) == (silent.outcome, silent.final)
    assert "service deployment ROLLBACK_IN_PROGRESS: alarm web-errors fired" in told.text
    assert ("service deployment", "ROLLBACK_IN_PROGRESS alarm web-errors fired") in told.evidence


def test_a_service_deployment_that_goes_on_is_not_worth_a_word() -> None:
    going = replace(ROLLED_BACK, status="IN_PROGRESS")
    assert "service deployment" not in deployment_check(service(ROLLING, FORMER), EXPECTED, (going,)).text
