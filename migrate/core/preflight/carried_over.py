"""Preflight of what would not be carried over: fields that this tool or the AWS provider has no word for (case C54)."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.provider.service import LEFT_ALONE, untranslated_service_fields
from migrate.core.provider.task_definition import untranslated_task_definition_fields


def carry_over_findings(observation: Observation) -> Iterator[Finding]:
    """Yield fields with content that a new revision, or the program of the service, would not have."""
    lost = untranslated_task_definition_fields(observation.task_definition.document)
    if lost:
        yield finding(
            "task-definition.unknown-field",
            Grade.BLOCK,
            2,
            f"A new revision would lose {', '.join(lost)}: not carried over, because the Pulumi provider that "
            "registers it cannot express it.",
            "Take the field out, or update this tool; nothing that a task definition says is dropped in silence.",
            tuple(("task definition", f"$.{path}") for path in lost),
        )
    unsaid = untranslated_service_fields(observation.service.document)
    if unsaid:
        yield finding(
            "service.untranslated-field",
            # ECS writes some of these out though nobody set them; a field that is new to this tool wants a look.
            Grade.INFO if LEFT_ALONE.issuperset(unsaid) else Grade.WARN,
            0,
            f"The Pulumi program of the service cannot express {', '.join(unsaid)}. An update leaves that alone; a "
            "service made anew from the program would not have it.",
            "Keep it written down elsewhere, and look at it again after stage 0.",
            tuple(("service", f"$.{_nested(path)}") for path in unsaid),
        )


def _nested(path: str) -> str:
    """Return a path as DescribeServices nests it; the provider keeps these parts on the outside."""
    if path.startswith(("deploymentCircuitBreaker", "alarms")):
        return f"deploymentConfiguration.{path}"
    return path.replace("networkConfiguration.", "networkConfiguration.awsvpcConfiguration.", 1)
