"""The fields of a container definition that survive the AWS provider.

It takes container definitions as JSON text, reads them into the types of its own AWS SDK, and drops what those do not
know without a word (provider.md section 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from migrate.core.documents import Json
from migrate.core.provider.translation import says_something

Fields: TypeAlias = "Mapping[str, Fields | None]"
"""Names of fields; those of the objects inside, or None where there are none (texts, numbers, maps of options)."""


def _plain(*names: str) -> dict[str, Fields | None]:
    return dict.fromkeys(names)


_PAIR = _plain("name", "value")
_SECRET = _plain("name", "valueFrom")

CONTAINER_FIELDS: Fields = {
    **_plain("name", "image", "cpu", "memory", "memoryReservation", "essential", "entryPoint", "command"),
    **_plain("workingDirectory", "user", "hostname", "privileged", "readonlyRootFilesystem", "interactive"),
    **_plain("pseudoTerminal", "disableNetworking", "dnsServers", "dnsSearchDomains", "dockerSecurityOptions"),
    **_plain("dockerLabels", "links", "startTimeout", "stopTimeout", "versionConsistency", "credentialSpecs"),
    "repositoryCredentials": _plain("credentialsParameter"),
    "portMappings": _plain("containerPort", "hostPort", "protocol", "name", "appProtocol", "containerPortRange"),
    "restartPolicy": _plain("enabled", "ignoredExitCodes", "restartAttemptPeriod"),
    "environment": _PAIR,
    "environmentFiles": _plain("value", "type"),
    "mountPoints": _plain("sourceVolume", "containerPath", "readOnly"),
    "volumesFrom": _plain("sourceContainer", "readOnly"),
    "linuxParameters": {
        **_plain("initProcessEnabled", "sharedMemorySize", "maxSwap", "swappiness"),
        "capabilities": _plain("add", "drop"),
        "devices": _plain("hostPath", "containerPath", "permissions"),
        "tmpfs": _plain("containerPath", "size", "mountOptions"),
    },
    "secrets": _SECRET,
    "dependsOn": _plain("containerName", "condition"),
    "extraHosts": _plain("hostname", "ipAddress"),
    "ulimits": _plain("name", "softLimit", "hardLimit"),
    "logConfiguration": {**_plain("logDriver", "options"), "secretOptions": _SECRET},
    "healthCheck": _plain("command", "interval", "timeout", "retries", "startPeriod"),
    "systemControls": _plain("namespace", "value"),
    "resourceRequirements": _plain("value", "type"),
    "firelensConfiguration": _plain("type", "options"),
}
"""Container definitions as of pulumi-aws 7.51.1 (ECS API reference, ContainerDefinition)."""


def unknown_container_fields(definitions: Json) -> tuple[str, ...]:
    """Return the fields with content that are not in the table, as paths from the task definition, sorted."""
    items = definitions if isinstance(definitions, list) else []
    return tuple(
        sorted(
            path
            for index, item in enumerate(items)
            if isinstance(item, dict)
            for path in _unknown(item, CONTAINER_FIELDS, f"containerDefinitions[{index}]")
        )
    )


def _unknown(value: Mapping[str, Json], known: Fields, path: str) -> Iterator[str]:
    for name, item in value.items():
        if name not in known:
            if says_something(item):
                yield f"{path}.{name}"
            continue
        inside = known[name]
        if inside is None:
            continue
        if isinstance(item, list):
            for index, one in enumerate(item):
                if isinstance(one, dict):
                    yield from _unknown(one, inside, f"{path}.{name}[{index}]")
        elif isinstance(item, dict):
            yield from _unknown(item, inside, f"{path}.{name}")
