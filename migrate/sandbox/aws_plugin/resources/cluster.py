"""``aws:ecs/cluster:Cluster`` (reference/provider.md section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrate.sandbox.aws_plugin import tags
from migrate.sandbox.aws_plugin.errors import ApiError, PluginError
from migrate.sandbox.aws_plugin.resources.cluster_api import CLUSTER_NAME, find_cluster, wait_active, wait_gone
from migrate.sandbox.aws_plugin.schema import Table, arn, block, blocks, flag, mapping, one_of, text
from migrate.sandbox.aws_plugin.waiting import MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.sandbox.aws_plugin.resource import Session, Update
    from migrate.sandbox.aws_plugin.values import Props

_LOG = {
    "cloudWatchEncryptionEnabled": flag(),
    "cloudWatchLogGroupName": text(),
    "s3BucketEncryptionEnabled": flag(),
    "s3BucketName": text(),
    "s3KeyPrefix": text(),
}
_COMMAND = {
    "kmsKeyId": text(),
    "logConfiguration": block(_LOG),
    "logging": text(one_of("NONE", "DEFAULT", "OVERRIDE"), default="DEFAULT"),
}
_STORAGE = {"fargateEphemeralStorageKmsKeyId": text(), "kmsKeyId": text()}

TABLE = Table(
    token="aws:ecs/cluster:Cluster",  # noqa: S106 - a resource type's token
    named=True,
    tagged=True,
    properties={
        "name": text(CLUSTER_NAME, required=True, replace=True),
        "settings": blocks({"name": text(required=True), "value": text(required=True)}, computed=True),
        "configuration": block(
            {"executeCommandConfiguration": block(_COMMAND), "managedStorageConfiguration": block(_STORAGE)}
        ),
        "serviceConnectDefaults": block({"namespace": text(arn, required=True)}),
        "region": text(computed=True, replace=True),
        "tags": mapping(),
        "tagsAll": mapping(computed=True),
        "arn": text(output=True),
    },
)
_UPDATED = ("configuration", "serviceConnectDefaults", "settings")
_CREATE_SECONDS, _DELETE_SECONDS = 2 * MINUTE, 10 * MINUTE
_IN_USE = (
    "ClusterContainsServicesException",
    "ClusterContainsTasksException",
    "ClusterContainsContainerInstancesException",
    "UpdateInProgressException",
)


class Cluster:
    """An ECS cluster."""

    table = TABLE

    def problems(self, _state: Props | None, _planned: Props) -> list[str]:
        """Find nothing beyond the schema."""
        return []

    def create(self, session: Session, planned: Props, keep: Callable[[str], None]) -> tuple[str, Props]:
        """CreateCluster, then wait until it is ACTIVE."""
        name = planned["name"]

        def create() -> Props:
            return session.call(
                "ecs",
                "CreateCluster",
                clusterName=name,
                tags=tags.to_api("ecs", planned.get("tagsAll")),
                **_settings(planned),
            )

        try:
            created = session.waiter.retry(
                create, lambda error: "Unable to assume the service linked role" in error.message, _CREATE_SECONDS
            )
        except ApiError as error:
            raise PluginError(f"creating ECS Cluster ({name}): {error.what}") from error
        cluster_arn = str(created["cluster"]["clusterArn"])
        keep(cluster_arn)
        _wait(session, cluster_arn, "create")
        return cluster_arn, {}

    def import_id(self, session: Session, given: str) -> tuple[str, Props]:
        """Take the cluster's name; the ARN is built from account and region."""
        return session.aws.arn("ecs", session.region, f"cluster/{given}"), {}

    def read(self, session: Session, resource_id: str, state: Props) -> tuple[str, Props] | None:
        """DescribeClusters; missing or INACTIVE is gone."""
        cluster = find_cluster(session, resource_id)
        if cluster is None:
            return None
        found: Props = {
            "name": cluster["clusterName"],
            "arn": cluster["clusterArn"],
            "region": session.region,
            "settings": [{"name": item["name"], "value": item["value"]} for item in cluster.get("settings") or []],
            "configuration": cluster.get("configuration"),
            "serviceConnectDefaults": cluster.get("serviceConnectDefaults"),
            **tags.state_of(session.aws.configuration, "ecs", cluster.get("tags") or []),
        }
        return cluster["clusterArn"], {**state, **found}

    def update(self, session: Session, update: Update) -> None:
        """UpdateCluster with all that is set, when one of its settings changed; tags by their own operations."""
        if update.touches(*_UPDATED):
            try:
                session.call("ecs", "UpdateCluster", cluster=update.id, **_settings(update.planned))
            except ApiError as error:
                raise PluginError(f"updating ECS Cluster ({update.id}): {error.what}") from error
            _wait(session, update.id, "update")
        if update.touches("tagsAll"):
            old, new = update.state.get("tagsAll") or {}, update.planned.get("tagsAll") or {}
            tags.write_changes(session, "ecs", update.id, old, new)

    def delete(self, session: Session, resource_id: str, _state: Props) -> None:
        """DeleteCluster, retried while something still runs in it."""

        def delete() -> Props:
            return session.call("ecs", "DeleteCluster", cluster=resource_id)

        try:
            session.waiter.retry(delete, lambda error: error.code in _IN_USE, session.timeout or _DELETE_SECONDS)
        except ApiError as error:
            if error.code == "ClusterNotFoundException":
                return
            raise PluginError(f"deleting ECS Cluster ({resource_id}): {error.what}") from error
        wait_gone(session, resource_id)


def _settings(planned: Props) -> dict[str, Any]:
    return {name: planned[name] for name in _UPDATED if planned.get(name)}


def _wait(session: Session, cluster_arn: str, what: str) -> None:
    try:
        wait_active(session, cluster_arn)
    except PluginError as error:
        raise PluginError(f"waiting for ECS Cluster ({cluster_arn}) {what}: {error.what}") from error
