"""Preflight of capacity and alarms."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.settings import Settings

_OLDEST_PLATFORM_VERSION = (1, 4, 0)


def capacity_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield what the platform version and the cluster say against ARM64 and the target strategy."""
    version = observation.service.platform_version
    numbers = tuple(int(part) for part in (version or "").split(".") if part.isdecimal())
    if numbers and numbers < _OLDEST_PLATFORM_VERSION:
        yield finding(
            "service.platform-version",
            Grade.BLOCK,
            2,
            f"Platform version {version} has no ARM64; 1.4.0 and newer have.",
            "Set the service's platform version to LATEST or 1.4.0 first.",
        )
    present = observation.cluster.capacity_providers
    needed = dict.fromkeys(["FARGATE", *(item.provider for item in settings.capacity)])
    missing = [name for name in needed if name not in present]
    unknown = [name for name in missing if name not in ("FARGATE", "FARGATE_SPOT")]
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


def alarm_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield alarms that fire already (facts F16) or have no data."""
    watched = watched_alarms(observation, settings)
    states = {alarm.name: alarm.state for alarm in observation.alarms}
    firing = [name for name in watched if states.get(name) == "ALARM"]
    silent = [name for name in watched if states.get(name) in (None, "INSUFFICIENT_DATA")]
    if firing:
        yield finding(
            "alarms.firing",
            Grade.BLOCK,
            0,
            f"{', '.join(firing)} is in ALARM already, and ECS ignores such an alarm during a deployment.",
            "Wait until it is OK, or take it out of gate.alarms if it says nothing about this service.",
        )
    if silent:
        yield finding(
            "alarms.no-data",
            Grade.WARN,
            0,
            f"{', '.join(silent)} has no data; a gate that watches it will be held, not passed.",
            "Give it data (treat missing data as not breaching), or take it out of gate.alarms.",
        )


def watched_alarms(observation: Observation, settings: Settings) -> tuple[str, ...]:
    """Return the alarms that a gate watches: the service's own deployment alarms and those of the settings."""
    return tuple(dict.fromkeys([*observation.service.alarm_names, *settings.gate.alarms]))
