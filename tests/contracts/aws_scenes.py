"""One service in two worlds: the scripted one, and the strict front behind the real adapters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any, Protocol

import botocore.session
from botocore.awsrequest import AWSResponse

from migrate.adapters.aws.ecr import EcrRepositoryReader
from migrate.adapters.aws.ecs import EcsServiceReader
from migrate.adapters.aws.health import AwsHealthReader
from migrate.adapters.aws.safety import AwsSafetyActions
from migrate.adapters.aws.session import AwsSession, Region
from migrate.core.facts import Service, StrategyItem
from migrate.core.image.documents import DOCKER_MANIFEST
from migrate.core.image.names import ImageReference
from migrate.core.record import OriginalImage
from migrate.core.repository.guarding import PullThroughCache
from migrate.ports import HealthReader, RepositoryReader, SafetyActions, ServiceReader
from tests.fakes.aws_ports import FakeHealthReader, FakeSafetyActions, FakeServiceReader
from tests.fakes.aws_repository import FakeRepositoryReader
from tests.fakes.aws_simulation import Fate
from tests.fakes.aws_world import ACCOUNT, REGISTRY, World
from tests.fakes.clock import FakeClock
from tests.fakes.front_account import Account
from tests.fakes.front_hosts import FrontHost, InProcess, WholeProcess
from tests.fakes.image_content import REPOSITORY, digest_of

REGION = "us-east-1"
GUARD = "migrate-original-tag1"


class Scene(Protocol):
    """A steady service of four amd64 tasks on launch type FARGATE, its image under ``tag1``, and what others do."""

    cluster: str
    name: str
    services: ServiceReader
    repositories: RepositoryReader
    health: HealthReader
    safety: SafetyActions
    original: OriginalImage

    def settle(self) -> Service: ...
    def to_spot(self) -> None: ...
    def deploy_another_revision(self) -> None: ...
    def begin_a_deployment_that_never_ends(self) -> None: ...
    def push_something_else(self, tag: str) -> str: ...
    def lock_tags(self) -> None: ...
    def digest(self, tag: str) -> str | None: ...
    def expire_by(self, policy: str) -> None: ...
    def archive(self, tag: str) -> None: ...
    def cache(self, upstream: str) -> None: ...
    def replicate_to(self, region: str) -> None: ...


class FakeScene:
    """The scene in the scripted world."""

    def __init__(self) -> None:
        self.world = World.with_demo_service(FakeClock())
        self.cluster, self.name = "demo", "web"
        self.services: ServiceReader = FakeServiceReader(self.world)
        self.repositories: RepositoryReader = FakeRepositoryReader(self.world)
        self.health: HealthReader = FakeHealthReader(self.world)
        self.safety: SafetyActions = FakeSafetyActions(self.world)
        media_type, body = self.world.shelf.manifests["tag1"]
        reference = ImageReference(REGISTRY, REPOSITORY, tag="tag1")
        self.original = OriginalImage(reference, REPOSITORY, digest_of(body), media_type, body.decode(), GUARD)

    def settle(self) -> Service:
        self.world.pass_time(timedelta(minutes=5))
        return self.services.service(self.cluster, self.name)

    def to_spot(self) -> None:
        self.world.apply_update(strategy=(StrategyItem("FARGATE_SPOT", weight=1),), force=True)

    def deploy_another_revision(self) -> None:
        self.world.deploy()

    def begin_a_deployment_that_never_ends(self) -> None:
        self.world.next_deployment(Fate.STUCK)
        self.world.apply_update(force=True)

    def push_something_else(self, tag: str) -> str:
        return self.world.push(tag, DOCKER_MANIFEST, b'{"other": 1}')

    def lock_tags(self) -> None:
        self.world.tag_mutability = "IMMUTABLE"

    def digest(self, tag: str) -> str | None:
        return self.world.digest_of_tag(tag)

    def expire_by(self, policy: str) -> None:
        self.world.ecr.lifecycle_policy = policy

    def archive(self, tag: str) -> None:
        self.world.ecr.archived.add(self.digest(tag) or "")

    def cache(self, upstream: str) -> None:
        self.world.ecr.pull_through += (PullThroughCache(REPOSITORY.partition("/")[0], upstream),)

    def replicate_to(self, region: str) -> None:
        self.world.ecr.replicated_to = (f"{ACCOUNT} in {region}",)


class FrontScene:
    """The scene in a front, read and written through the real adapters."""

    def __init__(self, host: FrontHost) -> None:
        self.account = Account(host)
        self.account.ecr.create_repository(repositoryName=self.account.repository)
        body = self.account.image_text("amd64")
        self.account.push(body, "tag1")
        reference = ImageReference(host.registry_host, self.account.repository, tag="tag1")
        self.account.create(self.account.define(str(reference)))
        self.cluster, self.name = self.account.cluster, self.account.name
        session = front_session(host)
        self.services: ServiceReader = EcsServiceReader(session)
        self.repositories: RepositoryReader = EcrRepositoryReader(session)
        self.health: HealthReader = AwsHealthReader(session)
        self.safety: SafetyActions = AwsSafetyActions(session)
        self.original = OriginalImage(
            reference, self.account.repository, digest_of(body), DOCKER_MANIFEST, body.decode(), GUARD
        )

    def settle(self) -> Service:
        self.account.settle()
        return self.services.service(self.cluster, self.name)

    def to_spot(self) -> None:
        strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
        self.account.update(capacityProviderStrategy=strategy, forceNewDeployment=True)

    def deploy_another_revision(self) -> None:
        self.account.update(taskDefinition=self.account.define(str(self.original.reference)))

    def begin_a_deployment_that_never_ends(self) -> None:
        self.account.fault(kind="deployment_latency", service=self.name, seconds=3600)
        self.account.update(forceNewDeployment=True)
        self.account.host.http("DELETE", "/_sandbox/faults")

    def push_something_else(self, tag: str) -> str:
        body = self.account.image_text("amd64", salt="other")
        self.account.push(body, tag)
        return digest_of(body)

    def lock_tags(self) -> None:
        self.account.ecr.put_image_tag_mutability(
            repositoryName=self.account.repository, imageTagMutability="IMMUTABLE"
        )

    def digest(self, tag: str) -> str | None:
        answer = self.account.ecr.batch_get_image(repositoryName=self.account.repository, imageIds=[{"imageTag": tag}])
        return next((str(image["imageId"]["imageDigest"]) for image in answer["images"]), None)

    def expire_by(self, policy: str) -> None:
        self.account.ecr.put_lifecycle_policy(repositoryName=self.account.repository, lifecyclePolicyText=policy)

    def archive(self, tag: str) -> None:
        self.account.ecr.update_image_storage_class(
            repositoryName=self.account.repository, imageId={"imageTag": tag}, targetStorageClass="ARCHIVE"
        )

    def cache(self, upstream: str) -> None:
        prefix = self.account.repository.partition("/")[0]
        self.account.ecr.create_pull_through_cache_rule(ecrRepositoryPrefix=prefix, upstreamRegistryUrl=upstream)

    def replicate_to(self, region: str) -> None:
        here = self.account.ecr.describe_registry()["registryId"]
        rule = {
            "destinations": [{"region": region, "registryId": here}],
            "repositoryFilters": [{"filter": self.account.repository, "filterType": "PREFIX_MATCH"}],
        }
        self.account.ecr.put_replication_configuration(replicationConfiguration={"rules": [rule]})


def front_session(host: FrontHost) -> AwsSession:
    """Open the adapters' session on a front; AWS_ENDPOINT_URL has to name it."""
    core = botocore.session.Session()
    core.set_credentials("test", "test")
    if isinstance(host, InProcess):
        events: Any = core
        events.register("before-send", _Wire(host).answer)
    return AwsSession(core, Region(REGION, "the test"))


def endpoint_of(host: FrontHost) -> str:
    return host.url if isinstance(host, WholeProcess) else "http://127.0.0.1:1"


class _Body(BytesIO):
    def stream(self, **_: object) -> Any:
        yield self.read()


@dataclass(frozen=True)
class _Wire:
    """Carries requests to a front in this process; nothing reaches a socket."""

    host: InProcess

    def answer(self, request: Any, **_: object) -> AWSResponse:
        headers = {name: _text(value) for name, value in request.headers.items()}
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        status, received, content = self.host.http("POST", "/", body, headers)
        named: Mapping[str, str] = received
        return AWSResponse(request.url, status, named, _Body(content))  # type: ignore[arg-type]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
