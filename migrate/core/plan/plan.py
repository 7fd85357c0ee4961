"""A plan is data: what each stage will change, what stands in its way, how it is judged and undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from migrate.core.capacity import shown_strategy
from migrate.core.capacity_steps import told_steps, way_in_steps
from migrate.core.cost.cost import Price
from migrate.core.desired_state import DesiredState, desired_state, missing_providers, planned_twin, shelf_tag
from migrate.core.documents import Document, document
from migrate.core.findings import Finding, blocking
from migrate.core.first_record import first_record
from migrate.core.observation import Observation, observed, observed_fingerprint
from migrate.core.plan.prices import PriceView, price_at
from migrate.core.preflight import findings as preflight_findings
from migrate.core.record import Record
from migrate.core.rollout.history import RolloutHistory, rollout_history
from migrate.core.rollout.waits import with_rollout_waits
from migrate.core.settings import ArchitectureMode, ImageMode, Settings
from migrate.core.shown_documents import without_options
from migrate.core.stages import Stage
from migrate.core.twin import twin_count, twin_name


class StageStatus(StrEnum):
    """Where a stage stands in a plan."""

    PROVEN = "proven"
    ENTERED = "entered"
    NEXT = "next"
    LATER = "later"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a stage changes, before and after, in the words of the AWS API."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class StagePlan:
    """One stage of a plan. ``writes`` are the AWS API writes it makes, in order; ``deploys`` counts deployments."""

    stage: Stage
    status: StageStatus
    changes: tuple[Change, ...]
    deploys: int
    writes: tuple[str, ...]
    gate: tuple[str, ...]
    way_back: str
    findings: tuple[Finding, ...]
    price: Price
    """A month of today's desired count once the stage is done."""


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """All stages for one service, bound by ``fingerprint`` to what was observed."""

    service_arn: str
    made_at: datetime
    fingerprint: str
    record: Record
    stages: tuple[StagePlan, ...]
    findings: tuple[Finding, ...]
    desired_count: int
    rollouts: RolloutHistory | None
    """How long the deployments of this service took so far; None where there were none, or none could be read."""
    price_now: Price
    """A month of the same count as the service is now: at the stage that was proven last."""
    observed: Document
    """What the plan is bound to, as core.observation.observed returns it, without values that may be secrets."""
    price_problem: str = ""
    """Why the AWS Price List did not tell the rates; empty where it did, or was not to be asked."""

    def stage(self, stage: Stage) -> StagePlan:
        """Return one stage of the plan."""
        return next(item for item in self.stages if item.stage is stage)


def make_plan(observation: Observation, settings: Settings, record: Record | None) -> MigrationPlan:
    """Return the plan for all stages; before anything was recorded, from the record that stage 0 would write."""
    known = record or first_record(observation, settings)
    found = preflight_findings(observation, settings) if record is None else _later(observation, settings, known)
    if known.arm64_from_the_start:
        # No tag of this service moves: what the image lacks of amd64 is nothing to it (case C53).
        found = tuple(item for item in found if item.code not in _OF_A_MOVE_FROM_AMD64)
    view = PriceView(known, settings, observation.service.desired_count, observation.rates)
    stages = tuple(_stage(stage, known, settings, found, view) for stage in Stage if stage is not Stage.ORIGINAL)
    return MigrationPlan(
        service_arn=observation.service.arn,
        made_at=observation.taken_at,
        fingerprint=observed_fingerprint(observation, settings.image.container),
        record=known,
        stages=stages,
        findings=found,
        desired_count=observation.service.desired_count,
        rollouts=rollout_history(observation.rollouts),
        price_now=price_at(view, known.position.proven),
        observed=without_options(document(observed(observation, settings.image.container))),
        price_problem=observation.rates_problem,
    )


def _later(observation: Observation, settings: Settings, record: Record) -> tuple[Finding, ...]:
    """After stage 1 the tag is meant to be multi-platform and after stage 2 the revision ARM64: no longer findings."""
    ours = {"image.multi-platform", "image.single-platform"}
    if not record.arm64_from_the_start:
        ours |= {"task-definition.already-arm64"}
    if record.adopted:
        # What is behind the tag and in the cluster is on record from here on, and drift tells who moved it.
        ours |= {"cluster.provider-missing", "service.tag-moved"}
    return tuple(item for item in preflight_findings(observation, settings) if item.code not in ours)


def _stage(stage: Stage, record: Record, settings: Settings, found: tuple[Finding, ...], view: PriceView) -> StagePlan:
    # A plan shows the whole of a stage, also while it is on its way.
    record = replace(record, capacity_way=(), twin=planned_twin(record, settings))
    before = desired_state(record, settings, stage.before)
    after = desired_state(record, settings, stage)
    skipped = record.arm64_from_the_start and stage in (Stage.IMAGE, Stage.ARCHITECTURE)
    changes, writes = _SKIPPED if skipped else _CHANGES[stage](record, settings, before, after)
    if record.owned:
        writes = tuple(write for write in writes if write.startswith("ecr:PutImage")) or ("none: its owner deploys",)
    rests = skipped or (stage is Stage.BASELINE and before.launch_type == after.launch_type)
    steps = way_in_steps(before.strategy, settings, _count(record)) if stage is Stage.CAPACITY else (after.strategy,)
    canary = stage is Stage.ARCHITECTURE and settings.architecture is ArchitectureMode.CANARY
    deploys = 0 if rests else len(steps) + canary
    return StagePlan(
        stage=stage,
        status=_status(stage, record, blocked=bool(blocking(found, stage))),
        changes=changes,
        deploys=deploys,
        writes=writes,
        gate=_gate(stage, record, settings, deploys),
        way_back=_WAY_BACK[stage],
        findings=tuple(item for item in found if item.stage == stage),
        price=price_at(replace(view, record=record), stage),
    )


def _status(stage: Stage, record: Record, *, blocked: bool) -> StageStatus:
    position = record.position
    if position.entered is stage:
        return StageStatus.ENTERED
    if stage <= position.proven:
        return StageStatus.PROVEN
    if blocked:
        return StageStatus.BLOCKED
    return StageStatus.NEXT if stage == position.proven + 1 else StageStatus.LATER


def _baseline(
    record: Record, settings: Settings, before: DesiredState, after: DesiredState
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    image, cluster = record.baseline.image, record.baseline.cluster
    changes = [Change("guard tag", "none", f"{image.guard_tag} -> {image.digest}")] if image.guard_tag else []
    writes = ["ecr:PutImage (guard tag)"] if image.guard_tag else []
    missing = missing_providers(cluster, record, settings)
    if missing:
        before_names, after_names = cluster.capacity_providers, (*cluster.capacity_providers, *missing)
        changes.append(Change("cluster capacity providers", ", ".join(before_names) or "none", ", ".join(after_names)))
        writes.append("ecs:PutClusterCapacityProviders")
    if before.launch_type != after.launch_type:
        changes.append(Change("capacity", f"launch type {before.launch_type}", shown_strategy(after.strategy)))
        writes.append("ecs:UpdateService (strategy, forced deployment)")
    return tuple(changes), tuple(writes)


def _image(
    record: Record, settings: Settings, _before: DesiredState, _after: DesiredState
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    image = record.baseline.image
    deploy = "ecs:UpdateService (forced deployment)"
    if settings.image.mode is ImageMode.EXTERNAL:
        return (Change(f"tag {image.reference.tag}", image.digest, "verified only; your CI pushes it"),), (deploy,)
    index = record.index.digest if record.index else "an index of linux/amd64 and linux/arm64"
    kept = " (amd64 manifest kept bit for bit)" if settings.image.mode is ImageMode.EXTEND else ""
    shelf = shelf_tag(image.reference.tag or "")
    changes = (Change(f"tag {image.reference.tag}", f"{image.media_type} {image.digest}", index + kept),)
    return changes, (f"registry push (arm64 image, index as {shelf})", "registry push (the tag)", deploy)


def _architecture(
    record: Record, settings: Settings, before: DesiredState, after: DesiredState
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    register, update = "ecs:RegisterTaskDefinition", "ecs:UpdateService (taskDefinition)"
    moved = Change("runtimePlatform.cpuArchitecture", before.architecture, after.architecture)
    if settings.architecture is ArchitectureMode.ROLLING:
        return (moved,), (register, update)
    service = record.baseline.service
    twin = f"{twin_count(service.desired_count, settings.canary_share)} tasks of {twin_name(service.name)} on ARM64"
    if settings.architecture is ArchitectureMode.MIXED:
        return (Change("twin service", "none", f"{twin}; it stays"),), (register, "ecs:CreateService (the twin)")
    told = Change("twin service", "none", f"{twin}; it goes once the service is proven")
    return (told, moved), (register, "ecs:CreateService (the twin)", update, "ecs:DeleteService (the twin)")


def _capacity(
    record: Record, settings: Settings, before: DesiredState, after: DesiredState
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    whole = Change("capacity provider strategy", _shown_capacity(before), _shown_capacity(after))
    steps = tuple(Change(*row) for row in told_steps(before.strategy, settings, _count(record)))
    return (whole, *steps), ("ecs:UpdateService (strategy, forced deployment)",)


_SKIPPED: tuple[tuple[Change, ...], tuple[str, ...]] = (
    (Change("nothing", "ARM64 from the start", "skipped: only proven on the running tasks"),),
    (),
)
_OF_A_MOVE_FROM_AMD64 = frozenset({"image.without-amd64", "image.single-platform", "image.multi-platform"})

_CHANGES = {
    Stage.BASELINE: _baseline,
    Stage.IMAGE: _image,
    Stage.ARCHITECTURE: _architecture,
    Stage.CAPACITY: _capacity,
}

_WAY_BACK: Mapping[Stage, str] = {
    Stage.BASELINE: "`migrate rollback --to original` puts the launch type back.",
    Stage.IMAGE: "The tag points at the guarded manifest again, byte for byte, and a forced deployment runs it.",
    Stage.ARCHITECTURE: "The service runs the recorded amd64 revision again.",
    Stage.CAPACITY: "The service runs on the recorded strategy again.",
}


def _count(record: Record) -> int:
    return record.baseline.service.desired_count


def _shown_capacity(state: DesiredState) -> str:
    return shown_strategy(state.strategy) if state.strategy else f"launch type {state.launch_type}"


def _gate(stage: Stage, record: Record, settings: Settings, deploys: int) -> tuple[str, ...]:
    gate = with_rollout_waits(settings.gate, record.baseline.service.document)
    own: tuple[str, ...] = {
        Stage.IMAGE: ("the index is read back; every child's config and arm64 entry point are checked",),
        Stage.CAPACITY: ("the split of running tasks follows base and weights",),
    }.get(stage, ())
    if stage is Stage.CAPACITY and deploys > 1:
        soak = gate.soak if settings.step_soak is None else settings.step_soak
        own += (f"every step before the last: all of it for {soak.total_seconds():g} s",)
    yours = [check for check in gate.checks if not check.stages or stage in check.stages]
    return (
        *own,
        "the deployment we started is PRIMARY and COMPLETED on the expected revision",
        "every running task reports the expected architecture, revision and digest",
        "targets healthy in all target groups; alarms OK",
        *(f"your {check.kind}: {check.name}" for check in yours),
        f"all of it for {gate.soak.total_seconds():g} s without a break, within {gate.deadline.total_seconds():g} s",
    )
