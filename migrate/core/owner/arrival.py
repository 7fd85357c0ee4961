"""Whether a service that somebody else deploys is what a stage wants of it: what is still to come, and what is wrong.

A part that a stage changes may stand on either side of it while its owner deploys. Everything else has to stay as it
was recorded: another image, another environment or another count is not the planned change (design rule 7).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from migrate.core.capacity import in_any_order, shown_strategy
from migrate.core.desired_state import ServiceStackInputs
from migrate.core.documents import Document, Json, fields
from migrate.core.facts import Architecture, Cluster, Service, TaskDefinition
from migrate.core.observation import architectures, given_capacities
from migrate.core.owner.change import Capacity, OwnerChange, operating_system
from migrate.core.record import Record
from migrate.core.settings import Settings
from migrate.core.stages import Stage
from migrate.core.task_definition import architecture_of, normalised, with_architecture

_NOT_ITS_SETTINGS = frozenset({"tags", "createdBy", "deploymentController"})
"""Parts of a service's document that say nothing about how it runs."""
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at the service takes in; ``scaled`` says that auto scaling has its count."""

    service: Service
    definition: TaskDefinition
    cluster: Cluster
    scaled: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """What of a change is still to come, and what is there that nobody planned, in words."""

    missing: OwnerChange
    strange: tuple[str, ...]

    @property
    def is_there(self) -> bool:
        """Whether the planned change is there, and nothing else is."""
        return self.missing.is_empty and not self.strange


def arrival(record: Record, settings: Settings, wanted: ServiceStackInputs, seen: Seen) -> Arrival:
    """Compare what the service is with what is wanted of it."""
    architecture, now = architecture_of(_document(wanted)), architecture_of(seen.definition.document)
    service = wanted.service
    capacity = Capacity(service.launch_type, service.strategy)
    is_placed = _place(Capacity(_launch_type(seen.service), seen.service.strategy)) == _place(capacity)
    missing = OwnerChange(
        "",
        architecture=None if now is architecture else architecture,
        system=operating_system(record.baseline.task_definition),
        capacity=None if is_placed else capacity,
        leaves_launch_type=bool(seen.service.launch_type and not seen.service.strategy and service.strategy),
        deployment=_forced(record, wanted, seen.service),
        cluster=None if wanted.cluster is None or _has_providers(wanted, seen.cluster) else wanted.cluster,
    )
    return Arrival(missing, tuple(_strange(record, settings, wanted, seen)))


def shown_change(change: OwnerChange) -> str:
    """Return in one line what is still to come."""
    told = []
    if change.architecture is not None:
        told.append(f"runtimePlatform.cpuArchitecture {change.architecture}")
    if change.capacity is not None:
        told.append(_shown(change.capacity))
    if change.deployment:
        told.append("a new deployment of it as it is")
    if change.cluster is not None:
        told.append(f"capacity providers {', '.join(change.cluster.capacity_providers)} in the cluster")
    return "; ".join(told) or "nothing"


def _strange(record: Record, settings: Settings, wanted: ServiceStackInputs, seen: Seen) -> Iterator[str]:
    baseline, service = record.baseline, seen.service
    yield from differences(_compared(baseline.task_definition.document), _compared(seen.definition.document))
    recorded, now = (
        {name: value for name, value in fields(item.document).items() if name not in _NOT_ITS_SETTINGS}
        for item in (baseline.service, service)
    )
    yield from (f"service {line}" for line in differences(recorded, now))
    count = record.known_count
    if count not in (None, service.desired_count) and not seen.scaled:
        yield f"desiredCount was {count} and is {service.desired_count}"
    architecture = architecture_of(seen.definition.document)
    if architecture not in architectures(record) | {architecture_of(_document(wanted))}:
        yield f"runtimePlatform.cpuArchitecture is {architecture}, which is not of this stage"
    place = Capacity(_launch_type(service), service.strategy)
    places = [Capacity(*pair) for pair in given_capacities(record, settings)]
    places.append(Capacity(wanted.service.launch_type, wanted.service.strategy))
    if _place(place) not in [_place(item) for item in places]:
        yield f"its capacity is {_shown(place)}, which is not of this stage"


def differences(before: Json, after: Json, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield in words where two documents differ, by the path in them; containers and variables by their names.

    Values that may hold a secret are not told, only that they differ (design rule 8).
    """
    one, other = _by_name(before, after), _by_name(after, before)
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(one.keys() | other.keys()):
            yield from differences(one.get(name), other.get(name), (*path, name))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, (*path, str(number)))
    elif one != other and not (one in _NOTHING and other in _NOTHING):
        secret = not _MAY_BE_SECRET.isdisjoint(path)
        yield f"{'.'.join(path)} " + ("is another" if secret else f"was {_short(one)} and is {_short(other)}")


_NOTHING: tuple[Json, ...] = (None, [], {}, "")
_MAY_BE_SECRET = frozenset({"environment", "command", "entryPoint", "options", "dockerLabels", "healthCheck"})


def _by_name(value: Json, beside: Json) -> Json:
    """Return a list of named things as an object, so that one more of them moves no other; nothing is like empty."""
    if value is None and isinstance(beside, dict):
        return {}
    if not (_is_named(value) or (value in _NOTHING and _is_named(beside))):
        return value
    items = value if isinstance(value, list) else []
    return {str(item["name"]): item for item in items if isinstance(item, dict)}


def _is_named(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) and "name" in item for item in value)


def _short(value: Json) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _compared(text: Document) -> dict[str, Json]:
    return fields(normalised(with_architecture(text, Architecture.ARM64)))


def _document(wanted: ServiceStackInputs) -> Document:
    return next(
        item.document for item in wanted.task_definitions if item.logical_name == wanted.service.task_definition
    )


def _forced(record: Record, wanted: ServiceStackInputs, service: Service) -> str:
    """Return what a deployment of the same thing is told apart by, while stage 1 still waits for one (facts F14)."""
    primary = service.primary
    digest = dict(wanted.service.triggers).get("image-digest", "")
    waits = record.position.entered is Stage.IMAGE and record.index is not None and record.index.digest == digest
    if not waits or (primary is not None and primary.id != record.last_deployment_id):
        return ""
    return digest


def _has_providers(wanted: ServiceStackInputs, cluster: Cluster) -> bool:
    return wanted.cluster is None or set(wanted.cluster.capacity_providers) <= set(cluster.capacity_providers)


def _launch_type(service: Service) -> str | None:
    return None if service.strategy else service.launch_type


def _place(capacity: Capacity) -> tuple[str | None, list[tuple[str, int, int]]]:
    return capacity.launch_type, in_any_order(capacity.strategy)


def _shown(capacity: Capacity) -> str:
    return f"launch type {capacity.launch_type}" if capacity.launch_type else shown_strategy(capacity.strategy)
