"""Planning: look, decide, save; nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from migrate.core.documents import document
from migrate.core.facts import Service, ServiceDeployment
from migrate.core.observation import Observation
from migrate.core.plan import MigrationPlan, first_record, make_plan
from migrate.core.record import Record, still_open
from migrate.core.stages import Stage
from migrate.errors import AccessError
from migrate.store_port import RecordStore
from migrate.workflows.observe import observe
from migrate.workflows.permissions import with_permissions
from migrate.workflows.runtime import Readers


def look(runtime: Readers) -> MigrationPlan:
    """Return the plan for the service as it is now, saving nothing."""
    observation, record = before_a_plan(runtime)
    observation = replace(observation, rollouts=_rollouts(runtime, observation.service))
    return make_plan(observation, runtime.settings, record)


def before_a_plan(runtime: Readers) -> tuple[Observation, Record | None]:
    """Return what a plan is made from: the service as it is now, what its caller may do, and what is on record."""
    observation = observe(runtime)
    record = still_open(runtime.store.record(observation.service.arn))
    return with_permissions(runtime, observation, stages_left(record)), record


def _rollouts(runtime: Readers, service: Service) -> tuple[ServiceDeployment, ...] | None:
    """Return the deployments so far: they only say how long the next one may take, so that a refusal stops nothing."""
    try:
        return runtime.services.service_deployments(service)
    except AccessError:
        return None


def known_or_first(runtime: Readers) -> Record:
    """Return the record, before anything was recorded the one that stage 0 would write; only what it needs is read."""
    observation = observe(runtime, readiness=False, guarding=False)
    known = still_open(runtime.store.record(observation.service.arn))
    return known or first_record(observation, runtime.settings)


def stages_left(record: Record | None) -> tuple[Stage, ...]:
    """Return the stages that are not proven yet."""
    return tuple(stage for stage in Stage if stage > (record.position.proven if record else Stage.ORIGINAL))


def look_afresh(runtime: Readers) -> MigrationPlan:
    """Return the plan for the service as if it had never been touched (case C43)."""
    return make_plan(observe(runtime), runtime.settings, None)


def plan_migration(runtime: Readers) -> MigrationPlan:
    """Return the plan for the service as it is now, and save what binds it to the world."""
    plan = look(runtime)
    save(runtime.store, [plan])
    return plan


def save(store: RecordStore, plans: Iterable[MigrationPlan]) -> None:
    """Keep what binds plans to the world: a run compares it with what it finds."""
    store.save_plans({plan.service_arn: _saved(plan) for plan in plans})


def _saved(plan: MigrationPlan) -> str:
    return document({"made_at": plan.made_at.isoformat(), "fingerprint": plan.fingerprint, "seen": seen(plan)})


def seen(plan: MigrationPlan) -> dict[str, str]:
    """Return what a plan of an untouched service saw, by name: to say later what has changed since."""
    service = plan.record.baseline.service
    primary = service.primary.id if service.primary else "none"
    changing = {change.what: change.before for stage in plan.stages for change in stage.changes}
    return {"revision": service.task_definition_arn.rsplit("/", 1)[-1], "deployment": primary, **changing}


def read_plan(text: str) -> tuple[str, str, dict[str, str]]:
    """Return when a saved plan was made, its fingerprint, and what it saw."""
    saved = json.loads(text)
    return saved["made_at"], saved["fingerprint"], saved["seen"]
