"""An IAM policy from permissions: statements as narrow as what is known of the service allows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from migrate.core.permission.needed import OF_AN_OWNER, OF_METRICS, ON_MACHINES, PUSHING, Condition, Permission, Target
from migrate.core.settings import ArchitectureMode, ImageMode, Settings
from migrate.core.twin import twin_name

LARGEST_POLICY = 6144
"""Characters of a customer managed policy, white space not counted (IAM user guide, "IAM and STS quotas")."""

ANY = "*"
_SIDS = {
    Target.ANYTHING: "Everywhere",
    Target.CLUSTER: "Cluster",
    Target.SERVICE: "Service",
    Target.TWIN: "Twin",
    Target.SERVICE_DEPLOYMENTS: "Deployments",
    Target.TASKS: "Tasks",
    Target.TASK_DEFINITION: "TaskDefinition",
    Target.CAPACITY_PROVIDERS: "CapacityProviders",
    Target.CONTAINER_INSTANCES: "Instances",
    Target.IMAGES: "Images",
    Target.REPOSITORY: "Repository",
    Target.TASK_ROLES: "TaskRoles",
    Target.CALLER: "Caller",
    Target.CALLER_ROLE: "CallerRole",
    Target.TOPICS: "Topics",
    Target.EVENT_BUSES: "EventBuses",
}
_CONDITION_SIDS = {
    Condition.NONE: "",
    Condition.IN_CLUSTER: "InCluster",
    Condition.PASSED_TO_TASKS: "PassedToTasks",
    Condition.WITH_A_NEW_REVISION: "WithANewRevision",
    Condition.WITH_THE_TWIN: "WithTheTwin",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known of the place that a policy is for; an asterisk stands for what is not.

    ``cluster``, ``service``, ``family`` are names, ``service_arn`` wins over the name where it is known (services of
    old have short ARNs), ``repository`` and ``images`` are ARNs of the repository that is written to and of those that
    are read, ``roles`` and ``caller`` are ARNs of IAM. ``topics`` are ARNs, ``event_buses`` names or
    ARNs of what is to be told.
    """

    region: str = ANY
    account: str = ANY
    cluster: str = ANY
    service: str = ANY
    service_arn: str = ""
    family: str = ANY
    repository: str = ""
    images: tuple[str, ...] = ()
    roles: tuple[str, ...] | None = None
    caller: str = ""
    topics: tuple[str, ...] = ()
    event_buses: tuple[str, ...] = ()
    twin: str = ""
    """Name of the twin, in the modes that have one: what may be done to the service may be done to it."""

    @property
    def partition(self) -> str:
        """The partition that the region lies in (general reference, "Amazon Resource Names")."""
        if self.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.region.startswith("us-gov-") else "aws"

    @property
    def cluster_arn(self) -> str:
        """The cluster's ARN."""
        return self._ecs(f"cluster/{self.cluster}")

    def resources(self, target: Target) -> tuple[str, ...]:
        """Return the ARNs of a target, empty where there is none: a task without roles passes none."""
        if target is Target.ANYTHING:
            return (ANY,)
        if target in (Target.TASK_ROLES, Target.TOPICS, Target.EVENT_BUSES):
            return self._listed(target)
        if target is Target.CALLER:
            return (self.caller,) if self.caller else (self._iam("role/*"), self._iam("user/*"))
        if target is Target.CALLER_ROLE:
            return () if ":user/" in self.caller else (self.caller or self._iam("role/*"),)
        if target is Target.IMAGES:
            return self.images or (self._repositories(),)
        # What may be done to the service may be done to its twin, and to the twin a little more.
        twin = (self._ecs(f"service/{self.cluster}/{self.twin}"),) if self.twin else ()
        one = () if target is Target.TWIN else (self._one(target),)
        return (*one, *twin) if target in (Target.SERVICE, Target.TWIN) else one

    def _one(self, target: Target) -> str:
        return {
            Target.CLUSTER: self.cluster_arn,
            Target.SERVICE: self.service_arn or self._ecs(f"service/{self.cluster}/{self.service}"),
            Target.SERVICE_DEPLOYMENTS: self._ecs(f"service-deployment/{self.cluster}/{self.service}/*"),
            Target.TASKS: self._ecs(f"task/{self.cluster}/*"),
            Target.TASK_DEFINITION: self._ecs(f"task-definition/{self.family}:*"),
            Target.CAPACITY_PROVIDERS: self._ecs("capacity-provider/*"),
            Target.CONTAINER_INSTANCES: self._ecs(f"container-instance/{self.cluster}/*"),
            Target.REPOSITORY: self.repository or self._repositories(),
        }[target]

    def _listed(self, target: Target) -> tuple[str, ...]:
        if target is Target.TASK_ROLES:
            return (self._iam("role/*"),) if self.roles is None else self.roles
        if target is Target.TOPICS:
            return self.topics
        buses = self.event_buses
        return tuple(bus if bus.startswith("arn:") else self._arn("events", f"event-bus/{bus}") for bus in buses)

    def _repositories(self) -> str:
        # Images may come from another region and account than the service's own.
        return f"arn:{self.partition}:ecr:*:*:repository/*"

    def _ecs(self, resource: str) -> str:
        return self._arn("ecs", resource)

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def _iam(self, resource: str) -> str:
        return f"arn:{self.partition}:iam::{self.account}:{resource}"


def settings_scope(settings: Settings, region: str | None) -> Scope:
    """Return what the settings alone tell; an ARN in them tells region and account as well."""
    cluster, service = settings.service.cluster, settings.service.name
    known = next((text for text in (service, cluster) if text.startswith("arn:")), "")
    parts = known.split(":", 5) if known.count(":") >= 5 else ["", "", "", "", "", ""]  # noqa: PLR2004 - an ARN's parts
    return Scope(
        region=region or parts[3] or ANY,
        account=parts[4] or ANY,
        cluster=cluster.rpartition("/")[2],
        service=service.rpartition("/")[2],
        service_arn=service if service.startswith("arn:") else "",
        topics=settings.notifications.topics,
        event_buses=settings.notifications.event_buses,
        twin=twin_of(settings, service.rpartition("/")[2]),
    )


def twin_of(settings: Settings, service: str) -> str:
    """Return the name of the twin that these settings give a service; empty where they give it none."""
    return "" if settings.architecture is ArchitectureMode.ROLLING else twin_name(service)


def without_use(settings: Settings) -> frozenset[str]:
    """Return the actions that these settings have no use for."""
    found = frozenset[str]()
    if settings.image.mode is ImageMode.EXTERNAL:
        found |= PUSHING
    if settings.service.is_external:
        found |= OF_AN_OWNER
    if all(item.provider in ("FARGATE", "FARGATE_SPOT") for item in settings.capacity):
        found |= ON_MACHINES
    twin = settings.architecture is not ArchitectureMode.ROLLING
    if not twin and not any(check.kind == "metric" for check in settings.gate.checks):
        found |= OF_METRICS
    return found


def context(condition: Condition, scope: Scope) -> Mapping[str, str]:
    """Return the condition keys and values that a call which meets the condition brings along."""
    return {
        Condition.NONE: {},
        Condition.IN_CLUSTER: {"ecs:cluster": scope.cluster_arn},
        Condition.PASSED_TO_TASKS: {"iam:PassedToService": "ecs-tasks.amazonaws.com"},
        Condition.WITH_A_NEW_REVISION: {"ecs:CreateAction": "RegisterTaskDefinition"},
        Condition.WITH_THE_TWIN: {"ecs:CreateAction": "CreateService"},
    }[condition]


def policy(permissions: Iterable[Permission], scope: Scope) -> dict[str, Any]:
    """Return the policy document that allows the permissions, its statements in a stable order."""
    groups: dict[tuple[Target, Condition, bool], set[str]] = {}
    for permission in sorted(permissions):
        if scope.resources(permission.target):
            key = (permission.target, permission.condition, permission.reads)
            groups.setdefault(key, set()).add(permission.action)
    order = list(Target)
    keys = sorted(groups, key=lambda key: (not key[2], order.index(key[0]), key[1]))
    return {"Version": "2012-10-17", "Statement": [_statement(key, groups[key], scope) for key in keys]}


def _statement(key: tuple[Target, Condition, bool], actions: set[str], scope: Scope) -> dict[str, Any]:
    target, condition, reads = key
    resources = scope.resources(target)
    made: dict[str, Any] = {
        "Sid": f"{'Read' if reads else 'Change'}{_SIDS[target]}{_CONDITION_SIDS[condition]}",
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": resources[0] if len(resources) == 1 else list(resources),
    }
    found = context(condition, scope)
    if found:
        operator = "ArnLike" if condition is Condition.IN_CLUSTER else "StringEquals"
        made["Condition"] = {operator: dict(found)}
    return made


def size(document: Mapping[str, Any]) -> int:
    """Return the size of a policy as IAM counts it."""
    return len(json.dumps(document, separators=(",", ":")))
