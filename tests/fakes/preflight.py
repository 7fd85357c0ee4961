"""Observations for preflight: a service's settings and a task definition written as AWS answers them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from migrate.core.documents import document, fields
from migrate.core.facts import RuntimePlatform, StrategyItem
from migrate.core.findings import Finding
from migrate.core.observation import Observation
from migrate.core.preflight import findings
from migrate.core.settings import Settings
from migrate.core.surroundings import ContainerInstance
from tests.fakes.facts import definition, observation, service, settings

SETTINGS = settings()
ON_EC2: dict[str, Any] = {"launch_type": None, "strategy": (StrategyItem("graviton", weight=1),)}
TO_EC2 = replace(SETTINGS, capacity=(StrategyItem("graviton", weight=1),))


def described(
    answer: dict[str, Any] | None = None,
    revision: dict[str, Any] | None = None,
    *,
    around: dict[str, Any] | None = None,
    **of_service: Any,
) -> Observation:
    """Return an observation: ``answer`` are settings of the service, ``revision`` fields of its task definition."""
    if answer is not None:
        of_service.setdefault("document", document({"serviceName": "web", **answer}))
    content = {**fields(definition().document), **(revision or {})}
    platform = content.get("runtimePlatform") or {}
    made = replace(
        definition(content),
        runtime_platform=RuntimePlatform(platform.get("cpuArchitecture"), platform.get("operatingSystemFamily")),
    )
    whole: dict[str, Any] = {"launch_type": "FARGATE", "strategy": ()} | of_service
    more: dict[str, Any] = {"service": service(**whole), "task_definition": made}
    return observation(**(more | (around or {})))


def rolled(minimum: int | None = None, maximum: int | None = None, **configuration: Any) -> dict[str, Any]:
    """Return service settings with a deployment configuration that is protected by a circuit breaker."""
    given: dict[str, Any] = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}, **configuration}
    if minimum is not None:
        given["minimumHealthyPercent"] = minimum
    if maximum is not None:
        given["maximumPercent"] = maximum
    return {"deploymentConfiguration": given}


def container(**more: Any) -> dict[str, Any]:
    """Return task definition fields with one container ``app``."""
    return {"containerDefinitions": [{"name": "app", "image": "repo:tag1", **more}]}


def found(now: Observation, wanted: Settings = SETTINGS) -> dict[str, Finding]:
    """Return what preflight says, by code; of several with one code, the first."""
    by_code: dict[str, Finding] = {}
    for item in findings(now, wanted):
        by_code.setdefault(item.code, item)
    return by_code


def instance(instance_type: str, architecture: str, **attributes: str) -> ContainerInstance:
    """Return a registered container instance."""
    known = {"ecs.instance-type": instance_type, "ecs.cpu-architecture": architecture, "ecs.os-type": "linux"}
    named = {name.replace("_", "-"): value for name, value in attributes.items()}
    return ContainerInstance(
        f"arn:aws:ecs:us-east-1:111122223333:container-instance/demo/{instance_type}",
        instance_id=f"i-{instance_type}",
        attributes=tuple(sorted((known | named).items())),
    )
