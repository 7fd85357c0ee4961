"""A stage of a plan in full: both sides of all that it is about, the requests that write, and how long it takes.

The requests are those of our own safety actions, and those of the aws provider and of docker-build for what the stacks
declare: an UpdateService carries the cluster, the service, ``forceNewDeployment`` and the fields that change
(pulumi_aws 7.51.1, ecs.Service, Update). A migration on the sandbox is held to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from migrate.core.capacity_steps import way_in_steps
from migrate.core.desired_state import desired_state, planned_twin, shelf_tag
from migrate.core.documents import Document, Json, document, fields
from migrate.core.permission.calls import LEFT_TO_AN_OWNER
from migrate.core.plan import sides as names
from migrate.core.plan.plan import MigrationPlan, StagePlan
from migrate.core.plan.sides import Sides, sides
from migrate.core.record import Record
from migrate.core.rollout.history import RolloutHistory, StageTime
from migrate.core.rollout.waits import with_rollout_waits
from migrate.core.settings import ArchitectureMode, ImageMode, Settings
from migrate.core.shown_documents import shown_task_definition
from migrate.core.stages import Stage
from migrate.core.twin import twin_count, twin_name


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request that changes something: ``call`` is ``service:Operation``, ``registry`` is the protocol of images.

    What only an earlier request will tell stands in angle brackets in ``parameters``.
    """

    call: str
    parameters: Document


@dataclass(frozen=True, slots=True)
class StageDetail:
    """What a person who signs a stage wants to have seen."""

    stage: Stage
    sides: tuple[Sides, ...]
    requests: tuple[ApiRequest, ...]
    time: StageTime


def stage_details(plan: MigrationPlan, settings: Settings) -> tuple[StageDetail, ...]:
    """Return every stage of a plan in full, in order."""
    return tuple(stage_detail(plan, item.stage, settings) for item in plan.stages)


def stage_detail(plan: MigrationPlan, stage: Stage, settings: Settings) -> StageDetail:
    """Return one stage of a plan in full; ``settings`` are those that the plan was made with."""
    shown = sides(plan.record, settings, stage, plan.desired_count)
    made = _Requests(plan.record, settings, stage, shown).made()
    requests = tuple(item for item in made if not (plan.record.owned and item.call in LEFT_TO_AN_OWNER))
    return StageDetail(stage, shown, requests, _time(plan, plan.stage(stage), settings, plan.rollouts))


def _time(plan: MigrationPlan, stage: StagePlan, settings: Settings, history: RolloutHistory | None) -> StageTime:
    """Return how long a stage takes: a gate follows each deployment, and one where nothing is deployed."""
    gate = with_rollout_waits(settings.gate, plan.record.baseline.service.document)
    steps = max(stage.deploys, 1) - 1
    soak = gate.soak
    if stage.stage is Stage.CAPACITY:
        soak += steps * (gate.soak if settings.step_soak is None else settings.step_soak)
    else:
        soak += steps * gate.soak
    return StageTime(stage.deploys, soak, history)


@dataclass(frozen=True, slots=True)
class _Requests:
    record: Record
    settings: Settings
    stage: Stage
    sides: Sequence[Sides]

    def made(self) -> Iterator[ApiRequest]:
        """Yield the requests in the order in which they are made."""
        if self.record.arm64_from_the_start and self.stage in (Stage.IMAGE, Stage.ARCHITECTURE):
            return
        by_stage = {
            Stage.BASELINE: self._baseline,
            Stage.IMAGE: self._image,
            Stage.ARCHITECTURE: self._architecture,
            Stage.CAPACITY: self._capacity,
        }
        for request in by_stage[self.stage]():
            # What an owner deploys, he writes himself.
            if not self.record.owned or request.call == "ecr:PutImage":
                yield request

    def _baseline(self) -> Iterator[ApiRequest]:
        image = self.record.baseline.image
        for item in self.sides:
            if item.what == names.GUARD_TAG:
                manifest = f"<the {image.digest} that the tag points at, byte for byte>"
                yield _request(
                    "ecr:PutImage",
                    repositoryName=image.repository,
                    imageTag=image.guard_tag,
                    imageDigest=image.digest,
                    imageManifest=manifest,
                    imageManifestMediaType=image.media_type,
                )
        for item in self.sides:
            if item.what == names.CLUSTER and item.after is not None:
                yield _request("ecs:PutClusterCapacityProviders", cluster=item.name, **fields(item.after))
        yield from self._changed_service()

    def _image(self) -> Iterator[ApiRequest]:
        image = self.record.baseline.image
        if self.settings.image.mode is not ImageMode.EXTERNAL:
            repository = image.reference.name
            both = self.settings.image.mode is ImageMode.REBUILD
            for platform in ("linux/amd64", "linux/arm64") if both else ("linux/arm64",):
                yield _request(
                    "registry:PutManifest",
                    repository=repository,
                    reference=f"<the digest of the {platform} image>",
                )
            for tag in (shelf_tag(image.reference.tag or ""), image.reference.tag):
                yield _request("registry:PutManifest", repository=repository, reference=tag, content="<the index>")
        yield self._update_service()

    def _architecture(self) -> Iterator[ApiRequest]:
        if self.record.arm64_task_definition_arn is None:
            yield _request("ecs:RegisterTaskDefinition", **fields(self._arm64()))
        mode = self.settings.architecture
        if mode is ArchitectureMode.ROLLING:
            yield from self._changed_service()
            return
        service = self.record.baseline.service
        twin, cluster = twin_name(service.name), service.cluster_arn
        yield _request("ecs:CreateService", cluster=cluster, serviceName=twin, **fields(self._twin()))
        if mode is ArchitectureMode.CANARY:
            yield from self._changed_service()
            yield _request("ecs:DeleteService", cluster=cluster, service=twin, force=True)

    def _arm64(self) -> Document:
        state = desired_state(replace(self.record, twin=None), self.settings, Stage.ARCHITECTURE)
        definitions = state.service.task_definitions
        document_of = {item.logical_name: item.document for item in definitions}
        return shown_task_definition(document_of["task-definition-arm64"])

    def _twin(self) -> Document:
        """Return what the twin is made with: in mode canary it is gone on both sides of the stage."""
        made = next((item.after for item in self.sides if item.what == names.TWIN), None)
        if made is not None:
            return made
        mixed = replace(self.settings, architecture=ArchitectureMode.MIXED)
        count = twin_count(self.record.baseline.service.desired_count, self.settings.canary_share)
        whole = replace(self.record, twin=planned_twin(replace(self.record, twin=None), mixed))
        shown = sides(whole, mixed, Stage.ARCHITECTURE, count)
        return next(item.after for item in shown if item.what == names.TWIN and item.after is not None)

    def _capacity(self) -> Iterator[ApiRequest]:
        before = desired_state(replace(self.record, capacity_way=()), self.settings, Stage.CAPACITY.before)
        for step in way_in_steps(before.strategy, self.settings, self.record.baseline.service.desired_count):
            yield self._update_service(capacityProviderStrategy=names.shown_items(step))

    def _changed_service(self) -> Iterator[ApiRequest]:
        service = next(item for item in self.sides if item.what == names.SERVICE)
        if service.differences and service.after is not None:
            before = fields(service.before) if service.before is not None else {}
            now = fields(service.after)
            yield self._update_service(**{name: value for name, value in now.items() if before.get(name) != value})

    def _update_service(self, **changed: Json) -> ApiRequest:
        service = self.record.baseline.service
        return _request(
            "ecs:UpdateService", cluster=service.cluster_arn, service=service.arn, forceNewDeployment=True, **changed
        )


def _request(call: str, **parameters: Json) -> ApiRequest:
    return ApiRequest(call, document(parameters))
