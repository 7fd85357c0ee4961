"""Where a service is now, by what runs: the figures that people compare before and after a stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from migrate.core.capacity import split_of
from migrate.core.cost.cost import Price, UnknownPrice, added, monthly_price, task_size
from migrate.core.evidence import Run
from migrate.core.facts import Architecture, Strategy
from migrate.core.observation import Observation, drift
from migrate.core.record import Record
from migrate.core.settings import Settings
from migrate.core.stages import Position
from migrate.core.twin import TwinPhase


@dataclass(frozen=True, slots=True)
class TwinStatus:
    """The twin of the modes canary and mixed, by what runs."""

    service: str
    phase: TwinPhase
    revision: str
    deployment: str
    desired_count: int
    architectures: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Status:
    """One look at a service. ``architectures`` and ``split`` count running tasks; ``drift`` is empty when all is ours.

    An architecture that ECS did not report is counted under its task definition's own, marked ``(by revision)``.
    """

    taken_at: datetime
    service: str
    position: Position
    image: str
    digest: str
    media_type: str
    platforms: tuple[str, ...]
    revision: str
    deployment: str
    launch_type: str | None
    desired_count: int
    architectures: tuple[tuple[str, int], ...]
    split: tuple[tuple[str, int], ...]
    price: Price
    drift: tuple[str, ...]
    last_run: Run | None
    twin: TwinStatus | None = None
    capacity_step: Strategy = ()
    """The step of stage 3 that was begun last and is not proven; empty where there is none."""


def status_of(observation: Observation, record: Record | None, settings: Settings, last_run: Run | None) -> Status:
    """Return the status that an observation shows, beside what is on record."""
    service = observation.service
    image = observation.image(settings.image.container)
    running = [task for task in observation.tasks if task.last_status == "RUNNING"]
    declared = observation.task_definition.runtime_platform.cpu_architecture or Architecture.X86_64.value
    split = split_of(task.provider or task.launch_type for task in running)
    primary = service.primary
    return Status(
        taken_at=observation.taken_at,
        service=service.arn,
        position=record.position if record else Position(),
        image=str(image.reference) if image else "",
        digest=image.facts.digest if image and image.facts else "",
        media_type=image.facts.media_type if image and image.facts else "",
        platforms=tuple(str(item) for item in image.facts.platforms) if image and image.facts else (),
        revision=service.task_definition_arn.rsplit("/", 1)[-1],
        deployment=f"{primary.id} {primary.rollout_state or ''}".strip() if primary else "",
        launch_type=None if service.strategy else service.launch_type,
        desired_count=service.desired_count,
        architectures=_counted(task.architecture or f"{declared} (by revision)" for task in running),
        split=tuple(sorted(split.items())),
        price=_whole_price(observation, split, Architecture(declared), settings),
        drift=drift(record, settings, observation) if record else (),
        last_run=last_run,
        twin=_twin(observation, record),
        capacity_step=(record.capacity_step or ()) if record else (),
    )


def _twin(observation: Observation, record: Record | None) -> TwinStatus | None:
    service = observation.twin
    if service is None or record is None or record.twin is None:
        return None
    primary = service.primary
    running = [task for task in observation.twin_tasks if task.last_status == "RUNNING"]
    return TwinStatus(
        service=service.arn,
        phase=record.twin.phase,
        revision=service.task_definition_arn.rsplit("/", 1)[-1],
        deployment=f"{primary.id} {primary.rollout_state or ''}".strip() if primary else "",
        desired_count=service.desired_count,
        architectures=_counted(task.architecture or f"{Architecture.ARM64} (by revision)" for task in running),
    )


def _counted(names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(names).items()))


def _whole_price(
    observation: Observation, split: dict[str, int], architecture: Architecture, settings: Settings
) -> Price:
    main = _price(observation, split, architecture, settings)
    if observation.twin is None:
        return main
    running = [task.provider or task.launch_type for task in observation.twin_tasks if task.last_status == "RUNNING"]
    return added(main, _price(observation, split_of(running), Architecture.ARM64, settings))


def _price(observation: Observation, split: dict[str, int], architecture: Architecture, settings: Settings) -> Price:
    size = task_size(observation.task_definition)
    if size is None:
        return UnknownPrice("The task definition reserves no CPU and memory for the whole task.")
    counts: dict[str, float] = {provider: float(count) for provider, count in split.items()}
    return monthly_price(size, counts, architecture, observation.account.region, settings.prices)
