"""Reads ECS."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal, TypeVar

from botocore.exceptions import ClientError

from migrate.adapters.aws import parse_ecs
from migrate.adapters.aws.arns import check_region, name_of
from migrate.adapters.aws.errors import code_of, is_unknown_operation, translated
from migrate.adapters.aws.session import AwsSession
from migrate.adapters.aws.sts import caller
from migrate.core.facts import Account, Cluster, Service, ServiceDeployment, Task, TaskDefinition
from migrate.errors import AccessError, NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import ServiceTypeDef

# Facts F20.
SERVICES_PER_CALL = 10
TASKS_PER_CALL = 100
PER_PAGE = 100

T = TypeVar("T")


def batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    """Cut a sequence into lists of at most ``size``."""
    for start in range(0, len(items), size):
        yield list(items[start : start + size])


class EcsServiceReader:
    """The port ServiceReader over boto3."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session
        self._account: Account | None = None

    def account(self) -> Account:
        """Return who asks, and where; asked once, since credentials do not change hands within a run."""
        if self._account is None:
            self._account = self._session.once("sts:GetCallerIdentity", "", lambda: caller(self._session))
        return self._account

    def clusters(self) -> tuple[str, ...]:
        """Return the names of the clusters of the region, sorted."""
        with self._translated():
            pages = self._session.ecs().get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": PER_PAGE})
            return tuple(sorted(name_of(arn) for page in pages for arn in page["clusterArns"]))

    def services(self, cluster: str) -> tuple[str, ...]:
        """Return the names of the services of a cluster (name or ARN), sorted."""
        return tuple(sorted(name_of(arn) for arn in self.service_arns(cluster)))

    def service_arns(self, cluster: str) -> tuple[str, ...]:
        """Return the ARNs of the services of a cluster (name or ARN), sorted; NotFoundError without such a cluster."""
        check_region(cluster, self._session.region.name)
        with self._translated():
            pager = self._session.ecs().get_paginator("list_services")
            pages = pager.paginate(cluster=cluster, PaginationConfig={"PageSize": PER_PAGE})
            try:
                return tuple(sorted(arn for page in pages for arn in page["serviceArns"]))
            except ClientError as error:
                if code_of(error) == "ClusterNotFoundException":
                    raise self._no_cluster(cluster) from error
                raise

    def service(self, cluster: str, name: str) -> Service:
        """Return one service by name or ARN, long or short; NotFoundError when it is missing or INACTIVE."""
        return self._session.once("ecs:DescribeServices", (cluster, name), lambda: self._service(cluster, name))

    def _service(self, cluster: str, name: str) -> Service:
        found = self.described(cluster, (name,))
        if not found or found[0].status == "INACTIVE":
            raise self._no_service(cluster, name, deleted=bool(found))
        return found[0]

    def described(self, cluster: str, names: Sequence[str]) -> tuple[Service, ...]:
        """Return many services of a cluster, ten a call; names without a service are left out."""
        for text in (cluster, *names):
            check_region(text, self._session.region.name)
        answers = (item for batch in batches(names, SERVICES_PER_CALL) for item in self._described(cluster, batch))
        return tuple(parse_ecs.service(item) for item in answers)

    def _described(self, cluster: str, names: list[str]) -> list[ServiceTypeDef]:
        client = self._session.ecs()
        with self._translated():
            try:
                return client.describe_services(cluster=cluster, services=names, include=["TAGS"])["services"]
            except ClientError as error:
                if code_of(error) == "ClusterNotFoundException":
                    raise self._no_cluster(cluster) from error
                # Services from before 2018 have short ARNs, which have no tags (case C62).
                if code_of(error) != "InvalidParameterException" or "arn format" not in str(error).lower():
                    raise
            return client.describe_services(cluster=cluster, services=names)["services"]

    def _no_service(self, cluster: str, name: str, *, deleted: bool) -> NotFoundError:
        try:
            names = self.services(cluster)
        except (AccessError, NotFoundError):
            names = ()
        near = difflib.get_close_matches(name_of(name), names, n=3) or names[:5]
        state = "was deleted (its status is INACTIVE)" if deleted else "does not exist"
        return NotFoundError(
            f"The service {name_of(name)} {state} in the cluster {name_of(cluster)} of {self._session.region.name}.",
            why=f"The cluster holds {', '.join(near)}." if near else "The cluster shows no service.",
            then="Correct `service.name`, `service.cluster` or `region` in migrate.toml.",
        )

    def task_definition(self, arn: str) -> TaskDefinition:
        """Return a revision with its tags, ACTIVE or not; NotFoundError when there is none."""
        return self._session.once("ecs:DescribeTaskDefinition", arn, lambda: self._task_definition(arn))

    def _task_definition(self, arn: str) -> TaskDefinition:
        check_region(arn, self._session.region.name)
        with self._translated():
            try:
                answer = self._session.ecs().describe_task_definition(taskDefinition=arn, include=["TAGS"])
            except ClientError as error:
                # ECS answers ClientException "Unable to describe task definition." for one that does not exist.
                if code_of(error) not in {"ClientException", "InvalidParameterException"}:
                    raise
                raise NotFoundError(
                    f"The task definition {name_of(arn)} does not exist in {self._session.region.name}.",
                    why=f"{error}",
                    then="It was deleted, or belongs to another account or region: compare it with the service.",
                ) from error
        return parse_ecs.task_definition(answer)

    def cluster(self, name: str) -> Cluster:
        """Return a cluster by name or ARN; NotFoundError when it is missing or INACTIVE."""
        return self._session.once("ecs:DescribeClusters", name, lambda: self._cluster(name))

    def _cluster(self, name: str) -> Cluster:
        check_region(name, self._session.region.name)
        with self._translated():
            found = self._session.ecs().describe_clusters(clusters=[name])["clusters"]
        active = [item for item in found if item.get("status", "ACTIVE") != "INACTIVE"]
        if not active:
            raise self._no_cluster(name)
        return parse_ecs.cluster(active[0])

    def _no_cluster(self, name: str) -> NotFoundError:
        return NotFoundError(
            f"The cluster {name_of(name)} does not exist in {self._session.region.name}.",
            why=self._clusters_there(),
            then="Correct `service.cluster` or `region` in migrate.toml.",
        )

    def _clusters_there(self) -> str:
        try:
            names = self.clusters()
        except AccessError:
            return ""
        return f"ECS shows the clusters {', '.join(names)}." if names else "ECS shows no cluster at all."

    def tasks(self, service: Service) -> tuple[Task, ...]:
        """Return the tasks that ECS wants running, pending ones included, sorted by ARN.

        A task that drains on its way out is among the stopped ones: it is no longer the service's answer.
        """
        return self._session.once(
            "ecs:DescribeTasks",
            service.arn,
            lambda: tuple(task for task in self._tasks(service, "RUNNING") if task.last_status != "STOPPED"),
        )

    def stopped_tasks(self, service: Service) -> tuple[Task, ...]:
        """Return the tasks stopped or being stopped that ECS still remembers (about an hour), sorted by ARN."""
        return self._tasks(service, "STOPPED")

    def _tasks(self, service: Service, desired: Literal["RUNNING", "STOPPED"]) -> tuple[Task, ...]:
        client = self._session.ecs()
        with self._translated():
            pages = client.get_paginator("list_tasks").paginate(
                cluster=service.cluster_arn,
                serviceName=service.name,
                desiredStatus=desired,
                PaginationConfig={"PageSize": PER_PAGE},
            )
            arns = [arn for page in pages for arn in page["taskArns"]]
            # Tasks that vanish between both calls come back as failures: they are gone, which is no error.
            found = [
                parse_ecs.task(item)
                for batch in batches(arns, TASKS_PER_CALL)
                for item in client.describe_tasks(cluster=service.cluster_arn, tasks=batch)["tasks"]
            ]
        return sorted_by_arn(found)

    def service_deployments(self, service: Service) -> tuple[ServiceDeployment, ...] | None:
        """Return the newest service deployments, newest first; None where the endpoint does not know the call."""
        with self._translated():
            try:
                answer = self._session.ecs().list_service_deployments(service=service.arn, cluster=service.cluster_arn)
            except ClientError as error:
                # Services under another deployment controller have no service deployments either.
                if is_unknown_operation(error) or code_of(error) == "UnsupportedFeatureException":
                    return None
                raise
        return parse_ecs.service_deployments(answer["serviceDeployments"])

    def _translated(self) -> AbstractContextManager[None]:
        return translated("ecs", self._session.region.name)


def sorted_by_arn(tasks: Iterable[Task]) -> tuple[Task, ...]:
    """Return tasks in one order, whatever order ECS listed them in."""
    return tuple(sorted(tasks, key=lambda task: task.arn))
