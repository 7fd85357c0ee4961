"""Why tasks stopped, and what that says about a stage."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from migrate.core.facts import Task, TaskContainer
from migrate.core.gate.checks_of_tasks import Watched, excused, starting_check, stopped_check
from migrate.core.gate.gate import Measurement, Outcome
from migrate.core.gate.stopped_tasks import FAILURES, StopCause, stop_cause, told_of
from tests.fakes.facts import IMAGE, NEW, definition, service, task
from tests.fakes.records import NOON

LATER = NOON + timedelta(minutes=5)
WATCHED = Watched("D2", deployed=False, now=LATER, began=NOON)
SOAKING = replace(WATCHED, deployed=True, soaking=True)


def container(exit_code: int | None = None, reason: str = "", **more: Any) -> TaskContainer:
    return TaskContainer("app", str(IMAGE), None, "STOPPED", exit_code, reason, **more)


def stopped(code: str, reason: str = "", *containers: TaskContainer, number: int = 1, **more: Any) -> Task:
    values = {"last_status": "STOPPED", "started_by": "D2", "stopped_at": LATER - timedelta(seconds=5)} | more
    return task(number, NEW, stop_code=code, stopped_reason=reason, containers=containers or (container(),), **values)


NO_PLATFORM = (
    "CannotPullContainerError: pull image manifest has been retried 1 time(s): image Manifest does not contain "
    "descriptor matching platform 'linux/arm64'"
)
CAUSES = {
    "mismatch": (stopped("TaskFailedToStart", NO_PLATFORM), StopCause.MISMATCH),
    "mismatch in the container": (
        stopped("TaskFailedToStart", "Task failed to start", container(None, NO_PLATFORM)),
        StopCause.MISMATCH,
    ),
    "exec format": (
        stopped("TaskFailedToStart", "CannotStartContainerError: exec /app: exec format error"),
        StopCause.EXEC_FORMAT,
    ),
    "pull": (
        stopped("TaskFailedToStart", "CannotPullContainerError: failed to resolve ref: not found"),
        StopCause.PULL,
    ),
    "memory": (
        stopped(
            "EssentialContainerExited",
            "Essential container in task exited",
            container(137, "OutOfMemoryError: Container killed due to memory usage"),
        ),
        StopCause.OUT_OF_MEMORY,
    ),
    "load balancer": (
        stopped("ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group arn:aws:...)"),
        StopCause.HEALTH_CHECK,
    ),
    "container health": (
        stopped("ServiceSchedulerInitiated", "Task failed container health checks"),
        StopCause.HEALTH_CHECK,
    ),
    "Spot": (stopped("SpotInterruption", "Your Spot Task was interrupted."), StopCause.INTERRUPTED),
    "Spot, older text": (stopped("TerminationNotice", "Host terminated"), StopCause.INTERRUPTED),
    "capacity": (
        stopped("TaskFailedToStart", "Capacity is unavailable at this time. Please try again later"),
        StopCause.CAPACITY,
    ),
    "scale-in": (
        stopped(
            "ServiceSchedulerInitiated",
            "Scaling activity initiated by (deployment ecs-svc/123)",
            container(143),
        ),
        StopCause.SCALED_IN,
    ),
    "scheduler without a text": (stopped("ServiceSchedulerInitiated"), StopCause.SCALED_IN),
    "person": (stopped("UserInitiated", "Task stopped by user", container(137)), StopCause.PERSON),
    "exit": (
        stopped("EssentialContainerExited", "Essential container in task exited", container(1)),
        StopCause.EXITED,
    ),
    "exit 0": (stopped("EssentialContainerExited", "", container(0)), StopCause.EXITED),
    "initialisation": (
        stopped("TaskFailedToStart", "ResourceInitializationError: unable to pull secrets or registry auth"),
        StopCause.NOT_STARTED,
    ),
    "something new": (stopped("SomethingNew", "for a reason of its own"), StopCause.UNKNOWN),
}


@pytest.mark.parametrize("name", CAUSES)
def test_every_stop_has_a_cause(name: str) -> None:
    seen, cause = CAUSES[name]
    assert stop_cause(seen) is cause
    assert told_of(seen).startswith(str(cause))


def test_a_stop_is_told_with_what_its_containers_left() -> None:
    seen = stopped("EssentialContainerExited", "Essential container in task exited", container(255))
    assert told_of(seen) == (
        "essential container exited: Essential container in task exited; app exit 255 (what a binary for another "
        "architecture ends with)"
    )


@pytest.mark.parametrize("name", CAUSES)
def test_what_speaks_against_the_program_fails_the_soak_and_nothing_else_does(name: str) -> None:
    seen, cause = CAUSES[name]
    expected = Outcome.FAIL if cause in FAILURES else Outcome.PASS
    assert stopped_check(service(), [seen], SOAKING).outcome is expected


def judged(*tasks: Task, watched: Watched = WATCHED, **more: Any) -> tuple[Outcome, bool]:
    measured = stopped_check(service(**more), tasks, watched)
    return measured.outcome, measured.final


CRASH = stopped("EssentialContainerExited", "Essential container in task exited", container(1))


def crashes(count: int, **more: Any) -> list[Task]:
    return [replace(CRASH, arn=f"{CRASH.arn}-{number}", **more) for number in range(count)]


def test_a_task_that_can_never_start_decides_at_once() -> None:
    assert judged(CAUSES["mismatch"][0]) == (Outcome.FAIL, True)
    assert judged(CAUSES["exec format"][0]) == (Outcome.FAIL, True)


def test_while_it_rolls_out_as_many_crashes_decide_as_the_circuit_breaker_counts() -> None:
    assert judged(*crashes(2)) == (Outcome.WAITING, False)
    assert judged(*crashes(3)) == (Outcome.FAIL, True)
    assert judged(*crashes(4), desired_count=10) == (Outcome.WAITING, False)
    assert judged(*crashes(5), desired_count=10) == (Outcome.FAIL, True)


def test_a_crash_in_the_last_moments_of_a_rollout_that_got_through_is_not_one_of_the_soak() -> None:
    assert judged(CRASH, watched=replace(SOAKING, soaking=False)) == (Outcome.WAITING, False)


def test_what_was_seen_before_is_not_new_and_what_came_before_the_gate_does_not_count() -> None:
    once = stopped_check(service(), crashes(2), SOAKING)
    known = frozenset(name for name, _ in once.evidence)
    assert judged(*crashes(2), watched=replace(SOAKING, known=known)) == (Outcome.PASS, False)
    assert judged(*crashes(3), watched=replace(SOAKING, known=known)) == (Outcome.FAIL, False)
    assert judged(*crashes(5, stopped_at=NOON - timedelta(minutes=1))) == (Outcome.PASS, False)


def test_tasks_of_others_and_tasks_that_still_stop_say_nothing() -> None:
    assert judged(replace(CRASH, started_by="D1"), watched=SOAKING) == (Outcome.PASS, False)
    leaving = replace(CRASH, last_status="DEACTIVATING", stop_code="", stopped_at=None)
    assert judged(leaving, watched=SOAKING) == (Outcome.PASS, False)


SPOT = [replace(CAUSES["Spot"][0], arn=f"spot-{number}") for number in range(4)]


@pytest.mark.parametrize(
    ("count", "limit", "outcome"), [(1, 0, "pass"), (2, 50, "pass"), (3, 50, "fail"), (4, None, "pass")]
)
def test_too_many_interruptions_fail_the_stage_that_went_to_spot(count: int, limit: int | None, outcome: str) -> None:
    measured = stopped_check(service(), SPOT[:count], replace(SOAKING, interruption_limit=limit))
    assert measured.outcome == outcome
    assert f"{count} " in measured.text


WAITS = (
    Measurement("tasks", Outcome.WAITING, "3 of 4", "gates#tasks"),
    Measurement("targets", Outcome.FAIL, "sick", "gates#targets"),
    Measurement("deployment", Outcome.WAITING, "rolls", "gates#deployment"),
)


def excuses(watched: Watched, *gone: Task, running: int = 3) -> list[bool]:
    return [item.excused for item in excused(WAITS, service(), running, gone, watched)]


def test_an_interrupted_task_excuses_the_wait_for_its_successor_and_nothing_else() -> None:
    assert excuses(SOAKING, SPOT[0]) == [True, False, False]
    assert excuses(SOAKING, SPOT[0], running=2) == [False, False, False], "one of two is not explained"
    assert excuses(SOAKING, CRASH) == [False, False, False]
    assert excuses(WATCHED, SPOT[0]) == [False, False, False], "the rollout itself is never excused"
    long_ago = replace(SPOT[0], stopped_at=LATER - timedelta(minutes=11))
    assert excuses(replace(SOAKING, now=LATER), long_ago) == [False, False, False]


def test_auto_scaling_excuses_the_wait_until_ecs_had_its_time() -> None:
    assert excuses(replace(SOAKING, scaled_at=LATER)) == [True, False, False]
    assert excuses(replace(SOAKING, scaled_at=LATER - timedelta(minutes=10))) == [False, False, False]


def starting(status: str, *containers: TaskContainer, minutes: float = 6) -> Task:
    created = LATER - timedelta(minutes=minutes)
    return task(7, NEW, last_status=status, started_by="D2", created_at=created, containers=containers)


PROXY = TaskContainer("proxy", str(IMAGE), None, "RUNNING", health_status="UNHEALTHY")
APP = TaskContainer("app", str(IMAGE), None, "PENDING")
DEPENDENT = definition(
    {
        "containerDefinitions": [
            {"name": "proxy", "image": "proxy"},
            {
                "name": "app",
                "image": "app",
                "dependsOn": [
                    {"containerName": "proxy", "condition": "HEALTHY"},
                    {"containerName": "gone", "condition": "START"},
                ],
            },
        ]
    }
)


def test_a_task_that_neither_runs_nor_fails_is_told_with_what_waits_for_what() -> None:
    measured = starting_check([starting("PENDING", PROXY, APP)], DEPENDENT, WATCHED)
    assert measured.outcome is Outcome.WAITING
    assert measured.text == (
        "1 tasks neither run nor fail; task-7 is PENDING for 6 min: app waits for proxy to be HEALTHY, which is "
        "RUNNING, health UNHEALTHY"
    )


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        (starting("PENDING", APP, minutes=4), Outcome.PASS),
        (starting("RUNNING", APP), Outcome.PASS),
        (replace(starting("ACTIVATING", APP), started_by="D1"), Outcome.PASS),
        (starting("ACTIVATING", APP), Outcome.WAITING),
        (starting("PROVISIONING"), Outcome.WAITING),
    ],
)
def test_only_a_slow_start_of_ours_is_looked_into(seen: Task, outcome: Outcome) -> None:
    assert starting_check([seen], None, WATCHED).outcome is outcome
