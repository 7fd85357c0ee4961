"""``aws:ecs/capacityProvider:CapacityProvider`` (reference/provider.md section 6, facts F9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.sandbox.aws_plugin import tags
from migrate.sandbox.aws_plugin.errors import ApiError, PluginError
from migrate.sandbox.aws_plugin.resources.cluster_api import CLUSTER_NAME
from migrate.sandbox.aws_plugin.schema import Table, arn, between, block, mapping, one_of, strings, text, whole
from migrate.sandbox.aws_plugin.values import UNKNOWN
from migrate.sandbox.aws_plugin.waiting import MINUTE, Goal

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.sandbox.aws_plugin.resource import Session, Update
    from migrate.sandbox.aws_plugin.values import Props

_SWITCH = one_of("ENABLED", "DISABLED")
_SCALING = {
    "instanceWarmupPeriod": whole(between(0, 10_000), computed=True),
    "maximumScalingStepSize": whole(between(1, 10_000), computed=True),
    "minimumScalingStepSize": whole(between(1, 10_000), computed=True),
    "status": text(_SWITCH, computed=True),
    "targetCapacity": whole(between(1, 100), computed=True),
}
_AUTO_SCALING = {
    "autoScalingGroupArn": text(arn, required=True, replace=True),
    "managedDraining": text(_SWITCH, computed=True),
    "managedScaling": block(_SCALING, computed=True),
    "managedTerminationProtection": text(_SWITCH, computed=True),
}
_NETWORK = {"securityGroups": strings(), "subnets": strings(required=True)}
_RANGE = {"min": whole(required=True), "max": whole()}
_TEMPLATE = {
    "capacityOptionType": text(one_of("ON_DEMAND", "SPOT"), computed=True, replace=True),
    "ec2InstanceProfileArn": text(arn, required=True),
    "instanceRequirements": block(
        {"memoryMib": block(_RANGE, required=True), "vcpuCount": block(_RANGE, required=True)}
    ),
    "networkConfiguration": block(_NETWORK, required=True),
}
_MANAGED = {
    "infrastructureOptimization": block({"scaleInAfter": whole(between(-1, 3600))}),
    "infrastructureRoleArn": text(arn, required=True),
    "instanceLaunchTemplate": block(_TEMPLATE, required=True),
    "propagateTags": text(one_of("CAPACITY_PROVIDER", "NONE")),
}
TABLE = Table(
    token="aws:ecs/capacityProvider:CapacityProvider",  # noqa: S106 - a resource type's token
    named=True,
    tagged=True,
    properties={
        "name": text(required=True, replace=True),
        "autoScalingGroupProvider": block(_AUTO_SCALING),
        "managedInstancesProvider": block(_MANAGED),
        "cluster": text(CLUSTER_NAME, replace=True),
        "region": text(computed=True, replace=True),
        "tags": mapping(),
        "tagsAll": mapping(computed=True),
        "arn": text(output=True),
    },
)
_BLOCKS = ("autoScalingGroupProvider", "managedInstancesProvider")
_NAMES = "auto_scaling_group_provider or managed_instances_provider must be specified"
_UPDATE_SECONDS, _DELETE_SECONDS = 10 * MINUTE, 20 * MINUTE


class CapacityProvider:
    """A capacity provider of an Auto Scaling group or of managed instances."""

    table = TABLE

    def problems(self, _state: Props | None, planned: Props) -> list[str]:
        """Check that exactly one kind is given, and a cluster with managed instances only."""
        group, managed = (bool(planned.get(name)) for name in _BLOCKS)
        if planned.get(_BLOCKS[0]) is UNKNOWN or planned.get(_BLOCKS[1]) is UNKNOWN:
            return []
        found = []
        if not group and not managed:
            found.append(f"exactly one of {_NAMES}")
        if group and managed:
            found.append(f"only one of {_NAMES}")
        if managed and not planned.get("cluster"):
            found.append("cluster is required when using managed_instances_provider")
        if group and planned.get("cluster"):
            found.append("cluster must not be set when using auto_scaling_group_provider")
        return found

    def create(self, session: Session, planned: Props, keep: Callable[[str], None]) -> tuple[str, Props]:
        """CreateCapacityProvider; it is not awaited."""
        try:
            created = session.call(
                "ecs",
                "CreateCapacityProvider",
                name=planned["name"],
                cluster=planned.get("cluster"),
                tags=tags.to_api("ecs", planned.get("tagsAll")),
                **{name: planned[name] for name in _BLOCKS if planned.get(name)},
            )
        except ApiError as error:
            raise PluginError(f"creating ECS Capacity Provider ({planned['name']}): {error.what}") from error
        provider_arn = str(created["capacityProvider"]["capacityProviderArn"])
        keep(provider_arn)
        return provider_arn, {}

    def import_id(self, _session: Session, given: str) -> tuple[str, Props]:
        """Take the ARN."""
        return given, {}

    def read(self, session: Session, resource_id: str, state: Props) -> tuple[str, Props] | None:
        """DescribeCapacityProviders; missing or INACTIVE is gone."""
        provider = _find(session, resource_id)
        if provider is None:
            return None
        found = {
            "name": provider["name"],
            "arn": provider["capacityProviderArn"],
            "autoScalingGroupProvider": provider.get("autoScalingGroupProvider"),
            "managedInstancesProvider": provider.get("managedInstancesProvider"),
            "cluster": provider.get("cluster"),
            "region": session.region,
            **tags.state_of(session.aws.configuration, "ecs", provider.get("tags") or []),
        }
        return provider["capacityProviderArn"], {**state, **found}

    def update(self, session: Session, update: Update) -> None:
        """UpdateCapacityProvider, then wait for UPDATE_COMPLETE; tags by their own operations."""
        if update.touches(*_BLOCKS):
            self._update_blocks(session, update)
        if update.touches("tagsAll"):
            old, new = update.state.get("tagsAll") or {}, update.planned.get("tagsAll") or {}
            tags.write_changes(session, "ecs", update.id, old, new)

    def _update_blocks(self, session: Session, update: Update) -> None:
        blocks = {name: dict(update.planned[name]) for name in _BLOCKS if update.planned.get(name)}
        blocks.get(_BLOCKS[0], {}).pop("autoScalingGroupArn", None)

        def change() -> Props:
            return session.call("ecs", "UpdateCapacityProvider", name=update.planned["name"], **blocks)

        def look() -> tuple[Props | None, str]:
            provider = _find(session, update.id)
            return provider, str((provider or {}).get("updateStatus", ""))

        try:
            session.waiter.retry(change, lambda error: error.code == "UpdateInProgressException", _UPDATE_SECONDS)
            session.waiter.until(Goal("UPDATE_COMPLETE", ("UPDATE_IN_PROGRESS",), _UPDATE_SECONDS), look)
        except PluginError as error:
            raise PluginError(f"updating ECS Capacity Provider ({update.id}): {error.what}") from error

    def delete(self, session: Session, resource_id: str, _state: Props) -> None:
        """DeleteCapacityProvider, then wait until it is gone."""
        try:
            session.call("ecs", "DeleteCapacityProvider", capacityProvider=resource_id)
        except ApiError as error:
            if "capacity provider does not exist" in error.message or "not found" in error.message:
                return
            raise PluginError(f"deleting ECS Capacity Provider ({resource_id}): {error.what}") from error

        def look() -> tuple[Props | None, str]:
            provider = _find(session, resource_id)
            return provider, str((provider or {}).get("status", ""))

        session.waiter.until(Goal("", ("ACTIVE", "DEPROVISIONING"), session.timeout or _DELETE_SECONDS), look)


def _find(session: Session, resource_id: str) -> Props | None:
    try:
        answered = session.call("ecs", "DescribeCapacityProviders", capacityProviders=[resource_id], include=["TAGS"])
    except ApiError as error:
        if error.code == "ClientException" and "does not exist" in error.message:
            return None
        raise
    provider: Props | None = next(iter(answered.get("capacityProviders") or []), None)
    return provider if provider is not None and provider.get("status") != "INACTIVE" else None
