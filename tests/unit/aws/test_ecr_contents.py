from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from migrate.adapters.aws.ecr import EcrRepositoryReader
from migrate.core.facts import Repository
from migrate.core.image.documents import DOCKER_INDEX, OCI_INDEX, OCI_MANIFEST
from migrate.core.repository.guarding import PullThroughCache
from migrate.errors import AccessError
from tests.unit.aws.recordings import ACCOUNT, REGISTRY, Recordings

PUSHED = datetime(2026, 11, 20, tzinfo=UTC)
HERE = Repository("team/web", f"{REGISTRY}/team/web", ACCOUNT, "MUTABLE")
ANY = {"imageStatus": "ANY"}


@pytest.fixture
def reader(aws: Recordings) -> EcrRepositoryReader:
    return EcrRepositoryReader(aws.session)


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def detail(number: int, *tags: str, media_type: str = OCI_MANIFEST, days: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "imageDigest": digest(number),
        "imagePushedAt": PUSHED + timedelta(days=days),
        "imageManifestMediaType": media_type,
        "imageStatus": "ACTIVE",
        **({"imageTags": list(tags)} if tags else {}),
        **more,
    }


def policy(status: str, count_type: str = "imageCountMoreThan") -> dict[str, Any]:
    selection = {"tagStatus": status, "countType": count_type, "countNumber": 3}
    rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}, "description": "x" * 40}
    return {"lifecyclePolicyText": json.dumps({"rules": [rule]})}


def nothing_around(aws: Recordings) -> None:
    aws.answer("ecr", "describe_pull_through_cache_rules", {"pullThroughCacheRules": []})
    aws.answer("ecr", "describe_registry", {"registryId": ACCOUNT})


def test_a_repository_without_a_policy_is_read_one_page_deep(aws: Recordings, reader: EcrRepositoryReader) -> None:
    aws.refuse("ecr", "get_lifecycle_policy", "LifecyclePolicyNotFoundException", repositoryName="team/web")
    page = {"imageDetails": [detail(1, "v1")], "nextToken": "more"}
    aws.answer("ecr", "describe_images", page, repositoryName="team/web", filter=ANY, maxResults=1000)
    for tag, found in (("tag1", [detail(2, "tag1")]), ("migrate-guard-x", None)):
        ask: dict[str, Any] = {"repositoryName": "team/web", "imageIds": [{"imageTag": tag}]}
        if found is None:
            aws.refuse("ecr", "describe_images", "ImageNotFoundException", **ask)
        else:
            aws.answer("ecr", "describe_images", {"imageDetails": found}, **ask)
    nothing_around(aws)
    seen = reader.contents(HERE, ("tag1", "migrate-guard-x", "v1"))
    assert [image.tags for image in seen.images] == [("v1",), ("tag1",)]
    assert (seen.complete, seen.lifecycle_policy, seen.unread) == (False, None, ())


def test_a_policy_asks_for_every_page_and_for_the_indexes_that_a_count_hangs_on(
    aws: Recordings, reader: EcrRepositoryReader
) -> None:
    aws.answer("ecr", "get_lifecycle_policy", policy("any"), repositoryName="team/web")
    first = [detail(1, "v1", media_type=OCI_INDEX), detail(2), detail(3)]
    aws.answer("ecr", "describe_images", {"imageDetails": first, "nextToken": "more"}, filter=ANY, **_page())
    second = [detail(4, media_type=DOCKER_INDEX, days=-9, imageStatus="ARCHIVED"), detail(5, "tag1", days=-7)]
    aws.answer("ecr", "describe_images", {"imageDetails": second}, filter=ANY, nextToken="more", **_page())
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [{"mediaType": OCI_MANIFEST, "digest": digest(number), "size": 1} for number in (2, 3)],
    }
    image = {
        "imageId": {"imageDigest": digest(1)},
        "imageManifest": json.dumps(body),
        "imageManifestMediaType": OCI_INDEX,
    }
    aws.answer(
        "ecr",
        "batch_get_image",
        {"images": [image]},
        repositoryName="team/web",
        imageIds=[{"imageDigest": digest(1)}],
        acceptedMediaTypes=sorted([OCI_INDEX, DOCKER_INDEX]),
    )
    nothing_around(aws)
    seen = reader.contents(HERE, ("tag1",))
    assert (len(seen.images), seen.complete, seen.opened_all) == (5, True, True)
    assert seen.children == ((digest(1), (digest(2), digest(3))),)
    assert seen.behind(digest(4)) is not None


def _page() -> dict[str, Any]:
    return {"repositoryName": "team/web", "maxResults": 1000}


def test_without_such_a_count_only_indexes_as_young_as_the_tag_are_opened(
    aws: Recordings, reader: EcrRepositoryReader
) -> None:
    aws.answer("ecr", "get_lifecycle_policy", policy("untagged", "sinceImagePushed"))
    images = [detail(1, "v1", media_type=OCI_INDEX, days=-9), detail(2, "v2", media_type=OCI_INDEX, days=1)]
    aws.answer("ecr", "describe_images", {"imageDetails": [*images, detail(3, "tag1")]})
    image = {"imageId": {"imageDigest": digest(2)}, "imageManifest": "no JSON"}
    ask: dict[str, Any] = {"repositoryName": "team/web", "imageIds": [{"imageDigest": digest(2)}]}
    aws.answer(
        "ecr", "batch_get_image", {"images": [image]}, acceptedMediaTypes=sorted([OCI_INDEX, DOCKER_INDEX]), **ask
    )
    nothing_around(aws)
    assert reader.contents(HERE, ("tag1",)).children == ((digest(2), ()),)


def test_a_thousand_indexes_are_the_most_that_are_opened(aws: Recordings, reader: EcrRepositoryReader) -> None:
    aws.answer("ecr", "get_lifecycle_policy", policy("any"))
    images = [detail(number, media_type=OCI_INDEX) for number in range(1, 1102)]
    aws.answer("ecr", "describe_images", {"imageDetails": images[:1000], "nextToken": "more"})
    aws.answer("ecr", "describe_images", {"imageDetails": images[1000:]})
    for start in range(1, 1001, 100):
        named = [{"imageId": {"imageDigest": digest(number)}} for number in range(start, start + 100)]
        aws.answer("ecr", "batch_get_image", {"images": named})
    nothing_around(aws)
    seen = reader.contents(HERE, ("tag1",))
    assert (len(seen.children), seen.opened_all) == (1000, False)
    assert aws.session.calls.by_operation["ecr:BatchGetImage"] == 10


def test_caches_and_replication_are_read(aws: Recordings, reader: EcrRepositoryReader) -> None:
    aws.refuse("ecr", "get_lifecycle_policy", "LifecyclePolicyNotFoundException")
    aws.answer("ecr", "describe_images", {"imageDetails": []})
    rules = [
        {"ecrRepositoryPrefix": "hub/", "upstreamRegistryUrl": "registry-1.docker.io"},
        {"ecrRepositoryPrefix": "ROOT", "upstreamRegistryUrl": "public.ecr.aws", "upstreamRepositoryPrefix": "docker"},
    ]
    aws.answer("ecr", "describe_pull_through_cache_rules", {"pullThroughCacheRules": rules}, maxResults=1000)
    there = [{"region": "eu-west-1", "registryId": ACCOUNT}]
    configuration = {
        "rules": [
            {"destinations": there, "repositoryFilters": [{"filter": "team/", "filterType": "PREFIX_MATCH"}]},
            {"destinations": there, "repositoryFilters": [{"filter": "prod/", "filterType": "PREFIX_MATCH"}]},
            {"destinations": [{"region": "us-east-1", "registryId": "999988887777"}]},
        ]
    }
    aws.answer("ecr", "describe_registry", {"registryId": ACCOUNT, "replicationConfiguration": configuration})
    seen = reader.contents(HERE, ("tag1",))
    assert seen.pull_through == (
        PullThroughCache("hub", "registry-1.docker.io"),
        PullThroughCache("ROOT", "public.ecr.aws/docker"),
    )
    assert seen.replicated_to == (f"{ACCOUNT} in eu-west-1", "999988887777 in us-east-1")


def test_each_denied_read_is_told_with_its_permission(aws: Recordings, reader: EcrRepositoryReader) -> None:
    for method in ("get_lifecycle_policy", "describe_images", "describe_pull_through_cache_rules", "describe_registry"):
        aws.refuse("ecr", method, "AccessDeniedException", "not authorized")
    seen = reader.contents(HERE, ("tag1",))
    assert [item.permission for item in seen.unread] == [
        "ecr:GetLifecyclePolicy",
        "ecr:DescribeImages",
        "ecr:DescribePullThroughCacheRules",
        "ecr:DescribeRegistry",
    ]
    assert "not authorized" in seen.unread[0].why
    assert (seen.images, seen.complete) == ((), False)


def test_what_the_region_or_endpoint_does_not_have_is_not_there(aws: Recordings, reader: EcrRepositoryReader) -> None:
    aws.refuse("ecr", "get_lifecycle_policy", "LifecyclePolicyNotFoundException")
    aws.answer("ecr", "describe_images", {"imageDetails": []})
    aws.refuse("ecr", "describe_pull_through_cache_rules", "UnsupportedCommandException")
    aws.refuse("ecr", "describe_registry", "UnknownOperationException")
    seen = reader.contents(HERE, ("tag1",))
    assert (seen.pull_through, seen.replicated_to, seen.unread) == ((), (), ())


def test_expired_credentials_are_an_error_and_no_finding(aws: Recordings, reader: EcrRepositoryReader) -> None:
    aws.refuse("ecr", "get_lifecycle_policy", "ExpiredTokenException")
    with pytest.raises(AccessError, match="expired"):
        reader.contents(HERE, ("tag1",))


def test_a_new_tag_changes_no_time_and_all_times_are_read(aws: Recordings, reader: EcrRepositoryReader) -> None:
    aws.refuse("ecr", "get_lifecycle_policy", "LifecyclePolicyNotFoundException")
    later = PUSHED + timedelta(days=1)
    more: dict[str, Any] = {"lastRecordedPullTime": later, "lastArchivedAt": later, "lastActivatedAt": later}
    aws.answer("ecr", "describe_images", {"imageDetails": [detail(1, "b", "a", **more)]})
    nothing_around(aws)
    (image,) = reader.contents(HERE, ("a",)).images
    assert (image.tags, image.pushed_at) == (("a", "b"), PUSHED)
    assert (image.pulled_at, image.archived_at, image.activated_at) == (later, later, later)
