"""One look at the world, and whether the world is still what was planned or recorded (design rule 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from migrate.core.build.facts import BuildFacts
from migrate.core.capacity import in_any_order
from migrate.core.cost.prices import HourlyRates
from migrate.core.desired_state import desired_state, registered_as
from migrate.core.documents import fields, fingerprint
from migrate.core.facts import (
    Account,
    Alarm,
    Architecture,
    Cluster,
    Repository,
    Service,
    ServiceDeployment,
    Strategy,
    Task,
    TaskDefinition,
)
from migrate.core.image.crossing import Crossing
from migrate.core.image.index import ImageFacts, ImageReference
from migrate.core.permission.answers import PermissionAnswers
from migrate.core.record import Record
from migrate.core.repository.guarding import RepositoryContents
from migrate.core.settings import ImageMode, Settings
from migrate.core.stages import Stage
from migrate.core.surroundings import NOTHING_READ, Surroundings
from migrate.core.task_definition import alike_but_for_architecture, architecture_of, equivalent
from migrate.core.twin import TwinPhase


@dataclass(frozen=True, slots=True)
class ContainerImage:
    """A container of the task definition and what is behind its image; ``facts`` is None where nothing could be read.

    ``problem`` then says why. ``tag_index`` is the digest of the index behind the tag of an image that is pinned by
    digest as well, where that index lists linux/arm64.
    """

    container: str
    reference: ImageReference
    facts: ImageFacts | None
    problem: str = ""
    tag_index: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything that a plan is made from, read within one pass."""

    taken_at: datetime
    account: Account
    service: Service
    task_definition: TaskDefinition
    cluster: Cluster
    tasks: tuple[Task, ...]
    alarms: tuple[Alarm, ...]
    images: tuple[ContainerImage, ...]
    repository: Repository | None
    surroundings: Surroundings = NOTHING_READ
    permissions: PermissionAnswers | None = None
    """What IAM says about the caller; None where nobody asked."""
    contents: RepositoryContents | None = None
    """What is in ``repository``; None where that is None, or nobody looked."""
    build: BuildFacts | None = None
    """What stage 1 would be built with and from; None where nothing is to be built, or nobody looked."""
    crossing: Crossing | None = None
    """What of the amd64 image will not cross over; None where arm64 is there, or nobody looked."""
    twin: Service | None = None
    """The twin of the modes canary and mixed; None where none is on record, or it is not there."""
    twin_tasks: tuple[Task, ...] = ()
    rollouts: tuple[ServiceDeployment, ...] | None = None
    """Service deployments so far, newest first; None where they could not be read, or nobody looked."""
    rates: tuple[HourlyRates, ...] = ()
    """What the AWS Price List says of the region; empty where it could not be asked, or nobody did."""
    rates_problem: str = ""
    """Why it could not; empty where it could, or nobody asked."""

    def image(self, container: str) -> ContainerImage | None:
        """Return the image of a container, None when the task definition has no such container."""
        return next((image for image in self.images if image.container == container), None)


def observed(observation: Observation, container: str) -> dict[str, object]:
    """Return what a plan is bound to: settings of the service, revision, capacity, deployment and image; no counts."""
    service, image = observation.service, observation.image(container)
    return {
        "service": service.arn,
        "document": fields(service.document),
        "task_definition": service.task_definition_arn,
        "launch_type": service.launch_type,
        "strategy": in_any_order(service.strategy),
        "deployment": service.primary.id if service.primary else None,
        "image": image.facts.digest if image and image.facts else None,
    }


def observed_fingerprint(observation: Observation, container: str) -> str:
    """Return one digest of all that a plan is bound to."""
    return fingerprint(observed(observation, container))


def drift(record: Record, settings: Settings, observation: Observation) -> tuple[str, ...]:
    """Return, in words, what somebody else changed since our last act; empty means nothing.

    While a stage is entered but not proven, the parts which that stage changes may be on either side of it.
    """
    service, position = observation.service, record.position
    stages = stages_it_may_be_at(record)
    found = list(foreign_changes(record, settings, observation))
    deployment = service.primary.id if service.primary else None
    # An owner may deploy the same thing again whenever he likes.
    ours = record.owned or not record.last_deployment_id or deployment == record.last_deployment_id
    if position.entered is None and not ours:
        found.append(f"deployment {deployment} was started since ours ({record.last_deployment_id})")
    image = observation.image(settings.image.container)
    digests = {record.baseline.image.digest} if min(stages) < Stage.IMAGE else set()
    if record.index is not None and (max(stages) >= Stage.IMAGE or record.published):
        digests.add(record.index.digest)
    # In mode external the team's CI pushes what stage 1 then proves: until that proof the tag is theirs to move.
    theirs = settings.image.mode is ImageMode.EXTERNAL and min(stages) < Stage.IMAGE
    if image and image.facts and digests and not theirs and image.facts.digest not in digests:
        found.append(f"the tag now points at {image.facts.digest}, which this migration did not push")
    return tuple(found)


def foreign_changes(record: Record, settings: Settings, observation: Observation) -> tuple[str, ...]:
    """Return what the service runs or where it runs that no act of ours, nor a rollback by ECS, can have led to."""
    service = observation.service
    found = []
    if foreign_revision(record, observation.task_definition):
        found.append(f"the service runs {service.task_definition_arn}, which this migration did not deploy")
    ours = [(launch_type, in_any_order(strategy)) for launch_type, strategy in given_capacities(record, settings)]
    if _capacity(service) not in ours:
        found.append(f"its capacity is {_shown(service)}")
    architecture = architecture_of(observation.task_definition.document)
    if record.owned and architecture not in architectures(record):
        found.append(f"it runs {architecture}, which is not of the stage that it is at")
    found += _twin_changes(record, observation)
    return tuple(found)


def given_capacities(record: Record, settings: Settings) -> tuple[tuple[str | None, Strategy], ...]:
    """Return launch type and strategy, of which one is empty, of each state that acts of ours can have led to."""
    stages = stages_it_may_be_at(record)
    states = [desired_state(record, settings, stage) for stage in sorted(stages)]
    ours = [(state.launch_type, state.strategy) for state in states]
    if record.applied_capacity and Stage.CAPACITY in stages:
        ours.append((None, record.applied_capacity))
    ours += [(None, step) for step in record.capacity_way]
    if record.found_capacity and record.position.proven < Stage.BASELINE:
        ours.append((None, record.found_capacity))
    return tuple(ours)


def architectures(record: Record) -> frozenset[Architecture]:
    """Return the architectures of the stages that the service may be at."""
    moved = {record.runs_arm64(stage) for stage in stages_it_may_be_at(record)}
    return frozenset(Architecture.ARM64 if arm64 else Architecture.X86_64 for arm64 in moved)


def _twin_changes(record: Record, observation: Observation) -> tuple[str, ...]:
    """Return what somebody else did to a twin that this migration had made and does not let go."""
    twin, seen = record.twin, observation.twin
    if twin is None or twin.arn is None or twin.phase is TwinPhase.LEAVING or record.position.entered is not None:
        return ()
    if seen is None:
        return (f"its twin {twin.name} is gone",)
    if seen.task_definition_arn != record.arm64_task_definition_arn:
        return (f"its twin runs {seen.task_definition_arn}, which this migration did not deploy",)
    return ()


def foreign_revision(record: Record, definition: TaskDefinition) -> bool:
    """Tell whether the revision that the service runs is one that somebody else registered (case C43)."""
    if definition.arn in record.own_revisions:
        return False
    if record.owned:
        # Its owner's tool may register the same thing again at every deployment.
        return not alike_but_for_architecture(record.baseline.task_definition.document, definition.document)
    return not _just_made(record, definition)


def stages_it_may_be_at(record: Record) -> set[Stage]:
    """Return the stages that the service may be at: while one is begun, either side of it."""
    position = record.position
    if position.entered is None:
        return {position.proven}
    return {position.proven, position.entered, position.entered.before}


def _just_made(record: Record, definition: TaskDefinition) -> bool:
    """Tell whether an interrupted act of ours registered the revision and had no time to record it."""
    found, ours = definition.document, registered_as(record)
    if not record.arm64_task_definition_arn and Stage.ARCHITECTURE in stages_it_may_be_at(record):
        return equivalent(found, ours["task-definition-arm64"])
    # An empty ARN stands for the copy that a rollback is about to register (case C32).
    return record.replacement_task_definition_arn == "" and equivalent(found, ours["task-definition-copy"])


def _capacity(service: Service) -> tuple[str | None, list[tuple[str, int, int]]]:
    return (None if service.strategy else service.launch_type), in_any_order(service.strategy)


def _shown(service: Service) -> str:
    if not service.strategy:
        return f"launch type {service.launch_type}"
    return ", ".join(f"{item.provider} weight {item.weight} base {item.base}" for item in service.strategy)
