"""Preflight of the cluster's capacity providers."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.settings import Settings
from migrate.core.surroundings import FARGATE_PROVIDERS, MISSING


def capacity_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield what the cluster lacks of the providers that the stages need."""
    service, present = observation.service, observation.cluster.capacity_providers
    # Stage 0 takes a service from launchType FARGATE to the capacity provider of that name (facts F2).
    from_the_start = ("FARGATE",) if service.launch_type == "FARGATE" else ()
    needed = dict.fromkeys(
        [*from_the_start, *(item.provider for item in service.strategy), *(item.provider for item in settings.capacity)]
    )
    missing = [name for name in needed if name not in present]
    # One that the account has is associated by stage 0 like Fargate's.
    known = [item.name for item in observation.surroundings.capacity_providers if item.status != MISSING]
    unknown = [name for name in missing if name not in (*FARGATE_PROVIDERS, *known)]
    if unknown:
        yield finding(
            "cluster.provider-unknown",
            Grade.BLOCK,
            3,
            f"The cluster has no capacity provider {', '.join(unknown)}.",
            "Create it and associate it with the cluster, or change capacity.strategy.",
            (("associated", ", ".join(present) or "none"),),
        )
    elif missing:
        yield finding(
            "cluster.provider-missing",
            Grade.INFO,
            0,
            f"The cluster is not associated with {', '.join(missing)} yet; stage 0 adds what is missing.",
            "Nothing to do: providers that are there stay.",
            (("associated", ", ".join(present) or "none"),),
        )
