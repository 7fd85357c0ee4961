"""What the workflows need from the outside, each a small capability; adapters and fakes implement them.

Every method may raise a MigrateError (AccessError for credentials, permission or network); reads have no effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from migrate.core.build.dockerfile_stages import BuildTarget
from migrate.core.build.facts import Builder, BuildSource
from migrate.core.cost.prices import HourlyRates
from migrate.core.desired_state import ImageStackInputs, ServiceStackInputs
from migrate.core.evidence import Event
from migrate.core.facts import (
    Account,
    Alarm,
    Cluster,
    Repository,
    Service,
    ServiceDeployment,
    TargetHealth,
    Task,
    TaskDefinition,
)
from migrate.core.image.binaries import NO_OVERRIDES, ProcessOverrides
from migrate.core.image.crossing import Crossing
from migrate.core.image.index import ChildFacts, FetchedManifest, ImageFacts, ImageReference
from migrate.core.permission.answers import PermissionAnswers, Question
from migrate.core.record import OriginalImage
from migrate.core.repository.guarding import RepositoryContents
from migrate.core.settings import ImageSettings
from migrate.core.stack.pending import PendingOperation
from migrate.core.stack.preview import Preview, StackOutcome
from migrate.core.surroundings import Surroundings


class Clock(Protocol):
    """Time, injected: virtual in tests."""

    def now(self) -> datetime:
        """Return the present, aware, in UTC."""
        ...

    def sleep(self, duration: timedelta) -> None:
        """Wait; raises InterruptedRunError when the operator stops the run meanwhile."""
        ...


class ServiceReader(Protocol):
    """Reads ECS."""

    def account(self) -> Account:
        """Return who asks, and where."""
        ...

    def services(self, cluster: str) -> tuple[str, ...]:
        """Return the names of the services of a cluster, sorted."""
        ...

    def clusters(self) -> tuple[str, ...]:
        """Return the names of the clusters of the region, sorted."""
        ...

    def service(self, cluster: str, name: str) -> Service:
        """Return one service; NotFoundError when it is missing or INACTIVE."""
        ...

    def task_definition(self, arn: str) -> TaskDefinition:
        """Return a revision with its tags, ACTIVE or not; NotFoundError when there is none.

        Beside an ARN, ``family:revision`` names one, and ``family`` the newest that is ACTIVE.
        """
        ...

    def cluster(self, name: str) -> Cluster:
        """Return a cluster by name or ARN; NotFoundError when it is missing or INACTIVE."""
        ...

    def tasks(self, service: Service) -> tuple[Task, ...]:
        """Return the tasks of the service that are not stopped."""
        ...

    def stopped_tasks(self, service: Service) -> tuple[Task, ...]:
        """Return the stopped tasks that ECS still remembers (about an hour)."""
        ...

    def service_deployments(self, service: Service) -> tuple[ServiceDeployment, ...] | None:
        """Return recent service deployments, newest first; None where the endpoint does not know the call."""
        ...


class SurroundingsReader(Protocol):
    """Reads what a service depends on beyond its own description: network, scaling, capacity providers, machines."""

    def read(
        self, service: Service, definition: TaskDefinition, cluster: Cluster, wanted: Sequence[str]
    ) -> Surroundings:
        """Return what matters for this service; ``wanted`` names the capacity providers that it is to move to.

        What may not be read, or the endpoint does not know, is listed in ``unread`` and raises nothing.
        """
        ...


class HealthReader(Protocol):
    """Reads what load balancers and alarms say."""

    def target_health(self, target_group_arns: Sequence[str]) -> tuple[TargetHealth, ...]:
        """Return the health of every target of the groups."""
        ...

    def alarms(self, names: Sequence[str]) -> tuple[Alarm, ...]:
        """Return the alarms by name; a name without an alarm is left out."""
        ...


class PriceReader(Protocol):
    """Reads prices."""

    def fargate_rates(self, region: str) -> HourlyRates | None:
        """Return what Fargate costs in a region; None where nobody tells."""
        ...


class RepositoryReader(Protocol):
    """Reads ECR."""

    def repository(self, image: ImageReference) -> Repository | None:
        """Return the ECR repository whose URI the image has; None when it is no repository of this account."""
        ...

    def contents(self, repository: Repository, wanted: Sequence[str]) -> RepositoryContents:
        """Return what is in a repository and what acts on it; ``wanted`` (tags, digests) is looked for in any case.

        The first of ``wanted`` is the tag that matters most. A part that is denied stands in ``unread``.
        """
        ...

    def credentials(self, registry: str) -> tuple[str, str] | None:
        """Return user and password for an ECR registry host (valid 12 hours, facts F32); None for other hosts."""
        ...


class ImageRegistry(Protocol):
    """Reads images over the OCI distribution protocol; digests are always verified."""

    def manifest(self, reference: ImageReference) -> FetchedManifest:
        """Return the manifest or index behind a tag or digest; NotFoundError when there is none."""
        ...

    def blob(self, repository: ImageReference, digest: str, *, limit: int) -> bytes:
        """Return a blob of at most ``limit`` bytes."""
        ...

    def open_blob(self, repository: ImageReference, digest: str) -> AbstractContextManager[Iterator[bytes]]:
        """Stream a blob of any size."""
        ...


class ImageInspector(Protocol):
    """Judges an image behind a reference, children, configs and binaries included."""

    def inspect(self, reference: ImageReference, overrides: ProcessOverrides = NO_OVERRIDES) -> ImageFacts:
        """Return what is behind the reference; NotFoundError when there is nothing.

        ``overrides`` are what the container definition sets over the image's own entry point.
        """
        ...


class PermissionReader(Protocol):
    """Asks what the caller may do, without doing it."""

    def answers(self, principal: str, questions: Sequence[Question]) -> PermissionAnswers:
        """Return what IAM answers about a user or role; AccessError where it may not be asked or knows no such one."""
        ...

    def has_repository_policy(self, repository_arn: str) -> bool | None:
        """Tell whether a repository has a policy of its own; None where that may not be asked."""
        ...


class ImageContents(Protocol):
    """Reads the files of an image."""

    def crossing(self, reference: ImageReference, child: ChildFacts) -> Crossing:
        """Return what of an amd64 child will not cross over to arm64."""


class BuildReader(Protocol):
    """Reads what a build would be made with and from; without a builder or a Dockerfile it says so."""

    def builder(self, name: str | None) -> Builder:
        """Return the builder by its name, or the one that would be used."""

    def source(self, build: ImageSettings, targets: tuple[BuildTarget, ...]) -> BuildSource:
        """Return the Dockerfile and the programs it copies."""


class SafetyActions(Protocol):
    """The only writes outside Pulumi (design rule 2); each may be repeated without harm."""

    def put_guard_tag(self, image: OriginalImage) -> None:
        """Give the original manifest a tag of ours, so that it does not expire (facts F31)."""
        ...

    def restore_tag(self, image: OriginalImage) -> None:
        """Let the service's tag point at the original manifest again, byte for byte (facts F32)."""
        ...

    def stop_deployment(self, service_deployment_arn: str) -> None:
        """Stop a running service deployment with rollback (facts F17); one that has ended is left alone."""
        ...

    def force_deployment(self, service: Service) -> str:
        """Start a deployment of the service as it is; return the id of its PRIMARY deployment."""
        ...

    def return_to_launch_type(self, service: Service) -> str:
        """Take the strategy away, so that the launch type decides again (facts F2); return the deployment's id."""
        ...


class StackDeployer(Protocol):
    """Drives both Pulumi stacks of one service; they are called ``image`` and ``service`` in errors and previews."""

    def preview_image(self, inputs: ImageStackInputs) -> Preview:
        """Return what ``up`` would do to the image stack."""
        ...

    def preview_service(self, inputs: ServiceStackInputs) -> Preview:
        """Return what ``up`` would do to the service stack."""
        ...

    def up_image(self, inputs: ImageStackInputs) -> StackOutcome:
        """Bring the image stack to the inputs; outputs hold ``index_digest`` where an index is present."""
        ...

    def up_service(self, inputs: ServiceStackInputs) -> StackOutcome:
        """Bring the service stack to the inputs; outputs hold ``task_definition_arns`` by logical name (JSON text)."""
        ...

    def set_aside(self, mark: str, *, image: bool) -> None:
        """Keep the service stack, and the image stack if ``image``, under a name with ``mark``; begin with empty ones.

        A stack that was never made, or is set aside already, is left alone. Nothing outside Pulumi's state changes.
        """
        ...

    def refresh(self) -> None:
        """Read the world into the state of the service stack (facts F6); docker-build's state compares inputs only."""
        ...

    def pending(self) -> tuple[PendingOperation, ...]:
        """Return the operations of both stacks of which the state does not know how they ended."""
        ...

    def settle(self, made: Mapping[str, str]) -> None:
        """Let both stacks know how their pending operations ended, and leave none.

        ``made`` holds what was created all the same, as import ids by URN; what else was being created was not.
        """
        ...

    def acknowledge(self, inputs: ServiceStackInputs) -> None:
        """Take into the state of the service stack what AWS never tells of a deployment that was started: triggers."""
        ...


class Narrator(Protocol):
    """Hears what happens while it happens; never fails and never decides."""

    def tell(self, event: Event) -> None:
        """Take one event."""
        ...
