"""What a service's own settings and record put into the commands of runbooks; AWS is not asked for any of it.

Whoever reads a runbook at night may have no access yet, and what was recorded is what the way back is made of.
"""

from __future__ import annotations

from collections.abc import Sequence

from migrate.core.evidence import Run
from migrate.core.record import Record
from migrate.core.settings import Settings


def settings_values(settings: Settings, region: str | None) -> dict[str, str]:
    """Return the variables that the settings give: names of cluster and service, where and what is built."""
    cluster, service = (name.rsplit("/", 1)[-1] for name in (settings.service.cluster, settings.service.name))
    values = {
        "CLUSTER": cluster,
        "SERVICE": service,
        "REGION": region or "",
        "CONTEXT": settings.image.context,
        "BUILDER": settings.image.builder or "",
        "ALARM": next(iter(settings.gate.alarms), ""),
    }
    return {name: value for name, value in values.items() if value}


def record_values(record: Record) -> dict[str, str]:
    """Return the variables that the record gives: the image and its way back, the family, the target group."""
    baseline = record.baseline
    image, reference = baseline.image, baseline.image.reference
    values = {
        "ACCOUNT": baseline.account.account_id,
        "IMAGE": str(reference),
        "REPOSITORY": image.repository,
        "TAG": reference.tag or "",
        "GUARD_TAG": image.guard_tag,
        "DIGEST": image.digest,
        "MEDIA_TYPE": image.media_type,
        "FAMILY": baseline.task_definition.arn.rsplit("/", 1)[-1].rpartition(":")[0],
        "SERVICE_ARN": baseline.service.arn,
        "STAGE": str(max(record.position.proven.value, 0)),
        "TARGET_GROUP": next(iter(baseline.service.target_group_arns), ""),
        "ALARM": next(iter(baseline.service.alarm_names), ""),
    }
    return {name: value for name, value in values.items() if value}


def run_values(runs: Sequence[Run]) -> dict[str, str]:
    """Return the variable that the newest run gives: RUN, its id."""
    return {"RUN": runs[0].id} if runs else {}
