"""Preflight of Windows that only paths give away: an old task definition need not name its system (case C18)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrate.core.documents import Json, fields
from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.task_definition import containers

_WINDOWS_PATH = re.compile(r"[A-Za-z]:[\\/]|\\\\[.?]\\pipe\\|//\./pipe/", re.IGNORECASE)
_MOST_SHOWN = 5


def windows_path_findings(observation: Observation) -> Iterator[Finding]:
    """Yield that volumes or mounts are those of Windows where runtimePlatform does not say so."""
    if observation.task_definition.runtime_platform.operating_system_family is not None:
        return
    found = list(_paths(observation))[:_MOST_SHOWN]
    if found:
        yield finding(
            "task-definition.windows-paths",
            Grade.BLOCK,
            0,
            f"The task definition mounts what only Windows has ({found[0][1]}); ECS has no ARM64 Windows.",
            "Leave this service where it is.",
            tuple(pair for path, value in found for pair in (("task definition", path), ("path", value))),
        )


def _paths(observation: Observation) -> Iterator[tuple[str, str]]:
    document = observation.task_definition.document
    for number, volume in enumerate(_objects(fields(document).get("volumes"))):
        host = volume.get("host")
        source = host.get("sourcePath") if isinstance(host, dict) else None
        if _is_windows(source):
            yield f"$.volumes[{number}].host.sourcePath", str(source)
    for number, container in enumerate(containers(document)):
        for position, mount in enumerate(_objects(container.get("mountPoints"))):
            if _is_windows(mount.get("containerPath")):
                path = f"$.containerDefinitions[{number}].mountPoints[{position}].containerPath"
                yield path, str(mount["containerPath"])


def _is_windows(value: Json) -> bool:
    return isinstance(value, str) and _WINDOWS_PATH.match(value) is not None


def _objects(value: Json) -> list[dict[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
