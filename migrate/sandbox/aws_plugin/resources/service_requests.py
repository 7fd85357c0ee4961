"""The requests that create and change a service (reference/provider.md section 2, "Create" and "Update")."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from migrate.sandbox.aws_plugin import tags
from migrate.sandbox.aws_plugin.resources import service_shapes as shapes
from migrate.sandbox.aws_plugin.resources.service_table import DAEMON

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.sandbox.aws_plugin.resource import Update
    from migrate.sandbox.aws_plugin.values import Props

_LEAST_PERCENT = 100  # the API's default of minimumHealthyPercent


def _one(value: Any) -> list[Any]:
    return [value] if value else []


# Property to the API's name and shape; what the program no longer sets arrives as None.
_SHAPED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "taskDefinition": ("taskDefinition", lambda value: value),
    "capacityProviderStrategies": ("capacityProviderStrategy", shapes.strategy_to_api),
    "platformVersion": ("platformVersion", lambda value: value),
    "availabilityZoneRebalancing": ("availabilityZoneRebalancing", lambda value: value or None),
    "deploymentController": ("deploymentController", lambda value: value or {}),
    "enableEcsManagedTags": ("enableECSManagedTags", bool),
    "enableExecuteCommand": ("enableExecuteCommand", bool),
    "healthCheckGracePeriodSeconds": ("healthCheckGracePeriodSeconds", lambda value: value or 0),
    "loadBalancers": ("loadBalancers", shapes.balancers_to_api),
    "networkConfiguration": ("networkConfiguration", shapes.network_to_api),
    "orderedPlacementStrategies": ("placementStrategy", shapes.placement_to_api),
    "placementConstraints": ("placementConstraints", shapes.constraints_to_api),
    "propagateTags": ("propagateTags", lambda value: value),
    "serviceConnectConfiguration": ("serviceConnectConfiguration", shapes.connect_to_api),
    "serviceRegistries": ("serviceRegistries", _one),
    "volumeConfiguration": ("volumeConfigurations", shapes.volume_to_api),
    "vpcLatticeConfigurations": ("vpcLatticeConfigurations", lambda value: value or []),
}


def create_request(planned: Props) -> dict[str, Any]:
    """Give the CreateService request."""
    given = {name: value for name, value in planned.items() if value not in (None, "", [], {})}
    daemon = given.get("schedulingStrategy") == DAEMON
    external = (given.get("deploymentController") or {}).get("type") == "EXTERNAL"
    shaped = {api: make(given[name]) for name, (api, make) in _SHAPED.items() if name in given}
    return {
        "vpcLatticeConfigurations": [],
        "enableECSManagedTags": False,
        "enableExecuteCommand": False,
        **shaped,
        "serviceName": given["name"],
        "cluster": given.get("cluster"),
        "clientToken": str(uuid.uuid4()),
        "desiredCount": None if daemon else given.get("desiredCount", 0),
        "launchType": None if external else given.get("launchType"),
        "schedulingStrategy": given.get("schedulingStrategy"),
        "deploymentConfiguration": _deployment(given, daemon=daemon),
        "role": given.get("iamRole"),
        "tags": tags.to_api("ecs", planned.get("tagsAll")),
    }


def _deployment(given: Props, *, daemon: bool) -> Props:
    shaped = shapes.strategy_fields(given.get("deploymentConfiguration"))
    least = given.get("deploymentMinimumHealthyPercent", 0)
    if not daemon:
        shaped["maximumPercent"] = given["deploymentMaximumPercent"]
    if not daemon or least != _LEAST_PERCENT:
        shaped["minimumHealthyPercent"] = least
    for name in ("deploymentCircuitBreaker", "alarms"):
        if given.get(name):
            shaped[name] = given[name]
    return shaped


def update_request(update: Update) -> dict[str, Any]:
    """Give the UpdateService request: what changed, and forceNewDeployment as the program has it now."""
    planned = update.planned
    request = {api: make(planned.get(name)) for name, (api, make) in _SHAPED.items() if name in update.changed}
    if "desiredCount" in update.changed and planned.get("schedulingStrategy") != DAEMON:
        request["desiredCount"] = planned.get("desiredCount") or 0
    deployment = _deployment_changes(update)
    return {
        **request,
        **({"deploymentConfiguration": deployment} if deployment else {}),
        "cluster": update.state.get("cluster"),
        "service": update.id,
        "forceNewDeployment": bool(planned.get("forceNewDeployment")),
    }


def _deployment_changes(update: Update) -> Props:
    """Give the changed members of deploymentConfiguration."""
    planned, shaped = update.planned, {}
    if update.touches("alarms") and planned.get("alarms"):
        shaped["alarms"] = planned["alarms"]
    if update.touches("deploymentConfiguration"):
        shaped.update(shapes.strategy_fields(planned.get("deploymentConfiguration")))
    if update.touches("deploymentCircuitBreaker"):
        # An existing circuit breaker is removed with an empty object.
        off = {"enable": False, "rollback": False}
        shaped["deploymentCircuitBreaker"] = planned.get("deploymentCircuitBreaker") or off
    if planned.get("schedulingStrategy") == DAEMON:
        if update.touches("deploymentMinimumHealthyPercent"):
            shaped["minimumHealthyPercent"] = planned.get("deploymentMinimumHealthyPercent")
    elif update.touches("deploymentMaximumPercent", "deploymentMinimumHealthyPercent"):
        shaped["maximumPercent"] = planned.get("deploymentMaximumPercent")
        shaped["minimumHealthyPercent"] = planned.get("deploymentMinimumHealthyPercent")
    return shaped
