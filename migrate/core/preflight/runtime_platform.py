"""Preflight of runtimePlatform: what the tasks run on today, and whether that can be so (cases C18 and C53)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from migrate.core.documents import fields
from migrate.core.facts import Architecture
from migrate.core.findings import Finding, Grade
from migrate.core.image.names import LINUX_ARM64
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.preflight.paths import Evidence, in_task_definition
from migrate.core.service_settings import on_fargate
from migrate.core.settings import ImageMode, Settings
from migrate.core.surroundings import architecture_of

_PATH = "$.runtimePlatform"


def platform_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield what runtimePlatform, absent, partial or whole, means for this service."""
    platform = observation.task_definition.runtime_platform
    system = platform.operating_system_family or "LINUX"
    if system != "LINUX":
        yield finding(
            "task-definition.windows",
            Grade.BLOCK,
            0,
            f"The task definition runs {system}; ECS has no ARM64 Windows.",
            "Leave this service where it is.",
            in_task_definition(f"{_PATH}.operatingSystemFamily", system),
        )
        return
    if platform.cpu_architecture == Architecture.ARM64:
        yield from _arm64(observation, settings)
    elif platform.cpu_architecture is None or platform.operating_system_family is None:
        yield _unset(observation)


def _arm64(observation: Observation, settings: Settings) -> Iterator[Finding]:
    evidence = (*in_task_definition(f"{_PATH}.cpuArchitecture", "ARM64"), *_running(observation))
    bare = [item for item in observation.images if item.facts is not None and not item.facts.has(LINUX_ARM64)]
    if bare:
        yield finding(
            "task-definition.arm64-without-image",
            Grade.BLOCK,
            0,
            f"The task definition says ARM64, and the image of {', '.join(item.container for item in bare)} has no "
            "linux/arm64: no task of it can start.",
            "Repair that first: give the image an arm64 build, or run the last revision that says X86_64.",
            (*evidence, *(("image", str(item.reference)) for item in bare)),
        )
    if settings.image.mode is ImageMode.EXTERNAL:
        yield finding(
            "task-definition.already-arm64",
            Grade.INFO,
            1,
            "The task definition says ARM64 already: stages 1 and 2 build, move and register nothing, they are only "
            "proven on the running tasks.",
            "Apply the stages in their order; stage 3 is the one that changes something.",
            evidence,
        )
        return
    yield finding(
        "task-definition.already-arm64",
        Grade.BLOCK,
        0,
        "The task definition says ARM64 already: there is nothing to build, and no amd64 image to keep.",
        'Set image.mode = "external": stages 1 and 2 are then skipped, proven on the running tasks, and stage 3 is '
        "left. Or change the service's strategy where it is defined.",
        evidence,
    )


def _unset(observation: Observation) -> Finding:
    platform = fields(observation.task_definition.document).get("runtimePlatform")
    evidence = (*in_task_definition(_PATH, platform or "absent"), *_running(observation))
    if on_fargate(observation.service, observation.cluster.default_strategy):
        return finding(
            "task-definition.platform-unset",
            Grade.INFO,
            2,
            "runtimePlatform does not say both architecture and system: on Fargate that means X86_64 and LINUX.",
            "Nothing to do: stage 2 writes both.",
            evidence,
        )
    seen = {architecture_of(task.architecture) for task in observation.tasks if task.last_status == "RUNNING"}
    if Architecture.ARM64 in seen:
        grade, text = Grade.BLOCK, "and tasks of it run on ARM64 already, so that there is no amd64 to prove at stage 0"
    elif seen == {Architecture.X86_64}:
        grade, text = Grade.INFO, "and every running task is on x86_64 today"
    else:
        grade, text = Grade.UNKNOWN, "and no running task tells where that put it"
    return finding(
        "task-definition.platform-by-placement",
        grade,
        0 if grade is Grade.BLOCK else 2,
        f"runtimePlatform does not name an architecture: on EC2 placement decides, {text}.",
        "Stage 2 writes both fields; until then keep Graviton instances out of this service's capacity.",
        evidence,
    )


def _running(observation: Observation) -> Evidence:
    counts = Counter(task.architecture or "not reported" for task in observation.tasks if task.last_status == "RUNNING")
    return tuple((f"running tasks on {name}", str(count)) for name, count in sorted(counts.items()))
