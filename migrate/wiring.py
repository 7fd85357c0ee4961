"""The composition root: the one place that knows which adapter stands behind which port."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.adapters.aws.ecr import EcrRepositoryReader
from migrate.adapters.aws.ecs import EcsServiceReader
from migrate.adapters.aws.health import AwsHealthReader
from migrate.adapters.aws.iam import AwsPermissionReader
from migrate.adapters.aws.pricing import AwsPriceReader
from migrate.adapters.aws.roles import role_of
from migrate.adapters.aws.session import AwsSession, open_session
from migrate.adapters.aws.surroundings import AwsSurroundingsReader
from migrate.adapters.builder.reader import LocalBuildReader
from migrate.adapters.rate_limits import PROCESS_LIMITS
from migrate.adapters.registry.client import RegistryClient
from migrate.adapters.registry.contents import RegistryContents
from migrate.adapters.registry.credentials import Credentials, docker_credentials, first_of
from migrate.adapters.registry.inspect import RegistryInspector
from migrate.adapters.registry.layer_cache import LayerCache
from migrate.adapters.shared_reads import SharedReads
from migrate.adapters.store.database import is_shared
from migrate.adapters.store.rate_limits import SqlRateLimits
from migrate.adapters.store.record_store import SqlRecordStore
from migrate.adapters.system_clock import SystemClock
from migrate.config import Environment, absolute, effective_region, load, read_environment
from migrate.core.evidence import Run, Worker
from migrate.core.fleet.definition import FleetAccount, Member
from migrate.core.permission.policy import ANY, Scope, settings_scope
from migrate.core.settings import Settings
from migrate.deployer_wiring import Opened, deployer_of
from migrate.ports import Narrator
from migrate.store_port import RecordStore
from migrate.workflows.orders import GivenOrders
from migrate.workflows.owner_deployer import OwnerDeployer
from migrate.workflows.runtime import Readers, Runtime, Writing

if TYPE_CHECKING:
    from migrate.adapters.pulumi.deployer import PulumiDeployer
    from migrate.adapters.pulumi.program import ProgramDeployer


@dataclass(frozen=True, slots=True)
class Place:
    """Where the operator pointed: a settings file, and wishes for region and profile that win over it."""

    config: Path | None = None
    region: str | None = None
    profile: str | None = None
    member: Member | None = None
    """A service of a fleet: its settings and its account then come from there, and from no file."""


@contextmanager
def reading(place: Place) -> Iterator[Readers]:
    """Give what plan and status need; closes everything it opened."""
    with opened_place(place) as opened:
        yield opened.readers


@contextmanager
def aws_calls(place: Place) -> Iterator[tuple[Readers, AwsSession]]:
    """Give the readers together with the session that counts their calls."""
    with opened_place(place) as opened:
        yield opened.readers, opened.session


def policy_scope(place: Place, *, look: bool) -> tuple[Scope, Settings | None]:
    """Return what a policy may be narrowed to, and the settings if there are any; only ``look`` asks AWS."""
    from migrate.workflows.permissions import read_scope

    if look:
        with opened_place(place) as opened:
            return read_scope(opened.readers), opened.readers.settings
    environment = read_environment(os.environ, directory=Path.cwd(), config=place.config)
    if place.config is None and not environment.config.exists():
        return Scope(region=place.region or environment.region or ANY), None
    settings = load(environment.config)
    return settings_scope(settings, effective_region(place.region, settings, environment)), settings


@contextmanager
def remembering(place: Place) -> Iterator[tuple[RecordStore, Settings, str | None]]:
    """Give what looking back at runs needs: the store, the settings and the region; AWS is not asked."""
    environment = read_environment(os.environ, directory=Path.cwd(), config=place.config)
    settings = load(environment.config)
    region = effective_region(place.region, settings, environment)
    with SqlRecordStore(environment.database_url) as store:
        yield store, settings, region


@contextmanager
def looking_around(place: Place) -> Iterator[tuple[EcsServiceReader, Environment]]:
    """Give the ECS reader alone: `migrate init` has no settings yet."""
    environment = read_environment(os.environ, directory=Path.cwd(), config=place.config)
    session = open_session(place.region, environment=os.environ, profile=place.profile, limits=PROCESS_LIMITS)
    yield EcsServiceReader(session), environment


@contextmanager
def writing(place: Place, verb: str, stage: int, narrator: Narrator) -> Iterator[Writing]:
    """Give what a verb that writes works with; closes everything it opened."""
    from migrate.adapters.aws.metrics import AwsMetricReader
    from migrate.adapters.aws.notifications import EventBuses, SnsTopics
    from migrate.adapters.aws.safety import AwsSafetyActions
    from migrate.adapters.checks.sources import check_sources
    from migrate.adapters.notifications.webhooks import SignedWebhooks
    from migrate.adapters.pulumi.command_line import asked_for
    from migrate.notification_ports import NotificationChannels

    command_line = asked_for(os.environ)
    with opened_place(place) as opened:
        readers, environment = opened.readers, opened.environment
        account = readers.services.account()
        service = readers.services.service(readers.settings.service.cluster, readers.settings.service.name)
        worker = Worker(environment.operator, environment.host, environment.process)
        run = Run(
            id=str(uuid.uuid4()),
            service=service.arn,
            verb=verb,
            stage=stage,
            started_at=readers.clock.now(),
            operator=worker.operator,
            host=worker.host,
            process=worker.process,
        )
        telling = [run.id]
        orders = GivenOrders()
        stoppable = replace(readers, clock=SystemClock(orders.stopping))
        deployer: OwnerDeployer | PulumiDeployer | ProgramDeployer = OwnerDeployer(stoppable, service.arn)
        if not readers.settings.service.is_external:
            deployer = deployer_of(opened, account, service, narrator, telling, command_line)
        orders.engine = deployer
        runtime = Runtime(
            **{item.name: getattr(stoppable, item.name) for item in fields(stoppable)},
            safety=AwsSafetyActions(opened.session),
            stacks=deployer,
            narrator=narrator,
            orders=orders,
            sources=check_sources(os.environ, environment.config.parent, AwsMetricReader(opened.session)),
            channels=NotificationChannels(
                SnsTopics(opened.session, readers.settings.notifications.timeout),
                EventBuses(opened.session, readers.settings.notifications.timeout),
                SignedWebhooks(os.environ, SystemClock().seconds),
            ),
            worker=worker,
        )
        try:
            yield Writing(runtime, run, environment.database_url, telling)
        except KeyboardInterrupt:
            # The signal reaches this thread alone; an engine that another one drives has to be told.
            deployer.interrupt()
            raise


@contextmanager
def opened_place(place: Place, shared: SharedReads | None = None) -> Iterator[Opened]:
    """Give the readers of a place with what they were made from; what they read is ``shared`` where that is given."""
    environment = read_environment(os.environ, directory=Path.cwd(), config=place.config)
    member = place.member
    settings = member.settings if member else absolute(load(environment.config), environment.config.parent)
    region = effective_region(place.region, settings, environment)
    account = member.account if member else FleetAccount()
    session = open_session(
        region,
        environment=os.environ,
        profile=account.profile or place.profile,
        limits=PROCESS_LIMITS,
        role=role_of(account, environment.operator),
        shared=shared,
    )
    clock = SystemClock()
    repositories = EcrRepositoryReader(session)
    with ExitStack() as stack:
        registry = stack.enter_context(registry_client(repositories.credentials))
        services = EcsServiceReader(session)
        # Asked before anything is written: without credentials, or in a region that is none, nothing is left behind.
        services.account()
        if is_shared(environment.database_url):
            # Workers that share a database share the account's rates through it.
            session.pacing.limits = stack.enter_context(SqlRateLimits(environment.database_url, PROCESS_LIMITS))
        environment.state_dir.mkdir(parents=True, exist_ok=True)
        layers = LayerCache(environment.state_dir / "cache" / "layers")
        readers = Readers(
            settings=settings,
            services=services,
            surroundings=AwsSurroundingsReader(session),
            health=AwsHealthReader(session),
            repositories=repositories,
            permissions=AwsPermissionReader(session),
            prices=AwsPriceReader(session),
            registry=registry,
            images=RegistryInspector(registry, cache=layers, shared=shared),
            files=RegistryContents(registry, layers),
            builds=LocalBuildReader(os.environ),
            store=stack.enter_context(SqlRecordStore(environment.database_url)),
            clock=clock,
        )
        yield Opened(readers, session, environment)


def registry_client(ecr_login: Credentials) -> RegistryClient:
    """Return what reads registries, with the logins of ECR and of Docker's own configuration."""
    docker = docker_credentials(Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker"))
    return RegistryClient(
        sleep=SystemClock().seconds,
        credentials=first_of(ecr_login, docker),
        ca_file=os.environ.get("AWS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE"),
    )
