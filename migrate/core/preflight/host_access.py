"""Preflight of tasks that reach into the machine they run on: agents of a host follow the host (case C48)."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.documents import Json, fields
from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.preflight.paths import Evidence, in_service, in_task_definition
from migrate.core.service_settings import child, children
from migrate.core.task_definition import containers

_SHOWN = 5


def host_findings(observation: Observation) -> Iterator[Finding]:
    """Yield that a service runs on every instance, and every way by which its tasks reach into their host."""
    yield from _daemon(observation)
    reached = list(host_access(observation))
    if reached:
        yield finding(
            "task-definition.host-access",
            Grade.WARN,
            2,
            f"The tasks reach into their host ({', '.join(name for name, _ in reached)}), as an agent of it does.",
            "See that what they read or run there exists on ARM64 hosts as well; on Fargate there is no host.",
            tuple(pair for _, evidence in reached for pair in evidence),
        )


def host_access(observation: Observation) -> Iterator[tuple[str, Evidence]]:
    """Yield each way into the host, in words and with its path."""
    definition = fields(observation.task_definition.document)
    for name in ("networkMode", "pidMode", "ipcMode"):
        if definition.get(name) == "host":
            yield f"{name} host", in_task_definition(f"$.{name}", "host")
    for index, volume in enumerate(children(definition, "volumes")):
        source: Json = child(volume, "host").get("sourcePath")
        if source:
            yield str(source), in_task_definition(f"$.volumes[{index}].host.sourcePath", source)
    for index, container in enumerate(containers(observation.task_definition.document)):
        path = f"$.containerDefinitions[{index}]"
        if container.get("privileged"):
            name = f"container {container.get('name')} privileged"
            yield name, in_task_definition(f"{path}.privileged", value=True)
        devices: Json = child(container, "linuxParameters").get("devices")
        if devices:
            yield (
                f"devices of container {container.get('name')}",
                in_task_definition(f"{path}.linuxParameters.devices", devices),
            )


def _daemon(observation: Observation) -> Iterator[Finding]:
    if observation.service.scheduling_strategy != "DAEMON":
        return
    surroundings = observation.surroundings
    evidence = in_service("$.schedulingStrategy", "DAEMON")
    if surroundings.every_instance_is_arm64:
        yield finding(
            "service.daemon",
            Grade.BLOCK,
            3,
            "A DAEMON service takes no capacity provider strategy and cannot run on Fargate: stage 3 does not apply.",
            "Stop at stage 2: every instance of the cluster is arm64 already.",
            evidence,
        )
        return
    others = surroundings.instances_that_are_not_arm64
    known = f"{len(others)} of them are not known to be arm64" if others else "what they are is not known here"
    yield finding(
        "service.daemon",
        Grade.BLOCK,
        0,
        f"A DAEMON service runs on every instance of its cluster, and {known}; it takes no capacity provider "
        "strategy and cannot run on Fargate.",
        "Move all instances of the cluster to Graviton first, with a multi-platform image for this service.",
        (
            *evidence,
            *((item.instance_id or item.arn, item.instance_type or "type unknown") for item in others[:_SHOWN]),
        ),
    )
