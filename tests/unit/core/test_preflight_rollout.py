from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from migrate.core.facts import Architecture
from migrate.core.findings import Grade, blocking
from migrate.core.gate.checks import Expectation, deployment_check
from migrate.core.gate.gate import Outcome
from migrate.core.preflight import findings
from migrate.core.rollout_percentages import Rollout, rollout_room
from migrate.core.surroundings import ScalableTarget, Surroundings
from tests.fakes.facts import FARGATE, alarm, service, settings
from tests.fakes.facts import observation as seen_observation
from tests.fakes.preflight import SETTINGS, described, found, rolled

GRID = [
    (1, 100, 100, Rollout.DEAD),
    (1, 50, 150, Rollout.DEAD),
    (1, 100, 134, Rollout.DEAD),
    (3, 100, 100, Rollout.DEAD),
    (3, 70, 130, Rollout.DEAD),
    (1, 0, 100, Rollout.DOWNTIME),
    (4, 0, 200, Rollout.DOWNTIME),
    (1, 100, 200, Rollout.OK),
    (2, 50, 100, Rollout.OK),
    (2, 50, 150, Rollout.OK),
    (4, 75, 125, Rollout.OK),
    (0, 100, 100, Rollout.NOT_EXERCISED),
    (0, 0, 200, Rollout.NOT_EXERCISED),
]


@pytest.mark.parametrize(("desired", "minimum", "maximum", "verdict"), GRID)
def test_c46_the_minimum_rounds_up_and_the_maximum_down(
    desired: int, minimum: int, maximum: int, verdict: Rollout
) -> None:
    if (desired, minimum, maximum) == (3, 70, 130):
        # ceil(2.1) = 3 must stay, floor(3.9) = 3 may run.
        assert (rollout_room(3, 70, 130).keep, rollout_room(3, 70, 130).most) == (3, 3)
    assert rollout_room(desired, minimum, maximum).rollout is verdict


@pytest.mark.parametrize(("desired", "minimum", "maximum", "verdict"), GRID)
def test_c46_preflight_blocks_warns_or_is_silent(desired: int, minimum: int, maximum: int, verdict: Rollout) -> None:
    seen = found(described(rolled(minimum, maximum), desired_count=desired))
    expected = {
        Rollout.DEAD: {"service.rollout-impossible": Grade.BLOCK},
        Rollout.DOWNTIME: {"service.rollout-downtime": Grade.WARN},
    }.get(verdict, {})
    told = {code: item.grade for code, item in seen.items() if code.startswith("service.rollout")}
    assert told == expected


def test_c46_the_first_stage_that_deploys_is_the_one_that_is_blocked() -> None:
    on_launch_type = findings(described(rolled(100, 100)), SETTINGS)
    assert "service.rollout-impossible" in {item.code for item in blocking(on_launch_type, 0)}
    on_strategy = findings(described(rolled(100, 100), launch_type=None, strategy=FARGATE), SETTINGS)
    assert "service.rollout-impossible" not in {item.code for item in blocking(on_strategy, 0)}
    assert "service.rollout-impossible" in {item.code for item in blocking(on_strategy, 1)}


def test_c46_the_evidence_names_both_percentages_and_the_count() -> None:
    evidence = found(described(rolled(100, 100)))["service.rollout-impossible"].evidence
    assert ("service", "$.deploymentConfiguration.maximumPercent") in evidence
    assert ("maximumPercent", "100") in evidence
    assert ("desired count", "4") in evidence


def test_c46_percentages_that_are_not_said_are_the_defaults() -> None:
    assert "service.rollout-impossible" not in found(described(rolled()))
    assert "service.rollout-impossible" in found(described(rolled(maximum=100)))


def test_c46_a_count_that_auto_scaling_may_choose_is_looked_at_too() -> None:
    around = {"surroundings": Surroundings(scalable_target=ScalableTarget(1, 8))}
    finding = found(described(rolled(50, 150), around=around))["service.rollout-impossible-when-scaled"]
    assert (finding.grade, "At 1 tasks" in finding.text) == (Grade.WARN, True)
    fine = {"surroundings": Surroundings(scalable_target=ScalableTarget(2, 8))}
    assert "service.rollout-impossible-when-scaled" not in found(described(rolled(50, 150), around=fine))


@pytest.mark.parametrize(("maximum", "told"), [(100, True), (101, False), (200, False)])
def test_c46_zone_rebalancing_does_not_go_with_a_maximum_of_100(maximum: int, *, told: bool) -> None:
    settings_of = {**rolled(50, maximum), "availabilityZoneRebalancing": "ENABLED"}
    assert ("service.zone-rebalancing" in found(described(settings_of))) is told
    assert "service.zone-rebalancing" not in found(described(rolled(50, maximum)))


def test_c46_percentages_do_not_rule_a_blue_green_rollout() -> None:
    assert "service.rollout-impossible" not in found(described(rolled(100, 100, strategy="BLUE_GREEN")))


@pytest.mark.parametrize("controller", ["CODE_DEPLOY", "EXTERNAL"])
def test_c44_another_controller_is_refused_before_anything_and_nothing_else_is_said_of_its_rollouts(
    controller: str,
) -> None:
    answer = {"deploymentController": {"type": controller}, **rolled(100, 100, deploymentCircuitBreaker={})}
    now = described(answer, deployment_controller=controller)
    seen = found(now)
    finding = seen["service.controller"]
    assert (finding.grade, finding.stage) == (Grade.BLOCK, 0)
    assert ("service", "$.deploymentController.type") in finding.evidence
    assert not {"service.rollout-impossible", "service.circuit-breaker-off"} & set(seen)


def test_c44_an_empty_list_of_deployments_is_evidence_and_no_deployment_in_progress() -> None:
    answer = {"deploymentController": {"type": "CODE_DEPLOY"}, "taskSets": [{"id": "ecs-svc/1", "status": "PRIMARY"}]}
    whole = described(answer, deployment_controller="CODE_DEPLOY")
    now = seen_observation(
        service=service(**{**_plain(whole.service), "deployments": ()}), task_definition=whole.task_definition
    )
    seen = found(now)
    assert ("deployments", "0") in seen["service.controller"].evidence
    assert "task sets" in seen["service.controller"].text
    assert "service.deployment-in-progress" not in seen


def test_c44_the_gate_does_not_wait_on_an_empty_list_of_deployments() -> None:
    external = service(**{**_plain(described({}).service), "deployments": (), "deployment_controller": "EXTERNAL"})
    expected = Expectation("D1", external.task_definition_arn, Architecture.X86_64, "app", (), (), "FARGATE")
    measured = deployment_check(external, expected)
    assert (measured.outcome, measured.final) == (Outcome.INCONCLUSIVE, True)


def _plain(of: Any) -> dict[str, Any]:
    return {name: getattr(of, name) for name in ("document", "deployment_controller", "launch_type", "strategy")}


@pytest.mark.parametrize(
    ("configuration", "minutes"),
    [
        ({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}, 5),
        ({"strategy": "CANARY", "canaryConfiguration": {"canaryBakeTimeInMinutes": 10}, "bakeTimeInMinutes": 2}, 12),
        ({"strategy": "CANARY", "bakeTimeInMinutes": 0}, 10),
        (
            {
                "strategy": "LINEAR",
                "linearConfiguration": {"stepPercent": 25.0, "stepBakeTimeInMinutes": 3},
                "bakeTimeInMinutes": 1,
            },
            10,
        ),
        ({"strategy": "LINEAR"}, 54),
    ],
)
def test_c44_newer_strategies_tell_what_they_mean_for_the_gates_deadline(
    configuration: dict[str, Any], minutes: int
) -> None:
    now = described(rolled(100, 200, **configuration))
    short = settings(soak=timedelta(minutes=10), deadline=timedelta(minutes=10 + minutes))
    finding = found(now, short)["service.strategy-outlasts-gate"]
    assert (finding.grade, f"{minutes} min" in finding.text) == (Grade.INFO, True)
    enough = settings(soak=timedelta(minutes=10), deadline=timedelta(minutes=11 + minutes))
    seen = found(now, enough)
    assert seen["service.strategy"].grade is Grade.INFO
    assert "service.strategy-outlasts-gate" not in seen


def test_c44_a_rolling_service_has_no_strategy_to_speak_of() -> None:
    assert not {"service.strategy", "service.strategy-outlasts-gate"} & set(found(described(rolled(100, 200))))


@pytest.mark.parametrize(
    ("hook", "code"),
    [
        ({"targetType": "PAUSE"}, "service.pause-hook"),
        ({"targetType": "PAUSE", "timeoutConfiguration": {"timeoutInMinutes": 60}}, "service.pause-hook"),
        ({"targetType": "PAUSE", "timeoutConfiguration": {"timeoutInMinutes": 5}}, "service.lifecycle-hook"),
        ({"hookTargetArn": "arn:aws:lambda:us-east-1:111122223333:function:check"}, "service.lifecycle-hook"),
    ],
)
def test_c44_hooks_are_told_and_one_that_outwaits_the_gate_is_warned_of(hook: dict[str, Any], code: str) -> None:
    hooks = [{"lifecycleStages": ["PRE_SCALE_UP"], **hook}]
    seen = found(described(rolled(100, 200, strategy="BLUE_GREEN", bakeTimeInMinutes=0, lifecycleHooks=hooks)))
    assert "PRE_SCALE_UP" in seen[code].text
    assert len({"service.pause-hook", "service.lifecycle-hook"} & set(seen)) == 1


@pytest.mark.parametrize(
    ("breaker", "code", "grade"),
    [
        ({"enable": False, "rollback": False}, "service.circuit-breaker-off", Grade.WARN),
        ({}, "service.circuit-breaker-off", Grade.WARN),
        ({"enable": True, "rollback": False}, "service.circuit-breaker-without-rollback", Grade.INFO),
    ],
)
def test_a_circuit_breaker_that_does_not_protect_is_told(breaker: dict[str, bool], code: str, grade: Grade) -> None:
    assert found(described(rolled(100, 200, deploymentCircuitBreaker=breaker)))[code].grade is grade


def test_a_circuit_breaker_that_protects_is_no_finding() -> None:
    assert not [code for code in found(described(rolled(100, 200))) if "circuit" in code]


def test_alarms_that_do_not_roll_back_are_told_and_those_that_do_are_not() -> None:
    alarms = {"alarmNames": ["a"], "enable": True, "rollback": False}
    assert found(described(rolled(100, 200, alarms=alarms)))["service.alarms-without-rollback"].grade is Grade.INFO
    for quiet in ({**alarms, "rollback": True}, {**alarms, "enable": False}, {**alarms, "alarmNames": []}):
        assert "service.alarms-without-rollback" not in found(described(rolled(100, 200, alarms=quiet)))


def test_an_alarm_that_fires_is_shown_with_its_reason() -> None:
    now = described({}, around={"alarms": (alarm("a", "ALARM", "5 datapoints"),)}, alarm_names=("a",))
    assert found(now)["alarms.firing"].evidence == (("a", "ALARM 5 datapoints"),)
