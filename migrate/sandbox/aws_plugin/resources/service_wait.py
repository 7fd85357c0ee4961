"""How the provider waits for a service (reference/provider.md section 2, "Wait"; facts F5)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from migrate.sandbox.aws_plugin.errors import ApiError, PluginError
from migrate.sandbox.aws_plugin.waiting import MINUTE, Goal

if TYPE_CHECKING:
    from migrate.sandbox.aws_plugin.resource import Session
    from migrate.sandbox.aws_plugin.values import Props

_SECONDS = 20 * MINUTE
_FAILED = ("STOPPED", "ROLLBACK_FAILED", "ROLLBACK_SUCCESSFUL")
_MISSING = ("ClusterNotFoundException", "ServiceNotFoundException")


def find_service(session: Session, resource_id: str, cluster: str | None, *, tags: bool = False) -> Props | None:
    """Give the service, whatever its status; None when there is none."""
    include = ["TAGS"] if tags else None
    try:
        answered = session.call("ecs", "DescribeServices", cluster=cluster, services=[resource_id], include=include)
    except ApiError as error:
        if error.code in _MISSING:
            return None
        raise
    service: Props | None = next(iter(answered.get("services") or []), None)
    return service


def wait_active(session: Session, resource_id: str, cluster: str | None) -> None:
    """Wait until the service is ACTIVE; its tasks are not awaited."""

    def look() -> tuple[Props | None, str]:
        service = find_service(session, resource_id, cluster)
        return service, str((service or {}).get("status", ""))

    session.waiter.until(Goal("ACTIVE", ("INACTIVE", "DRAINING"), session.timeout or _SECONDS), look)


def wait_inactive(session: Session, resource_id: str, cluster: str | None) -> None:
    """Wait until the service is INACTIVE; one that is not there is an error after 21 looks."""

    def look() -> tuple[Props | None, str]:
        service = find_service(session, resource_id, cluster)
        return service, str((service or {}).get("status", ""))

    session.waiter.until(Goal("INACTIVE", ("ACTIVE", "DRAINING"), session.timeout or _SECONDS), look)


class _Stability:
    """Whether a service is stable: by its service deployment when the call began one, else by its counts."""

    def __init__(self, session: Session, resource_id: str, cluster: str | None, began: float) -> None:
        self._session = session
        self._id = resource_id
        self._cluster = cluster
        self._began = began
        self._primary: Props | None = None
        self._deployment_arn: str | None = None

    def look(self) -> tuple[Props | None, str]:
        """Give the service and its state: tfSTABLE or tfPENDING; raises :class:`PluginError` when it failed."""
        service = find_service(self._session, self._id, self._cluster)
        if service is None or service["status"] != "ACTIVE":
            return service, str((service or {}).get("status", ""))
        if self._primary is None:
            self._primary = next((item for item in service["deployments"] if item["status"] == "PRIMARY"), None)
        controller = (service.get("deploymentController") or {}).get("type", "ECS")
        if self._primary is not None and controller == "ECS" and _seconds(self._primary["createdAt"]) > self._began:
            return service, self._by_deployment(service, self._primary)
        stable = len(service["deployments"]) == 1 and service["desiredCount"] == service["runningCount"]
        return service, "tfSTABLE" if stable else "tfPENDING"

    def _by_deployment(self, service: Props, primary: Props) -> str:
        if self._deployment_arn is None:
            listed = self._session.call(
                "ecs",
                "ListServiceDeployments",
                service=self._id,
                cluster=service["clusterArn"],
                createdAt={"after": self._began},
            )
            number = primary["id"].partition("/")[2]
            for item in listed.get("serviceDeployments") or []:
                if number in item.get("targetServiceRevisionArn", ""):
                    self._deployment_arn = item["serviceDeploymentArn"]
        if self._deployment_arn is None:
            return "tfPENDING"
        answered = self._session.call("ecs", "DescribeServiceDeployments", serviceDeploymentArns=[self._deployment_arn])
        described: Props = next(iter(answered.get("serviceDeployments") or []), {})
        if described.get("status") in _FAILED:
            raise PluginError(described.get("statusReason") or "Deployment failed")
        return "tfSTABLE" if described.get("status") == "SUCCESSFUL" else "tfPENDING"


def wait_stable(session: Session, resource_id: str, cluster: str | None, began: float) -> None:
    """Wait until the service is stable; ``began`` is the clock before the call, in seconds since the epoch."""
    pending = ("INACTIVE", "DRAINING", "tfPENDING")
    stability = _Stability(session, resource_id, cluster, began)
    session.waiter.until(Goal("tfSTABLE", pending, session.timeout or _SECONDS), stability.look)


def _seconds(moment: object) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else float(str(moment))
