"""One suite over the scripted world and over the real adapters against the strict front."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from migrate.core.facts import Account as Caller
from migrate.core.facts import Service, StrategyItem
from migrate.core.image.names import ImageReference
from migrate.errors import BlockedError, NotFoundError, ToolFaultError, WorldChangedError
from tests.contracts.aws_scenes import GUARD, FakeScene, FrontScene, Scene, endpoint_of
from tests.fakes.front_hosts import FrontHost, InProcess

SPOT = (StrategyItem("FARGATE_SPOT", weight=1),)


LIVE = pytest.param("live front", marks=pytest.mark.e2e)


@contextmanager
def opened(kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    if kind == "fake":
        yield FakeScene()
        return
    host: FrontHost = InProcess() if kind == "front" else request.getfixturevalue("live_front")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint_of(host))
    yield FrontScene(host)
    host.http("DELETE", "/_sandbox/faults")


@pytest.fixture(params=["fake", "front", LIVE])
def scene(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with opened(request.param, request, monkeypatch) as made:
        yield made


@pytest.fixture(params=["fake", LIVE])
def account(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Give a scene with everything of an account around it, which the front in this process does not have."""
    with opened(request.param, request, monkeypatch) as made:
        yield made


@pytest.fixture
def service(scene: Scene) -> Service:
    return scene.services.service(scene.cluster, scene.name)


def test_the_caller_has_an_account_and_a_region(account: Scene) -> None:
    seen: Caller = account.services.account()
    assert (len(seen.account_id), seen.region) == (12, "us-east-1")
    assert seen.caller_arn.startswith("arn:aws:")


def test_clusters_and_services_are_listed_by_name(account: Scene) -> None:
    assert account.cluster in account.services.clusters()
    assert account.services.services(account.cluster) == (account.name,)


def test_c34_names_and_arns_lead_to_the_same_service(scene: Scene, service: Service) -> None:
    assert scene.services.service(service.cluster_arn, service.arn) == service
    assert scene.services.cluster(scene.cluster) == scene.services.cluster(service.cluster_arn)
    assert (service.name, service.status) == (scene.name, "ACTIVE")


def test_a_steady_service_has_one_completed_deployment(service: Service) -> None:
    assert (service.desired_count, service.running_count, service.pending_count) == (4, 4, 0)
    assert (service.launch_type, service.strategy) == ("FARGATE", ())
    assert [(item.status, item.rollout_state) for item in service.deployments] == [("PRIMARY", "COMPLETED")]
    assert service.primary is not None
    assert service.primary.task_definition_arn == service.task_definition_arn


def test_what_does_not_exist_is_not_found(scene: Scene, service: Service) -> None:
    with pytest.raises(NotFoundError):
        scene.services.service(scene.cluster, "nothing")
    with pytest.raises(NotFoundError):
        scene.services.service("nothing", scene.name)
    with pytest.raises(NotFoundError):
        scene.services.cluster("nothing")
    with pytest.raises(NotFoundError):
        scene.services.task_definition(f"{service.task_definition_arn}999")


def test_the_revision_is_read_whole(scene: Scene, service: Service) -> None:
    seen = scene.services.task_definition(service.task_definition_arn)
    assert (seen.arn, seen.status) == (service.task_definition_arn, "ACTIVE")
    assert str(scene.original.reference) in seen.document


def test_a_revision_is_also_known_by_its_family(scene: Scene, service: Service) -> None:
    family, _, revision = service.task_definition_arn.rpartition("/")[2].partition(":")
    assert scene.services.task_definition(f"{family}:{revision}").arn == service.task_definition_arn
    scene.deploy_another_revision()
    newest = scene.services.task_definition(family)
    assert newest.revision > int(revision)
    assert newest.arn == scene.services.service(scene.cluster, scene.name).task_definition_arn
    with pytest.raises(NotFoundError):
        scene.services.task_definition(f"{family}:{newest.revision + 1}")


def test_tasks_prove_architecture_and_image(scene: Scene, service: Service) -> None:
    tasks = scene.services.tasks(service)
    assert len(tasks) == 4
    assert [task.arn for task in tasks] == sorted(task.arn for task in tasks)
    assert {task.architecture for task in tasks} == {"x86_64"}
    assert {task.provider for task in tasks} == {None}
    assert {task.containers[0].image_digest for task in tasks} == {scene.original.digest}
    assert {task.task_definition_arn for task in tasks} == {service.task_definition_arn}


def test_c37_a_strategy_is_seen_on_service_and_tasks(scene: Scene, service: Service) -> None:
    scene.to_spot()
    after = scene.settle()
    assert (after.launch_type, after.strategy) == (None, SPOT)
    assert {task.provider for task in scene.services.tasks(after)} == {"FARGATE_SPOT"}
    assert len(scene.services.stopped_tasks(after)) >= 4
    assert after.document == service.document


def test_service_deployments_come_newest_first(scene: Scene, service: Service) -> None:
    scene.to_spot()
    begun = scene.services.service_deployments(service)
    assert begun is not None
    assert [item.status for item in begun[:2]] == ["IN_PROGRESS", "SUCCESSFUL"]
    ended = scene.services.service_deployments(scene.settle())
    assert ended is not None
    assert [item.status for item in ended[:2]] == ["SUCCESSFUL", "SUCCESSFUL"]


def test_the_repository_of_an_image_is_found_by_its_uri(scene: Scene) -> None:
    seen = scene.repositories.repository(scene.original.reference)
    assert seen is not None
    assert (seen.name, seen.uri) == (scene.original.repository, scene.original.reference.name)
    assert seen.tag_mutability == "MUTABLE"


def test_what_is_no_repository_of_the_account_is_none(account: Scene) -> None:
    assert account.repositories.repository(ImageReference("docker.io", "library/nginx", tag="1")) is None
    assert account.repositories.repository(replace(account.original.reference, repository="nothing")) is None


def test_credentials_are_for_ecr_only(account: Scene) -> None:
    found = account.repositories.credentials(account.original.reference.registry)
    assert found is not None
    assert found[0] == "AWS"
    assert account.repositories.credentials("docker.io") is None


def test_a_guard_tag_is_put_once_and_again_without_harm(scene: Scene) -> None:
    for _ in range(2):
        scene.safety.put_guard_tag(scene.original)
        assert scene.digest(GUARD) == scene.original.digest
    assert scene.digest("tag1") == scene.original.digest


def test_a_guard_tag_of_another_image_is_left_alone(scene: Scene) -> None:
    other = scene.push_something_else(GUARD)
    with pytest.raises(BlockedError):
        scene.safety.put_guard_tag(scene.original)
    assert scene.digest(GUARD) == other


def test_a_moved_tag_is_restored_byte_for_byte(scene: Scene) -> None:
    assert scene.push_something_else("tag1") != scene.original.digest
    for _ in range(2):
        scene.safety.restore_tag(scene.original)
        assert scene.digest("tag1") == scene.original.digest


def test_c05_an_immutable_tag_is_told_and_stays(scene: Scene) -> None:
    other = scene.push_something_else("tag1")
    scene.lock_tags()
    with pytest.raises(BlockedError):
        scene.safety.restore_tag(scene.original)
    assert scene.digest("tag1") == other
    seen = scene.repositories.repository(scene.original.reference)
    assert seen is not None
    assert seen.tag_mutability == "IMMUTABLE"


def test_a_damaged_record_is_never_written(scene: Scene) -> None:
    other = scene.push_something_else("tag1")
    with pytest.raises(ToolFaultError):
        scene.safety.restore_tag(replace(scene.original, manifest=scene.original.manifest + " "))
    assert scene.digest("tag1") == other


def test_a_forced_deployment_is_the_only_change_and_is_not_repeated(scene: Scene, service: Service) -> None:
    begun = scene.safety.force_deployment(service)
    assert scene.safety.force_deployment(service) == begun
    after = scene.settle()
    assert after.primary is not None
    assert (after.primary.id, after.primary.rollout_state) == (begun, "COMPLETED")
    assert after.primary.id != (service.primary.id if service.primary else "")
    assert (after.task_definition_arn, after.launch_type) == (service.task_definition_arn, "FARGATE")
    assert after.document == service.document


def test_c37_the_launch_type_comes_back_and_is_not_taken_back_twice(scene: Scene, service: Service) -> None:
    scene.to_spot()
    on_spot = scene.settle()
    begun = scene.safety.return_to_launch_type(on_spot)
    assert scene.safety.return_to_launch_type(on_spot) == begun
    after = scene.settle()
    assert after.primary is not None
    assert (after.primary.id, after.launch_type, after.strategy) == (begun, "FARGATE", ())
    assert {task.provider for task in scene.services.tasks(after)} == {None}
    assert after.document == service.document


@pytest.mark.parametrize("act", ["force_deployment", "return_to_launch_type"])
def test_somebody_else_s_revision_is_never_gone_over(scene: Scene, service: Service, act: str) -> None:
    scene.deploy_another_revision()
    theirs = scene.settle()
    with pytest.raises(WorldChangedError):
        getattr(scene.safety, act)(service)
    assert scene.services.service(scene.cluster, scene.name).primary == theirs.primary


def test_c31_a_stopped_deployment_is_rolled_back_under_another_id(scene: Scene, service: Service) -> None:
    scene.begin_a_deployment_that_never_ends()
    stuck = scene.services.service(scene.cluster, scene.name)
    begun = scene.services.service_deployments(stuck)
    assert begun is not None
    for _ in range(2):
        scene.safety.stop_deployment(begun[0].arn)
    after = scene.settle()
    assert after.primary is not None
    assert stuck.primary is not None
    assert after.primary.id != stuck.primary.id
    assert after.task_definition_arn == service.task_definition_arn
    ended = scene.services.service_deployments(after)
    assert ended is not None
    assert {item.arn: item.status for item in ended}[begun[0].arn] == "ROLLBACK_SUCCESSFUL"


def test_stopping_a_deployment_that_ended_does_nothing(scene: Scene, service: Service) -> None:
    ended = scene.services.service_deployments(service)
    assert ended is not None
    scene.safety.stop_deployment(ended[0].arn)
    assert scene.settle().deployments == service.deployments
    with pytest.raises(NotFoundError):
        scene.safety.stop_deployment(f"{ended[0].arn}nothing")


def test_health_of_nothing_is_nothing_and_a_missing_group_is_not_found(account: Scene) -> None:
    assert account.health.alarms(("no-such-alarm",)) == ()
    assert account.health.alarms(()) == ()
    assert account.health.target_health(()) == ()
    group = "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/nothing/0123456789abcdef"
    with pytest.raises(NotFoundError):
        account.health.target_health((group,))
