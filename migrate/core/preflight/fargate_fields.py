"""Preflight of a service that is to come to Fargate from EC2: sizes that it sells, and fields that it does not take.

Sources: facts F26 and F29; ECS developer guide, "Task definition differences for Fargate".
"""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.cost.cost import is_fargate_size, task_size
from migrate.core.documents import Json, fields
from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.preflight.paths import Evidence, in_task_definition, shown
from migrate.core.service_settings import child, children, is_fargate, on_fargate
from migrate.core.settings import Settings
from migrate.core.surroundings import version_numbers
from migrate.core.task_definition import containers

OLDEST_PLATFORM_VERSION = (1, 4, 0)
_LONGEST_STOP_TIMEOUT = 120
_CONTAINER_FIELDS = ("links", "extraHosts", "dockerSecurityOptions", "privileged", "hostname", "disableNetworking")
_LINUX_FIELDS = ("devices", "sharedMemorySize", "maxSwap", "swappiness")
_LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")
_VOLUME_FIELDS = ("dockerVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration")


def fargate_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield why Fargate, today's or the target's, would not run the task as it is described."""
    now = on_fargate(observation.service, observation.cluster.default_strategy)
    if now:
        yield from _platform_version(observation)
    if now or not is_fargate(settings.capacity):
        # What Fargate runs today it took at registration; only newcomers are judged.
        return
    yield from _size(observation)
    refused = list(_refused(observation))
    if refused:
        yield finding(
            "task-definition.not-on-fargate",
            Grade.BLOCK,
            3,
            f"Fargate does not take {', '.join(name for name, _ in refused)}, and capacity.strategy leads there.",
            "Change it in a new revision first, or name Graviton capacity of EC2 in capacity.strategy.",
            tuple(pair for _, evidence in refused for pair in evidence),
        )


def _platform_version(observation: Observation) -> Iterator[Finding]:
    version = observation.service.platform_version
    numbers = version_numbers(version or "")
    if numbers and numbers < OLDEST_PLATFORM_VERSION:
        yield finding(
            "service.platform-version",
            Grade.BLOCK,
            2,
            f"Platform version {version} has no ARM64 (nor tasks of 8 vCPU and more); 1.4.0 and newer have.",
            "Set the service's platform version to LATEST or 1.4.0 first.",
            (("service", "$.platformVersion"), ("platformVersion", str(version))),
        )


def _size(observation: Observation) -> Iterator[Finding]:
    size = task_size(observation.task_definition)
    if size is None or not is_fargate_size(size):
        document = fields(observation.task_definition.document)
        cpu, memory = document.get("cpu"), document.get("memory")
        yield finding(
            "task-definition.fargate-size",
            Grade.BLOCK,
            3,
            "The task names no CPU and memory for the whole task, which Fargate needs."
            if size is None
            else f"Fargate sells no task of {size.cpu_units} CPU units with {size.memory_mib} MiB.",
            "Give the task definition a size that Fargate sells (256 with 512, 1024 or 2048; 512 with 1 to 4 GB; ...).",
            (*in_task_definition("$.cpu", cpu or "absent"), *in_task_definition("$.memory", memory or "absent")),
        )


def _refused(observation: Observation) -> Iterator[tuple[str, Evidence]]:
    definition = fields(observation.task_definition.document)
    mode = definition.get("networkMode") or "bridge"
    if mode != "awsvpc":
        yield f"networkMode {mode}", in_task_definition("$.networkMode", mode)
    if definition.get("pidMode") == "host":
        yield "pidMode host", in_task_definition("$.pidMode", "host")
    if definition.get("ipcMode"):
        yield "ipcMode", in_task_definition("$.ipcMode", definition["ipcMode"])
    compatible = definition.get("requiresCompatibilities")
    if isinstance(compatible, list) and compatible and "FARGATE" not in compatible:
        yield (
            f"a revision made for {', '.join(map(str, compatible))} only",
            in_task_definition("$.requiresCompatibilities", compatible),
        )
    for index, volume in enumerate(children(definition, "volumes")):
        path = f"$.volumes[{index}]"
        source = child(volume, "host").get("sourcePath")
        if source:
            yield f"the host's {source}", in_task_definition(f"{path}.host.sourcePath", source)
        for name in _VOLUME_FIELDS:
            if volume.get(name):
                yield name, in_task_definition(f"{path}.{name}", volume[name])
    for index, container in enumerate(containers(observation.task_definition.document)):
        yield from _refused_of(container, f"$.containerDefinitions[{index}]")


def _refused_of(container: dict[str, Json], path: str) -> Iterator[tuple[str, Evidence]]:
    for name in _CONTAINER_FIELDS:
        if container.get(name):
            yield name, in_task_definition(f"{path}.{name}", container[name])
    linux = child(container, "linuxParameters")
    for name in _LINUX_FIELDS:
        if linux.get(name):
            yield f"linuxParameters.{name}", in_task_definition(f"{path}.linuxParameters.{name}", linux[name])
    added = child(linux, "capabilities").get("add")
    if isinstance(added, list) and set(map(str, added)) - {"SYS_PTRACE", "CAP_SYS_PTRACE"}:
        name = f"the capabilities {shown(added)}"
        yield name, in_task_definition(f"{path}.linuxParameters.capabilities.add", added)
    driver = child(container, "logConfiguration").get("logDriver")
    if driver and driver not in _LOG_DRIVERS:
        yield f"log driver {driver}", in_task_definition(f"{path}.logConfiguration.logDriver", driver)
    for index, item in enumerate(children(container, "resourceRequirements")):
        if item.get("type") == "GPU":
            yield "a GPU", in_task_definition(f"{path}.resourceRequirements[{index}]", item)
    timeout = container.get("stopTimeout")
    if isinstance(timeout, int) and timeout > _LONGEST_STOP_TIMEOUT:
        yield f"a stopTimeout of {timeout} s (120 at most)", in_task_definition(f"{path}.stopTimeout", timeout)
