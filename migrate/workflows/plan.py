"""Planning: look, decide, save; nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from migrate.core.cost.prices import HourlyRates
from migrate.core.facts import Service, ServiceDeployment
from migrate.core.first_record import first_record
from migrate.core.observation import Observation
from migrate.core.plan.binding import binding, moved_since, other_than_signed, read_binding, saved
from migrate.core.plan.plan import MigrationPlan, make_plan
from migrate.core.record import Record, still_open
from migrate.core.settings import Settings
from migrate.core.stages import Stage
from migrate.errors import AccessError, MigrateError, SettingsError, WorldChangedError
from migrate.store_port import RecordStore
from migrate.workflows.observe import observe
from migrate.workflows.permissions import with_permissions
from migrate.workflows.runtime import Readers


def look(runtime: Readers) -> MigrationPlan:
    """Return the plan for the service as it is now, saving nothing."""
    observation, record = before_a_plan(runtime)
    rates, problem = rates_of(runtime, observation.account.region)
    observation = replace(
        observation, rollouts=_rollouts(runtime, observation.service), rates=rates, rates_problem=problem
    )
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


def rates_of(runtime: Readers, region: str) -> tuple[tuple[HourlyRates, ...], str]:
    """Return what the AWS Price List says of a region, or why it does not; it is not asked where the settings say it.

    Prices only inform, so that a refusal stops nothing.
    """
    if any(item.region == region for item in runtime.settings.prices):
        return (), ""
    try:
        found = runtime.prices.fargate_rates(region)
    except MigrateError as error:
        return (), f"The AWS Price List could not be asked: {error.why or error.what}"
    return ((found,), "") if found else ((), f"The AWS Price List tells no price of Fargate in {region}.")


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
    save(runtime.store, [(plan, runtime.settings)])
    return plan


def save(store: RecordStore, plans: Iterable[tuple[MigrationPlan, Settings]]) -> None:
    """Keep what binds plans to the world: a run compares it with what it finds."""
    store.save_plans({plan.service_arn: saved(binding(plan, settings)) for plan, settings in plans})


def refuse_a_stale_plan(store: RecordStore, now: MigrationPlan) -> None:
    """Raise WorldChangedError, with the difference, where the plan that was saved last is no longer true."""
    if now.record.owned:
        # Its owner deploys when he likes; whether that is the planned thing, the run itself finds out.
        return
    text = store.plan(now.service_arn)
    moved = moved_since(read_binding(text), now.fingerprint, now.observed, now.record.version) if text else ()
    if moved:
        raise WorldChangedError(
            "The service is no longer what was planned.",
            why=f"{'; '.join(moved)}.",
            then="Nothing was changed. Find out who changed it, then run `migrate plan` to look again.",
        )


def hold_to(runtime: Readers, text: str, service_arn: str) -> None:
    """Hold the next run to a plan that `migrate plan --output json` wrote, as if it had just been saved here.

    Raises SettingsError where the text is no such plan, or one of another service, and WorldChangedError where the
    settings or the baseline are not those that it was made with.
    """
    try:
        document = json.loads(text)
        bound = read_binding(json.dumps(document["binding"]))
    except (ValueError, TypeError, KeyError) as error:
        raise SettingsError(
            "The file holds no plan.",
            why=f"{type(error).__name__}: {error}.",
            then="Write one with `migrate plan --output json -o plan.json`.",
        ) from error
    if bound.service_arn != service_arn:
        raise SettingsError(
            "The plan is of another service.",
            why=f"It is of {bound.service_arn}, and migrate.toml is of {service_arn}.",
            then="Give the plan of this service, or the settings of that one (--config).",
        )
    other = other_than_signed(bound, still_open(runtime.store.record(service_arn)), runtime.settings)
    if other:
        raise WorldChangedError(
            "This is not what was signed.",
            why=f"{'; '.join(other)}.",
            then="Nothing was changed. Run `migrate plan` again and have the new plan signed.",
        )
    runtime.store.save_plans({service_arn: saved(bound)})
