"""The only writes outside Pulumi: each looks first, writes once, and reads back what it wrote."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from migrate.adapters.aws.parse_ecs import service as parse_service
from migrate.adapters.aws.safety import AwsSafetyActions
from migrate.core.facts import Service
from migrate.core.image.names import ImageReference
from migrate.core.record import OriginalImage
from migrate.errors import (
    AccessError,
    BlockedError,
    MigrateError,
    NotFoundError,
    ToolFaultError,
    TransientError,
    WorldChangedError,
)
from tests.unit.aws.recordings import (
    CLUSTER_ARN,
    REGISTRY,
    SERVICE_ARN,
    STRATEGY,
    Recordings,
    a_deployment,
    a_service,
    without,
)

MANIFEST = '{\n  "schemaVersion": 2,\n  "layers": []\n}'
DIGEST = f"sha256:{hashlib.sha256(MANIFEST.encode()).hexdigest()}"
OTHER = f"sha256:{'b' * 64}"
MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
GUARD = "migrate-original-tag1"
DEPLOYMENT_ARN = "arn:aws:ecs:eu-central-1:111122223333:service-deployment/shop/web/abc"


@pytest.fixture
def safety(aws: Recordings) -> AwsSafetyActions:
    return AwsSafetyActions(aws.session)


def original(tag: str | None = "tag1", *, digest: str = DIGEST) -> OriginalImage:
    reference = ImageReference(REGISTRY, "web", tag=tag, digest=None if tag else DIGEST)
    return OriginalImage(reference, "web", digest, MEDIA_TYPE, MANIFEST, GUARD)


def holds(aws: Recordings, tag: str, digest: str | None, **more: Any) -> None:
    """Record one look at what a tag points at."""
    asked: dict[str, Any] = {"repositoryName": "web", "imageIds": [{"imageTag": tag}]}
    if digest is None:
        aws.refuse("ecr_writer", "describe_images", "ImageNotFoundException", "no such tag", **asked)
    else:
        aws.answer("ecr_writer", "describe_images", {"imageDetails": [{"imageDigest": digest, **more}]}, **asked)


def written(tag: str) -> dict[str, Any]:
    return {
        "repositoryName": "web",
        "imageManifest": MANIFEST,
        "imageManifestMediaType": MEDIA_TYPE,
        "imageTag": tag,
        "imageDigest": DIGEST,
    }


def puts(aws: Recordings, tag: str) -> None:
    image = {"image": {"imageId": {"imageDigest": DIGEST, "imageTag": tag}}}
    aws.answer("ecr_writer", "put_image", image, **written(tag))


def test_a_guard_tag_is_put_byte_for_byte_and_read_back(aws: Recordings, safety: AwsSafetyActions) -> None:
    holds(aws, GUARD, None)
    puts(aws, GUARD)
    holds(aws, GUARD, DIGEST, imageStatus="ACTIVE")
    safety.put_guard_tag(original())
    assert aws.session.calls.by_operation == {"ecr:DescribeImages": 2, "ecr:PutImage": 1}


def test_a_guard_tag_that_is_there_is_not_put_again(aws: Recordings, safety: AwsSafetyActions) -> None:
    holds(aws, GUARD, DIGEST)
    safety.put_guard_tag(original())
    assert aws.session.calls.by_operation == {"ecr:DescribeImages": 1}


def test_a_guard_tag_that_guards_another_image_is_left_alone(aws: Recordings, safety: AwsSafetyActions) -> None:
    holds(aws, GUARD, OTHER)
    with pytest.raises(BlockedError, match="already points at another image"):
        safety.put_guard_tag(original())


def test_an_archived_original_is_no_way_back(aws: Recordings, safety: AwsSafetyActions) -> None:
    holds(aws, GUARD, DIGEST, imageStatus="ARCHIVED")
    with pytest.raises(BlockedError, match="is ARCHIVED"):
        safety.put_guard_tag(original())


def test_the_tag_is_restored_byte_for_byte(aws: Recordings, safety: AwsSafetyActions) -> None:
    holds(aws, "tag1", OTHER)
    puts(aws, "tag1")
    holds(aws, "tag1", DIGEST)
    safety.restore_tag(original())


@pytest.mark.parametrize("already", [True, False])
def test_restoring_twice_does_no_harm(aws: Recordings, safety: AwsSafetyActions, *, already: bool) -> None:
    if already:
        holds(aws, "tag1", DIGEST)
    else:
        holds(aws, "tag1", None)
        aws.refuse("ecr_writer", "put_image", "ImageAlreadyExistsException", "it is there", **written("tag1"))
        holds(aws, "tag1", DIGEST)
    safety.restore_tag(original())


def test_an_image_pinned_by_digest_has_no_tag_to_restore(aws: Recordings, safety: AwsSafetyActions) -> None:
    safety.restore_tag(original(tag=None))
    assert aws.session.calls.total == 0


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        ("ImageTagAlreadyExistsException", BlockedError, "Tags of this repository are immutable"),
        ("ReferencedImagesNotFoundException", BlockedError, "refers to is gone"),
        ("LayersNotFoundException", BlockedError, "layer of the image is gone"),
        ("AccessDeniedException", AccessError, "ecr:PutImage"),
        ("RepositoryNotFoundException", NotFoundError, "ECR repository"),
    ],
)
def test_c05_a_refused_tag_says_why_and_nothing_is_made_mutable(
    aws: Recordings, safety: AwsSafetyActions, code: str, kind: type[MigrateError], says: str
) -> None:
    holds(aws, "tag1", OTHER)
    aws.refuse("ecr_writer", "put_image", code, "ECR says no")
    with pytest.raises(kind, match=says):
        safety.restore_tag(original())


def test_a_damaged_record_is_never_written(aws: Recordings, safety: AwsSafetyActions) -> None:
    holds(aws, "tag1", OTHER)
    with pytest.raises(ToolFaultError, match="not the original one"):
        safety.restore_tag(original(digest=f"sha256:{'c' * 64}"))
    assert "ecr:PutImage" not in aws.session.calls.by_operation


@pytest.mark.parametrize("after", [OTHER, None])
def test_a_push_that_comes_in_between_is_noticed(aws: Recordings, safety: AwsSafetyActions, after: str | None) -> None:
    holds(aws, "tag1", OTHER)
    puts(aws, "tag1")
    holds(aws, "tag1", after)
    with pytest.raises(BlockedError, match="does not point at the original image"):
        safety.restore_tag(original())


def is_in(aws: Recordings, status: str) -> None:
    answer = {"serviceDeployments": [{"serviceDeploymentArn": DEPLOYMENT_ARN, "status": status}]}
    aws.answer("ecs", "describe_service_deployments", answer, serviceDeploymentArns=[DEPLOYMENT_ARN])


@pytest.mark.parametrize("status", ["PENDING", "IN_PROGRESS", "STOP_REQUESTED"])
def test_a_running_deployment_is_stopped_with_rollback(aws: Recordings, safety: AwsSafetyActions, status: str) -> None:
    is_in(aws, status)
    stop = {"serviceDeploymentArn": DEPLOYMENT_ARN, "stopType": "ROLLBACK"}
    aws.answer("ecs_writer", "stop_service_deployment", {"serviceDeploymentArn": DEPLOYMENT_ARN}, **stop)
    safety.stop_deployment(DEPLOYMENT_ARN)


@pytest.mark.parametrize(
    "status",
    [
        "ROLLBACK_REQUESTED",
        "ROLLBACK_IN_PROGRESS",
        "SUCCESSFUL",
        "STOPPED",
        "ROLLBACK_SUCCESSFUL",
        "ROLLBACK_FAILED",
    ],
)
def test_a_deployment_that_ended_or_goes_back_is_left_alone(
    aws: Recordings, safety: AwsSafetyActions, status: str
) -> None:
    is_in(aws, status)
    safety.stop_deployment(DEPLOYMENT_ARN)
    assert aws.session.calls.by_operation == {"ecs:DescribeServiceDeployments": 1}


def test_a_deployment_that_ends_while_being_stopped_is_no_error(aws: Recordings, safety: AwsSafetyActions) -> None:
    is_in(aws, "IN_PROGRESS")
    aws.refuse("ecs_writer", "stop_service_deployment", "ConflictException", "it has ended")
    is_in(aws, "SUCCESSFUL")
    safety.stop_deployment(DEPLOYMENT_ARN)


def test_a_deployment_that_cannot_be_stopped_is_told(aws: Recordings, safety: AwsSafetyActions) -> None:
    is_in(aws, "IN_PROGRESS")
    aws.refuse("ecs_writer", "stop_service_deployment", "ConflictException", "busy")
    is_in(aws, "IN_PROGRESS")
    with pytest.raises(BlockedError, match="cannot be stopped now"):
        safety.stop_deployment(DEPLOYMENT_ARN)


def test_an_unknown_deployment_is_not_found(aws: Recordings, safety: AwsSafetyActions) -> None:
    aws.answer("ecs", "describe_service_deployments", {"serviceDeployments": []})
    with pytest.raises(NotFoundError):
        safety.stop_deployment(DEPLOYMENT_ARN)


def seen(**more: Any) -> Service:
    return parse_service(a_service(**more))  # type: ignore[arg-type]


def lives(aws: Recordings, **more: Any) -> None:
    answer = {"services": [a_service(**more)]}
    aws.answer("ecs", "describe_services", answer, cluster=CLUSTER_ARN, services=[SERVICE_ARN], include=["TAGS"])


def test_a_forced_deployment_changes_nothing_else(aws: Recordings, safety: AwsSafetyActions) -> None:
    lives(aws)
    after = a_service(deployments=[a_deployment("ecs-svc/2"), a_deployment("ecs-svc/1", status="ACTIVE")])
    forced = {"cluster": CLUSTER_ARN, "service": SERVICE_ARN, "forceNewDeployment": True}
    aws.answer("ecs_writer", "update_service", {"service": after}, **forced)
    assert safety.force_deployment(seen()) == "ecs-svc/2"


def test_a_deployment_that_an_earlier_try_forced_is_not_forced_again(aws: Recordings, safety: AwsSafetyActions) -> None:
    lives(aws, deployments=[a_deployment("ecs-svc/2"), a_deployment("ecs-svc/1", status="ACTIVE")])
    assert safety.force_deployment(seen()) == "ecs-svc/2"
    assert "ecs:UpdateService" not in aws.session.calls.by_operation


def test_a_forced_deployment_whose_answer_got_lost_is_found_and_not_forced_again(
    aws: Recordings, safety: AwsSafetyActions
) -> None:
    lives(aws)
    aws.refuse("ecs_writer", "update_service", "ServerException", status=500)
    lives(aws, deployments=[a_deployment("ecs-svc/2"), a_deployment("ecs-svc/1", status="ACTIVE")])
    assert safety.force_deployment(seen()) == "ecs-svc/2"
    assert aws.session.calls.by_operation["ecs:UpdateService"] == 1


def test_a_forced_deployment_that_was_not_let_in_is_tried_again(aws: Recordings, safety: AwsSafetyActions) -> None:
    for code in ("ThrottlingException", "ServiceUnavailable"):
        lives(aws)
        aws.refuse("ecs_writer", "update_service", code, status=400 if code == "ThrottlingException" else 503)
    lives(aws)
    aws.answer("ecs_writer", "update_service", {"service": a_service(deployments=[a_deployment("ecs-svc/2")])})
    assert safety.force_deployment(seen()) == "ecs-svc/2"


def test_aws_is_not_asked_for_ever(aws: Recordings, safety: AwsSafetyActions) -> None:
    for _ in range(6):
        lives(aws)
        aws.refuse("ecs_writer", "update_service", "ThrottlingException")
    with pytest.raises(TransientError, match=r"throttled ecs:UpdateService"):
        safety.force_deployment(seen())


def test_a_tag_whose_answer_got_lost_is_found_and_not_put_again(aws: Recordings, safety: AwsSafetyActions) -> None:
    holds(aws, "tag1", OTHER)
    aws.refuse("ecr_writer", "put_image", "InternalFailure", status=500, **written("tag1"))
    holds(aws, "tag1", DIGEST)
    safety.restore_tag(original())
    assert aws.session.calls.by_operation["ecr:PutImage"] == 1


@pytest.mark.parametrize("act", ["force_deployment", "return_to_launch_type"])
def test_somebody_else_s_deployment_is_never_gone_over(aws: Recordings, safety: AwsSafetyActions, act: str) -> None:
    lives(aws, taskDefinition="arn:aws:ecs:eu-central-1:111122223333:task-definition/web:43")
    with pytest.raises(WorldChangedError, match="another task definition"):
        getattr(safety, act)(seen())
    assert "ecs:UpdateService" not in aws.session.calls.by_operation


def test_a_service_without_primary_deployment_is_refused(aws: Recordings, safety: AwsSafetyActions) -> None:
    lives(aws, deployments=[])
    aws.answer("ecs_writer", "update_service", {"service": a_service(deployments=[])})
    with pytest.raises(BlockedError, match="no PRIMARY deployment"):
        safety.force_deployment(seen(deployments=[]))


def test_the_way_back_to_a_launch_type_takes_the_strategy_away(aws: Recordings, safety: AwsSafetyActions) -> None:
    before = without(a_service(capacityProviderStrategy=STRATEGY), "launchType")
    lives(aws, **before)
    act = {
        "cluster": CLUSTER_ARN,
        "service": SERVICE_ARN,
        "capacityProviderStrategy": [],
        "forceNewDeployment": True,
    }
    after = a_service(deployments=[a_deployment("ecs-svc/2")])
    aws.answer("ecs_writer", "update_service", {"service": after}, **act)
    assert safety.return_to_launch_type(seen(**before)) == "ecs-svc/2"


def test_c37_a_service_on_its_launch_type_already_is_left_alone(aws: Recordings, safety: AwsSafetyActions) -> None:
    lives(aws, deployments=[a_deployment("ecs-svc/2")])
    assert safety.return_to_launch_type(seen(capacityProviderStrategy=STRATEGY)) == "ecs-svc/2"
    assert "ecs:UpdateService" not in aws.session.calls.by_operation


def test_a_refused_update_is_translated(aws: Recordings, safety: AwsSafetyActions) -> None:
    lives(aws)
    aws.refuse("ecs_writer", "update_service", "AccessDeniedException")
    with pytest.raises(AccessError, match="ecs:UpdateService"):
        safety.force_deployment(seen())
