"""A service of the ECS API as the state keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrate.sandbox.aws_plugin.resources import service_shapes as shapes

if TYPE_CHECKING:
    from migrate.sandbox.aws_plugin.values import Props


def _same_format(kept: Any, arn: str, short: str) -> str:
    """Give an ARN or the short form, as the state has it."""
    return arn if str(kept or "").startswith("arn:") else short


def flattened(service: Props, state: Props) -> Props:
    """Give the state; cluster, role and task definition stay in the form that ``state`` has them in."""
    deployment = service.get("deploymentConfiguration") or {}
    primary: Props = next((item for item in service.get("deployments") or [] if item["status"] == "PRIMARY"), {})
    cluster, definition, role = service["clusterArn"], service.get("taskDefinition"), service.get("roleArn")
    alarms = deployment.get("alarms")
    found: Props = {
        "name": service["serviceName"],
        "arn": service["serviceArn"],
        "cluster": _same_format(state.get("cluster"), cluster, cluster.rpartition("/")[2]),
        "desiredCount": service.get("desiredCount"),
        "launchType": service.get("launchType", ""),
        "capacityProviderStrategies": shapes.strategy_to_api(service.get("capacityProviderStrategy")),
        "schedulingStrategy": service.get("schedulingStrategy"),
        "platformVersion": service.get("platformVersion", ""),
        "deploymentMaximumPercent": deployment.get("maximumPercent"),
        "deploymentMinimumHealthyPercent": deployment.get("minimumHealthyPercent"),
        "deploymentCircuitBreaker": deployment.get("deploymentCircuitBreaker"),
        "alarms": alarms if alarms and alarms.get("alarmNames") else None,
        "deploymentConfiguration": shapes.read_deployment(deployment),
        "deploymentController": {"type": (service.get("deploymentController") or {}).get("type", "ECS")},
        "availabilityZoneRebalancing": service.get("availabilityZoneRebalancing", "DISABLED"),
        "enableEcsManagedTags": bool(service.get("enableECSManagedTags")),
        "enableExecuteCommand": bool(service.get("enableExecuteCommand")),
        "healthCheckGracePeriodSeconds": service.get("healthCheckGracePeriodSeconds", 0),
        "networkConfiguration": shapes.read_network(service.get("networkConfiguration")),
        "orderedPlacementStrategies": shapes.read_placement(service.get("placementStrategy")),
        "placementConstraints": service.get("placementConstraints") or [],
        "propagateTags": service.get("propagateTags", "NONE"),
        "serviceConnectConfiguration": shapes.read_connect(primary.get("serviceConnectConfiguration")),
        "serviceRegistries": next(iter(service.get("serviceRegistries") or []), None),
        "vpcLatticeConfigurations": primary.get("vpcLatticeConfigurations") or [],
        "iamRole": _same_format(state.get("iamRole"), role, role.rpartition("/")[2]) if role else "",
        "triggers": state.get("triggers") or {},
    }
    if definition:
        found["taskDefinition"] = _same_format(state.get("taskDefinition"), definition, definition.rpartition("/")[2])
    if service.get("loadBalancers") is not None:
        found["loadBalancers"] = shapes.read_balancers(service["loadBalancers"])
    return found
