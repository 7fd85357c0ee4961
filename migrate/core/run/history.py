"""Looking back at runs: which service and which run is meant."""

from __future__ import annotations

from collections.abc import Sequence

from migrate.core.evidence import Run
from migrate.core.settings import ServiceSettings
from migrate.errors import NotFoundError, SettingsError

_TOLD = 5


def only_run(prefix: str, found: Sequence[Run]) -> Run:
    """Return the run that ``prefix`` means: the one of this very id, or the only one whose id begins with it.

    ``found`` are the runs whose ids begin with it. Raises NotFoundError for none, SettingsError for several.
    """
    exact = [run for run in found if run.id == prefix]
    if prefix and (exact or len(found) == 1):
        return (exact or list(found))[0]
    if not found:
        raise NotFoundError(
            f"No run has an id that begins with {prefix}.",
            then="`migrate history` lists the runs of the service. A run of another team is in another database "
            "(MIGRATE_DATABASE_URL).",
        )
    told = "; ".join(f"{run.id} ({run.verb} on {run.service.rsplit('/', 1)[-1]})" for run in found[:_TOLD])
    more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    raise SettingsError(
        f"{len(found)} runs have an id that begins with {prefix or 'nothing'}.",
        why=f"{told}{more}.",
        then="Write more of the id.",
    )


def last_run(service: str, runs: Sequence[Run]) -> Run:
    """Return the run that began last. Raises NotFoundError where there was none yet."""
    if not runs:
        raise NotFoundError(
            f"No run has touched {service}.",
            then="`migrate plan` shows what a run would do. A run of another team is in another database "
            "(MIGRATE_DATABASE_URL).",
        )
    return max(runs, key=lambda run: (run.started_at, run.id))


def of_service(wanted: ServiceSettings, region: str | None, services: Sequence[str]) -> tuple[str, ...]:
    """Return those ARNs of ``services`` that the settings mean, in any account; None is any region.

    Cluster and service may be names or ARNs in the settings. An ARN of the old form has no cluster in it.
    """
    cluster, name = (text.rsplit("/", 1)[-1] for text in (wanted.cluster, wanted.name))
    return tuple(arn for arn in services if _is(arn, region, cluster, name))


def _is(arn: str, region: str | None, cluster: str, name: str) -> bool:
    place, _, path = arn.rpartition(":")
    return region in (None, *place.split(":")[3:4]) and path in (f"service/{cluster}/{name}", f"service/{name}")
