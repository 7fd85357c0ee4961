"""``aws:ecs/clusterCapacityProviders:ClusterCapacityProviders`` (reference/provider.md section 5, facts F12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.sandbox.aws_plugin.errors import ApiError, PluginError
from migrate.sandbox.aws_plugin.resources.cluster_api import CLUSTER_NAME, find_cluster, wait_active
from migrate.sandbox.aws_plugin.schema import Table, between, blocks, strings, text, whole
from migrate.sandbox.aws_plugin.waiting import MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.sandbox.aws_plugin.resource import Session, Update
    from migrate.sandbox.aws_plugin.values import Props

STRATEGY = {
    "capacityProvider": text(required=True),
    "base": whole(between(0, 100_000), default=0),
    "weight": whole(between(0, 1000), default=0),
}
TABLE = Table(
    token="aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",  # noqa: S106 - a resource type's token
    properties={
        "clusterName": text(CLUSTER_NAME, required=True, replace=True),
        "capacityProviders": strings(),
        "defaultCapacityProviderStrategies": blocks(STRATEGY),
        "region": text(computed=True, replace=True),
    },
)
_SECONDS = 10 * MINUTE


class ClusterCapacityProviders:
    """The capacity providers of one cluster: every write replaces the whole list."""

    table = TABLE

    def problems(self, _state: Props | None, _planned: Props) -> list[str]:
        """Find nothing beyond the schema."""
        return []

    def create(self, session: Session, planned: Props, keep: Callable[[str], None]) -> tuple[str, Props]:
        """Write the lists."""
        name = str(planned["clusterName"])
        _put(session, name, planned.get("capacityProviders"), planned.get("defaultCapacityProviderStrategies"))
        keep(name)
        wait_active(session, name)
        return name, {}

    def import_id(self, _session: Session, given: str) -> tuple[str, Props]:
        """Take the cluster's name."""
        return given, {}

    def read(self, session: Session, resource_id: str, state: Props) -> tuple[str, Props] | None:
        """DescribeClusters."""
        cluster = find_cluster(session, resource_id)
        if cluster is None:
            return None
        strategy = [
            {
                "capacityProvider": item["capacityProvider"],
                "base": int(item.get("base", 0)),
                "weight": int(item.get("weight", 0)),
            }
            for item in cluster.get("defaultCapacityProviderStrategy") or []
        ]
        found = {
            "clusterName": cluster["clusterName"],
            "capacityProviders": list(cluster.get("capacityProviders") or []),
            "defaultCapacityProviderStrategies": strategy,
            "region": session.region,
        }
        return resource_id, {**state, **found}

    def update(self, session: Session, update: Update) -> None:
        """Write the lists."""
        planned = update.planned
        _put(session, update.id, planned.get("capacityProviders"), planned.get("defaultCapacityProviderStrategies"))
        wait_active(session, update.id)

    def delete(self, session: Session, resource_id: str, _state: Props) -> None:
        """Write two empty lists."""
        try:
            _put(session, resource_id, [], [])
        except PluginError as error:
            if isinstance(error.__cause__, ApiError) and error.__cause__.code == "ClusterNotFoundException":
                return
            raise
        wait_active(session, resource_id)


def _put(session: Session, name: str, providers: list[str] | None, strategy: list[Props] | None) -> None:
    def put() -> Props:
        return session.call(
            "ecs",
            "PutClusterCapacityProviders",
            cluster=name,
            capacityProviders=providers or [],
            defaultCapacityProviderStrategy=strategy or [],
        )

    try:
        session.waiter.retry(put, _may_pass, session.timeout or _SECONDS)
    except ApiError as error:
        raise PluginError(f"updating ECS Cluster Capacity Providers ({name}): {error.what}") from error


def _may_pass(error: ApiError) -> bool:
    if error.code == "ClientException":
        return "Cluster was not ACTIVE" in error.message
    return error.code in ("ResourceInUseException", "UpdateInProgressException")
