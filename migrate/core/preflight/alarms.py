"""Preflight of the alarms that the gate will watch."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.service_settings import watched_alarms
from migrate.core.settings import Settings


def alarm_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield alarms that fire already (facts F16) or have no data."""
    watched = watched_alarms(observation.service, settings.gate.alarms)
    alarms = {alarm.name: alarm for alarm in observation.alarms}
    firing = [name for name in watched if name in alarms and alarms[name].state == "ALARM"]
    silent = [name for name in watched if name not in alarms or alarms[name].state == "INSUFFICIENT_DATA"]
    if firing:
        yield finding(
            "alarms.firing",
            Grade.BLOCK,
            0,
            f"{', '.join(firing)} is in ALARM already, and ECS ignores such an alarm during a deployment.",
            "Wait until it is OK, or take it out of gate.alarms if it says nothing about this service.",
            tuple((name, f"ALARM {alarms[name].reason}".strip()) for name in firing),
        )
    if silent:
        yield finding(
            "alarms.no-data",
            Grade.WARN,
            0,
            f"{', '.join(silent)} has no data; a gate that watches it will be held, not passed.",
            "Give it data (treat missing data as not breaching), or take it out of gate.alarms.",
            tuple((name, alarms[name].state if name in alarms else "no such alarm") for name in silent),
        )
