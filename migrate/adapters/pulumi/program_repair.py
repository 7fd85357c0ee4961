"""What a killed process has left in the state of a team's stack: only what is the service's own is settled.

A deployment is the JSON of ``pulumi stack export``, as in ``repair``.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from migrate.adapters.pulumi import repair
from migrate.adapters.pulumi.program_events import held_resources
from migrate.core.owner.program_guard import OwnResources, ProgramStep
from migrate.core.record import Record
from migrate.core.service_settings import child
from migrate.core.stack.pending import PendingOperation
from migrate.core.stack.preview import TASK_DEFINITION

_PENDING = "pending_operations"
_UNREAD = ("triggers", "forceNewDeployment")
"""What AWS never tells of a service (facts F4)."""


def pending_of(deployment: Mapping[str, Any], own: OwnResources, record: Record) -> tuple[PendingOperation, ...]:
    """Return the service's own operations that were under way; a revision is named as the record knows it."""
    found = []
    for operation in _of_the_service(deployment, own):
        resource = operation["resource"]
        name = resource["urn"].rpartition("::")[2]
        if resource["type"] == TASK_DEFINITION:
            platform = child(resource.get("inputs") or {}, "runtimePlatform")
            arm64 = platform.get("cpuArchitecture") == "ARM64" and not record.arm64_from_the_start
            name = "task-definition-arm64" if arm64 else "task-definition-copy"
        found.append(PendingOperation("service", operation["type"], resource["type"], name, resource["urn"]))
    return tuple(found)


def settled(deployment: Mapping[str, Any], own: OwnResources, made: Mapping[str, str]) -> dict[str, Any]:
    """Return the deployment without the service's pending operations; what they have ``made`` is held by it."""
    ours = _of_the_service(deployment, own)
    theirs = [item for item in deployment.get(_PENDING) or () if item not in ours]
    after = repair.settled({**deployment, _PENDING: ours}, made)
    return {**after, _PENDING: theirs} if theirs else after


def acknowledged(deployment: Mapping[str, Any], step: ProgramStep) -> dict[str, Any]:
    """Return the deployment with what AWS never tells of the service as the program wants it: ``step`` previews it."""
    after = deepcopy(dict(deployment))
    for resource in after.get("resources", ()):
        if resource.get("id") == step.id and resource["type"] == step.change.type:
            for values in (resource["inputs"], resource["outputs"]):
                values |= {name: step.wanted[name] for name in _UNREAD if name in step.wanted}
    return after


def _of_the_service(deployment: Mapping[str, Any], own: OwnResources) -> list[Mapping[str, Any]]:
    found = []
    for operation in deployment.get(_PENDING) or ():
        (step,) = held_resources({"resources": [operation["resource"]]})
        if own.holds(step):
            found.append(operation)
    return found
