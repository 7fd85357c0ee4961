"""What keeps a rollout from its end, in words that say whose trouble it is: capacity, percentages, or health checks."""

from __future__ import annotations

from datetime import datetime

from migrate.core.documents import fields
from migrate.core.facts import Service, Strategy
from migrate.core.rollout.service_events import Signal, newest, said
from migrate.core.rollout_percentages import DEFAULT_MAXIMUM, DEFAULT_MINIMUM, rollout_room
from migrate.core.service_settings import percentages

_FROM_ZERO = (
    "; a group without machines needs up to 15 minutes for its first: the alarm of managed scaling, the machine's "
    "start, the agent's registration. If none came, look at the group's activities and at "
    "findings#instances-none-registered"
)


def health_hint(service: Service) -> str:
    """Return what ECS said last about unhealthy targets, and the grace period that the service gives (case C59)."""
    primary = service.primary
    text = said(service, Signal.UNHEALTHY, primary.created_at if primary else None)
    if not text:
        return ""
    grace = fields(service.document).get("healthCheckGracePeriodSeconds", 0)
    return f"{text}; the service's grace period is {grace} s"


def lack_of_capacity(service: Service, placed: int, since: datetime, strategy: Strategy) -> str:
    """Return what a lack of capacity since a deployment was made comes to (case C60); empty where there is none.

    ``placed`` counts the running tasks of that deployment.
    """
    event = newest(service, Signal.CAPACITY, since)
    if event is None or placed >= service.desired_count:
        return ""
    text = (
        f"capacity, not the application: {placed} of {service.desired_count} tasks could be placed; ECS says: "
        f"{event.message}"
    )
    if "container instances were found" in event.message.lower():
        text += _FROM_ZERO
    if any(item.provider == "FARGATE_SPOT" for item in strategy):
        base = rollout_room(service.desired_count, *_percentages(service)).keep
        text += f"; a base of {base} on FARGATE keeps the service whole without Spot"
    return text


def never_rolls(service: Service) -> str:
    """Return why a deployment can never end under the percentages of the service (case C46)."""
    minimum, maximum = _percentages(service)
    return (
        f"ECS can neither stop nor start a task: desired count {service.desired_count}, minimumHealthyPercent "
        f"{minimum} and maximumPercent {maximum} leave no room. The tasks that run stay; with other percentages this "
        "deployment goes on by itself"
    )


def _percentages(service: Service) -> tuple[int, int]:
    return percentages(service.document) or (DEFAULT_MINIMUM, DEFAULT_MAXIMUM)
