from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.facts import TargetHealth, Task
from migrate.core.gate.gate import Measurement, Outcome
from migrate.core.gate.twin_comparison import Side, Usage, twin_check, unlikely
from tests.fakes.facts import NEW, OLD, service, target, tasks
from tests.fakes.records import NOON

NOW = NOON + timedelta(minutes=30)
GROUP = ("group-1",)


def side(name: str, arn: str, count: int, stopped: tuple[Task, ...] = (), first: int = 0) -> Side:
    made = tuple(
        replace(task, addresses=(f"10.0.0.{first + number}",)) for number, task in enumerate(tasks(count, arn))
    )
    seen = replace(service(), name=name, desired_count=count, target_group_arns=GROUP)
    return Side(seen, made, stopped)


def stopped(count: int, minutes: float = 10, **more: Any) -> tuple[Task, ...]:
    values = {"stop_code": "EssentialContainerExited", "stopped_at": NOON + timedelta(minutes=minutes)} | more
    return tasks(count, NEW, last_status="STOPPED", **values)


def targets(sick: int = 0, twin: int = 2, beside: int = 8) -> tuple[TargetHealth, ...]:
    names = [f"10.0.0.{100 + number}:80" for number in range(twin)] + [
        f"10.0.0.{number}:80" for number in range(beside)
    ]
    return tuple(
        target(name, "unhealthy" if number < sick else "healthy", GROUP[0]) for number, name in enumerate(names)
    )


def usage(metric: str, twin: list[float], beside: list[float]) -> Usage:
    at = [NOON + timedelta(minutes=number) for number in range(30)]
    return Usage(metric, tuple(zip(at, twin, strict=False)), tuple(zip(at, beside, strict=False)))


def judged(
    ours: tuple[Task, ...] = (),
    theirs: tuple[Task, ...] = (),
    health: tuple[TargetHealth, ...] | None = None,
    used: tuple[Usage, ...] = (),
    **more: Any,
) -> Measurement:
    return twin_check(
        side("web-migrate-arm64", NEW, 2, ours, first=100),
        side("web", OLD, 8, theirs),
        targets() if health is None else health,
        used,
        (NOON, NOW),
        **({"deployed": True} | more),
    )


def test_a_twin_that_does_as_well_passes_and_says_what_was_compared() -> None:
    found = judged(used=(usage("CPUUtilization", [30.0] * 10, [31.0] * 10),))
    assert found.outcome is Outcome.PASS
    assert found.text == (
        "since 12:00:00 0 tasks of the twin (2 desired) stopped by themselves, 0 of 8 amd64 tasks; "
        "2 of 2 targets of the twin healthy, 8 of 8 of the service; CPUUtilization twin 30.0 %, service 31.0 %"
    )


@pytest.mark.parametrize("deployed", [True, False])
def test_a_twin_that_restarts_more_than_the_amd64_tasks_fails(deployed: bool) -> None:
    found = judged(stopped(3), deployed=deployed)
    assert found.outcome is Outcome.FAIL
    assert "3 tasks of the twin (2 desired) crashed or did not start, 0 of 8 amd64 tasks" in found.text


def test_stops_that_come_to_both_alike_do_not_speak_against_the_twin() -> None:
    assert judged(stopped(3), stopped(12)).outcome is Outcome.PASS


def test_each_class_of_stops_is_compared_by_itself() -> None:
    crashes = stopped(12)
    memory = stopped(3, stopped_reason="OutOfMemoryError: Container killed due to memory usage")
    found = judged(memory, crashes)
    assert found.outcome is Outcome.FAIL
    assert "3 tasks of the twin (2 desired) out of memory, 0 of 8 amd64 tasks" in found.text
    assert dict(found.evidence)["crashed or did not start"].startswith("twin 0 of 2, service 12 of 8")


@pytest.mark.parametrize("more", [{"stop_code": "SpotInterruption"}, {"stop_code": "UserInitiated"}, {"minutes": -1}])
def test_what_speaks_against_no_program_or_came_before_the_gate_does_not_count(more: dict[str, Any]) -> None:
    assert judged(stopped(5, **more)).outcome is Outcome.PASS


def test_a_twin_with_sick_targets_beside_healthy_ones_fails() -> None:
    found = judged(health=targets(sick=1))
    assert (found.outcome, found.text) == (
        Outcome.FAIL,
        "1 of 2 targets of the twin healthy, 8 of 8 of the service",
    )
    assert judged(health=targets(sick=10)).outcome is Outcome.PASS, "sick on both sides alike"


@pytest.mark.parametrize(
    ("twin", "beside", "outcome"),
    [
        (40.0, 15.0, Outcome.PASS),
        (95.0, 60.0, Outcome.PASS),
        (95.0, 30.0, Outcome.FAIL),
        (20.0, 90.0, Outcome.PASS),
    ],
    ids=["far apart with headroom", "near the end and not far apart", "far apart near the end", "less"],
)
def test_utilization_decides_only_far_apart_and_near_the_end(twin: float, beside: float, outcome: Outcome) -> None:
    found = judged(used=(usage("CPUUtilization", [twin] * 10, [beside] * 10),))
    assert found.outcome is outcome
    assert ("more than twice as much" in found.text) is (twin > 2 * beside)


@pytest.mark.parametrize(
    ("used", "unread", "says"),
    [
        ((usage("CPUUtilization", [], []),), "", "CPUUtilization: not compared, no data"),
        ((usage("CPUUtilization", [99.0] * 4, [1.0] * 30),), "", "CPUUtilization: not compared, 4 and 30 values"),
        ((), "CloudWatch could not be read", "utilization: not compared, CloudWatch could not be read"),
    ],
)
def test_utilization_without_data_is_told_and_holds_nothing_up(used: tuple[Usage, ...], unread: str, says: str) -> None:
    found = judged(used=used, unread=unread)
    assert found.outcome is Outcome.PASS
    assert says in found.text


@pytest.mark.parametrize(("deployed", "outcome"), [(True, Outcome.INCONCLUSIVE), (False, Outcome.WAITING)])
def test_without_amd64_tasks_there_is_nothing_to_compare_with(deployed: bool, outcome: Outcome) -> None:
    twin, bare = side("web-migrate-arm64", NEW, 2), side("web", OLD, 0)
    assert twin_check(twin, bare, (), (), (NOON, NOW), deployed=deployed).outcome is outcome


def test_before_it_is_deployed_nothing_passes() -> None:
    assert judged(deployed=False).outcome is Outcome.WAITING


@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.01, 0.99))
def test_the_chance_falls_with_every_stop_of_the_twin(twin: int, beside: int, share: float) -> None:
    chance = unlikely(twin, beside, share)
    assert 0 <= chance <= 1 + 1e-9
    assert unlikely(twin + 1, beside, share) <= chance + 1e-9
    assert unlikely(0, beside, share) == pytest.approx(1)


@pytest.mark.parametrize(
    ("twin", "beside", "share", "chance"), [(3, 0, 0.2, 0.008), (1, 1, 0.5, 0.75), (2, 1, 0.5, 0.5)]
)
def test_the_chance_is_that_of_the_binomial_distribution(twin: int, beside: int, share: float, chance: float) -> None:
    assert unlikely(twin, beside, share) == pytest.approx(chance)
