"""What a service's settings say, read out of its document in one place: rollout, load balancers, tags, owner marks.

Fields and their defaults: ECS API reference, Service and DeploymentConfiguration.
"""

from __future__ import annotations

from collections.abc import Mapping

from migrate.core.documents import Document, Json, fields
from migrate.core.facts import Service, Strategy
from migrate.core.rollout_percentages import DEFAULT_MAXIMUM, DEFAULT_MINIMUM
from migrate.core.surroundings import FARGATE_PROVIDERS


def watched_alarms(service: Service, of_the_settings: tuple[str, ...]) -> tuple[str, ...]:
    """Return the alarms that a gate watches: the service's own deployment alarms and those of the settings."""
    return tuple(dict.fromkeys([*service.alarm_names, *of_the_settings]))


def deployment_configuration(document: Document) -> dict[str, Json]:
    """Return ``deploymentConfiguration``, empty where the answer has none."""
    return child(fields(document), "deploymentConfiguration")


def percentages(document: Document) -> tuple[int, int] | None:
    """Return minimum and maximum percent of a rollout; None where the answer holds no deployment configuration."""
    configuration = deployment_configuration(document)
    if not configuration:
        return None
    return (
        number(configuration, "minimumHealthyPercent", DEFAULT_MINIMUM),
        number(configuration, "maximumPercent", DEFAULT_MAXIMUM),
    )


def deployment_strategy(document: Document) -> str:
    """Return ROLLING, BLUE_GREEN, LINEAR or CANARY; ROLLING where nothing is said."""
    return str(deployment_configuration(document).get("strategy") or "ROLLING")


def load_balancers(document: Document) -> tuple[dict[str, Json], ...]:
    """Return the load balancer entries."""
    return children(fields(document), "loadBalancers")


def service_tags(document: Document) -> dict[str, str]:
    """Return the service's own tags."""
    return {str(item.get("key")): str(item.get("value") or "") for item in children(fields(document), "tags")}


def has_short_arn(service: Service) -> bool:
    """Tell an ARN of the format before 2018, which names no cluster and allows no tags (case C62)."""
    return service.arn.count("/") == 1


def on_fargate(service: Service, cluster_default: Strategy = ()) -> bool:
    """Tell whether the tasks run on Fargate; without launch type and strategy the cluster's default decides."""
    strategy = service.strategy or (() if service.launch_type else cluster_default)
    if strategy:
        return is_fargate(strategy)
    return service.launch_type == "FARGATE"


def is_fargate(strategy: Strategy) -> bool:
    """Tell whether a strategy names Fargate's own capacity providers only (facts F13: never mixed with others)."""
    return all(item.provider in FARGATE_PROVIDERS for item in strategy)


def child(value: Mapping[str, Json], name: str) -> dict[str, Json]:
    """Return an object inside, empty where there is none."""
    inside = value.get(name)
    return inside if isinstance(inside, dict) else {}


def children(value: Mapping[str, Json], name: str) -> tuple[dict[str, Json], ...]:
    """Return the objects of a list inside, empty where there is none."""
    inside = value.get(name)
    return tuple(item for item in inside if isinstance(item, dict)) if isinstance(inside, list) else ()


def number(value: Mapping[str, Json], name: str, default: int) -> int:
    """Return a whole number, ``default`` where there is none."""
    inside = value.get(name)
    return int(inside) if isinstance(inside, int | float) and not isinstance(inside, bool) else default
