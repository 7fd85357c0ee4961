"""Facts of a small service in the middle of its life; every builder takes what a test cares about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from migrate.core.documents import document
from migrate.core.facts import (
    Alarm,
    Architecture,
    Deployment,
    Repository,
    RuntimePlatform,
    Service,
    ServiceDeployment,
    StrategyItem,
    TargetHealth,
    Task,
    TaskContainer,
    TaskDefinition,
)
from migrate.core.image.facts import ChildFacts, ChildKind, ImageFacts
from migrate.core.image.index import ImageReference
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64, Platform
from migrate.core.observation import ContainerImage, Observation
from migrate.core.record import BuiltIndex, Record
from migrate.core.settings import GateSettings, ImageSettings, ServiceSettings, Settings
from tests.fakes.records import NOON, REGION, REGISTRY, TASK_DEFINITION_ARN, a_record, a_service, a_task_definition

OLD = TASK_DEFINITION_ARN
NEW = TASK_DEFINITION_ARN.replace("web:1", "web:2")
FOREIGN = TASK_DEFINITION_ARN.replace("web:1", "web:3")
ORIGINAL_DIGEST = f"sha256:{'a' * 64}"
INDEX_DIGEST = f"sha256:{'b' * 64}"
ARM64_DIGEST = f"sha256:{'c' * 64}"
IMAGE = ImageReference(REGISTRY, "web", tag="tag1")
FARGATE = (StrategyItem("FARGATE", weight=1),)
SPOT = (StrategyItem("FARGATE", weight=1, base=1), StrategyItem("FARGATE_SPOT", weight=3))
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def settings(**gate: Any) -> Settings:
    return Settings(
        service=ServiceSettings("demo", "web", REGION),
        image=ImageSettings("app", context="app"),
        gate=GateSettings(**gate),
    )


def deployment(
    name: str = "D1", arn: str = OLD, *, state: str | None = "COMPLETED", status: str = "PRIMARY", **more: Any
) -> Deployment:
    values: dict[str, Any] = {
        "rollout_state_reason": "",
        "desired_count": 4,
        "running_count": 4,
        "pending_count": 0,
        "failed_tasks": 0,
        "created_at": NOON,
    }
    return Deployment(name, status, arn, state, **(values | more))


def service(*deployments: Deployment, **more: Any) -> Service:
    made = deployments or (deployment(),)
    values: dict[str, Any] = {
        "deployments": made,
        "task_definition_arn": made[0].task_definition_arn,
        "alarm_names": (),
        "launch_type": None,
        "strategy": FARGATE,
    }
    return replace(a_service(), **(values | more))


def rollouts(*seconds: int, status: str = "SUCCESSFUL") -> tuple[ServiceDeployment, ...]:
    """Return deployments that took so many seconds each, newest first."""
    return tuple(
        ServiceDeployment(
            f"arn:deployment/{number}",
            status,
            "",
            "",
            NOON,
            started_at=NOON,
            finished_at=NOON + timedelta(seconds=taken),
        )
        for number, taken in enumerate(seconds)
    )


def task(number: int = 1, arn: str = OLD, **more: Any) -> Task:
    digest = more.pop("digest", ORIGINAL_DIGEST)
    values: dict[str, Any] = {
        "last_status": "RUNNING",
        "health_status": "HEALTHY",
        "architecture": "x86_64",
        "provider": "FARGATE",
        "launch_type": "FARGATE",
        "platform_version": "1.4.0",
        "started_by": "D1",
        "containers": (TaskContainer("app", str(IMAGE), digest, "RUNNING"),),
    }
    return Task(f"{arn.rsplit(':', 1)[0]}/task-{number}", arn, **(values | more))


def tasks(count: int = 4, arn: str = OLD, **more: Any) -> tuple[Task, ...]:
    return tuple(task(number, arn, **more) for number in range(count))


def target(name: str = "10.0.0.1", state: str = "healthy", group: str = "group-1", reason: str = "") -> TargetHealth:
    return TargetHealth(group, name, state, reason)


def alarm(name: str = "web-errors", state: str = "OK", reason: str = "") -> Alarm:
    return Alarm(name, state, reason)


def repository(mutability: str = "MUTABLE", *filters: str) -> Repository:
    return Repository("web", IMAGE.name, "111122223333", mutability, filters)


def child(platform: Platform, digest: str, **more: Any) -> ChildFacts:
    return ChildFacts(digest, DOCKER_MANIFEST, ChildKind.RUNNABLE, declared=platform, actual=platform, **more)


def single_platform(**more: Any) -> ImageFacts:
    children = (child(LINUX_AMD64, ORIGINAL_DIGEST),)
    return replace(ImageFacts(IMAGE, ORIGINAL_DIGEST, DOCKER_MANIFEST, is_index=False, children=children), **more)


def multi_platform(**more: Any) -> ImageFacts:
    children = (child(LINUX_AMD64, ORIGINAL_DIGEST), child(LINUX_ARM64, ARM64_DIGEST))
    return replace(ImageFacts(IMAGE, INDEX_DIGEST, OCI_INDEX, is_index=True, children=children), **more)


def built() -> BuiltIndex:
    return BuiltIndex(INDEX_DIGEST, OCI_INDEX, (("linux/amd64", ORIGINAL_DIGEST), ("linux/arm64", ARM64_DIGEST)))


def definition(content: Mapping[str, Any] | None = None, **more: Any) -> TaskDefinition:
    made = a_task_definition()
    if content is not None:
        made = replace(made, document=document(content))
    platform = more.pop("architecture", None)
    if platform is not None:
        made = replace(made, runtime_platform=RuntimePlatform(platform, "LINUX"))
    return replace(made, **more)


def observation(**more: Any) -> Observation:
    record = a_record()
    values: dict[str, Any] = {
        "taken_at": NOON,
        "account": record.baseline.account,
        "service": service(launch_type="FARGATE", strategy=()),
        "task_definition": a_task_definition(),
        "cluster": record.baseline.cluster,
        "tasks": tasks(),
        "alarms": (),
        "images": (ContainerImage("app", IMAGE, single_platform()),),
        "repository": repository(),
    }
    return Observation(**(values | more))


def record(**more: Any) -> Record:
    """Return the record of the service as `observation` shows it; ``launch_type`` and ``strategy`` change it."""
    made = a_record()
    found = {name: more.pop(name) for name in ("launch_type", "strategy") if name in more}
    baseline = replace(made.baseline, service=replace(made.baseline.service, alarm_names=(), **found))
    return replace(made, baseline=baseline, last_deployment_id="D1", **more)


ARM64 = Architecture.ARM64
X86_64 = Architecture.X86_64
