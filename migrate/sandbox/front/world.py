"""All services and tasks of the front, and the acts on them that more than one operation needs."""

from __future__ import annotations

import itertools
import secrets
import string
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from migrate.sandbox.front.faults import FaultKind, Faults
from migrate.sandbox.front.images import ImageStore, Platform, Pull
from migrate.sandbox.front.placement import next_provider
from migrate.sandbox.front.records import FARGATE_PROVIDERS, Deployment, Live, ServiceDeployment, Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate.sandbox.front.http import Json, Scope
    from migrate.sandbox.front.records import Service
    from migrate.sandbox.front.settings import FrontSettings

Clock = Callable[[], float]

_ARCHITECTURES = {"X86_64": "amd64", "ARM64": "arm64"}
_EXTERNAL_ID = string.ascii_letters + string.digits
_MOST_EVENTS = 100
_EXITED = "Essential container in task exited"
_EXEC_FORMAT_ERROR = 255  # the exit code of a program for another machine (facts F28)


class World:
    """The state of all pretended services and tasks. ``clock`` gives seconds since the epoch."""

    def __init__(self, settings: FrontSettings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.faults = Faults()
        self.images = ImageStore(settings.registry_host)
        self.services: dict[tuple[Scope, str, str], Service] = {}
        self.tasks: dict[str, Task] = {}
        self._addresses = itertools.count(10)

    def tasks_of(self, service: Service) -> list[Task]:
        """All living tasks of a service, oldest first."""
        group, cluster = f"service:{service.name}", service.cluster_arn
        return [task for task in self.tasks.values() if task.alive and task.group == group and task.cluster == cluster]

    def tell(self, service: Service, message: str, now: float) -> None:
        """Add a service event, newest first."""
        event = {"id": str(uuid.uuid4()), "createdAt": now, "message": f"(service {service.name}) {message}"}
        service.events = [event, *service.events][:_MOST_EVENTS]

    def pull_all(self, scope: Scope, definition: Json, launch_type: str | None) -> dict[str, Pull]:
        """Container name to what its image resolves to now, for the platform that the definition asks for."""
        platform = wanted_platform(definition, launch_type)
        return {
            container["name"]: self.images.pull(scope, container["image"], platform)
            for container in definition["containerDefinitions"]
        }

    def begin(self, service: Service, now: float, *, reason: str = "") -> Deployment:
        """Start a deployment of what the service is set to: it becomes PRIMARY, the former one ACTIVE."""
        former = service.primary if service.deployments else None
        fargate = service.launch_type == "FARGATE" or any(
            item["capacityProvider"] in FARGATE_PROVIDERS for item in service.strategy
        )
        latency = self.faults.find(FaultKind.DEPLOYMENT_LATENCY, service.name)
        deployment = Deployment(
            id=f"ecs-svc/{secrets.randbelow(9 * 10**18) + 10**18}",
            definition=service.definition,
            desired=service.desired,
            created=now,
            updated=now,
            launch_type=service.launch_type,
            strategy=list(service.strategy),
            platform_version="1.4.0" if fargate else None,
            network=service.settings.get("networkConfiguration") or {},
            pulls=self.pull_all(service.scope, service.definition, "FARGATE" if fargate else "EC2"),
            completes_at=now + (latency.seconds if latency else self.settings.deployment_seconds),
        )
        deployment.reason = reason or f"ECS deployment {deployment.id} in progress."
        if former is not None:
            former.primary = False
            self._supersede(service, now)
        service.deployments.insert(0, deployment)
        service.steady = False
        return deployment

    def begin_tracked(self, service: Service, now: float) -> Deployment:
        """Start a deployment that a caller asked for, with its service deployment and the faults that wait for it."""
        source = service.primary if service.deployments else None
        deployment = self.begin(service, now)
        deployment.failing = self.faults.take_deployment(FaultKind.TASKS_FAIL_TO_START, service.name)
        deployment.exiting = self.faults.take_deployment(FaultKind.CHILD_EXITS, service.name)
        suffix = "".join(secrets.choice(_EXTERNAL_ID) for _ in range(21))
        arn = service.scope.arn("ecs", f"service-deployment/{service.cluster}/{service.name}/{suffix}")
        service.history.insert(0, ServiceDeployment(arn, deployment, source, now, now))
        return deployment

    def _supersede(self, service: Service, now: float) -> None:
        for past in service.history:
            if past.status.running and past.status != "ROLLBACK_IN_PROGRESS":
                past.finish(past.status.STOPPED, now, "Service deployment was superseded by a newer one.")

    def place(self, service: Service, deployment: Deployment) -> Task | None:
        """Place one more task; None when its capacity provider has no capacity."""
        provider, launch_type = None, deployment.launch_type or "EC2"
        if deployment.strategy:
            provider = next_provider(deployment.strategy, self.spread(service, deployment))
            launch_type = "FARGATE" if provider in FARGATE_PROVIDERS else "EC2"
            if self.faults.unavailable(provider, service.name):
                return None
        pulls = self._pulls_now(service.scope, deployment, launch_type)
        failing = deployment.failing.reason or "Task failed to start" if deployment.failing else ""
        failure = next((pull.error for pull in pulls.values() if pull.error), "") or failing
        task = self.new_task(
            service.scope,
            service.cluster,
            deployment.definition,
            group=f"service:{service.name}",
            started_by=deployment.id,
            launch_type=launch_type,
            provider=provider,
            pulls=pulls,
            failure=failure,
        )
        if deployment.exiting is not None:
            task.exit_code, task.failure = deployment.exiting.exit_code, deployment.exiting.reason or _EXITED
        elif not failure and any(pull.crashes for pull in pulls.values()):
            task.exit_code, task.failure = _EXEC_FORMAT_ERROR, _EXITED
        task.execute_command = bool(service.settings.get("enableExecuteCommand"))
        self.bring_to_life(task)
        return task

    def bring_to_life(self, task: Task) -> None:
        """Let a task be run as containers where there is an engine.

        A failure that is known already stays pretended: an emulating host would run a program of the wrong
        architecture that no ARM64 machine runs.
        """
        if self.settings.engine is not None and not task.failure:
            task.live = Live()

    def _pulls_now(self, scope: Scope, deployment: Deployment, launch_type: str) -> dict[str, Pull]:
        """Return what a task of the deployment gets: what was pinned when it began, if that is still there (case C20).

        A container whose ``versionConsistency`` is "disabled" gets what its tag names now (facts F14).
        """
        platform = wanted_platform(deployment.definition, launch_type)
        pulls = {}
        for container in deployment.definition["containerDefinitions"]:
            name, image, pinned = container["name"], container["image"], deployment.pulls[container["name"]]
            if pinned.digest and container.get("versionConsistency") != "disabled":
                image = self.pinned(image, pinned)
            pulls[name] = self.images.pull(scope, image, platform) if pinned.digest or not pinned.error else pinned
        return pulls

    def pinned(self, image: str, pull: Pull) -> str:
        """Return the image's name by the digest that was pulled."""
        return f"{_repository_of(image)}@{pull.digest}"

    def new_task(
        self,
        scope: Scope,
        cluster: str,
        definition: Json,
        *,
        group: str,
        started_by: str,
        launch_type: str,
        provider: str | None,
        pulls: dict[str, Pull],
        failure: str = "",
    ) -> Task:
        """Register one task in PROVISIONING."""
        number = next(self._addresses)
        now = self.clock()
        task = Task(
            arn=scope.arn("ecs", f"task/{cluster}/{uuid.uuid4().hex}"),
            cluster=scope.arn("ecs", f"cluster/{cluster}"),
            group=group,
            started_by=started_by,
            definition=definition,
            provider=provider,
            launch_type=launch_type,
            created=now,
            ready=now + self.settings.task_seconds,
            address=f"10.0.{number // 250 % 250}.{number % 250 + 1}",
            pulls=pulls,
            platform_version="1.4.0" if launch_type == "FARGATE" else None,
            failure=failure,
        )
        self.tasks[task.arn] = task
        return task

    def spread(self, service: Service, deployment: Deployment) -> dict[str, int]:
        """Capacity provider to its number of living tasks of the deployment."""
        return count(
            task.provider for task in self.tasks_of(service) if task.started_by == deployment.id and task.provider
        )


def _repository_of(image: str) -> str:
    """Return an image reference without tag and digest."""
    path = image.partition("@")[0]
    head, colon, tail = path.rpartition(":")
    return head if colon and "/" not in tail else path


def count(names: Iterable[str]) -> dict[str, int]:
    """How often each name occurs."""
    counted: dict[str, int] = {}
    for name in names:
        counted[name] = counted.get(name, 0) + 1
    return counted


def wanted_platform(definition: Json, launch_type: str | None) -> Platform | None:
    """Return the platform a task needs; None where placement decides (facts F25)."""
    runtime = definition.get("runtimePlatform") or {}
    architecture = runtime.get("cpuArchitecture")
    if not architecture and launch_type != "FARGATE":
        return None
    system = "windows" if str(runtime.get("operatingSystemFamily", "LINUX")).startswith("WINDOWS") else "linux"
    return Platform(system, _ARCHITECTURES[architecture or "X86_64"])
