"""What the check `twin` compares: read of both services at the same time."""

from __future__ import annotations

from datetime import datetime

from migrate.core.gate.checks import Expectation
from migrate.core.gate.gate import GateState, Measurement
from migrate.core.gate.twin_comparison import Side, Usage, twin_check, usage_sources
from migrate.errors import MigrateError
from migrate.workflows.runtime import Runtime


def compared(
    runtime: Runtime, twin: Side, expected: Expectation, state: GateState, now: datetime, *, deployed: bool
) -> Measurement:
    """Compare the twin with the service beside it. Raises MigrateError where the service cannot be read."""
    services, groups = runtime.services, twin.service.target_group_arns
    service = services.service(runtime.settings.service.cluster, expected.beside)
    beside = Side(service, services.tasks(service), services.stopped_tasks(service))
    targets = runtime.health.target_health(groups) if deployed else ()
    usage, unread = _usage(runtime, twin, beside, state.completed_at or now, now) if deployed else ((), "")
    return twin_check(twin, beside, targets, usage, (state.started_at, now), deployed=deployed, unread=unread)


def _usage(runtime: Runtime, twin: Side, beside: Side, since: datetime, now: datetime) -> tuple[tuple[Usage, ...], str]:
    """Read what both use in one call; that CloudWatch tells nothing makes no canary impossible."""
    if runtime.sources is None:
        return (), "this run has nothing that could ask CloudWatch"
    ours, theirs = usage_sources(twin.service), usage_sources(beside.service)
    try:
        found = runtime.sources.metrics.series((*ours, *theirs), since, now)
    except MigrateError as error:
        return (), f"CloudWatch could not be read: {error.what}"
    pairs = zip(ours, found[: len(ours)], found[len(ours) :], strict=True)
    return tuple(Usage(source.metric, mine, others) for source, mine, others in pairs), ""
