"""A service between the shapes of a program and those of the ECS API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrate.sandbox.aws_plugin.errors import PluginError

if TYPE_CHECKING:
    from migrate.sandbox.aws_plugin.values import Props

_WITH_FIELD = ("spread", "binpack")


def strategy_to_api(items: Any) -> list[Props]:
    """Give a capacity provider strategy for a call."""
    return [
        {
            "capacityProvider": item["capacityProvider"],
            "base": item.get("base") or 0,
            "weight": item.get("weight") or 0,
        }
        for item in items or []
    ]


def network_to_api(network: Props | None) -> Props | None:
    """Give the network configuration for a call."""
    if not network:
        return None
    inner: Props = {
        "subnets": network["subnets"],
        "assignPublicIp": "ENABLED" if network.get("assignPublicIp") else "DISABLED",
    }
    if network.get("securityGroups"):
        inner["securityGroups"] = network["securityGroups"]
    return {"awsvpcConfiguration": inner}


def balancers_to_api(items: Any) -> list[Props]:
    """Give the load balancers for a call."""
    found = []
    for item in items or []:
        shaped = {name: value for name, value in item.items() if name != "elbName" and value not in (None, "")}
        if item.get("elbName"):
            shaped["loadBalancerName"] = item["elbName"]
        found.append(shaped)
    return found


def placement_to_api(items: Any) -> list[Props]:
    """Give the placement strategies for a call; raises :class:`PluginError` with the provider's texts."""
    found = []
    for item in items or []:
        kind, field = item["type"], item.get("field") or ""
        if kind == "random" and field:
            raise PluginError(f"Random type requires the field attribute to be unset. Got: {field}")
        if kind == "binpack" and field.lower() not in ("cpu", "memory"):
            message = "Binpack type requires the field attribute to be either 'cpu' or 'memory'. Got: "
            raise PluginError(f"{message}{field}")
        field = "instanceId" if kind == "spread" and field == "host" else field
        found.append({"type": kind, **({"field": field} if kind in _WITH_FIELD else {})})
    return found


def constraints_to_api(items: Any) -> list[Props]:
    """Give the placement constraints for a call; raises :class:`PluginError` with the provider's texts."""
    found = []
    for item in items or []:
        if item["type"] == "memberOf" and not item.get("expression"):
            raise PluginError("Expression cannot be nil for 'memberOf' type")
        found.append({name: value for name, value in item.items() if value})
    return found


def connect_to_api(connect: Props | None) -> Props:
    """Give the Service Connect configuration for a call; none at all is switched off."""
    if not connect:
        return {"enabled": False}
    shaped = {name: value for name, value in connect.items() if name != "services" and value}
    shaped["enabled"] = bool(connect.get("enabled"))
    services = []
    for service in connect.get("services") or []:
        item = {name: value for name, value in service.items() if name != "clientAlias" and value}
        if service.get("clientAlias"):
            item["clientAliases"] = service["clientAlias"]
        services.append(item)
    return {**shaped, **({"services": services} if services else {})}


def volume_to_api(volume: Props | None) -> list[Props] | None:
    """Give the volume configurations for a call; a removal sends nothing."""
    if not volume:
        return None
    ebs = {name: value for name, value in volume["managedEbsVolume"].items() if name != "fileSystemType"}
    shaped = {{"sizeInGb": "sizeInGiB"}.get(name, name): value for name, value in ebs.items() if value is not None}
    if volume["managedEbsVolume"].get("fileSystemType"):
        shaped["filesystemType"] = volume["managedEbsVolume"]["fileSystemType"]
    return [{"name": volume["name"], "managedEBSVolume": shaped}]


def strategy_fields(deployment: Props | None) -> Props:
    """Give the members of deploymentConfiguration that belong to a deployment strategy."""
    given: Props = deployment or {}
    shaped: Props = {}
    kind = given.get("strategy")
    if kind:
        shaped["strategy"] = kind
        if given.get("bakeTimeInMinutes"):
            shaped["bakeTimeInMinutes"] = int(given["bakeTimeInMinutes"])
        if kind == "LINEAR":
            shaped["linearConfiguration"] = _percent(given, "linear", "stepPercent", "stepBakeTimeInMinutes")
        if kind == "CANARY":
            shaped["canaryConfiguration"] = _percent(given, "canary", "canaryPercent", "canaryBakeTimeInMinutes")
    if given.get("lifecycleHooks"):
        shaped["lifecycleHooks"] = [_hook(item) for item in given["lifecycleHooks"]]
    return shaped


def _percent(given: Props, kind: str, percent: str, bake: str) -> Props:
    inner = given.get(f"{kind}Configuration") or {}
    if inner.get(percent) is None:
        snake = {"linear": "step_percent", "canary": "canary_percent"}[kind]
        raise PluginError(f"{snake} is required for {kind} deployment configuration")
    return {percent: inner[percent], **({bake: int(inner[bake])} if inner.get(bake) else {})}


def _hook(item: Props) -> Props:
    return {name: value for name, value in item.items() if value not in (None, "", [])}


def read_network(network: Props | None) -> Props | None:
    """Give the state's network configuration."""
    inner = (network or {}).get("awsvpcConfiguration")
    if not inner:
        return None
    return {
        "subnets": inner.get("subnets") or [],
        "securityGroups": inner.get("securityGroups") or [],
        "assignPublicIp": inner.get("assignPublicIp") == "ENABLED",
    }


def read_balancers(items: Any) -> list[Props]:
    """Give the state's load balancers."""
    found = []
    for item in items or []:
        shaped = {name: value for name, value in item.items() if name != "loadBalancerName"}
        found.append({**shaped, "elbName": item.get("loadBalancerName", "")})
    return found


def read_placement(items: Any) -> list[Props]:
    """Give the state's placement strategies."""
    found = []
    for item in items or []:
        field = item.get("field", "")
        field = field.lower() if field in ("CPU", "MEMORY") else field
        found.append({"type": item["type"], "field": "instanceId" if field == "host" else field})
    return found


def read_connect(connect: Props | None) -> Props | None:
    """Give the state's Service Connect configuration."""
    if not connect:
        return None
    services = []
    for service in connect.get("services") or []:
        item = {name: value for name, value in service.items() if name != "clientAliases"}
        services.append({**item, "clientAlias": service.get("clientAliases") or []})
    return {**connect, "services": services}


def read_deployment(deployment: Props) -> Props | None:
    """Give the state's deploymentConfiguration, with its numbers as text."""
    if not deployment.get("strategy"):
        return None
    shaped: Props = {"strategy": deployment["strategy"]}
    if deployment.get("bakeTimeInMinutes") is not None:
        shaped["bakeTimeInMinutes"] = str(deployment["bakeTimeInMinutes"])
    for kind, bake in (("linear", "stepBakeTimeInMinutes"), ("canary", "canaryBakeTimeInMinutes")):
        inner = deployment.get(f"{kind}Configuration")
        if inner:
            shaped[f"{kind}Configuration"] = {**inner, **({bake: str(inner[bake])} if bake in inner else {})}
    if deployment.get("lifecycleHooks"):
        shaped["lifecycleHooks"] = deployment["lifecycleHooks"]
    return shaped
