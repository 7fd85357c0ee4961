"""Reads for many services with few calls, and leaves the answers where the single readers look first (facts F20)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from migrate.adapters.aws import application_autoscaling, cloudwatch, ec2, elbv2, parse_ecs
from migrate.adapters.aws.arns import is_arn, name_of, region_of
from migrate.adapters.aws.ecr import repositories
from migrate.adapters.aws.ecs import PER_PAGE, TASKS_PER_CALL, EcsServiceReader, batches
from migrate.adapters.aws.errors import DENIED, EXPIRED, INVALID_CREDENTIALS, THROTTLED, code_of, translated
from migrate.adapters.aws.iam import AwsPermissionReader
from migrate.adapters.aws.session import AwsSession
from migrate.adapters.aws.surroundings import DRAINS
from migrate.adapters.shared_reads import SharedReads
from migrate.core.cost.cost import SPOT
from migrate.core.facts import Service, Task
from migrate.core.image.names import ImageReference
from migrate.core.permission.answers import Question
from migrate.core.service_settings import watched_alarms
from migrate.core.settings import Settings
from migrate.core.surroundings import subnet_ids
from migrate.errors import AccessError, MigrateError, NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import ClusterTypeDef

_K = TypeVar("_K", bound=Hashable)

CLUSTERS_PER_CALL = 100
"""DescribeClusters reference."""

_OF_ALL = DENIED | EXPIRED | INVALID_CREDENTIALS | THROTTLED
"""Refusals that would meet every single read just the same."""

_DAEMON = "DAEMON"


class AwsBatchReader:
    """The port BatchReader over boto3; ``size`` is how many services the whole look is about.

    The session has to share what is read: without that every batch would be read in vain.
    """

    def __init__(self, session: AwsSession, permissions: AwsPermissionReader, *, size: int) -> None:
        self._session = session
        self._shared = session.shared if session.shared is not None else SharedReads()
        self._services = EcsServiceReader(session)
        self._permissions = permissions
        self._size = size

    def services(self, wanted: Sequence[Settings]) -> None:
        """Read services: what tells of their revisions, which take the longest to read."""
        by_cluster: dict[str, list[str]] = {}
        for settings in wanted:
            cluster, name = settings.service.cluster, settings.service.name
            if not any(is_arn(text) and region_of(text) != self._session.region.name for text in (cluster, name)):
                by_cluster.setdefault(cluster, []).append(name)
        for cluster, names in by_cluster.items():
            self._fill("ecs:DescribeServices", [(cluster, name) for name in names], partial(self._described, cluster))

    def around(self, wanted: Sequence[Settings]) -> None:
        """Read clusters, tasks, alarms, subnets and scaling of services that were read."""
        known = [(settings, service) for settings in wanted if (service := self._known(settings)) is not None]
        services = list({service.arn: service for _, service in known}.values())
        self._tasks(services, self._clusters(services))
        watched = [watched_alarms(service, settings.gate.alarms) for settings, service in known]
        self._fill("cloudwatch:DescribeAlarms", [tuple(names) for names in watched], self._alarms)
        self._fill("ec2:DescribeSubnets", [subnet_ids(service) for service in services], self._subnets)
        self._scaling([service for service in services if service.scheduling_strategy != _DAEMON])

    def service(self, wanted: Settings) -> None:
        """Read how long the service's target groups let connections drain, where its tasks are to run on Spot."""
        if not any(item.provider == SPOT for item in wanted.capacity):
            return
        try:
            groups = self._services.service(wanted.service.cluster, wanted.service.name).target_group_arns
            self._session.once(DRAINS, groups, lambda: elbv2.deregistration_delays(self._session, groups))
        except MigrateError:
            return

    def repositories(self, images: Sequence[ImageReference]) -> None:
        """Read the repositories of images."""
        by_name = {image.name: image for image in images}

        def read(names: Sequence[str]) -> Mapping[str, object]:
            return repositories(self._session, [by_name[name] for name in names])

        self._fill("ecr:DescribeRepositories", list(by_name), read)

    def permissions(self, principal: str, questions: Sequence[Question]) -> None:
        """Ask IAM what a user or role may do."""
        try:
            self._permissions.prepare(principal, questions)
        except MigrateError:
            return

    def _fill(self, kind: str, keys: Iterable[_K], read: Callable[[Sequence[_K]], Mapping[_K, object]]) -> None:
        """Put what ``read`` finds for the keys; where it is refused as any read would be, put the refusal."""
        wanted = list(dict.fromkeys(keys))
        if not wanted:
            return
        found: Mapping[_K, object]
        try:
            found = read(wanted)
        except MigrateError as error:
            found = dict.fromkeys(wanted, error) if _meets_all(error) else {}
        for key, value in found.items():
            self._shared.put(kind, key, value)

    def _described(self, cluster: str, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], object]:
        answers = self._services.described(cluster, [name for _, name in keys])
        by_name = {answer.name: answer for answer in answers if answer.status != "INACTIVE"}
        return {key: by_name[name_of(key[1])] for key in keys if name_of(key[1]) in by_name}

    def _known(self, settings: Settings) -> Service | None:
        try:
            return self._services.service(settings.service.cluster, settings.service.name)
        except MigrateError:
            return None

    def _clusters(self, services: Sequence[Service]) -> dict[str, ClusterTypeDef]:
        seen: dict[str, ClusterTypeDef] = {}

        def read(arns: Sequence[str]) -> Mapping[str, object]:
            for batch in batches(arns, CLUSTERS_PER_CALL):
                with translated("ecs", self._session.region.name):
                    answer = self._session.ecs().describe_clusters(clusters=batch)["clusters"]
                seen.update({item["clusterArn"]: item for item in answer if item.get("status") != "INACTIVE"})
            return {arn: parse_ecs.cluster(item) for arn, item in seen.items()}

        self._fill("ecs:DescribeClusters", [service.cluster_arn for service in services], read)
        return seen

    def _tasks(self, services: Sequence[Service], clusters: Mapping[str, ClusterTypeDef]) -> None:
        by_cluster: dict[str, list[Service]] = {}
        for service in services:
            by_cluster.setdefault(service.cluster_arn, []).append(service)
        for arn, members in by_cluster.items():
            cluster = clusters.get(arn, {})
            pages = ceil((cluster.get("runningTasksCount", 0) + cluster.get("pendingTasksCount", 0)) / PER_PAGE) or 1
            # One by one, each service takes two calls, and one where it has no task.
            if cluster and pages <= len(members):
                arns = [service.arn for service in members]
                self._fill("ecs:DescribeTasks", arns, partial(self._tasks_of, arn, tuple(members)))

    def _tasks_of(self, cluster: str, members: Sequence[Service], _arns: Sequence[str]) -> Mapping[str, object]:
        found = self._shared.once("ecs:ListTasks", cluster, lambda: self._read_tasks(cluster))
        # The scheduler names a task's group by its service (ECS API, Task: group).
        return {service.arn: found.get(f"service:{service.name}", ()) for service in members}

    def _read_tasks(self, cluster: str) -> Mapping[str, tuple[Task, ...]]:
        client, found = self._session.ecs(), dict[str, list[Task]]()
        with translated("ecs", self._session.region.name):
            pager = client.get_paginator("list_tasks")
            pages = pager.paginate(cluster=cluster, desiredStatus="RUNNING", PaginationConfig={"PageSize": PER_PAGE})
            arns = [arn for page in pages for arn in page["taskArns"]]
            for batch in batches(arns, TASKS_PER_CALL):
                for item in client.describe_tasks(cluster=cluster, tasks=batch)["tasks"]:
                    if item.get("lastStatus") != "STOPPED":
                        found.setdefault(item.get("group", ""), []).append(parse_ecs.task(item))
        return {group: tuple(sorted(tasks, key=lambda task: task.arn)) for group, tasks in found.items()}

    def _alarms(self, wanted: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], object]:
        names = list(dict.fromkeys(name for several in wanted for name in several))
        known = {alarm.name: alarm for alarm in cloudwatch.alarms(self._session, names)} if names else {}
        return {several: tuple(known[name] for name in dict.fromkeys(several) if name in known) for several in wanted}

    def _subnets(self, wanted: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], object]:
        ids = list(dict.fromkeys(name for several in wanted for name in several))
        known = {subnet.id: subnet for subnet in ec2.subnets(self._session, ids)} if ids else {}
        return {several: tuple(known[name] for name in dict.fromkeys(several) if name in known) for several in wanted}

    def _scaling(self, services: Sequence[Service]) -> None:
        targets: dict[str, object] = {}

        def read(resources: Sequence[str]) -> Mapping[str, object]:
            targets.update(application_autoscaling.scalable_targets(self._session, resources))
            return dict.fromkeys(resources) | targets

        kind = "application-autoscaling:DescribeScalableTargets"
        self._fill(kind, [application_autoscaling.resource_id(service) for service in services], read)
        self._policies(targets)

    def _policies(self, resources: Iterable[str]) -> None:
        for kind, read in (
            ("application-autoscaling:DescribeScheduledActions", application_autoscaling.all_scheduled_actions),
            ("application-autoscaling:DescribeScalingPolicies", application_autoscaling.all_scaling_policies),
        ):
            self._fill(kind, resources, partial(self._of_all, kind, read))

    def _of_all(
        self, kind: str, read: Callable[[AwsSession, int], Mapping[str, object] | None], resources: Sequence[str]
    ) -> Mapping[str, object]:
        # No more pages than there are services: beyond that it is cheaper to ask for each.
        known = self._shared.once(f"{kind} of all", "", partial(read, self._session, self._size))
        return {} if known is None else {resource: known.get(resource, ()) for resource in resources}


def _meets_all(error: MigrateError) -> bool:
    if not isinstance(error, AccessError):
        return isinstance(error, NotFoundError)
    cause = error.__cause__
    return not isinstance(cause, ClientError) or code_of(cause) in _OF_ALL
