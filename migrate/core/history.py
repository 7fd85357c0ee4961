"""Looking back at runs: which one is meant."""

from __future__ import annotations

from collections.abc import Sequence

from migrate.core.evidence import Run
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
            then="`migrate status` names the newest run. A run of another team is in another database "
            "(MIGRATE_DATABASE_URL).",
        )
    told = "; ".join(f"{run.id} ({run.verb} on {run.service.rsplit('/', 1)[-1]})" for run in found[:_TOLD])
    more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    raise SettingsError(
        f"{len(found)} runs have an id that begins with {prefix or 'nothing'}.",
        why=f"{told}{more}.",
        then="Write more of the id.",
    )
