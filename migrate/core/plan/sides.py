"""What AWS holds before and after a stage, as documents in the words of its API; a plan shows where they differ.

Values that are often secrets although nobody should put them there (environment, options of log drivers) are not
shown: no stage changes one. What only a build or a registration will tell stands in angle brackets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from migrate.core.desired_state import ClusterInputs, DesiredState, desired_state, planned_twin
from migrate.core.differences import Difference, DifferenceKind, differences
from migrate.core.documents import Document, Json, document, fields
from migrate.core.facts import Strategy
from migrate.core.record import Record
from migrate.core.settings import ImageMode, Settings
from migrate.core.shown_documents import shown_task_definition, without_options
from migrate.core.stages import Stage
from migrate.core.twin import TwinInputs

TASK_DEFINITION = "task definition"
SERVICE = "service"
TWIN = "twin service"
CLUSTER = "cluster"
TAG = "image tag"
GUARD_TAG = "guard tag"

NOT_BUILT = "<the digest of what stage 1 builds>"

_IDENTITY = frozenset({"serviceArn", "serviceName", "clusterArn", "createdBy", "launchType"})


@dataclass(frozen=True, slots=True)
class Sides:
    """One thing that a stage is about: ``what`` it is, its ``name``, and its document before and after the stage.

    None where it is not there on that side.
    """

    what: str
    name: str
    before: Document | None
    after: Document | None

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Where both sides differ; what is made, or goes, is one difference."""
        before, after = _value(self.before), _value(self.after)
        if self.before is None or self.after is None:
            kind = DifferenceKind.ADDED if self.before is None else DifferenceKind.REMOVED
            return () if self.before == self.after else (Difference("$", kind, before, after),)
        return differences(before, after)

    @property
    def unchanged(self) -> tuple[str, ...]:
        """The fields at the top that are the same on both sides, sorted."""
        before, after = (_value(side) for side in (self.before, self.after))
        if not isinstance(before, dict) or not isinstance(after, dict):
            return ()
        return tuple(sorted(name for name in before if name in after and before[name] == after[name]))


def sides(record: Record, settings: Settings, stage: Stage, count: int) -> tuple[Sides, ...]:
    """Return all that a stage is about, as it will be with ``count`` desired tasks: service and task definition always.

    A stage that is on its way is shown whole.
    """
    whole = replace(record, capacity_way=(), twin=planned_twin(record, settings))
    before, after = desired_state(whole, settings, stage.before), desired_state(whole, settings, stage)
    return tuple(
        item
        for item in (
            _task_definition(whole, before, after),
            _service(whole, before, after, count),
            *_twin(whole, before, after),
            *_cluster(whole, settings, stage),
            *_tags(whole, settings, stage),
        )
        if item.what in (TASK_DEFINITION, SERVICE) or item.differences
    )


def _task_definition(record: Record, before: DesiredState, after: DesiredState) -> Sides:
    definitions = [
        next(item.document for item in state.service.task_definitions if item.logical_name == _runs(state))
        for state in (before, after)
    ]
    old, new = (shown_task_definition(text) for text in definitions)
    return Sides(TASK_DEFINITION, record.baseline.task_definition.family, old, new)


def _runs(state: DesiredState) -> str:
    return state.service.service.task_definition


def _service(record: Record, before: DesiredState, after: DesiredState, count: int) -> Sides:
    baseline = record.baseline.service
    settings = _settings(baseline.document)

    def side(state: DesiredState) -> Document:
        decided = {"desiredCount": count, "taskDefinition": revision(record, _runs(state))}
        where = _where(state.launch_type, state.strategy)
        return document({**settings, **decided, **where})

    return Sides(SERVICE, baseline.name, side(before), side(after))


def _settings(text: Document) -> dict[str, Json]:
    return {name: value for name, value in fields(without_options(text)).items() if name not in _IDENTITY}


def _where(launch_type: str | None, strategy: Strategy) -> dict[str, Json]:
    if strategy:
        return {"capacityProviderStrategy": shown_items(strategy)}
    return {"launchType": launch_type} if launch_type else {}


def shown_items(strategy: Strategy) -> list[Json]:
    """Return a strategy as the API writes it."""
    return [{"capacityProvider": item.provider, "weight": item.weight, "base": item.base} for item in strategy]


def revision(record: Record, logical_name: str) -> str:
    """Return the revision behind a logical name as ``family:revision``; one that is still to be registered says so."""
    known = {
        "task-definition": record.baseline.task_definition.arn,
        "task-definition-copy": record.replacement_task_definition_arn,
        "task-definition-arm64": record.arm64_task_definition_arn,
    }[logical_name]
    if known:
        return known.rpartition("/")[2]
    return f"{record.baseline.task_definition.family}:<the revision that this registers>"


def _twin(record: Record, before: DesiredState, after: DesiredState) -> Iterator[Sides]:
    sides_of = [_twin_document(record, state.service.twin) for state in (before, after)]
    twin = after.service.twin or before.service.twin
    if twin is not None:
        yield Sides(TWIN, twin.name, *sides_of)


def _twin_document(record: Record, twin: TwinInputs | None) -> Document | None:
    if twin is None:
        return None
    settings = _settings(twin.document)
    decided = {"desiredCount": twin.count, "taskDefinition": revision(record, twin.task_definition)}
    return document({**settings, **decided, **_where(twin.launch_type, twin.strategy)})


def _cluster(record: Record, settings: Settings, stage: Stage) -> Iterator[Sides]:
    cluster = record.baseline.cluster
    found = ClusterInputs(cluster.name, cluster.capacity_providers, cluster.default_strategy)
    # Whether it was adopted already is nothing to a plan, which shows a stage whole.
    fresh = replace(record, adopted=False)
    before, after = (desired_state(fresh, settings, each).service.cluster or found for each in (stage.before, stage))
    yield Sides(CLUSTER, cluster.name, _cluster_document(before), _cluster_document(after))


def _cluster_document(cluster: ClusterInputs) -> Document:
    return document(
        {
            "capacityProviders": list(cluster.capacity_providers),
            "defaultCapacityProviderStrategy": shown_items(cluster.default_strategy),
        }
    )


def _tags(record: Record, settings: Settings, stage: Stage) -> Iterator[Sides]:
    image = record.baseline.image
    original = document({"imageDigest": image.digest, "mediaType": image.media_type})
    if stage is Stage.BASELINE and image.guard_tag:
        yield Sides(GUARD_TAG, f"{image.repository}:{image.guard_tag}", None, original)
    if stage is Stage.IMAGE and not record.arm64_from_the_start:
        built = record.index
        theirs = "<the digest of what your CI pushes>" if settings.image.mode is ImageMode.EXTERNAL else NOT_BUILT
        index = {
            "imageDigest": built.digest if built else theirs,
            "mediaType": built.media_type if built else "<an index>",
            "platforms": [name for name, _ in built.children] if built else ["linux/amd64", "linux/arm64"],
        }
        yield Sides(TAG, f"{image.repository}:{image.reference.tag}", original, document(index))


def _value(side: Document | None) -> Json:
    return None if side is None else fields(side)
