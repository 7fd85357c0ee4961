from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from migrate.core.facts import ServiceDeployment
from migrate.core.rollout.history import RolloutHistory, StageTime, rollout_history
from tests.fakes.facts import rollouts


def seconds(*values: int) -> tuple[timedelta, ...]:
    return tuple(timedelta(seconds=value) for value in values)


def test_the_history_is_told_by_the_deployments_that_succeeded() -> None:
    failed = rollouts(3600, status="ROLLBACK_SUCCESSFUL")
    assert rollout_history((*rollouts(200, 90, 110), *failed)) == RolloutHistory(3, *seconds(90, 110, 200))


@pytest.mark.parametrize(
    "seen",
    [None, (), rollouts(60, status="FAILED"), (replace(rollouts(60)[0], finished_at=None),)],
    ids=["not read", "none", "only failed", "under way"],
)
def test_without_a_deployment_that_succeeded_nothing_is_guessed(seen: tuple[ServiceDeployment, ...] | None) -> None:
    history = rollout_history(seen)
    assert history is None
    assert StageTime(1, timedelta(minutes=10), history).likely is None


def test_a_stage_takes_its_soaks_and_its_deployments() -> None:
    history = rollout_history(rollouts(90, 90))
    assert StageTime(2, timedelta(minutes=10), history).likely == timedelta(minutes=13)
    assert StageTime(0, timedelta(minutes=10), None).likely == timedelta(minutes=10)
