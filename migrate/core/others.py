"""What a way back would undo that somebody else has done (design rule 7)."""

from __future__ import annotations

from migrate.core.capacity import in_any_order
from migrate.core.desired_state import desired_capacity
from migrate.core.facts import Service, TaskDefinition
from migrate.core.observation import Observation, foreign_revision
from migrate.core.record import Record
from migrate.core.settings import ImageMode, Settings
from migrate.core.stages import Stage


def undone_by_going_back(record: Record, settings: Settings, observation: Observation) -> tuple[str, ...]:
    """Return, in words, the revision, the capacity or the tag of others that going back would replace.

    What any stage of ours gives is no change of theirs, whoever gave it: somebody who moved a service off Spot by hand
    has only done what going back would do.
    """
    found = brought_by_others(record, settings, observation.service, observation.task_definition)
    tag = _pushed_by_others(record, settings, observation)
    return (*found, tag) if tag else found


def brought_by_others(record: Record, settings: Settings, service: Service, running: TaskDefinition) -> tuple[str, ...]:
    """Return, in words, the revision and the capacity of others that the service has; ``running`` is its revision."""
    found = []
    if foreign_revision(record, running):
        found.append(f"the service runs {running.arn}, which this migration did not deploy")
    now = in_any_order(service.strategy)
    if now and now not in _given(record, settings):
        shown = ", ".join(f"{provider} weight {weight} base {base}" for provider, weight, base in now)
        found.append(f"its capacity is {shown}, which no stage gives it")
    return tuple(found)


def tag_of_others(record: Record, digest: str) -> str:
    """Return, in words, that somebody else has pushed what is behind the service's tag; empty where nobody has.

    A push of ours that ended on one child is mended by going on or back (case C04).
    """
    original = record.baseline.image
    ours = {original.digest, *(child for _, child in original.children)}
    if record.index is not None:
        ours |= {record.index.digest, *(child for _, child in record.index.children)}
    # Until the index is on record, what is behind the tag may be a push of ours that died before it was written down.
    unknown = record.index is None and record.published
    return "" if digest in ours or unknown else _told_of_tag(digest)


def gave_index_up(record: Record, settings: Settings, digest: str) -> bool:
    """Tell whether the service's tag holds the original again, by whoever's hand: then no stage from 1 on stands on it.

    A way back of ours that was cut short does that as well as somebody who pushes the original once more.
    """
    index, original = record.index, record.baseline.image
    if index is None or settings.image.mode is ImageMode.EXTERNAL:
        return False
    return digest == original.digest != index.digest


def _told_of_tag(digest: str) -> str:
    return f"the tag now points at {digest}, which this migration did not push"


def _given(record: Record, settings: Settings) -> list[list[tuple[str, int, int]]]:
    states = [desired_capacity(record, settings, stage)[1] for stage in Stage]
    states += [settings.capacity, record.applied_capacity, record.found_capacity, *record.capacity_way]
    return [in_any_order(strategy) for strategy in states]


def _pushed_by_others(record: Record, settings: Settings, observation: Observation) -> str:
    """Return what is to be told of the tag; in mode external it is the team's."""
    image = observation.image(settings.image.container)
    if image is None or image.facts is None or settings.image.mode is ImageMode.EXTERNAL:
        return ""
    if image.reference != record.baseline.image.reference:
        return ""
    return tag_of_others(record, image.facts.digest)
