"""A new baseline from what runs now: the deliberate way on after somebody else deployed (case C43, design rule 7).

What somebody else brought is kept: their revision becomes the original that stage 0 adopts. Only what this migration
itself had changed goes back to what it first found: its strategy, and the tag where its own index is behind it.
"""

from __future__ import annotations

from dataclasses import replace

from migrate.core.desired_state import desired_capacity
from migrate.core.facts import Architecture, Service, Strategy
from migrate.core.observation import Observation, drift, foreign_revision
from migrate.core.record import Record
from migrate.core.settings import ImageMode, Settings
from migrate.core.stages import Position, Stage
from migrate.errors import BlockedError

_RUNBOOK = "errors#rebaseline"


def may_rebase(record: Record | None, settings: Settings, observation: Observation) -> Record:
    """Return the record that a new baseline is to follow. Raises BlockedError where none may be recorded."""
    if record is None or not record.adopted:
        raise BlockedError(
            "There is no baseline yet that a new one could follow.",
            why="This migration has not adopted the service.",
            then="Run `migrate plan`, then `migrate apply --stage 0`.",
            runbook=_RUNBOOK,
        )
    if record.twin is not None:
        raise BlockedError(
            f"There can be no new baseline while the twin {record.twin.name} is there: it would be forgotten.",
            why="Stage 2 made it, and only stage 2 or its way back takes it away.",
            then="Have the revision before deployed, run `migrate rollback --to-stage 1`, then deploy yours again.",
            runbook=_RUNBOOK,
        )
    _refuse_arm64(record, observation)
    if not drift(record, settings, observation):
        entered = record.position.entered
        raise BlockedError(
            "There is nothing to take a new baseline from: the service is what this migration knows.",
            why="Nobody else has deployed, moved the tag or changed the capacity.",
            then="Go on with the next stage; `migrate status` shows it."
            if entered is None
            else f"Run `migrate apply --stage {entered.value}` to go on, or `migrate rollback`.",
            runbook=_RUNBOOK,
        )
    return record


def _refuse_arm64(record: Record, observation: Observation) -> None:
    if observation.task_definition.runtime_platform.cpu_architecture != Architecture.ARM64:
        return
    revision = observation.service.task_definition_arn.rsplit("/", 1)[-1]
    if foreign_revision(record, observation.task_definition):
        raise BlockedError(
            f"{revision} runs on ARM64 already: it cannot be the amd64 original of a migration.",
            why="Whoever deployed it carried ARM64 over, so that stages 1 and 2 have nothing left to do.",
            then="Let its owner keep it, capacity included. Or have an amd64 revision deployed, and run this again.",
            runbook=_RUNBOOK,
        )
    raise BlockedError(
        f"{revision} is this migration's own ARM64 revision: a baseline from it would forget the way back.",
        why="Nobody else's revision runs.",
        then="Run `migrate rollback --to-stage 1`, then apply the stages again.",
        runbook=_RUNBOOK,
    )


def rebased(record: Record, settings: Settings, observation: Observation, fresh: Record) -> Record:
    """Return the record that follows; ``fresh`` is the one that a first look at the service would make."""
    kept = keeps_image(record, settings, observation)
    found = _of_ours(record, settings, observation.service)
    service = fresh.baseline.service
    if found:
        first = record.baseline.service
        service = replace(service, launch_type=first.launch_type, strategy=first.strategy)
    image = record.baseline.image if kept else fresh.baseline.image
    return replace(
        fresh,
        baseline=replace(fresh.baseline, service=service, image=image),
        position=Position(),
        former=(*record.former, record.baseline),
        found_capacity=found,
        shelved=kept and record.shelved,
        published=kept and record.published,
        index=record.index if kept else None,
        version=record.version,
    )


def keeps_image(record: Record, settings: Settings, observation: Observation) -> bool:
    """Tell whether image and index of the former baseline still stand: same tag, and nobody else pushed to it.

    In mode external the tag is the CI's, and is looked at afresh.
    """
    image = observation.image(settings.image.container)
    if image is None or image.facts is None or settings.image.mode is ImageMode.EXTERNAL:
        return False
    ours = {record.baseline.image.digest}
    if record.index is not None:
        ours.add(record.index.digest)
    return image.reference == record.baseline.image.reference and image.facts.digest in ours


def _of_ours(record: Record, settings: Settings, service: Service) -> Strategy:
    """Return the strategy of the service where a stage of this migration has given it, else nothing."""
    first = record.baseline.service
    now = set(service.strategy)
    if not now or now == set(first.strategy):
        return ()
    given = [desired_capacity(record, settings, stage)[1] for stage in Stage if stage > Stage.ORIGINAL]
    given += [record.applied_capacity, record.found_capacity]
    return service.strategy if now in [set(strategy) for strategy in given if strategy] else ()
