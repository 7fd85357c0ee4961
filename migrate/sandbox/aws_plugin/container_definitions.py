"""When two texts of container definitions mean the same (reference/provider.md section 3, case C33)."""

from __future__ import annotations

import json
from typing import Any

from migrate.sandbox.aws_plugin.values import Props

_SORTED = ("environment", "secrets")
_EMPTY_IS_ABSENT = (
    "command",
    "credentialSpecs",
    "dependsOn",
    "dnsSearchDomains",
    "dnsServers",
    "dockerSecurityOptions",
    "entryPoint",
    "environment",
    "environmentFiles",
    "extraHosts",
    "links",
    "mountPoints",
    "portMappings",
    "resourceRequirements",
    "secrets",
    "systemControls",
    "ulimits",
    "volumesFrom",
)
_WITHOUT_NULLS = (
    "dependsOn",
    "environment",
    "environmentFiles",
    "extraHosts",
    "mountPoints",
    "portMappings",
    "resourceRequirements",
    "secrets",
    "systemControls",
    "ulimits",
    "volumesFrom",
)
_ZERO_IS_ABSENT = ("cpu",)
_HEALTH_DEFAULTS = {"interval": 30, "retries": 3, "timeout": 5}
_CONSISTENCY = ("enabled", "disabled")
# Members of botocore's model would be the truth, but loading it costs what the whole diff costs.
_KNOWN = frozenset(
    {
        *_EMPTY_IS_ABSENT,
        *("cpu", "disableNetworking", "dockerLabels", "essential", "firelensConfiguration", "healthCheck", "hostname"),
        *("image", "interactive", "linuxParameters", "logConfiguration", "memory", "memoryReservation", "name"),
        *("privileged", "pseudoTerminal", "readonlyRootFilesystem", "repositoryCredentials", "restartPolicy"),
        *("startTimeout", "stopTimeout", "user", "versionConsistency", "workingDirectory"),
    }
)
_BY_LOWER_CASE = {name.lower(): name for name in _KNOWN}


def parse(document: Any) -> list[Props]:
    """Give the containers of a text, with known members only, as the provider's typed decoding does.

    Raises ValueError with the provider's texts.
    """
    try:
        containers = json.loads(document)
    except (TypeError, ValueError) as error:
        raise ValueError(f"ECS Task Definition container_definitions is invalid: {error}") from error
    if not isinstance(containers, list) or not all(item is None or isinstance(item, dict) for item in containers):
        raise ValueError("ECS Task Definition container_definitions is invalid: Error decoding JSON: not a list")
    found = []
    for index, container in enumerate(containers):
        known = {_BY_LOWER_CASE.get(str(name).lower()): value for name, value in (container or {}).items()}
        known = {name: value for name, value in known.items() if name is not None and value is not None}
        if not known:
            raise ValueError(f"invalid container definition supplied at index ({index})")
        consistency = known.get("versionConsistency", "enabled")
        if consistency not in _CONSISTENCY:
            message = f"invalid version consistency value ({consistency}) for container definition supplied at index"
            raise ValueError(f"{message} ({index})")
        found.append({str(name): value for name, value in known.items()})
    return found


def problem(document: Any) -> str | None:
    """Give what is wrong with a text, for Check."""
    try:
        parse(document)
    except ValueError as error:
        text = str(error)
        return text if text.startswith("ECS Task") else f"ECS Task Definition container_definitions is invalid: {text}"
    return None


def equivalent(one: Any, other: Any, planned: Props) -> bool:
    """Whether two texts mean the same for a task definition with the network mode of ``planned``."""
    awsvpc = planned.get("networkMode") == "awsvpc"
    try:
        return _reduced(parse(one), awsvpc=awsvpc) == _reduced(parse(other), awsvpc=awsvpc)
    except ValueError:
        return False


def _reduced(containers: list[Props], *, awsvpc: bool) -> list[Props]:
    return sorted((_reduce(container, awsvpc=awsvpc) for container in containers), key=lambda item: str(item["name"]))


def _reduce(container: Props, *, awsvpc: bool) -> Props:
    reduced = {"essential": True, "name": "", **_without_nulls(container)}
    for name in _WITHOUT_NULLS:
        if isinstance(reduced.get(name), list):
            reduced[name] = [item for item in reduced[name] if item not in (None, {}, "")]
    if isinstance(reduced.get("portMappings"), list):
        reduced["portMappings"] = [_port(item, awsvpc=awsvpc) for item in reduced["portMappings"]]
    if isinstance(reduced.get("healthCheck"), dict):
        reduced["healthCheck"] = {**_HEALTH_DEFAULTS, **reduced["healthCheck"]}
    for name in _SORTED:
        reduced[name] = sorted(reduced.get(name) or [], key=lambda item: str(item.get("name")))
    absent = {*(name for name in _EMPTY_IS_ABSENT if reduced.get(name) == [])}
    absent |= {name for name in _ZERO_IS_ABSENT if reduced.get(name) == 0}
    return {name: value for name, value in reduced.items() if name not in absent}


def _without_nulls(value: Any) -> Any:
    """Drop members that are null at every depth: a typed decoding has no place for them."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) if item is not None else None for item in value]
    return value


def _port(port: Props, *, awsvpc: bool) -> Props:
    reduced = dict(port)
    if reduced.get("protocol") in (None, "", "tcp"):
        reduced.pop("protocol", None)
    if not reduced.get("hostPort"):
        reduced.pop("hostPort", None)
        if awsvpc and "containerPort" in reduced:
            reduced["hostPort"] = reduced["containerPort"]
    return reduced


def written(containers: list[Props]) -> str:
    """Give the state's text of the API's containers: sorted, compact, without what has no value."""
    shaped = []
    for container in sorted(containers, key=lambda item: str(item.get("name"))):
        full = {name: value for name, value in container.items() if value is not None}
        for name in _SORTED:
            if full.get(name):
                full[name] = sorted(full[name], key=lambda item: str(item.get("name")))
        shaped.append(full)
    return json.dumps(shaped, separators=(",", ":"), sort_keys=True)
