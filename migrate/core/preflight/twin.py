"""Preflight of a twin (modes canary and mixed): what one service of two could not have, and where two have to stop."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.provider.service import untranslated_service_fields
from migrate.core.settings import ArchitectureMode, Settings
from migrate.core.twin import not_twinned, twin_count, twin_name


def twin_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield what keeps the service from having a twin, what the twin goes without, and what mixed rules out."""
    mode = settings.architecture
    if mode is ArchitectureMode.ROLLING:
        return
    service = observation.service
    for path, reason in not_twinned(service.document):
        yield finding(
            "service.not-twinned",
            Grade.BLOCK,
            2,
            f"The service cannot have a twin, which architecture.mode {mode} needs: {reason}.",
            'Use architecture.mode = "rolling".',
            (("service", path), ("twin", twin_name(service.name))),
        )
    lost = untranslated_service_fields(service.document)
    if lost:
        yield finding(
            "service.twin-without",
            Grade.WARN,
            2,
            f"The twin goes without {', '.join(lost)}: the Pulumi provider cannot express it.",
            "See that a few tasks without it do no harm, or use architecture.mode rolling.",
            (("twin", twin_name(service.name)),),
        )
    if not service.target_group_arns:
        count = twin_count(service.desired_count, settings.canary_share)
        yield finding(
            "service.twin-consumes",
            Grade.INFO,
            2,
            f"The service has no load balancer: its twin of {count} tasks takes work from the same source as it does.",
            "See that more consumers than today do no harm: partitions, rate limits, singletons.",
            (("twin", twin_name(service.name)),),
        )
    if mode is ArchitectureMode.MIXED:
        yield finding(
            "service.mixed-stays",
            Grade.BLOCK,
            3,
            "Both architectures stay, and a capacity provider strategy holds for one service: stage 3 would prove "
            "neither base nor weights of the two together.",
            'To go on to Spot, set architecture.mode = "canary" and run `migrate apply --stage 2`.',
            (("twin", twin_name(service.name)),),
        )
