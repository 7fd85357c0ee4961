from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.findings import Grade
from migrate.core.observation import Observation
from migrate.core.surroundings import ScalableTarget, ScalingPolicy, ScheduledAction, Surroundings
from tests.fakes import facts
from tests.fakes.records import NOON
from tests.fakes.surroundings import found, grades

SOON, ZERO = "scaling.scheduled-soon", "scaling.to-zero"
DOWN = ScheduledAction("down", "cron(0 20 * * ? *)", minimum=0, maximum=0)
UP = ScheduledAction("up", "cron(0 7 * * ? *)", minimum=4, maximum=20)


def scaled(
    *actions: ScheduledAction, target: ScalableTarget | None = None, desired: int = 3, **more: Any
) -> Observation:
    around = Surroundings(scalable_target=target or ScalableTarget(2, 20), scheduled_actions=actions, **more)
    return facts.observation(service=facts.service(desired_count=desired), surroundings=around)


def test_a_service_that_nothing_scales_has_nothing_to_say() -> None:
    assert found(facts.observation()) == {}


@given(st.integers(2, 20))
def test_c35_the_desired_count_belongs_to_scaling_whatever_it_is_now(desired: int) -> None:
    policy = ScalingPolicy("cpu", "TargetTrackingScaling")
    seen = found(scaled(desired=desired, scaling_policies=(policy,)))
    assert set(seen) == {"scaling.desired-count"}
    told = seen["scaling.desired-count"]
    assert (told.grade, told.stage) == (Grade.INFO, 0)
    assert f"now {desired}, between 2 and 20" in told.text
    assert ("scalable target", "2 to 20") in told.evidence
    assert ("cpu", "TargetTrackingScaling") in told.evidence


def test_c35_scaling_that_somebody_left_suspended_is_a_warning() -> None:
    left = scaled(target=replace(ScalableTarget(2, 20), scale_out_suspended=True, scheduled_suspended=True))
    seen = found(left)["scaling.suspended"]
    assert seen.grade is Grade.WARN
    assert ("scaling out", "suspended") in seen.evidence
    assert ("scaling in", "active") in seen.evidence
    only_in = replace(ScalableTarget(2, 20), scale_in_suspended=True)
    assert grades(scaled(target=only_in))["scaling.suspended"] is Grade.INFO


def test_an_action_within_the_gate_s_deadline_is_a_warning_and_a_later_one_is_not() -> None:
    # NOON is the time of the observation, the deadline 40 minutes.
    near = ScheduledAction("lunch", "cron(30 12 * * ? *)", maximum=2)
    seen = found(scaled(near, UP))[SOON]
    assert seen.grade is Grade.WARN
    assert f"lunch (at most 2) at {NOON:%Y-%m-%d} 12:30 UTC" in seen.text
    assert "up" not in seen.text
    assert SOON not in found(scaled(UP))
    patient = facts.settings(deadline=timedelta(hours=20))
    assert "up (at least 4" in found(scaled(UP), patient)[SOON].text


def test_c47_a_schedule_to_zero_is_told_with_the_time_it_comes_back() -> None:
    seen = found(scaled(DOWN, UP))[ZERO]
    assert (seen.grade, seen.stage) == (Grade.WARN, 0)
    tomorrow = NOON + timedelta(days=1)
    assert "down" in seen.text
    assert f"up (at least 4, at most 20) at {tomorrow:%Y-%m-%d} 07:00 UTC" in seen.text


def test_c47_at_zero_tasks_the_action_that_raises_them_is_named() -> None:
    seen = found(scaled(UP, desired=0))[ZERO]
    assert seen.text.startswith("The service is at 0 tasks.")
    assert "07:00" in seen.text
    assert "Nothing here raises the desired count." in seen.advice
    assert "No action raises it again." in found(scaled(DOWN, desired=0))[ZERO].text


def test_c47_a_service_that_stays_up_is_not_warned_about() -> None:
    assert ZERO not in found(scaled(UP))
    over = replace(DOWN, ends_at=NOON - timedelta(days=1))
    assert ZERO not in found(scaled(over, UP))
    assert ZERO not in found(scaled(replace(DOWN, schedule="at(2020-01-01T20:00:00)"), UP))


def test_suspended_schedules_do_nothing() -> None:
    off = replace(ScalableTarget(2, 20), scheduled_suspended=True)
    assert set(found(scaled(DOWN, UP, target=off))) == {"scaling.desired-count", "scaling.suspended"}


def test_a_start_time_is_itself_the_first_time() -> None:
    starts = replace(UP, starts_at=NOON + timedelta(minutes=10))
    assert "12:10 UTC" in found(scaled(starts))[SOON].text


@pytest.mark.parametrize("schedule", ["rate(1 day)", "cron(0 7 * * ? *) in Mars/Olympus", "every(monday)"])
def test_a_schedule_that_is_not_understood_is_unknown_and_never_silent(schedule: str) -> None:
    expression, _, zone = schedule.partition(" in ")
    odd = ScheduledAction("odd", expression, zone or "UTC", minimum=1)
    seen = found(scaled(odd))["scaling.schedule-undecided"]
    assert seen.grade is Grade.UNKNOWN
    assert "odd" in seen.text
