"""What a killed process has left in the state of a stack, and the state as it is once the world was looked at.

A deployment is the JSON text of ``pulumi stack export``; secrets stay encrypted in it. Pulumi keeps a create that was
under way as a pending operation (pulumi 3.274, apitype.OperationV2) and says so at every later one; it never looks
whether the resource was made. A resource that was is written in as Pulumi would have, with as much as the provider
needs to find it: the refresh that follows reads the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from migrate.core.desired_state import ServiceStackInputs
from migrate.core.stack.pending import PendingOperation
from migrate.core.stack.preview import SERVICE, TASK_DEFINITION
from stacks.service.program import SERVICE as SERVICE_NAME

_PENDING = "pending_operations"
_VERSION = 3
"""The version of what ``pulumi stack export`` writes (pulumi 3.274, apitype.DeploymentSchemaVersionCurrent)."""


def exported_text(deployment: Mapping[str, Any]) -> str:
    """Return a deployment as ``pulumi stack import`` takes it."""
    return json.dumps({"version": _VERSION, "deployment": deployment})


def pending(stack: str, deployment: Mapping[str, Any]) -> tuple[PendingOperation, ...]:
    """Return the operations of a stack that were under way when their process was killed."""
    found = []
    for operation in deployment.get(_PENDING) or ():
        resource = operation["resource"]
        name = resource["urn"].rpartition("::")[2]
        found.append(PendingOperation(stack, operation["type"], resource["type"], name, resource["urn"]))
    return tuple(found)


def settled(deployment: Mapping[str, Any], made: Mapping[str, str]) -> dict[str, Any]:
    """Return the deployment without pending operations; what one of them has ``made`` (ARNs by URN) is held by it."""
    after = deepcopy(dict(deployment))
    held = after.setdefault("resources", [])
    known = {resource["urn"] for resource in held}
    for operation in after.pop(_PENDING, None) or ():
        resource = operation["resource"]
        arn = made.get(resource["urn"])
        if arn is not None and resource["urn"] not in known:
            held.append(_made(resource, arn, held))
    return after


def acknowledged(deployment: Mapping[str, Any], inputs: ServiceStackInputs) -> dict[str, Any]:
    """Return the deployment with the triggers of the service as the program would have written them."""
    after = deepcopy(dict(deployment))
    forced = inputs.service.force_new_deployment
    for resource in after.get("resources", ()):
        if resource["type"] == SERVICE and resource["urn"].endswith(f"::{SERVICE_NAME}"):
            for values in (resource["inputs"], resource["outputs"]):
                values["triggers"] = dict(inputs.service.triggers)
                values["forceNewDeployment"] = forced
    return after


def _made(resource: Mapping[str, Any], arn: str, held: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a resource as a finished create leaves it: ids are a task definition's family, and a service's ARN."""
    inputs = resource.get("inputs", {})
    identity = inputs["family"] if resource["type"] == TASK_DEFINITION else arn
    alike = (item["outputs"] for item in held if item["type"] == resource["type"] and "__meta" in item["outputs"])
    meta = {"__meta": found["__meta"]} if (found := next(alike, None)) else {}
    return {**resource, "id": identity, "outputs": {**inputs, **meta, "id": identity, "arn": arn}}
