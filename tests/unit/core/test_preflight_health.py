from __future__ import annotations

from typing import Any

import pytest

from migrate.core.findings import Grade
from tests.fakes.preflight import container, described, found

GROUP = "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/web/0123456789abcdef"
BALANCED = {"loadBalancers": [{"targetGroupArn": GROUP, "containerName": "app", "containerPort": 8080}]}


def checked(**check: Any) -> dict[str, Any]:
    return container(healthCheck={"command": ["CMD", "true"], **check})


@pytest.mark.parametrize("grace", [None, 0, 20, 119])
def test_c59_a_grace_period_shorter_than_the_start_period_is_warned_of(grace: int | None) -> None:
    settings = {**BALANCED, **({} if grace is None else {"healthCheckGracePeriodSeconds": grace})}
    finding = found(described(settings, checked(startPeriod=120)))["service.grace-period-short"]
    assert (finding.grade, finding.stage) == (Grade.WARN, 1)
    assert ("task definition", "$.containerDefinitions[0].healthCheck.startPeriod") in finding.evidence
    assert ("healthCheckGracePeriodSeconds", str(grace or 0)) in finding.evidence
    assert "210 or more" in finding.advice


@pytest.mark.parametrize(("grace", "start"), [(120, 120), (300, 120), (0, 0)])
def test_c59_a_grace_period_that_is_long_enough_is_no_finding(grace: int, start: int) -> None:
    seen = found(described({**BALANCED, "healthCheckGracePeriodSeconds": grace}, checked(startPeriod=start)))
    assert not [code for code in seen if "grace" in code]


def test_c59_without_a_start_period_interval_times_retries_is_the_measure() -> None:
    tight = {**BALANCED, "healthCheckGracePeriodSeconds": 30}
    assert found(described(tight, checked()))["service.grace-period-tight"].grade is Grade.INFO
    assert "service.grace-period-tight" not in found(described(tight, checked(interval=10, retries=3)))


def test_c59_a_grace_period_without_a_load_balancer_is_told() -> None:
    alone = {"healthCheckGracePeriodSeconds": 60}
    assert found(described(alone, container()))["service.grace-period-unused"].grade is Grade.INFO
    # Since it covers container health checks as well, it is of use to a task that has one.
    assert "service.grace-period-unused" not in found(described(alone, checked()))
    assert not [code for code in found(described(alone, checked(startPeriod=120))) if "grace" in code]


def test_c59_every_target_group_is_named() -> None:
    other = f"{GROUP}0"
    seen = found(described(BALANCED, target_group_arns=(GROUP, other)))
    assert seen["service.several-target-groups"].evidence == (("target group", GROUP), ("target group", other))
    assert "service.several-target-groups" not in found(described(BALANCED, target_group_arns=(GROUP,)))
