"""Preflight of everything around the service, and of what could not be read: said once, never taken for fine."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.findings import Finding, Grade
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.preflight.instances import instance_findings
from migrate.core.preflight.network import network_findings
from migrate.core.preflight.providers import provider_findings
from migrate.core.preflight.scaling import scaling_findings
from migrate.core.settings import Settings


def surroundings_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield what network, automatic scaling, capacity providers and machines say against a migration."""
    yield from network_findings(observation, settings)
    yield from scaling_findings(observation, settings)
    yield from provider_findings(observation, settings)
    yield from instance_findings(observation, settings)
    yield from _unread(observation)


def _unread(observation: Observation) -> Iterator[Finding]:
    unread = observation.surroundings.unread
    if not unread:
        return
    permissions = ", ".join(dict.fromkeys(item.permission for item in unread))
    yield finding(
        "surroundings.unread",
        Grade.UNKNOWN,
        0,
        f"Not read, and so not judged: {'; '.join(item.what for item in unread)}.",
        f"Allow {permissions} and plan again, or check these by hand.",
        tuple((item.permission, f"{item.what}: {item.why}") for item in unread),
    )
