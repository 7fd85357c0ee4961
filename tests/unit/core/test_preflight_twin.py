from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrate.core.documents import document, fields
from migrate.core.findings import Grade
from migrate.core.preflight.twin import twin_findings
from migrate.core.settings import ArchitectureMode
from tests.fakes.facts import observation, service, settings

CANARY = replace(settings(), architecture=ArchitectureMode.CANARY)
MIXED = replace(settings(), architecture=ArchitectureMode.MIXED)


def found(more: dict[str, Any], mode: Any = CANARY) -> dict[str, Grade]:
    known = service()
    seen = replace(known, document=document({**fields(known.document), **more}))
    return {item.code: item.grade for item in twin_findings(observation(service=seen), mode)}


@pytest.mark.parametrize(
    "more",
    [
        {"serviceRegistries": [{"registryArn": "arn:aws:servicediscovery:us-east-1:1:service/srv-1"}]},
        {"serviceConnectConfiguration": {"enabled": True, "services": [{"portName": "http"}]}},
        {"vpcLatticeConfigurations": [{"targetGroupArn": "arn:1", "portName": "http", "roleArn": "arn:2"}]},
        {"deploymentConfiguration": {"strategy": "BLUE_GREEN"}},
        {"deploymentConfiguration": {"strategy": "CANARY"}},
        {"loadBalancers": [{"targetGroupArn": "arn:1", "advancedConfiguration": {"productionListenerRule": "arn:2"}}]},
    ],
    ids=["registry", "service connect", "lattice", "blue/green", "canary", "listener rule"],
)
def test_what_one_service_holds_alone_cannot_be_twinned(more: dict[str, Any]) -> None:
    assert found(more)["service.not-twinned"] is Grade.BLOCK
    assert found(more, settings()) == {}, "mode rolling needs no twin"


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"serviceConnectConfiguration": {"enabled": True, "namespace": "shop"}},
        {"serviceConnectConfiguration": {"enabled": False, "services": [{"portName": "http"}]}},
        {"deploymentConfiguration": {"strategy": "ROLLING"}},
    ],
    ids=["plain", "only a client", "not enabled", "rolling"],
)
def test_what_two_services_may_have_is_no_obstacle(more: dict[str, Any]) -> None:
    assert "service.not-twinned" not in found(more)


def test_what_the_provider_cannot_express_the_twin_goes_without() -> None:
    breaker = {"enable": True, "rollback": True, "resetOnHealthyTask": True}
    assert (
        found({"deploymentConfiguration": {"deploymentCircuitBreaker": breaker}})["service.twin-without"] is Grade.WARN
    )


def test_mixed_rules_stage_3_out() -> None:
    assert found({}, MIXED)["service.mixed-stays"] is Grade.BLOCK
    assert "service.mixed-stays" not in found({})


def test_a_consumer_without_a_load_balancer_gets_company() -> None:
    alone = observation(service=service(target_group_arns=()))
    assert "service.twin-consumes" in {item.code for item in twin_findings(alone, CANARY)}
