"""Task definitions as documents: what a new revision carries over, and when two of them mean the same (case C33).

The equivalences are those of the AWS provider's container definition comparison (provider.md section 3) and of
RegisterTaskDefinition's own defaults.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from migrate.core.documents import Document, Json, document, fields
from migrate.core.facts import Architecture
from migrate.core.image.binaries import ProcessOverrides, path_variables

REGISTERED_FIELDS = (
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "containerDefinitions",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
)
"""Fields of RegisterTaskDefinition that stacks/service carries over (ECS API reference)."""

ANSWER_ONLY_FIELDS = (
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
    "daemonTaskDefinitionArn",
)
"""Fields that DescribeTaskDefinition adds and RegisterTaskDefinition refuses (case C54)."""

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
    "dockerLabels",
)
_SORTED_BY_NAME = ("environment", "secrets")
_ZERO_IS_ABSENT = ("cpu",)
_HEALTH_CHECK_DEFAULTS: dict[str, Json] = {"interval": 30, "retries": 3, "timeout": 5}


def registrable(text: Document) -> dict[str, Json]:
    """Return the part of a DescribeTaskDefinition answer that a new revision takes, without nulls at any depth."""
    whole = fields(text)
    return {name: _without_nulls(whole[name]) for name in REGISTERED_FIELDS if whole.get(name) not in (None, [], {})}


def _without_nulls(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value if item is not None] if isinstance(value, list) else value


@lru_cache(maxsize=128)
def with_architecture(text: Document, architecture: Architecture) -> Document:
    """Return the registrable document with both fields of runtimePlatform written out (case C53)."""
    carried = registrable(text)
    platform = carried.get("runtimePlatform")
    system = platform.get("operatingSystemFamily") if isinstance(platform, dict) else None
    carried["runtimePlatform"] = {"cpuArchitecture": architecture.value, "operatingSystemFamily": system or "LINUX"}
    return document(carried)


def containers(text: Document) -> tuple[dict[str, Json], ...]:
    """Return the container definitions of a task definition, in its order."""
    return tuple(item for item in _objects(fields(text).get("containerDefinitions")))


def process_overrides(container: dict[str, Json]) -> ProcessOverrides:
    """Return what a container definition sets over its image: entry point, command, health check, paths, directory."""
    pairs = _objects(container.get("environment"))
    environment = {str(item.get("name")): str(item.get("value")) for item in pairs if item.get("value")}
    check, directory = container.get("healthCheck"), container.get("workingDirectory")
    return ProcessOverrides(
        entry_point=_words(container.get("entryPoint")),
        command=_words(container.get("command")),
        search_path=environment.get("PATH"),
        working_directory=str(directory) if directory else None,
        library_path=environment.get("LD_LIBRARY_PATH"),
        health_check=_words(check.get("command")) if isinstance(check, dict) else None,
        variables=path_variables(environment),
        mounts=_mounts(container),
    )


def _mounts(container: dict[str, Json]) -> tuple[str, ...]:
    paths = [str(item.get("containerPath") or "") for item in _objects(container.get("mountPoints"))]
    taken_over = ["/"] if _list(container.get("volumesFrom")) else []
    return tuple(path for path in (*paths, *taken_over) if path.startswith("/"))


def _words(value: Json) -> tuple[str, ...] | None:
    return tuple(str(word) for word in _list(value)) or None


def equivalent(left: Document, right: Document) -> bool:
    """Tell whether two task definitions register the same thing: noise of order, defaults and empties apart."""
    return normalised(left) == normalised(right)


def alike_but_for_architecture(left: Document, right: Document) -> bool:
    """Tell whether two task definitions register the same thing apart from the architecture that they are for."""
    return equivalent(*(with_architecture(text, Architecture.ARM64) for text in (left, right)))


def architecture_of(text: Document) -> Architecture:
    """Return the architecture of a revision; one that says nothing runs on amd64 (facts F25)."""
    platform = fields(text).get("runtimePlatform")
    named = platform.get("cpuArchitecture") if isinstance(platform, dict) else None
    return Architecture(str(named or Architecture.X86_64))


def normalised(text: Document) -> Document:
    """Return the registrable document in one spelling: defaults written out, noise taken away, sets sorted."""
    carried = registrable(text)
    mode = carried.get("networkMode") or "bridge"
    carried["containerDefinitions"] = [
        _normalised_container(item, awsvpc=mode == "awsvpc")
        for item in sorted(_objects(carried.get("containerDefinitions")), key=lambda item: str(item.get("name")))
    ]
    carried["volumes"] = [_normalised_volume(item) for item in _by_name(_objects(carried.get("volumes")))]
    compatibilities = sorted(str(item) for item in _list(carried.get("requiresCompatibilities")))
    carried["requiresCompatibilities"] = list(compatibilities)
    return document({name: value for name, value in carried.items() if value not in ([], False)})


def _normalised_container(container: dict[str, Json], *, awsvpc: bool) -> dict[str, Json]:
    result: dict[str, Json] = {name: value for name, value in container.items() if value is not None}
    result.setdefault("essential", True)
    for name in _SORTED_BY_NAME:
        if name in result:
            result[name] = list(_by_name(item for item in _objects(result[name]) if item.get("value") != ""))
    if "environment" in result:
        result["environment"] = [item for item in _objects(result["environment"]) if item.get("value") is not None]
    if "portMappings" in result:
        result["portMappings"] = [_normalised_port(item, awsvpc=awsvpc) for item in _objects(result["portMappings"])]
    check = result.get("healthCheck")
    if isinstance(check, dict):
        result["healthCheck"] = _HEALTH_CHECK_DEFAULTS | {key: value for key, value in check.items() if value}
    # A FireLens container runs as root whether it says so or not (provider PR 36029, case C33).
    if result.get("firelensConfiguration") and result.get("user") == "0":
        del result["user"]
    for name in (*_EMPTY_IS_ABSENT, *_ZERO_IS_ABSENT):
        if not result.get(name):
            result.pop(name, None)
    return result


def _normalised_port(port: dict[str, Json], *, awsvpc: bool) -> dict[str, Json]:
    result: dict[str, Json] = {name: value for name, value in port.items() if value is not None}
    result.setdefault("protocol", "tcp")
    if not result.get("hostPort"):
        result["hostPort"] = result.get("containerPort") if awsvpc else 0
    return result


def _normalised_volume(volume: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in volume.items() if value not in (None, False, {})}


def _objects(value: Json) -> list[dict[str, Json]]:
    return [item for item in _list(value) if isinstance(item, dict)]


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _by_name(items: Iterable[dict[str, Json]]) -> list[dict[str, Json]]:
    return sorted(items, key=lambda item: str(item.get("name")))
