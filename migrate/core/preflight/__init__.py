"""Preflight: what stands in the way of a stage, found before anything is touched.

Every code has a section of the same name in runbooks/findings.md.
"""

from __future__ import annotations

from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.capacity import alarm_findings, capacity_findings
from migrate.core.preflight.image import image_findings
from migrate.core.preflight.permissions import permission_findings
from migrate.core.preflight.repository import repository_findings
from migrate.core.preflight.service import service_findings, task_definition_findings
from migrate.core.settings import Settings


def findings(observation: Observation, settings: Settings) -> tuple[Finding, ...]:
    """Return everything that preflight has to say, blocks first, in a stable order."""
    found = [
        *service_findings(observation),
        *task_definition_findings(observation, settings),
        *image_findings(observation, settings),
        *repository_findings(observation, settings),
        *capacity_findings(observation, settings),
        *alarm_findings(observation, settings),
        *permission_findings(observation.permissions),
    ]
    order = list(Grade)
    return tuple(sorted(found, key=lambda item: (order.index(item.grade), item.stage, item.code)))
