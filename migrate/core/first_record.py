"""The record that a migration begins with: the service as nobody has touched it yet."""

from __future__ import annotations

from migrate.core.image.index import ImageFacts
from migrate.core.observation import Observation
from migrate.core.record import Baseline, OriginalImage, Record
from migrate.core.repository.guarding import guard_tag
from migrate.core.settings import ImageMode, Settings


def first_record(observation: Observation, settings: Settings, manifest: str = "") -> Record:
    """Return the record of an untouched service; ``manifest`` is the body behind the tag, needed to act."""
    image = observation.image(settings.image.container)
    reference = image.reference if image else observation.images[0].reference
    facts = image.facts if image else None
    digest = facts.digest if facts else ""
    original = OriginalImage(
        reference=reference,
        repository=observation.repository.name if observation.repository else reference.repository,
        digest=digest,
        media_type=facts.media_type if facts else "",
        manifest=manifest,
        guard_tag="" if _is_elsewhere(observation, settings) else guard_tag(reference.tag or "", digest),
        children=children_of(facts) if facts and facts.is_index else (),
    )
    baseline = Baseline(
        recorded_at=observation.taken_at,
        account=observation.account,
        service=observation.service,
        task_definition=observation.task_definition,
        cluster=observation.cluster,
        image=original,
    )
    deployment = observation.service.primary.id if observation.service.primary else None
    count = observation.service.desired_count if settings.service.is_external else None
    return Record(
        baseline,
        last_deployment_id=deployment,
        owned=settings.service.is_external,
        in_program=settings.service.is_program,
        known_count=count,
    )


def _is_elsewhere(observation: Observation, settings: Settings) -> bool:
    """Tell whether the image is in no ECR repository of this account, which mode external alone allows."""
    return observation.repository is None and settings.image.mode is ImageMode.EXTERNAL


def children_of(facts: ImageFacts) -> tuple[tuple[str, str], ...]:
    """Return platform and digest of every child that a runtime may start."""
    return tuple((str(child.actual.canonical), child.digest) for child in facts.runnable if child.actual is not None)
