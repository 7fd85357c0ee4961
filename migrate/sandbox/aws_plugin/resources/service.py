"""``aws:ecs/service:Service`` (reference/provider.md section 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.sandbox.aws_plugin import tags
from migrate.sandbox.aws_plugin.difference import compare
from migrate.sandbox.aws_plugin.errors import ApiError, PluginError
from migrate.sandbox.aws_plugin.resources.service_requests import create_request, update_request
from migrate.sandbox.aws_plugin.resources.service_state import flattened
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
        request = create_request(planned)
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
                found = {**flattened(service, state), "region": session.region}
                found |= tags.state_of(session.aws.configuration, "ecs", service.get("tags") or [])
                return str(service["serviceArn"]), {**state, **found}
            if session.waiter.clock() >= deadline:
                return None
            session.waiter.sleep(pause)
            pause = min(pause * 2, 10.0)

    def update(self, session: Session, update: Update) -> None:
        """UpdateService with what changed, then wait; tags by their own operations."""
        if update.changed - _NO_CALL:
            request = update_request(update)
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
