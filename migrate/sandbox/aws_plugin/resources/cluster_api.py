"""Waiting for a cluster, which three resource types need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.sandbox.aws_plugin.errors import ApiError
from migrate.sandbox.aws_plugin.schema import Validator, matching
from migrate.sandbox.aws_plugin.waiting import MINUTE, Goal

if TYPE_CHECKING:
    from migrate.sandbox.aws_plugin.resource import Session
    from migrate.sandbox.aws_plugin.values import Props

CLUSTER_NAME: Validator = matching(
    r"^[0-9A-Za-z_-]{1,255}$", "The cluster name must consist of alphanumerics, hyphens, and underscores."
)
_SECONDS = 10 * MINUTE


def find_cluster(session: Session, reference: str) -> Props | None:
    """Give the cluster with tags, settings and configuration; None when it is missing or INACTIVE."""
    include = ["TAGS", "CONFIGURATIONS", "SETTINGS"]
    try:
        answered = session.call("ecs", "DescribeClusters", clusters=[reference], include=include)
    except ApiError as error:
        if error.code == "ClusterNotFoundException":
            return None
        raise
    cluster: Props | None = next(iter(answered.get("clusters") or []), None)
    return cluster if cluster is not None and cluster.get("status") != "INACTIVE" else None


def wait_active(session: Session, reference: str) -> None:
    """Wait until the cluster is ACTIVE."""

    def look() -> tuple[Props | None, str]:
        cluster = find_cluster(session, reference)
        return cluster, str((cluster or {}).get("status", ""))

    session.waiter.until(Goal("ACTIVE", ("PROVISIONING",), _SECONDS), look)


def wait_gone(session: Session, reference: str) -> None:
    """Wait until the cluster is gone or INACTIVE."""

    def look() -> tuple[Props | None, str]:
        cluster = find_cluster(session, reference)
        return cluster, str((cluster or {}).get("status", ""))

    session.waiter.until(Goal("", ("ACTIVE", "DEPROVISIONING"), _SECONDS), look)
