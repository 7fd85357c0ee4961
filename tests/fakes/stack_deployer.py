"""The port StackDeployer over a scripted world: no engine, but its previews, refusals and effects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from migrate.core.desired_state import ImageStackInputs, ServiceStackInputs, TaskDefinitionInputs
from migrate.core.documents import document
from migrate.core.facts import Strategy
from migrate.core.settings import ImageMode
from migrate.core.stack.pending import PendingOperation
from migrate.core.stack.preview import (
    CLUSTER_PROVIDERS,
    IMAGE,
    INDEX,
    SERVICE,
    TASK_DEFINITION,
    Preview,
    ResourceChange,
    StackOutcome,
)
from migrate.core.task_definition import registrable
from migrate.core.twin import TWIN
from migrate.errors import EngineError, LockedError, NotFoundError
from tests.fakes.aws_world import REGISTRY, World
from tests.fakes.image_content import AMD64_ELF, ARM64_ELF, REPOSITORY, Entry, digest_of
from tests.fakes.stack_engine import UNKNOWN, StackState, Wanted

_URL = f"{REGISTRY}/{REPOSITORY}"


@dataclass
class FakeStackDeployer:
    """Previews and deploys both stacks of one service of the world (the first one, unless ``service`` is an ARN).

    ``context`` stands for the content of the build context; ``arm64_binary`` is what the next build puts into the
    arm64 image, ``build_time`` how long it takes; ``build_error`` fails it. ``calls`` and ``previewed`` hold what was
    asked and shown, in order.
    ``locked_by`` is who holds both stacks.
    ``interrupt_after`` raises once its method has taken effect: a crash between an act and its outcome.
    ``killed_in_up`` is raised by the next ``up_service`` once all is done in the world, and nothing is in the state.
    """

    world: World
    service: str | None = None
    context: str = "first"
    build_time: timedelta = timedelta(0)
    arm64_binary: bytes = ARM64_ELF
    build_error: str = ""
    calls: list[str] = field(default_factory=list)
    previewed: list[ResourceChange] = field(default_factory=list)
    interrupt_after: dict[str, BaseException] = field(default_factory=dict)
    killed_in_up: BaseException | None = None
    locked_by: str = ""
    aside: list[str] = field(default_factory=list)
    unsettled: dict[str, TaskDefinitionInputs] = field(default_factory=dict)
    _image: StackState = field(default_factory=lambda: StackState("image"))
    _service: StackState = field(default_factory=lambda: StackState("service"))
    _arns: dict[str, str] = field(default_factory=dict)
    _index: str = ""
    _arm64: str = ""
    _twin_arn: str = ""

    def preview_image(self, inputs: ImageStackInputs) -> Preview:
        self._called("preview_image")
        changes = self._image_changes(inputs)
        return self._shown(Preview("image", changes, outputs=_known(changes, self._image_outputs(inputs))))

    def preview_service(self, inputs: ServiceStackInputs) -> Preview:
        self._called("preview_service")
        changes = self._service.changes(self._service_program(inputs))
        return self._shown(Preview("service", changes, outputs=_known(changes, self._service_outputs(inputs))))

    def up_image(self, inputs: ImageStackInputs) -> StackOutcome:
        self._called("up_image")
        changes = self._image_changes(inputs)
        for name in ("image", "index", "published"):
            if any(change.changes and change.name == name for change in changes):
                self._make_image(inputs, name)
        self._image.remember(self._image_program(inputs))
        self._done("up_image")
        return StackOutcome("image", changes, self._image_outputs(inputs))

    def up_service(self, inputs: ServiceStackInputs) -> StackOutcome:
        self._called("up_service")
        before, arns = deepcopy(self._service), dict(self._arns)
        changes = self._service.changes(self._service_program(inputs))
        for definition in inputs.task_definitions:
            self._register(definition)
        if inputs.cluster is not None:
            self.world.associate(inputs.cluster.capacity_providers)
        if any(change.name == "service" and change.operation == "create" for change in changes):
            raise EngineError("Pulumi could not update the service stack.", why="The service exists already.", then="")
        self._make_or_delete_twin(inputs, changes)
        if any(change.name == "service" and change.operation == "update" for change in changes):
            self.world.apply_update(
                task_definition=self._arns[inputs.service.task_definition],
                strategy=inputs.service.strategy,
                force=inputs.service.force_new_deployment,
                service=self.service,
            )
        self._service.remember(self._service_program(inputs))
        if self.killed_in_up is not None:
            died, self.killed_in_up = self.killed_in_up, None
            self._killed(before, arns, inputs)
            raise died
        self._done("up_service")
        return StackOutcome("service", changes, self._service_outputs(inputs))

    def _service_outputs(self, inputs: ServiceStackInputs) -> tuple[tuple[str, str], ...]:
        outputs = (("service_arn", inputs.service.arn), ("task_definition_arns", json.dumps(self._arns)))
        return outputs if inputs.twin is None else (*outputs, ("twin_arn", self._twin_arn))

    def _make_or_delete_twin(self, inputs: ServiceStackInputs, changes: tuple[ResourceChange, ...]) -> None:
        """Do what the provider does to the twin: CreateService, or DeleteService by force."""
        operation = next((change.operation for change in changes if change.name == TWIN), "same")
        if operation == "create" and inputs.twin is not None:
            self._twin_arn = self.world.create_twin(
                inputs.twin.name,
                self._arns[inputs.twin.task_definition],
                desired=inputs.twin.count,
                launch_type=inputs.twin.launch_type,
                strategy=inputs.twin.strategy,
                like=inputs.service.arn,
            )
        elif operation == "import" and inputs.twin is not None:
            self._twin_arn = next(arn for arn, made in self.world.services.items() if made.name == inputs.twin.name)
        elif operation == "delete":
            self.world.delete_service(self._twin_arn)

    def lose_twin(self) -> None:
        """Forget the twin, as an engine that was killed while AWS made it."""
        del self._service.resources[TWIN]
        self._twin_arn = ""

    def set_aside(self, mark: str, *, image: bool) -> None:
        self._called("set_aside")
        if image:
            self._image, self._index, self._arm64 = StackState("image"), "", ""
        self._service, self._arns = StackState("service"), {}
        self.aside.append(mark)
        self._done("set_aside")

    def pending(self) -> tuple[PendingOperation, ...]:
        return tuple(PendingOperation("service", "creating", *self._place(name)) for name in sorted(self.unsettled))

    def settle(self, made: Mapping[str, str]) -> None:
        for name, item in self.unsettled.items():
            arn = made.get(self._place(name)[2])
            if arn is not None:
                self._arns[name] = arn
                self._service.resources[name] = (
                    TASK_DEFINITION,
                    dict(self._wanted_definition(item, adopt=False).inputs),
                )
        self.unsettled.clear()

    def acknowledge(self, inputs: ServiceStackInputs) -> None:
        _, held = self._service.resources["service"]
        held["triggers"] = inputs.service.triggers or None
        held["forceNewDeployment"] = inputs.service.force_new_deployment or None

    def _place(self, name: str) -> tuple[str, str, str]:
        return TASK_DEFINITION, name, f"urn:pulumi:fake::migrate-service::{TASK_DEFINITION}::{name}"

    def _killed(self, before: StackState, arns: dict[str, str], inputs: ServiceStackInputs) -> None:
        """Leave what a kill leaves that came when all had been done and nothing was written."""
        made = {item.logical_name: item for item in inputs.task_definitions if item.logical_name not in arns}
        self.unsettled = {name: item for name, item in made.items() if item.import_arn is None}
        self._service, self._arns = before, arns

    def refresh(self) -> None:
        self._called("refresh")
        if "service" in self._service.resources:
            type_, held = self._service.resources["service"]
            self._service.resources["service"] = (type_, {**held, **self._read_service()})
        if self._twin_arn not in self.world.services:
            self._service.resources.pop(TWIN, None)
        for name, arn in list(self._arns.items()):
            # The provider drops a revision that is INACTIVE or gone from the state (TaskDefinition, Read).
            if arn not in self.world.revisions or self.world.revisions[arn].status != "ACTIVE":
                self._service.resources.pop(name, None)
                del self._arns[name]
        self._done("refresh")

    def _called(self, method: str) -> None:
        self.calls.append(method)
        self.world.called(method)
        # A preview takes no lock (pulumi issue 8984).
        if self.locked_by and not method.startswith("preview"):
            raise LockedError(
                "The stack is locked by another Pulumi process.",
                why=f"Lock created by {self.locked_by}",
                then="Wait for it to end.",
                runbook="errors#stack-locked",
            )

    def _done(self, method: str) -> None:
        if method in self.interrupt_after:
            raise self.interrupt_after.pop(method)

    def _shown(self, preview: Preview) -> Preview:
        self.previewed.extend(preview.changes)
        return preview

    def _image_changes(self, inputs: ImageStackInputs) -> tuple[ResourceChange, ...]:
        changes = self._image.changes(self._image_program(inputs))
        rebuilt = any(change.name == "image" and change.operation == "update" for change in changes)
        if not rebuilt:
            return changes
        return tuple(
            replace(change, operation="update", properties=("sources",)) if change.name == "index" else change
            for change in changes
        )

    def _image_program(self, inputs: ImageStackInputs) -> list[Wanted]:
        if inputs.repository != REPOSITORY:
            raise NotFoundError("Something that the image stack is about does not exist.", why="ECR", then="")
        if not inputs.present or inputs.build.mode is ImageMode.EXTERNAL:
            return []
        original = f"{_URL}@{inputs.original_digest}"
        held = self._image.resources.get("image")
        context = held[1]["contextHash"] if inputs.frozen and held else self.context
        image = {"platforms": inputs.build.mode.value, "contextHash": context, "builder": inputs.build.builder}
        published = f"{_URL}:{inputs.shelf_tag}@{self._index}" if inputs.published else original
        return [
            Wanted(IMAGE, "image", image),
            Wanted(INDEX, "index", {"tag": inputs.shelf_tag, "sources": (inputs.build.mode, self._arm64)}),
            Wanted(INDEX, "published", {"tag": inputs.service_tag, "sources": published}),
        ]

    def _make_image(self, inputs: ImageStackInputs, name: str) -> None:
        if name == "image":
            if self.build_error:
                raise EngineError("The image could not be built.", why=self.build_error, then="Mend the Dockerfile.")
            self.world.pass_time(self.build_time)
            entry = self.world.shelf.image("linux/arm64", Entry("app", self.arm64_binary))
            self._arm64 = entry["digest"]
        elif name == "index":
            entries = [*self._amd64_entries(inputs), self._entry(self._arm64)]
            self._index = self.world.shelf.index(*entries, tag=inputs.shelf_tag)["digest"]
        elif inputs.published:
            self.world.push(inputs.service_tag, *self.world.shelf.manifests[self._index])

    def _amd64_entries(self, inputs: ImageStackInputs) -> list[dict[str, Any]]:
        if inputs.build.mode is ImageMode.REBUILD:
            return [self.world.shelf.image("linux/amd64", Entry("app", AMD64_ELF))]
        body = json.loads(self.world.shelf.manifests[inputs.original_digest][1])
        return body["manifests"] if "manifests" in body else [self._entry(inputs.original_digest)]

    def _entry(self, digest: str) -> dict[str, Any]:
        """Return an index entry for a manifest, its platform taken from its config, as buildx does."""
        media_type, body = self.world.shelf.manifests[digest]
        config = json.loads(self.world.shelf.blobs[json.loads(body)["config"]["digest"]])
        platform = {name: config[name] for name in ("architecture", "os")}
        return {"mediaType": media_type, "digest": digest_of(body), "size": len(body), "platform": platform}

    def _image_outputs(self, inputs: ImageStackInputs) -> tuple[tuple[str, str], ...]:
        if "index" not in self._image.resources:
            return (("repository_url", _URL),)
        made = {"index_digest": self._index, "index_ref": f"{_URL}@{self._index}", "repository_url": _URL}
        if inputs.build.mode is ImageMode.EXTEND:
            made["arm64_digest"] = self._arm64
        return tuple(sorted(made.items()))

    def _service_program(self, inputs: ServiceStackInputs) -> list[Wanted]:
        service = inputs.service
        wanted = [self._wanted_definition(item, adopt=inputs.adopt) for item in inputs.task_definitions]
        if inputs.cluster is not None:
            providers = {"capacityProviders": tuple(sorted(inputs.cluster.capacity_providers))}
            held = {"capacityProviders": tuple(sorted(self.world.cluster.capacity_providers))}
            wanted.append(Wanted(CLUSTER_PROVIDERS, "cluster", providers, held if inputs.adopt else None))
        settings = {
            "settings": service.document,
            "taskDefinition": self._arns.get(service.task_definition, self._known_arn(inputs) or UNKNOWN),
            "launchType": service.launch_type,
            "capacityProviderStrategies": _sorted(service.strategy),
            "forceNewDeployment": service.force_new_deployment or None,
            "triggers": service.triggers or None,
        }
        if inputs.twin is not None:
            twin = {
                "settings": inputs.twin.document,
                "taskDefinition": self._arns.get(inputs.twin.task_definition, UNKNOWN),
                "capacityProviderStrategies": _sorted(inputs.twin.strategy),
                "launchType": inputs.twin.launch_type,
            }
            wanted.append(Wanted(SERVICE, TWIN, twin, twin if inputs.twin.adopt else None))
        imported = {**settings, **self._read_service(), "forceNewDeployment": None, "triggers": None}
        wanted.append(Wanted(SERVICE, "service", settings, imported if inputs.adopt else None))
        return wanted

    def _known_arn(self, inputs: ServiceStackInputs) -> str | None:
        named = {item.logical_name: item.import_arn for item in inputs.task_definitions}
        return named[inputs.service.task_definition]

    def _wanted_definition(self, item: TaskDefinitionInputs, *, adopt: bool) -> Wanted:
        content = document(registrable(item.document))
        settings: dict[str, Any] = {"document": content, "tags": item.tags, "skipDestroy": item.keep or None}
        if not adopt or item.import_arn is None:
            return Wanted(TASK_DEFINITION, item.logical_name, settings)
        held = self.world.revisions.get(item.import_arn)
        if held is None:
            raise NotFoundError(
                "Something that the service stack is about does not exist.", why=item.import_arn, then=""
            )
        read = {"document": document(registrable(held.document)), "tags": held.tags, "skipDestroy": None}
        return Wanted(TASK_DEFINITION, item.logical_name, settings, read)

    def _register(self, item: TaskDefinitionInputs) -> None:
        if item.logical_name in self._arns:
            return
        if item.import_arn is not None:
            self._arns[item.logical_name] = item.import_arn
        else:
            content = document(registrable(item.document))
            self._arns[item.logical_name] = self.world.register(content, item.tags).arn

    def _read_service(self) -> Mapping[str, Any]:
        arn = self.service or next(iter(self.world.services))
        primary = self.world.services[arn].primary
        return {
            "taskDefinition": primary.task_definition_arn,
            "launchType": primary.launch_type,
            "capacityProviderStrategies": _sorted(primary.strategy),
        }


def _sorted(strategy: Strategy) -> tuple[tuple[str, int, int], ...]:
    return tuple(sorted((item.provider, item.weight, item.base) for item in strategy))


def _known(changes: tuple[ResourceChange, ...], outputs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return the outputs that a preview tells: those of a stack in which nothing would change."""
    return () if any(change.changes for change in changes) else outputs
