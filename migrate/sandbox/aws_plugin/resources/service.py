"""``aws:ecs/service:Service`` (reference/provider.md section 2)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from migrate.sandbox.aws_plugin import tags
from migrate.sandbox.aws_plugin.difference import compare
from migrate.sandbox.aws_plugin.errors import ApiError, PluginError
from migrate.sandbox.aws_plugin.resources import service_shapes as shapes
from migrate.sandbox.aws_plugin.resources.service_table import DAEMON, TABLE
from migrate.sandbox.aws_plugin.resources.service_wait import (
    find_service,
    wait_active,
    wait_inactive,
    wait_stable,
)
from migrate.sandbox.aws_plugin.values import UNKNOWN
from migrate.sandbox.aws_plugin.waiting import MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.sandbox.aws_plugin.difference import Change
    from migrate.sandbox.aws_plugin.resource import Session, Update
    from migrate.sandbox.aws_plugin.values import Props

_MUST_FORCE = "force_new_deployment should be true when capacity_provider_strategy is being updated"
_WRONG_ID = "wrong format of resource: {}, expecting 'cluster-name/service-name'"
_RETRY_SECONDS, _READ_SECONDS, _DELETE_SECONDS = 4 * MINUTE, 2 * MINUTE, 20 * MINUTE
_PASSING = (
    "verify that the ECS service role being passed has the proper permissions",
    "does not have an associated load balancer",
    "Unable to assume the service linked role",
)
_NO_CALL = frozenset({"forceDelete", "tags", "tagsAll"})
_STATE_ONLY = ("forceNewDeployment", "forceDelete", "waitForSteadyState", "sigintRollback", "triggers")


class Service:
    """An ECS service."""

    table = TABLE

    def problems(self, state: Props | None, planned: Props) -> list[str]:
        """Refuse a changed strategy without forceNewDeployment (facts F1)."""
        if state is None or planned.get("forceNewDeployment") in (True, UNKNOWN):
            return []
        changes = compare(TABLE, state, planned)
        return [_MUST_FORCE] if any(item.top == "capacityProviderStrategies" for item in changes) else []

    def drop_quiet(self, changes: list[Change], planned: Props) -> list[Change]:
        """Drop the differences of triggers that cannot act: without forceNewDeployment (facts F4), or all removed."""
        if planned.get("forceNewDeployment") in (True, UNKNOWN) and planned.get("triggers"):
            return changes
        return [item for item in changes if item.top != "triggers"]

    def create(self, session: Session, planned: Props, keep: Callable[[str], None]) -> tuple[str, Props]:
        """CreateService, then wait as waitForSteadyState says."""
        name, cluster = planned["name"], planned.get("cluster")
        request = _create_request(planned)
        began = session.waiter.clock()

        def create() -> Props:
            return session.call("ecs", "CreateService", **request)

        try:
            created = session.waiter.retry(create, _create_may_pass, _RETRY_SECONDS)
        except ApiError as error:
            raise PluginError(f"creating ECS Service ({name}): {error.what}") from error
        arn = str(created["service"]["serviceArn"])
        keep(arn)
        _wait(session, arn, cluster, planned, began, "create")
        return arn, {}

    def import_id(self, session: Session, given: str) -> tuple[str, Props]:
        """Take ``cluster-name/service-name``; both ARNs are built from account and region."""
        if given.count("/") != 1 or not all(given.split("/")):
            raise PluginError(_WRONG_ID.format(given))
        cluster = given.partition("/")[0]
        arn = session.aws.arn("ecs", session.region, f"service/{given}")
        return arn, {"cluster": session.aws.arn("ecs", session.region, f"cluster/{cluster}")}

    def read(self, session: Session, resource_id: str, state: Props) -> tuple[str, Props] | None:
        """DescribeServices; one that is missing or not ACTIVE for two minutes is gone."""
        deadline = session.waiter.clock() + min(_READ_SECONDS, session.timeout or _READ_SECONDS)
        pause = 0.2
        while True:
            service = find_service(session, resource_id, state.get("cluster"), tags=True)
            if service is not None and service["status"] == "ACTIVE":
                found = {**_flattened(service, state), "region": session.region}
                found |= tags.state_of(session.aws.configuration, "ecs", service.get("tags") or [])
                return str(service["serviceArn"]), {**state, **found}
            if session.waiter.clock() >= deadline:
                return None
            session.waiter.sleep(pause)
            pause = min(pause * 2, 10.0)

    def update(self, session: Session, update: Update) -> None:
        """UpdateService with what changed, then wait; tags by their own operations."""
        if update.changed - _NO_CALL:
            request = _update_request(update)
            began = session.waiter.clock()

            def change() -> Props:
                return session.call("ecs", "UpdateService", **request)

            try:
                session.waiter.retry(change, _may_pass, _RETRY_SECONDS)
            except ApiError as error:
                raise PluginError(f"updating ECS Service ({update.id}): {error.what}") from error
            _wait(session, update.id, update.state.get("cluster"), update.planned, began, "update")
        if update.touches("tagsAll"):
            old, new = update.state.get("tagsAll") or {}, update.planned.get("tagsAll") or {}
            tags.write_changes(session, "ecs", update.id, old, new)

    def delete(self, session: Session, resource_id: str, state: Props) -> None:
        """Drain, DeleteService with the state's forceDelete, and wait until it is INACTIVE."""
        cluster, force = state.get("cluster"), bool(state.get("forceDelete"))
        service = find_service(session, resource_id, cluster)
        if service is None or service["status"] == "INACTIVE":
            return
        if service["status"] != "DRAINING" and service.get("schedulingStrategy") != DAEMON and not force:
            try:
                session.call("ecs", "UpdateService", cluster=cluster, service=resource_id, desiredCount=0)
            except ApiError as error:
                raise PluginError(f"draining ECS Service ({resource_id}): {error.what}") from error

        def delete() -> Props:
            return session.call("ecs", "DeleteService", cluster=cluster, service=resource_id, force=force)

        try:
            session.waiter.retry(delete, _delete_may_pass, session.timeout or _DELETE_SECONDS)
        except ApiError as error:
            raise PluginError(f"deleting ECS Service ({resource_id}): {error.what}") from error
        try:
            wait_inactive(session, resource_id, cluster)
        except PluginError as error:
            raise PluginError(f"waiting for ECS Service ({resource_id}) delete: {error.what}") from error


def _may_pass(error: ApiError) -> bool:
    return error.code == "InvalidParameterException" and any(text in error.message for text in _PASSING[:2])


def _create_may_pass(error: ApiError) -> bool:
    if error.code == "ClusterNotFoundException":
        return True
    return error.code == "InvalidParameterException" and any(text in error.message for text in _PASSING)


def _delete_may_pass(error: ApiError) -> bool:
    if error.code == "DependencyViolation":
        return "has a dependent object" in error.message
    return "The service cannot be stopped while deployments are active." in error.message


def _wait(session: Session, arn: str, cluster: str | None, planned: Props, began: float, what: str) -> None:
    try:
        if planned.get("waitForSteadyState"):
            wait_stable(session, arn, cluster, began)
        else:
            wait_active(session, arn, cluster)
    except PluginError as error:
        raise PluginError(f"waiting for ECS Service ({arn}) {what}: {error.what}") from error


def _create_request(planned: Props) -> dict[str, Any]:
    given = {name: value for name, value in planned.items() if value not in (None, "", [], {})}
    daemon = given.get("schedulingStrategy") == DAEMON
    controller = given.get("deploymentController")
    deployment = shapes.strategy_fields(given.get("deploymentConfiguration"))
    if not daemon:
        deployment["maximumPercent"] = given["deploymentMaximumPercent"]
    if not daemon or given["deploymentMinimumHealthyPercent"] != 100:  # noqa: PLR2004 - the API's default
        deployment["minimumHealthyPercent"] = given.get("deploymentMinimumHealthyPercent", 0)
    if given.get("deploymentCircuitBreaker"):
        deployment["deploymentCircuitBreaker"] = given["deploymentCircuitBreaker"]
    if given.get("alarms"):
        deployment["alarms"] = given["alarms"]
    external = (controller or {}).get("type") == "EXTERNAL"
    return {
        "serviceName": given["name"],
        "cluster": given.get("cluster"),
        "taskDefinition": given.get("taskDefinition"),
        "clientToken": str(uuid.uuid4()),
        "desiredCount": None if daemon else given.get("desiredCount", 0),
        "launchType": None if external else given.get("launchType"),
        "capacityProviderStrategy": shapes.strategy_to_api(given.get("capacityProviderStrategies")) or None,
        "schedulingStrategy": given.get("schedulingStrategy"),
        "platformVersion": given.get("platformVersion"),
        "deploymentConfiguration": deployment,
        "deploymentController": controller,
        "availabilityZoneRebalancing": given.get("availabilityZoneRebalancing"),
        "enableECSManagedTags": bool(given.get("enableEcsManagedTags")),
        "enableExecuteCommand": bool(given.get("enableExecuteCommand")),
        "healthCheckGracePeriodSeconds": given.get("healthCheckGracePeriodSeconds") or None,
        "role": given.get("iamRole"),
        "loadBalancers": shapes.balancers_to_api(given.get("loadBalancers")) or None,
        "networkConfiguration": shapes.network_to_api(given.get("networkConfiguration")),
        "placementStrategy": shapes.placement_to_api(given.get("orderedPlacementStrategies")) or None,
        "placementConstraints": shapes.constraints_to_api(given.get("placementConstraints")) or None,
        "propagateTags": given.get("propagateTags"),
        "serviceConnectConfiguration": shapes.connect_to_api(given["serviceConnectConfiguration"])
        if "serviceConnectConfiguration" in given
        else None,
        "serviceRegistries": [given["serviceRegistries"]] if "serviceRegistries" in given else None,
        "volumeConfigurations": shapes.volume_to_api(given.get("volumeConfiguration")),
        "vpcLatticeConfigurations": given.get("vpcLatticeConfigurations") or [],
        "tags": tags.to_api("ecs", given.get("tagsAll")),
    }


def _update_request(update: Update) -> dict[str, Any]:
    planned = update.planned
    shaped: dict[str, Callable[[], tuple[str, Any]]] = {
        "availabilityZoneRebalancing": lambda: (
            "availabilityZoneRebalancing",
            planned.get("availabilityZoneRebalancing") or None,
        ),
        "deploymentController": lambda: ("deploymentController", planned.get("deploymentController") or {}),
        "capacityProviderStrategies": lambda: (
            "capacityProviderStrategy",
            shapes.strategy_to_api(planned.get("capacityProviderStrategies")),
        ),
        "enableEcsManagedTags": lambda: ("enableECSManagedTags", bool(planned.get("enableEcsManagedTags"))),
        "enableExecuteCommand": lambda: ("enableExecuteCommand", bool(planned.get("enableExecuteCommand"))),
        "healthCheckGracePeriodSeconds": lambda: (
            "healthCheckGracePeriodSeconds",
            planned.get("healthCheckGracePeriodSeconds") or 0,
        ),
        "platformVersion": lambda: ("platformVersion", planned.get("platformVersion")),
        "propagateTags": lambda: ("propagateTags", planned.get("propagateTags")),
        "taskDefinition": lambda: ("taskDefinition", planned.get("taskDefinition")),
        "loadBalancers": lambda: ("loadBalancers", shapes.balancers_to_api(planned.get("loadBalancers"))),
        "networkConfiguration": lambda: (
            "networkConfiguration",
            shapes.network_to_api(planned.get("networkConfiguration")),
        ),
        "orderedPlacementStrategies": lambda: (
            "placementStrategy",
            shapes.placement_to_api(planned.get("orderedPlacementStrategies")),
        ),
        "placementConstraints": lambda: (
            "placementConstraints",
            shapes.constraints_to_api(planned.get("placementConstraints")),
        ),
        "serviceConnectConfiguration": lambda: (
            "serviceConnectConfiguration",
            shapes.connect_to_api(planned.get("serviceConnectConfiguration")),
        ),
        "serviceRegistries": lambda: (
            "serviceRegistries",
            [planned["serviceRegistries"]] if planned.get("serviceRegistries") else [],
        ),
        "volumeConfiguration": lambda: (
            "volumeConfigurations",
            shapes.volume_to_api(planned.get("volumeConfiguration")),
        ),
        "vpcLatticeConfigurations": lambda: (
            "vpcLatticeConfigurations",
            planned.get("vpcLatticeConfigurations") or [],
        ),
    }
    request = dict(make() for name, make in shaped.items() if name in update.changed)
    if "desiredCount" in update.changed and planned.get("schedulingStrategy") != DAEMON:
        request["desiredCount"] = planned.get("desiredCount") or 0
    deployment = _deployment_changes(update)
    return {
        **request,
        **({"deploymentConfiguration": deployment} if deployment else {}),
        "cluster": update.state.get("cluster"),
        "service": update.id,
        "forceNewDeployment": bool(planned.get("forceNewDeployment")),
    }


def _deployment_changes(update: Update) -> Props:
    """Give the changed members of deploymentConfiguration."""
    planned, shaped = update.planned, {}
    if update.touches("alarms") and planned.get("alarms"):
        shaped["alarms"] = planned["alarms"]
    if update.touches("deploymentConfiguration"):
        shaped.update(shapes.strategy_fields(planned.get("deploymentConfiguration")))
    if update.touches("deploymentCircuitBreaker"):
        # An existing circuit breaker is removed with an empty object.
        off = {"enable": False, "rollback": False}
        shaped["deploymentCircuitBreaker"] = planned.get("deploymentCircuitBreaker") or off
    if planned.get("schedulingStrategy") == DAEMON:
        if update.touches("deploymentMinimumHealthyPercent"):
            shaped["minimumHealthyPercent"] = planned.get("deploymentMinimumHealthyPercent")
    elif update.touches("deploymentMaximumPercent", "deploymentMinimumHealthyPercent"):
        shaped["maximumPercent"] = planned.get("deploymentMaximumPercent")
        shaped["minimumHealthyPercent"] = planned.get("deploymentMinimumHealthyPercent")
    return shaped


def _same_format(kept: Any, arn: str, short: str) -> str:
    """Give an ARN or the short form, as the state has it."""
    return arn if str(kept or "").startswith("arn:") else short


def _flattened(service: Props, state: Props) -> Props:
    deployment = service.get("deploymentConfiguration") or {}
    primary: Props = next((item for item in service.get("deployments") or [] if item["status"] == "PRIMARY"), {})
    cluster, definition, role = service["clusterArn"], service.get("taskDefinition"), service.get("roleArn")
    alarms = deployment.get("alarms")
    registries = next(iter(service.get("serviceRegistries") or []), None)
    found: Props = {
        "name": service["serviceName"],
        "arn": service["serviceArn"],
        "cluster": _same_format(state.get("cluster"), cluster, cluster.rpartition("/")[2]),
        "desiredCount": service.get("desiredCount"),
        "launchType": service.get("launchType", ""),
        "capacityProviderStrategies": shapes.strategy_to_api(service.get("capacityProviderStrategy")),
        "schedulingStrategy": service.get("schedulingStrategy"),
        "platformVersion": service.get("platformVersion", ""),
        "deploymentMaximumPercent": deployment.get("maximumPercent"),
        "deploymentMinimumHealthyPercent": deployment.get("minimumHealthyPercent"),
        "deploymentCircuitBreaker": deployment.get("deploymentCircuitBreaker"),
        "alarms": alarms if alarms and alarms.get("alarmNames") else None,
        "deploymentConfiguration": shapes.read_deployment(deployment),
        "deploymentController": {"type": (service.get("deploymentController") or {}).get("type", "ECS")},
        "availabilityZoneRebalancing": service.get("availabilityZoneRebalancing", "DISABLED"),
        "enableEcsManagedTags": bool(service.get("enableECSManagedTags")),
        "enableExecuteCommand": bool(service.get("enableExecuteCommand")),
        "healthCheckGracePeriodSeconds": service.get("healthCheckGracePeriodSeconds", 0),
        "networkConfiguration": shapes.read_network(service.get("networkConfiguration")),
        "orderedPlacementStrategies": shapes.read_placement(service.get("placementStrategy")),
        "placementConstraints": service.get("placementConstraints") or [],
        "propagateTags": service.get("propagateTags", "NONE"),
        "serviceConnectConfiguration": shapes.read_connect(primary.get("serviceConnectConfiguration")),
        "serviceRegistries": registries,
        "vpcLatticeConfigurations": primary.get("vpcLatticeConfigurations") or [],
        "iamRole": _same_format(state.get("iamRole"), role, role.rpartition("/")[2]) if role else "",
        "triggers": state.get("triggers") or {},
    }
    if definition:
        found["taskDefinition"] = _same_format(state.get("taskDefinition"), definition, definition.rpartition("/")[2])
    if service.get("loadBalancers") is not None:
        found["loadBalancers"] = shapes.read_balancers(service["loadBalancers"])
    return found
