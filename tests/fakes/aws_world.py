"""A scripted AWS in virtual time: one cluster, its services, their images, target groups and alarms.

The ports over it are in aws_ports.py. Other people act through ``deploy``, ``scale``, ``push`` and ``fire``; a fake
StackDeployer acts through ``register`` and ``apply_update``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from migrate.core.documents import Document, document, fields
from migrate.core.facts import Alarm, Architecture, Cluster, RuntimePlatform, Strategy, StrategyItem, TaskDefinition
from migrate.core.image.documents import DOCKER_MANIFEST
from migrate.core.image.names import ImageReference
from migrate.core.surroundings import NOTHING_READ, Surroundings
from migrate.core.task_definition import containers
from migrate.errors import AccessError, BlockedError, MigrateError, NotFoundError
from tests.fakes.aws_repository_state import EcrState
from tests.fakes.aws_simulation import TICK, Fate, SimulatedDeployment, SimulatedService
from tests.fakes.clock import FakeClock
from tests.fakes.image_content import AMD64_ELF, REPOSITORY, Entry, Shelf, digest_of

ACCOUNT = "111122223333"
REGION = "us-east-1"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
PREFIX = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
TAG = "tag1"
CLUSTER = Cluster(f"{PREFIX}:cluster/demo", "demo", ("FARGATE", "FARGATE_SPOT"), ())


@dataclass
class Reporting:
    """What this endpoint tells: some give no attributes, and digests may be the index's or the child's (F14, F24)."""

    architecture: bool = True
    digest: str = "child"
    service_deployments: bool = True


@dataclass
class World:
    """Everything that the ports show. ``writes`` holds the name of each write that took effect, in order."""

    clock: FakeClock
    cluster: Cluster = CLUSTER
    shelf: Shelf = field(default_factory=Shelf)
    services: dict[str, SimulatedService] = field(default_factory=dict)
    revisions: dict[str, TaskDefinition] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    tag_mutability: str = "MUTABLE"
    exclusion_filters: tuple[str, ...] = ()
    ecr: EcrState = field(default_factory=EcrState)
    surroundings: Surroundings = NOTHING_READ
    reporting: Reporting = field(default_factory=Reporting)
    exec_format_digests: set[str] = field(default_factory=set)
    empty_target_groups: set[str] = field(default_factory=set)
    writes: list[str] = field(default_factory=list)
    _alarms: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    _fates: list[Fate] = field(default_factory=list)
    _refusals: dict[str, list[MigrateError]] = field(default_factory=dict)
    _ticked: datetime | None = None
    _count: int = 0

    @classmethod
    def with_demo_service(cls, clock: FakeClock, *, launch_type: str | None = "FARGATE", desired: int = 4) -> World:
        """Return a world like the sandbox's: service ``web``, four amd64 tasks behind a target group, one alarm."""
        world = cls(clock)
        world.shelf.image("linux/amd64", Entry("app", AMD64_ELF), media_type=DOCKER_MANIFEST, tag=TAG)
        first = world.register(
            document(
                {
                    "family": "web",
                    "cpu": "256",
                    "memory": "512",
                    "networkMode": "awsvpc",
                    "requiresCompatibilities": ["FARGATE"],
                    "containerDefinitions": [
                        {"name": "web", "image": f"{REGISTRY}/{REPOSITORY}:{TAG}", "essential": True}
                    ],
                }
            )
        )
        strategy = () if launch_type else (StrategyItem("FARGATE", weight=1),)
        world.add_service("web", first.arn, desired=desired, launch_type=launch_type, strategy=strategy)
        world.script_alarm("web-errors", "OK")
        world.pass_time(timedelta(minutes=10))
        return world

    def add_service(
        self, name: str, task_definition: str, *, desired: int, launch_type: str | None, strategy: Strategy
    ) -> SimulatedService:
        """Create a service as somebody did long ago; it needs some time to become steady."""
        arn = f"{PREFIX}:service/{self.cluster.name}/{name}"
        group = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{name}/0123456789abcdef"
        alarms = {"alarmNames": [f"{name}-errors"], "enable": True, "rollback": True}
        self.settings[arn] = {
            "serviceArn": arn,
            "serviceName": name,
            "clusterArn": self.cluster.arn,
            "schedulingStrategy": "REPLICA",
            "deploymentController": {"type": "ECS"},
            "platformVersion": "LATEST",
            "loadBalancers": [{"targetGroupArn": group, "containerName": name, "containerPort": 8080}],
            "deploymentConfiguration": {
                "maximumPercent": 200,
                "minimumHealthyPercent": 100,
                "deploymentCircuitBreaker": {"enable": True, "rollback": True},
                "alarms": alarms,
            },
        }
        first = self._deployment(task_definition, strategy, launch_type)
        self.services[arn] = SimulatedService(name, desired, [first], history=[first])
        return self.services[arn]

    def create_twin(
        self,
        name: str,
        task_definition: str,
        *,
        desired: int,
        launch_type: str | None,
        strategy: Strategy,
        like: str,
    ) -> str:
        """Create a service with the settings, target groups and alarms of another; return its ARN."""
        self.settle()
        arn = f"{PREFIX}:service/{self.cluster.name}/{name}"
        if arn in self.services:
            raise AccessError("AWS refused.", why="Creation of service was not idempotent.", then="Delete it.")
        self.settings[arn] = {**self.settings[like], "serviceArn": arn, "serviceName": name}
        first = self._deployment(task_definition, strategy, launch_type)
        self.services[arn] = SimulatedService(name, desired, [first], history=[first])
        self.writes.append(f"create service {name}")
        return arn

    def delete_service(self, arn: str) -> None:
        """Delete a service by force, as DeleteService does."""
        self.settle()
        self.writes.append(f"delete service {self._service(arn).name}")
        del self.services[arn]

    @property
    def demo(self) -> SimulatedService:
        """The first service."""
        return next(iter(self.services.values()))

    def register(self, text: Document, tags: tuple[tuple[str, str], ...] = ()) -> TaskDefinition:
        """Register a revision, as RegisterTaskDefinition does."""
        content = fields(text)
        family = str(content["family"])
        revision = 1 + sum(item.family == family for item in self.revisions.values())
        arn = f"{PREFIX}:task-definition/{family}:{revision}"
        platform = content.get("runtimePlatform")
        named = platform if isinstance(platform, dict) else {}
        shown = {**content, "taskDefinitionArn": arn, "revision": revision, "status": "ACTIVE"}
        self.revisions[arn] = TaskDefinition(
            arn,
            family,
            revision,
            "ACTIVE",
            RuntimePlatform(_text(named.get("cpuArchitecture")), _text(named.get("operatingSystemFamily"))),
            document(shown),
            tags,
        )
        return self.revisions[arn]

    def deregister(self, arn: str) -> None:
        """Make a revision INACTIVE, as a program without skip_destroy does (case C32)."""
        shown = document({**fields(self.revisions[arn].document), "status": "INACTIVE"})
        self.revisions[arn] = replace(self.revisions[arn], status="INACTIVE", document=shown)

    def apply_update(
        self,
        *,
        task_definition: str | None = None,
        strategy: Strategy | None = None,
        force: bool = False,
        service: str | None = None,
    ) -> str:
        """Do what UpdateService does, refusals included; return the id of the PRIMARY deployment."""
        self.settle()
        simulated = self._service(service)
        before = simulated.primary
        wanted = before.strategy if strategy is None else strategy
        definition = task_definition or before.task_definition_arn
        if self.revisions[definition].status != "ACTIVE":
            raise AccessError("AWS refused ecs:UpdateService.", why="TaskDefinition is inactive", then="Register it.")
        if set(wanted) != set(before.strategy) and not force:
            reason = "When switching from launch type to capacity provider strategy on an existing service, or making a"
            reason += " change to a capacity provider strategy on a service that is already using one, you must force a"
            raise AccessError("AWS refused.", why=f"{reason} new deployment.", then="Force one.")
        missing = {item.provider for item in wanted} - set(self.cluster.capacity_providers)
        if missing:
            raise AccessError("AWS refused.", why=f"The specified capacity provider {missing} was not found.", then="")
        if not force and definition == before.task_definition_arn:
            return before.id
        launch_type = None if wanted else "FARGATE"
        simulated.begin(self._deployment(definition, wanted, launch_type))
        self.writes.append("update service")
        return simulated.primary.id

    def deploy(self, *, service: str | None = None) -> str:
        """Let somebody else deploy a new revision of the same content, past this tool."""
        current = self.revisions[self._service(service).primary.task_definition_arn]
        content = fields(current.document)
        return self.apply_update(task_definition=self.register(document(content)).arn, force=True, service=service)

    def scale(self, desired: int, *, service: str | None = None) -> None:
        """Let auto scaling set the desired count (case C35)."""
        self.settle()
        self._service(service).desired = desired

    def associate(self, providers: Sequence[str]) -> None:
        """Set the capacity providers of the cluster."""
        self.cluster = replace(self.cluster, capacity_providers=tuple(providers))

    def push(self, tag: str, media_type: str, body: bytes) -> str:
        """Put a manifest under a tag, as any push does; return its digest. Raises BlockedError on a locked tag."""
        digest = digest_of(body)
        held = self.digest_of_tag(tag)
        if held not in {None, digest} and self.tag_mutability == "IMMUTABLE":
            raise BlockedError("ECR refuses the tag.", why="ImageTagAlreadyExistsException", then="Use a new tag.")
        if digest not in self.shelf.manifests:
            self.ecr.pushed_at[digest] = self.clock.now()
        self.shelf.manifests[digest] = self.shelf.manifests[tag] = (media_type, body)
        return digest

    def digest_of_tag(self, tag: str) -> str | None:
        found = self.shelf.manifests.get(tag)
        return None if found is None else digest_of(found[1])

    def next_deployment(self, fate: Fate) -> None:
        """Decide what becomes of the next deployment; without a decision its image does."""
        self._fates.append(fate)

    def script_alarm(self, name: str, state: str, *, after: timedelta = timedelta(0)) -> None:
        """Let an alarm go to a state, now or later."""
        script = self._alarms.setdefault(name, [])
        script.append((self.clock.now() + after, state))
        script.sort(key=lambda item: item[0])

    def remove_alarm(self, name: str) -> None:
        self._alarms.pop(name, None)

    def alarm(self, name: str) -> Alarm | None:
        past = [item for item in self._alarms.get(name, []) if item[0] <= self.clock.now()]
        return Alarm(name, past[-1][1], f"scripted {past[-1][1]}", past[-1][0]) if past else None

    def refuse(self, call: str, error: MigrateError, *, times: int = 1) -> None:
        """Let the next calls of a port's method (by its name) fail, as throttling or expired credentials do."""
        self._refusals.setdefault(call, []).extend([error] * times)

    def called(self, call: str) -> None:
        """Be told about every call of a port; raises what ``refuse`` put down for it."""
        if self._refusals.get(call):
            raise self._refusals[call].pop(0)
        self.settle()

    def pass_time(self, duration: timedelta) -> None:
        self.clock.advance(duration)
        self.settle()

    def settle(self) -> None:
        """Let everything happen that was due until now."""
        at = self._ticked or self.clock.start
        while at + TICK <= self.clock.now():
            at += TICK
            for service in self.services.values():
                service.tick(at)
        self._ticked = at

    def image_of(self, task_definition: str) -> ImageReference:
        return ImageReference.parse(str(containers(self.revisions[task_definition].document)[0]["image"]))

    def child_of(self, digest: str, architecture: Architecture) -> str | None:
        """Return the digest of the manifest that a task of the architecture would pull; None when there is none."""
        found = self.shelf.manifests.get(digest)
        content = json.loads(found[1]) if found else {}
        if "manifests" in content:
            return next((item["digest"] for item in content["manifests"] if _is_for(item, architecture)), None)
        config = self.shelf.blobs.get(content.get("config", {}).get("digest", ""), b"{}")
        return digest if json.loads(config).get("architecture") == architecture.oci else None

    def architecture_of(self, task_definition: str) -> Architecture:
        return Architecture(self.revisions[task_definition].runtime_platform.cpu_architecture or "X86_64")

    def service_arns(self) -> Iterator[str]:
        yield from self.services

    def _service(self, arn: str | None) -> SimulatedService:
        if arn is None:
            return self.demo
        if arn not in self.services:
            raise NotFoundError(f"The service {arn} does not exist.", then="Correct its name.")
        return self.services[arn]

    def _deployment(self, definition: str, strategy: Strategy, launch_type: str | None) -> SimulatedDeployment:
        self._count += 1
        wanted = self.image_of(definition).wanted
        digest = wanted if ":" in wanted else self.digest_of_tag(wanted) or ""
        fate = self._fates.pop(0) if self._fates else self._natural_fate(digest, self.architecture_of(definition))
        id_ = f"ecs-svc/{self._count:019d}"
        return SimulatedDeployment(id_, definition, digest, strategy, launch_type, fate, self.clock.now())

    def _natural_fate(self, digest: str, architecture: Architecture) -> Fate:
        child = self.child_of(digest, architecture)
        if child is None:
            return Fate.NO_PLATFORM
        return Fate.EXEC_FORMAT if child in self.exec_format_digests else Fate.HEALTHY


def _is_for(entry: Mapping[str, Any], architecture: Architecture) -> bool:
    platform = entry.get("platform", {})
    return bool(platform.get("architecture") == architecture.oci and platform.get("os") == "linux")


def _text(value: object) -> str | None:
    return None if value is None else str(value)
