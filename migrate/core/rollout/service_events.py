"""What ECS says about a service in its events, where that decides how a rollout is to be judged.

Texts: Amazon ECS developer guide, "Amazon ECS service event messages"; reports of cases C46, C59 and C60.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum

from migrate.core.facts import Service, ServiceEvent


class Signal(StrEnum):
    """What an event means for a rollout that is under way."""

    PERCENTAGES = "percentages"
    CAPACITY = "capacity"
    UNHEALTHY = "unhealthy"


_TEXTS = {
    Signal.PERCENTAGES: re.compile(
        r"unable to stop or start tasks during a deployment because of the service deployment configuration",
        re.IGNORECASE,
    ),
    Signal.CAPACITY: re.compile(
        r"unable to place a task\.? (?:Reason: Capacity is unavailable|because no container instance met)"
        r"|No Container Instances were found in your (?:capacity provider|cluster)"
        r"|FARGATE_SPOT capacity provider is not supported when using ARM architecture",
        re.IGNORECASE,
    ),
    Signal.UNHEALTHY: re.compile(r"is unhealthy in \(?target-group", re.IGNORECASE),
}


def signal_of(message: str) -> Signal | None:
    """Return what a service event means, None for those that decide nothing."""
    return next((signal for signal, text in _TEXTS.items() if text.search(message)), None)


def newest(service: Service, signal: Signal, since: datetime | None) -> ServiceEvent | None:
    """Return the newest event of a kind since a deployment was made (None: however old; ECS keeps the last 100)."""
    told = (event for event in service.events if since is None or event.at >= since)
    return max(
        (event for event in told if signal_of(event.message) is signal), key=lambda event: event.at, default=None
    )


def of_late(service: Service) -> datetime | None:
    """Return when what is being told now began, where its deployment is gone: ECS keeps events of weeks."""
    last = max((event.at for event in service.events), default=None)
    return last - timedelta(hours=1) if last else None


def said(service: Service, signal: Signal, since: datetime | None) -> str:
    """Return the newest event of a kind as the end of a sentence; empty where there is none."""
    event = newest(service, signal, since)
    return f"; ECS says: {event.message}" if event else ""
