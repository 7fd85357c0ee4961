"""A service to drive stacks of, in two worlds: the scripted one, and the sandbox with the real engine."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlparse

import httpx
from pulumi.automation import Deployment, Stack

from migrate.adapters.aws.ecr import EcrRepositoryReader
from migrate.adapters.aws.ecs import EcsServiceReader
from migrate.adapters.aws.safety import AwsSafetyActions
from migrate.adapters.aws.session import AwsSession, open_session
from migrate.adapters.pulumi.deployer import PulumiDeployer
from migrate.adapters.pulumi.locks import StartedProcesses
from migrate.adapters.pulumi.workspace import StackAddress, StackKind
from migrate.adapters.system_clock import SystemClock
from migrate.core.desired_state import ServiceStackInputs
from migrate.core.documents import fields
from migrate.core.facts import Service, StrategyItem
from migrate.core.image.names import ImageReference
from migrate.core.record import Baseline, OriginalImage, Record
from migrate.core.settings import ImageSettings, ServiceSettings, Settings
from migrate.core.stack.preview import SERVICE
from migrate.core.twin import TWIN
from migrate.errors import AccessError
from migrate.ports import SafetyActions, ServiceReader, StackDeployer
from migrate.sandbox.demo.build import binary, lay_out
from migrate.sandbox.demo.image import push, single_platform_image
from migrate.sandbox.demo.network import client
from migrate.sandbox.sandbox import Sandbox
from migrate.sandbox.toolchain.progress import Progress
from tests.fakes.aws_ports import FakeSafetyActions, FakeServiceReader
from tests.fakes.aws_world import REGISTRY, TAG, World
from tests.fakes.clock import FakeClock
from tests.fakes.image_content import REPOSITORY
from tests.fakes.stack_deployer import FakeStackDeployer

SPOT = (StrategyItem("FARGATE", weight=1, base=1), StrategyItem("FARGATE_SPOT", weight=3))
_NUMBERS = count(1)
_GRACE = "grace@elsewhere"


class Scene(Protocol):
    """One service on launch type FARGATE, one amd64 manifest under its tag, and both stacks of it, not yet made."""

    services: ServiceReader
    safety: SafetyActions
    stacks: StackDeployer
    record: Record
    settings: Settings

    def digest(self, tag: str) -> str | None: ...
    def change_context(self) -> None: ...
    def deploy_another_revision(self) -> None: ...
    def killed_in_up(self, inputs: ServiceStackInputs) -> None:
        """Leave what a kill leaves that came when an ``up`` had done all, and had written nothing of it."""
        ...

    def lock_by_others(self) -> AbstractContextManager[str]: ...
    def leave_a_dead_lock(self) -> None: ...
    def leave_unfinished(self, operation: str) -> None: ...
    def expire_credentials(self) -> AbstractContextManager[None]: ...
    def lose_twin(self) -> None: ...


class FakeScene:
    """The scene in the scripted world."""

    def __init__(self) -> None:
        self.world = World.with_demo_service(FakeClock())
        self.services: ServiceReader = FakeServiceReader(self.world)
        self.safety: SafetyActions = FakeSafetyActions(self.world)
        self.fake = FakeStackDeployer(self.world)
        self.stacks: StackDeployer = self.fake
        self.settings = _settings("demo", "web", ImageSettings("web"))
        media_type, body = self.world.shelf.manifests[TAG]
        reference = ImageReference(REGISTRY, REPOSITORY, tag=TAG)
        self.record = _record(self.services, self.settings, reference, (media_type, body.decode()), self.digest(TAG))

    def digest(self, tag: str) -> str | None:
        return self.world.digest_of_tag(tag)

    def change_context(self) -> None:
        self.fake.context = "second"

    def deploy_another_revision(self) -> None:
        self.world.deploy()

    def killed_in_up(self, inputs: ServiceStackInputs) -> None:
        self.fake.killed_in_up = KeyboardInterrupt()
        with suppress(KeyboardInterrupt):
            self.stacks.up_service(inputs)

    @contextmanager
    def lock_by_others(self) -> Iterator[str]:
        self.fake.locked_by = _GRACE
        yield _GRACE
        self.fake.locked_by = ""

    def leave_a_dead_lock(self) -> None:
        """Leave nothing: a lock that is provably ours and dead is never seen by whoever drives the stacks."""

    def leave_unfinished(self, operation: str) -> None:
        """Leave nothing: an operation whose end nobody knows is settled by the refresh that comes first."""

    @contextmanager
    def expire_credentials(self) -> Iterator[None]:
        refused = AccessError("The session has expired.", why="ExpiredTokenException", then="Sign in again.")
        for method in ("refresh", "preview_service", "up_service"):
            self.world.refuse(method, refused, times=9)
        yield
        self.world._refusals.clear()

    def lose_twin(self) -> None:
        self.fake.lose_twin()


class EngineScene:
    """The scene in the sandbox: a cluster, a repository and a state directory of its own."""

    def __init__(self, sandbox: Sandbox, directory: Path) -> None:
        self._clients = {name: client(sandbox, name) for name in ("ecs", "ecr")}
        self._number = next(_NUMBERS)
        self._backend = Path(urlparse(sandbox.environment()["PULUMI_BACKEND_URL"]).path)
        self._repository = f"contract/app{self._number}"
        self.context = lay_out(directory / "context", sandbox.go, Progress())
        image = single_platform_image(binary(self.context, "amd64").read_bytes())
        self._clients["ecr"].create_repository(repositoryName=self._repository)
        push(image, sandbox.registry_host, self._repository, TAG, sandbox.layout.authority)
        reference = ImageReference(sandbox.registry_host, self._repository, tag=TAG)
        cluster, name = self._create_service(str(reference))
        session: AwsSession = open_session(None, environment=sandbox.environment())
        self.services: ServiceReader = EcsServiceReader(session)
        self.safety: SafetyActions = AwsSafetyActions(session)
        build = ImageSettings("app", context=str(self.context), builder=sandbox.builder)
        self.settings = _settings(cluster, name, build)
        held = self._held(TAG)
        manifest = (held["imageManifestMediaType"], held["imageManifest"])
        self.record = _record(self.services, self.settings, reference, manifest, held["imageId"]["imageDigest"])
        account = self.record.baseline.account
        self.deployer = PulumiDeployer(
            StackAddress(account.account_id, account.region, cluster, name, reference.registry),
            directory / "state",
            sandbox.environment(),
            credentials=EcrRepositoryReader(session).credentials,
            patience=timedelta(seconds=1),
        )
        self._backend = Path(urlparse(sandbox.environment()["PULUMI_BACKEND_URL"]).path)
        self._faults = f"{sandbox.endpoint.replace('https', 'http')}/_sandbox/faults"
        self.stacks: StackDeployer = self.deployer

    def image_stack(self, aside: str = "") -> Stack:
        """Return the image stack as plain Pulumi has it, or the one that was set aside under a mark."""
        stack = self.deployer._workspaces.open(StackKind.IMAGE)
        if aside:
            stack.name = self.deployer._workspaces.address.set_aside(aside)
        return stack

    def state(self) -> list[Any]:
        """Return what the state of the image stack holds."""
        resources: list[Any] = (self.image_stack().export_stack().deployment or {}).get("resources", [])
        return resources

    @contextmanager
    def lock_by_others(self) -> Iterator[str]:
        path = self._lock(4711, "grace", "elsewhere")
        yield _GRACE
        path.unlink()

    def leave_a_dead_lock(self) -> None:
        """Leave what a Pulumi process of this working directory leaves that is killed while it holds the stack."""
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
            StartedProcesses().remember(self._directory, process.pid)
            process.kill()
        self._lock(process.pid, "ada", socket.gethostname())

    def leave_unfinished(self, operation: str) -> None:
        """Write into the state that an operation on the service was begun, and not how it ended."""
        stack = self.deployer._workspaces.open(StackKind.SERVICE)
        state = stack.export_stack()
        held = dict(state.deployment or {})
        service = next(item for item in held["resources"] if item["type"] == SERVICE)
        begun = {**service, "urn": f"{service['urn']}-more"} if operation == "creating" else service
        pending = [{"resource": begun, "type": operation}]
        stack.import_stack(Deployment(state.version, {**held, "pending_operations": pending}))

    @contextmanager
    def expire_credentials(self) -> Iterator[None]:
        httpx.post(self._faults, json={"kind": "expired"}).raise_for_status()
        try:
            yield
        finally:
            httpx.delete(self._faults).raise_for_status()

    @property
    def _directory(self) -> Path:
        return self.deployer._workspaces.directory(StackKind.SERVICE)

    def _lock(self, process: int, user: str, host: str) -> Path:
        """Write a lock of the service stack, as Pulumi does (backend/diy/lock.go, lockContent)."""
        stack = self.deployer._workspaces.address.stack_name
        folder = self._backend / ".pulumi" / "locks" / "organization" / StackKind.SERVICE.project / stack
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{uuid.uuid4()}.json"
        content = {"pid": process, "username": user, "hostname": host, "timestamp": SystemClock().now().isoformat()}
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def lose_twin(self) -> None:
        """Leave in the state of the service stack what an engine leaves that is killed while AWS makes the twin."""
        stack = self.deployer._workspaces.open(StackKind.SERVICE)
        state = stack.export_stack()
        held = dict(state.deployment or {})
        made = next(item for item in held["resources"] if item["urn"].endswith(f"::{TWIN}"))
        begun = {name: value for name, value in made.items() if name not in {"id", "outputs"}}
        held["resources"] = [item for item in held["resources"] if item is not made]
        held["pending_operations"] = [{"resource": begun, "type": "creating"}]
        stack.import_stack(Deployment(state.version, held))

    def expire(self, digest: str) -> None:
        """Let a lifecycle policy take an image away."""
        self._clients["ecr"].batch_delete_image(repositoryName=self._repository, imageIds=[{"imageDigest": digest}])

    def holds(self, digest: str) -> bool:
        """Tell whether the registry still has an image."""
        answer = self._clients["ecr"].batch_get_image(
            repositoryName=self._repository, imageIds=[{"imageDigest": digest}]
        )
        return bool(answer["images"])

    def digest(self, tag: str) -> str | None:
        digest: str = self._held(tag)["imageId"]["imageDigest"]
        return digest

    def change_context(self) -> None:
        binary(self.context, "arm64").write_bytes(binary(self.context, "arm64").read_bytes() + b"\0")

    def deploy_another_revision(self) -> None:
        service = self._read()
        definition = fields(self.services.task_definition(service.task_definition_arn).document)
        registered = self._clients["ecs"].register_task_definition(
            **{name: definition[name] for name in _FIELDS if name in definition}
        )
        arn = registered["taskDefinition"]["taskDefinitionArn"]
        self._clients["ecs"].update_service(cluster=service.cluster_arn, service=service.name, taskDefinition=arn)

    def killed_in_up(self, inputs: ServiceStackInputs) -> None:
        name = self.deployer._workspaces.address.stack_name
        path = self._backend / ".pulumi" / "stacks" / "migrate-service" / f"{name}.json"
        before = json.loads(path.read_text(encoding="utf-8"))
        self.stacks.up_service(inputs)
        known = {item["urn"] for item in before["checkpoint"]["latest"]["resources"]}
        after = json.loads(path.read_text(encoding="utf-8"))["checkpoint"]["latest"]["resources"]
        made = [item for item in after if item["urn"] not in known]
        before["checkpoint"]["latest"]["pending_operations"] = [
            {"type": "creating", "resource": {key: item[key] for key in item if key not in {"id", "outputs"}}}
            for item in made
        ]
        path.write_text(json.dumps(before), encoding="utf-8")

    def _create_service(self, image: str) -> tuple[str, str]:
        ecs, cluster, name = self._clients["ecs"], f"contract{self._number}", f"web{self._number}"
        ecs.create_cluster(clusterName=cluster)
        ecs.register_task_definition(
            family=name,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": "app", "image": image, "portMappings": [{"containerPort": 8080}]}],
            tags=[{"key": "team", "value": "contract"}],
        )
        ecs.create_service(
            cluster=cluster,
            serviceName=name,
            taskDefinition=name,
            desiredCount=1,
            launchType="FARGATE",
            propagateTags="SERVICE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-b", "subnet-a"]}},
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
            tags=[{"key": "owner", "value": "contract"}],
        )
        return cluster, name

    def _read(self) -> Service:
        return self.services.service(self.settings.service.cluster, self.settings.service.name)

    def _held(self, tag: str) -> Any:
        answer = self._clients["ecr"].batch_get_image(repositoryName=self._repository, imageIds=[{"imageTag": tag}])
        return answer["images"][0]


_FIELDS = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "containerDefinitions")


def _settings(cluster: str, name: str, image: ImageSettings) -> Settings:
    return Settings(ServiceSettings(cluster, name), image, capacity=SPOT)


def _record(
    services: ServiceReader,
    settings: Settings,
    reference: ImageReference,
    manifest: tuple[str, str],
    digest: str | None,
) -> Record:
    service = services.service(settings.service.cluster, settings.service.name)
    image = OriginalImage(reference, reference.repository, digest or "", *manifest, "migrate-original-tag1")
    baseline = Baseline(
        recorded_at=datetime(2026, 11, 25, tzinfo=UTC),
        account=services.account(),
        service=service,
        task_definition=services.task_definition(service.task_definition_arn),
        cluster=services.cluster(service.cluster_arn),
        image=image,
    )
    return Record(baseline)


def adopted(scene: Scene) -> Record:
    """Return the record of the scene once its service is adopted."""
    return replace(scene.record, adopted=True)


def sandbox_for(directory: Path) -> Iterator[Sandbox]:
    """Give a sandbox of its own, taken down afterwards."""
    with Sandbox.start(directory) as sandbox:
        yield sandbox
