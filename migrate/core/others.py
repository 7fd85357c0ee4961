"""What a way back would undo that somebody else has done (design rule 7)."""

from __future__ import annotations

from migrate.core.desired_state import desired_capacity
from migrate.core.facts import Strategy
from migrate.core.observation import Observation, foreign_revision
from migrate.core.record import Record
from migrate.core.settings import ImageMode, Settings
from migrate.core.stages import Stage


def undone_by_going_back(record: Record, settings: Settings, observation: Observation) -> tuple[str, ...]:
    """Return, in words, the revision, the capacity or the tag of others that going back would replace.

    What any stage of ours gives is no change of theirs, whoever gave it: somebody who moved a service off Spot by hand
    has only done what going back would do.
    """
    found = []
    if foreign_revision(record, observation):
        found.append(f"the service runs {observation.service.task_definition_arn}, which this migration did not deploy")
    now = _plain(observation.service.strategy)
    if now and now not in _given(record, settings):
        shown = ", ".join(f"{provider} weight {weight} base {base}" for provider, weight, base in now)
        found.append(f"its capacity is {shown}, which no stage gives it")
    tag = _pushed_by_others(record, settings, observation)
    if tag:
        found.append(f"the tag now points at {tag}, which this migration did not push")
    return tuple(found)


def _given(record: Record, settings: Settings) -> list[list[tuple[str, int, int]]]:
    states = [desired_capacity(record, settings, stage)[1] for stage in Stage]
    states += [settings.capacity, record.applied_capacity, record.found_capacity, *record.capacity_way]
    return [_plain(strategy) for strategy in states]


def _pushed_by_others(record: Record, settings: Settings, observation: Observation) -> str:
    """Return the digest behind the tag where it is neither the original, nor the index, nor one of their children.

    A push of ours that ended on one child is mended by going back (case C04). In mode external the tag is the team's.
    """
    image = observation.image(settings.image.container)
    if image is None or image.facts is None or settings.image.mode is ImageMode.EXTERNAL:
        return ""
    if image.reference != record.baseline.image.reference:
        return ""
    digest, original = image.facts.digest, record.baseline.image
    ours = {original.digest, *(child for _, child in original.children)}
    if record.index is not None:
        ours |= {record.index.digest, *(child for _, child in record.index.children)}
    # Until the index is on record, what is behind the tag may be a push of ours that died before it was written down.
    unknown = record.index is None and record.published
    return "" if digest in ours or unknown else digest


def _plain(strategy: Strategy) -> list[tuple[str, int, int]]:
    return sorted((item.provider, item.weight, item.base) for item in strategy)
