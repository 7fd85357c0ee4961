"""Preflight: what stands in the way of a stage, found before anything is touched.

Every code has a section of the same name in runbooks/findings.md.
"""

from __future__ import annotations

from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.alarms import alarm_findings
from migrate.core.preflight.build import build_findings
from migrate.core.preflight.capacity import capacity_findings
from migrate.core.preflight.carried_over import carry_over_findings
from migrate.core.preflight.fargate_fields import fargate_findings
from migrate.core.preflight.health import health_findings
from migrate.core.preflight.host_access import host_findings
from migrate.core.preflight.image import image_findings
from migrate.core.preflight.instance_fields import instance_findings
from migrate.core.preflight.owners import owner_findings
from migrate.core.preflight.percentages import percentage_findings
from migrate.core.preflight.permissions import permission_findings
from migrate.core.preflight.placement import placement_findings
from migrate.core.preflight.repository import repository_findings
from migrate.core.preflight.rollout import rollout_findings
from migrate.core.preflight.running_image import running_image_findings
from migrate.core.preflight.runtime_platform import platform_findings
from migrate.core.preflight.service import container_findings, service_findings
from migrate.core.preflight.spot import spot_findings
from migrate.core.preflight.surroundings import surroundings_findings
from migrate.core.preflight.twin import twin_findings
from migrate.core.preflight.windows import windows_path_findings
from migrate.core.settings import Settings


def findings(observation: Observation, settings: Settings) -> tuple[Finding, ...]:
    """Return everything that preflight has to say, blocks first, in a stable order."""
    found = [
        *service_findings(observation),
        *owner_findings(observation, settings),
        *rollout_findings(observation, settings),
        *percentage_findings(observation),
        *twin_findings(observation, settings),
        *health_findings(observation),
        *host_findings(observation),
        *container_findings(observation, settings),
        *platform_findings(observation, settings),
        *carry_over_findings(observation),
        *placement_findings(observation, settings),
        *fargate_findings(observation, settings),
        *instance_findings(observation, settings),
        *windows_path_findings(observation),
        *image_findings(observation, settings),
        *running_image_findings(observation, settings),
        *repository_findings(observation, settings),
        *build_findings(observation, settings),
        *capacity_findings(observation, settings),
        *spot_findings(observation, settings),
        *alarm_findings(observation, settings),
        *surroundings_findings(observation, settings),
        *permission_findings(observation.permissions),
    ]
    order = list(Grade)
    return tuple(sorted(found, key=lambda item: (order.index(item.grade), item.stage, item.code)))
