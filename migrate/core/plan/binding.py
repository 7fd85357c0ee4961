"""What binds a plan to the world: kept when it is made, compared before it is carried out (design rule 7)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import fields as fields_of

from migrate.core.differences import differences
from migrate.core.documents import Document, Json, document, fields, fingerprint
from migrate.core.plan.plan import MigrationPlan
from migrate.core.record import Record
from migrate.core.settings import Settings


@dataclass(frozen=True, slots=True)
class PlanBinding:
    """What a plan was made on. ``record_version`` is that of the record, 0 where nothing was recorded yet.

    ``observed`` is empty in plans that versions before 0.2 saved: what differs from those is not known. ``baseline``
    names what the way back leads to, ``settings`` the digest of each table of migrate.toml, so that neither tells
    what is in it.
    """

    service_arn: str
    made_at: str
    fingerprint: str
    observed: Mapping[str, Json]
    record_version: int
    baseline: Mapping[str, Json]
    settings: Mapping[str, Json]


def binding(plan: MigrationPlan, settings: Settings) -> PlanBinding:
    """Return what binds a plan."""
    return PlanBinding(
        service_arn=plan.service_arn,
        made_at=plan.made_at.isoformat(),
        fingerprint=plan.fingerprint,
        observed=fields(plan.observed),
        record_version=plan.record.version,
        baseline=_baseline(plan.record),
        settings=digests(settings),
    )


def saved(bound: PlanBinding) -> Document:
    """Return the text that the store keeps, and a file may carry."""
    return document({item.name: getattr(bound, item.name) for item in fields_of(bound)})


def read_binding(text: str) -> PlanBinding:
    """Return what ``saved`` wrote. Raises ValueError or TypeError where it is nothing of the kind."""
    found = json.loads(text)
    if not isinstance(found, dict) or not isinstance(found.get("fingerprint"), str):
        raise TypeError("no fingerprint")
    return PlanBinding(
        service_arn=str(found.get("service_arn", "")),
        made_at=str(found.get("made_at", "")),
        fingerprint=found["fingerprint"],
        observed=_object(found.get("observed")),
        record_version=int(found.get("record_version") or 0),
        baseline=_object(found.get("baseline")),
        settings=_object(found.get("settings")),
    )


def moved_since(bound: PlanBinding, now: str, seen: Document, record_version: int) -> tuple[str, ...]:
    """Return what is no longer as the plan saw it, in words; empty where all is.

    ``now`` is the fingerprint of what is observed, ``seen`` what of it may be shown, as a plan made now has them.

    Where a run of ours has changed the record since, what the plan saw is history, and ``drift`` tells who changed it.
    """
    if bound.record_version != record_version:
        return ()
    if now == bound.fingerprint:
        return ()
    found = differences(dict(bound.observed), fields(seen)) if bound.observed else ()
    told = [f"{item.path[2:]} was {json.dumps(item.before)} and is {json.dumps(item.after)}" for item in found]
    return (f"it changed since the plan of {bound.made_at}", *(told or ["in a part that is not shown"]))


def other_than_signed(bound: PlanBinding, record: Record | None, settings: Settings) -> tuple[str, ...]:
    """Return, in words, why a plan from a file is not the plan of this service with these settings."""
    found = []
    if record is not None and bound.record_version != record.version and dict(bound.baseline) != _baseline(record):
        found.append("the migration has another baseline than the plan")
    now = digests(settings)
    tables = [name for name in sorted({*now, *bound.settings}) if now.get(name) != bound.settings.get(name)]
    found += [f"{name} in the settings is not what it was" for name in tables]
    return tuple(found)


def digests(settings: Settings) -> dict[str, Json]:
    """Return a digest of each part of the settings that decides what a stage does."""
    # Where the build context lies is the machine's business: a plan is signed on one and applied on another.
    placeless = replace(settings, image=replace(settings.image, context="", dockerfile=None))
    return {name: fingerprint({name: repr(getattr(placeless, name))}) for name in _DECIDING}


_DECIDING = ("service", "image", "architecture", "canary_share", "capacity", "capacity_steps", "step_soak", "gate")


def _baseline(record: Record) -> dict[str, Json]:
    baseline = record.baseline
    return {
        "task_definition": baseline.task_definition.arn,
        "image": baseline.image.digest,
        "launch_type": baseline.service.launch_type,
        "strategy": [[item.provider, item.weight, item.base] for item in baseline.service.strategy],
    }


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
