from __future__ import annotations

from typing import Any

import pulumi_aws as aws
import pytest

from migrate.core.documents import Json, document
from migrate.core.provider.service import (
    DECIDED_ELSEWHERE,
    LEFT_ALONE,
    service_arguments,
    untranslated_service_fields,
)
from tests.unit.stacks.api_shapes import filled, keys_and_leaves, leaves, shape_names, take_out
from tests.unit.stacks.recording import requested_by

_FROM_THE_DEPLOYMENT = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")


def _whole_service() -> dict[str, Json]:
    service = filled("Service", leave_out=frozenset(DECIDED_ELSEWHERE))
    deployment = filled("Deployment")
    return {**service, **{name: deployment[name] for name in _FROM_THE_DEPLOYMENT}}


def test_every_field_of_the_api_is_either_a_setting_or_decided_elsewhere() -> None:
    known = {*DECIDED_ELSEWHERE, *_whole_service()}
    assert shape_names("Service") <= known
    assert set(DECIDED_ELSEWHERE) <= shape_names("Service")


def test_no_setting_of_the_api_is_lost_but_those_that_the_provider_does_not_know() -> None:
    whole = document(_whole_service())
    assert set(untranslated_service_fields(whole)) == LEFT_ALONE
    known = _whole_service()
    for path in LEFT_ALONE:
        take_out(known, _nested(path))
    # Becomes true or false; see the test of the network below.
    take_out(known, "networkConfiguration.awsvpcConfiguration.assignPublicIp")
    assert set(leaves(known)) <= set(keys_and_leaves(service_arguments(document(known))))


def _nested(path: str) -> str:
    return path if not path.startswith("deploymentCircuitBreaker") else f"deploymentConfiguration.{path}"


def test_the_provider_takes_every_argument() -> None:
    arguments = service_arguments(document(_whole_service()))
    requested = requested_by(lambda: _declare(arguments))["service"]
    assert set(leaves(arguments)) <= set(leaves(requested.inputs))


def _declare(arguments: dict[str, Any]) -> None:
    aws.ecs.Service("service", **arguments)


def test_what_ecs_writes_out_though_nobody_set_it_is_no_argument() -> None:
    answered = document(
        {
            "deploymentConfiguration": {
                "deploymentCircuitBreaker": {"enable": False, "rollback": False},
                "maximumPercent": 200,
                "minimumHealthyPercent": 100,
                "alarms": {"alarmNames": [], "rollback": False, "enable": False},
                "strategy": "ROLLING",
                "bakeTimeInMinutes": 0,
            },
            "healthCheckGracePeriodSeconds": 0,
            "propagateTags": "NONE",
            "loadBalancers": [],
            "serviceRegistries": [],
            "placementConstraints": [],
            "enableExecuteCommand": False,
            "tags": [],
        }
    )
    assert service_arguments(answered) == {
        "deployment_maximum_percent": 200,
        "deployment_minimum_healthy_percent": 100,
        "deployment_circuit_breaker": {"enable": False, "rollback": False},
        "enable_execute_command": False,
    }


def test_the_network_and_public_address_are_carried_over() -> None:
    network = {"awsvpcConfiguration": {"subnets": ["s"], "securityGroups": [], "assignPublicIp": "ENABLED"}}
    arguments = service_arguments(document({"networkConfiguration": network}))
    assert arguments["network_configuration"] == {"subnets": ["s"], "assign_public_ip": True}


@pytest.mark.parametrize(("scheduling", "expected"), [("REPLICA", 150), ("DAEMON", None)])
def test_a_daemon_has_no_maximum_percent(scheduling: str, expected: int | None) -> None:
    settings = {"schedulingStrategy": scheduling, "deploymentConfiguration": {"maximumPercent": 150}}
    assert service_arguments(document(settings)).get("deployment_maximum_percent") == expected


def test_c34_the_role_is_left_to_the_provider_since_a_change_of_it_replaces_the_service() -> None:
    assert service_arguments(document({"roleArn": "arn:aws:iam::1:role/ecs", "desiredCount": 3})) == {}


def test_a_second_registry_is_named_as_not_carried_over() -> None:
    registries = [{"registryArn": "a"}, {"registryArn": "b"}]
    assert untranslated_service_fields(document({"serviceRegistries": registries})) == ("serviceRegistries[1]",)
