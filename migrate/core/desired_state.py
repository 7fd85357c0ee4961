"""What both stacks should hold: a pure function of (record, settings, stage).

Rollback is this function with a smaller stage. What a stage once made stays in the program at smaller stages
("on the shelf"): the index keeps a tag of its own and the ARM64 revision stays registered, so no preview of a way
back ever deletes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from migrate.core.documents import Document
from migrate.core.facts import Architecture, Cluster, Strategy, StrategyItem
from migrate.core.record import Record
from migrate.core.settings import ArchitectureMode, ImageMode, ImageSettings, Settings
from migrate.core.stages import Stage
from migrate.core.task_definition import with_architecture
from migrate.core.twin import Twin, TwinInputs, TwinPhase, twin_count, twin_name

FARGATE = (StrategyItem("FARGATE", weight=1),)


@dataclass(frozen=True, slots=True)
class ImageStackInputs:
    """Inputs of stacks/image.

    ``tag`` is what the index is published under: the service's own tag from stage 1 on, ``shelf_tag`` below it.
    ``present`` is False until stage 1 first began: the program then only looks the repository up.
    ``service_tag`` is the service's own tag at every stage. ``frozen``: what was built stays as it was built, whatever
    has become of the build context since; only what the service's tag points at may change.
    """

    repository: str
    present: bool
    tag: str
    shelf_tag: str
    original_digest: str
    build: ImageSettings
    service_tag: str = ""
    frozen: bool = False

    @property
    def published(self) -> bool:
        """Whether the service's own tag points at the index."""
        return self.present and self.tag != self.shelf_tag


@dataclass(frozen=True, slots=True)
class TaskDefinitionInputs:
    """One task definition of stacks/service; ``import_arn`` is set for a revision that exists already.

    ``keep`` writes skip_destroy, a property that an import must not carry (facts F7).
    """

    logical_name: str
    document: Document
    tags: tuple[tuple[str, str], ...]
    import_arn: str | None
    keep: bool


@dataclass(frozen=True, slots=True)
class ServiceInputs:
    """The service of stacks/service. Exactly one of ``launch_type`` and ``strategy`` is set.

    ``task_definition`` is the logical name of one of the task definitions beside it. ``triggers`` start a deployment
    when they change, and only with ``force_new_deployment`` (facts F4).
    """

    cluster_arn: str
    name: str
    arn: str
    document: Document
    task_definition: str
    launch_type: str | None
    strategy: Strategy
    force_new_deployment: bool
    triggers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ClusterInputs:
    """Capacity providers of the cluster; present only where the migration has to associate one that is missing."""

    name: str
    capacity_providers: tuple[str, ...]
    default_strategy: Strategy


@dataclass(frozen=True, slots=True)
class ServiceStackInputs:
    """Inputs of stacks/service. ``adopt`` imports what exists instead of creating it; the twin is always ours."""

    adopt: bool
    cluster: ClusterInputs | None
    task_definitions: tuple[TaskDefinitionInputs, ...]
    service: ServiceInputs
    twin: TwinInputs | None = None


@dataclass(frozen=True, slots=True)
class DesiredState:
    """Both stacks, and what the running tasks must then look like."""

    stage: Stage
    image: ImageStackInputs
    service: ServiceStackInputs
    architecture: Architecture
    strategy: Strategy
    launch_type: str | None


def index_on_shelf(record: Record, settings: Settings) -> ImageStackInputs:
    """Return the image stack with the index under our own tag: built and provable before the service's tag moves."""
    image = _image(record, settings, Stage.BASELINE)
    return replace(image, present=settings.image.mode is not ImageMode.EXTERNAL, frozen=False)


def desired_state(record: Record, settings: Settings, stage: Stage) -> DesiredState:
    """Return what both stacks hold when ``stage`` is applied to the recorded service."""
    launch_type, strategy = desired_capacity(record, settings, stage)
    return DesiredState(
        stage=stage,
        image=_image(record, settings, stage),
        service=ServiceStackInputs(
            adopt=not record.adopted,
            cluster=_cluster(record, settings, stage),
            task_definitions=_task_definitions(record, stage),
            service=_service(record, stage, launch_type, strategy),
            twin=_twin(record, stage, launch_type, strategy),
        ),
        architecture=Architecture.ARM64 if record.runs_arm64(stage) else Architecture.X86_64,
        strategy=strategy,
        launch_type=launch_type,
    )


def adoption(record: Record, settings: Settings) -> DesiredState:
    """Return what is imported: the original, on the capacity that it was found on (ours, after a new baseline)."""
    state = desired_state(record, settings, Stage.ORIGINAL)
    if not record.found_capacity:
        return state
    service = replace(state.service.service, launch_type=None, strategy=record.found_capacity)
    stack = replace(state.service, service=service)
    return replace(state, service=stack, launch_type=None, strategy=record.found_capacity)


def desired_capacity(record: Record, settings: Settings, stage: Stage) -> tuple[str | None, Strategy]:
    """Return launch type and strategy, of which one is empty: strategies are explicit from the baseline on (F2, F3).

    While stage 3 is on its way, its strategy is that of the step which was begun last.
    """
    service = record.baseline.service
    if stage is Stage.CAPACITY:
        return None, record.capacity_step or settings.capacity
    if stage is Stage.ORIGINAL:
        return service.launch_type, service.strategy
    if service.launch_type == "FARGATE":
        return None, FARGATE
    return service.launch_type, service.strategy


def missing_providers(cluster: Cluster, record: Record, settings: Settings) -> tuple[str, ...]:
    """Return the providers that the stages need and the cluster, as recorded, does not have, in their order of need."""
    needed = [item.provider for item in desired_capacity(record, settings, Stage.BASELINE)[1] + settings.capacity]
    return tuple(dict.fromkeys(name for name in needed if name not in cluster.capacity_providers))


def beside_others(record: Record, settings: Settings, now: Cluster) -> Record:
    """Return the record with what others made of the cluster since: their providers and their default strategy stay.

    A write replaces the whole list and the default (facts F12), so what was recorded long ago must not be written back.
    """
    before = record.baseline.cluster
    # Until the service is adopted this migration has associated nothing: all that is there is others'.
    ours = missing_providers(before, record, settings) if record.adopted else ()
    theirs = [name for name in now.capacity_providers if name not in ours]
    kept = [name for name in before.capacity_providers if name in theirs]
    providers = tuple(dict.fromkeys((*kept, *theirs)))
    cluster = replace(before, capacity_providers=providers, default_strategy=now.default_strategy)
    return record if cluster == before else replace(record, baseline=replace(record.baseline, cluster=cluster))


def _cluster(record: Record, settings: Settings, stage: Stage) -> ClusterInputs | None:
    cluster = record.baseline.cluster
    missing = missing_providers(cluster, record, settings)
    if not missing:
        return None
    # Once associated, providers stay: other services may have come to use them (facts F12).
    added = missing if stage >= Stage.BASELINE or record.adopted else ()
    return ClusterInputs(cluster.name, cluster.capacity_providers + added, cluster.default_strategy)


def _image(record: Record, settings: Settings, stage: Stage) -> ImageStackInputs:
    image = record.baseline.image
    shelf = shelf_tag(image.reference.tag or "")
    made = stage >= Stage.IMAGE or record.shelved
    return ImageStackInputs(
        repository=image.repository,
        present=made and settings.image.mode is not ImageMode.EXTERNAL,
        tag=(image.reference.tag or "") if stage >= Stage.IMAGE else shelf,
        shelf_tag=shelf,
        original_digest=image.digest,
        build=settings.image,
        service_tag=image.reference.tag or "",
        frozen=record.index is not None,
    )


def expected_digests(record: Record, settings: Settings, stage: Stage, architecture: Architecture) -> tuple[str, ...]:
    """Return the digests that a container may report at ``stage`` (facts F14).

    In mode external nobody moves the tag back, so that below stage 1 a task may still run from the team's index; and
    until a service is adopted after a new baseline, from ours: nothing was deployed since (case C43).
    """
    platform = f"linux/{architecture.oci}"
    digests = record.running_digests(stage, platform)
    if settings.image.mode is ImageMode.EXTERNAL or not (record.adopted or record.owned):
        digests += record.running_digests(Stage.IMAGE, platform)
    return tuple(dict.fromkeys(digests))


def shelf_tag(tag: str) -> str:
    """Return the tag of our own that holds the index while the service's tag does not (at most 128 characters, ECR)."""
    return f"migrate-index-{tag}"[:128]


def registered_as(record: Record) -> Mapping[str, Document]:
    """Return what each task definition of ours would have been registered as, by logical name."""
    original = record.baseline.task_definition.document
    return {
        "task-definition-arm64": with_architecture(original, Architecture.ARM64),
        "task-definition-copy": original,
    }


def _task_definitions(record: Record, stage: Stage) -> tuple[TaskDefinitionInputs, ...]:
    original = record.baseline.task_definition
    keep = record.adopted
    made = []
    if record.replacement_task_definition_arn is None:
        made.append(TaskDefinitionInputs("task-definition", original.document, original.tags, original.arn, keep))
    else:
        made.append(TaskDefinitionInputs("task-definition-copy", original.document, original.tags, None, keep=True))
    made_by_us = stage >= Stage.ARCHITECTURE and not record.arm64_from_the_start
    if made_by_us or record.arm64_task_definition_arn is not None:
        arm64 = registered_as(record)["task-definition-arm64"]
        made.append(TaskDefinitionInputs("task-definition-arm64", arm64, original.tags, None, keep=True))
    return tuple(made)


def _service(record: Record, stage: Stage, launch_type: str | None, strategy: Strategy) -> ServiceInputs:
    service = record.baseline.service
    original = "task-definition" if record.replacement_task_definition_arn is None else "task-definition-copy"
    moved = record.runs_arm64(stage) and not record.arm64_from_the_start
    first = Stage.CAPACITY if record.arm64_from_the_start else Stage.IMAGE
    # An import must not carry the flag; the first change of ours needs it, and then it stays (facts F1, F4).
    forced = record.adopted and (stage >= first or record.index is not None or service.launch_type == "FARGATE")
    return ServiceInputs(
        cluster_arn=service.cluster_arn,
        name=service.name,
        arn=service.arn,
        document=service.document,
        task_definition="task-definition-arm64" if moved else original,
        launch_type=launch_type,
        strategy=strategy,
        force_new_deployment=forced,
        triggers=(("image-digest", _digest(record, stage)),) if forced else (),
    )


def _twin(record: Record, stage: Stage, launch_type: str | None, strategy: Strategy) -> TwinInputs | None:
    twin = record.twin
    if twin is None or twin.phase is TwinPhase.LEAVING or stage < Stage.ARCHITECTURE:
        return None
    service = record.baseline.service
    return TwinInputs(
        cluster_arn=service.cluster_arn,
        name=twin.name,
        document=service.document,
        task_definition="task-definition-arm64",
        launch_type=launch_type,
        strategy=strategy,
        count=twin.count,
    )


def planned_twin(record: Record, settings: Settings) -> Twin | None:
    """Return the twin that stage 2 ends with: in mode mixed it stays, in every other mode it is gone by then."""
    if settings.architecture is not ArchitectureMode.MIXED or record.arm64_from_the_start:
        return None
    service = record.baseline.service
    return record.twin or Twin(twin_name(service.name), twin_count(service.desired_count, settings.canary_share))


def _digest(record: Record, stage: Stage) -> str:
    if stage >= Stage.IMAGE and record.index is not None:
        return record.index.digest
    return record.baseline.image.digest
