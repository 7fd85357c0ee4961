"""One suite over the scripted repository and over the real reader against the strict front (cases C05 and C20)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from migrate.core.facts import Repository
from migrate.core.image.documents import DOCKER_MANIFEST
from migrate.core.repository.guarding import RepositoryContents, cached_from, tag_is_locked
from migrate.errors import AccessError
from tests.contracts.aws_scenes import GUARD, FakeScene, Scene
from tests.contracts.test_aws_ports import LIVE, opened

POLICY = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 3},
                "action": {"type": "expire"},
            }
        ]
    }
)


@pytest.fixture(params=["fake", "front", LIVE])
def scene(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with opened(request.param, request, monkeypatch) as made:
        yield made


@pytest.fixture
def repository(scene: Scene) -> Repository:
    found = scene.repositories.repository(scene.original.reference)
    assert found is not None
    return found


def contents(scene: Scene, repository: Repository) -> RepositoryContents:
    return scene.repositories.contents(repository, ("tag1",))


def test_a_plain_repository_holds_its_images_and_nothing_acts_on_it(scene: Scene, repository: Repository) -> None:
    seen = contents(scene, repository)
    held = seen.behind("tag1")
    assert held is not None
    assert (held.digest, held.tags, held.status) == (scene.original.digest, ("tag1",), "ACTIVE")
    assert held.media_type == DOCKER_MANIFEST
    assert held.pushed_at is not None
    assert held.pushed_at.tzinfo is not None
    assert seen.behind(scene.original.digest) == held
    assert (seen.complete, seen.lifecycle_policy, seen.unread) == (True, None, ())
    assert cached_from(seen, repository.name) is None


def test_c20_the_lifecycle_policy_is_read_as_it_is(scene: Scene, repository: Repository) -> None:
    scene.expire_by(POLICY)
    assert contents(scene, repository).lifecycle_policy == POLICY


def test_c20_an_image_without_a_tag_is_seen_and_one_with_a_guard_tag_has_it(
    scene: Scene, repository: Repository
) -> None:
    scene.safety.put_guard_tag(scene.original)
    before = contents(scene, repository).behind("tag1")
    other = scene.push_something_else("tag1")
    seen = contents(scene, repository)
    guarded, moved = seen.behind(GUARD), seen.behind("tag1")
    assert guarded is not None
    assert moved is not None
    assert (guarded.digest, guarded.tags, moved.digest) == (scene.original.digest, (GUARD,), other)
    assert before is not None
    assert guarded.pushed_at == before.pushed_at
    scene.push_something_else(GUARD)
    bare = contents(scene, repository).behind(scene.original.digest)
    assert bare is not None
    assert bare.tags == ()


def test_an_archived_image_is_seen_as_that(scene: Scene, repository: Repository) -> None:
    scene.archive("tag1")
    held = contents(scene, repository).behind("tag1")
    assert held is not None
    assert (held.status, held.is_archived) == ("ARCHIVED", True)


def test_what_fetches_and_copies_the_tag_is_told(scene: Scene, repository: Repository) -> None:
    scene.cache("public.ecr.aws")
    scene.replicate_to("eu-west-1")
    seen = contents(scene, repository)
    prefix = repository.name.partition("/")[0]
    cache = cached_from(seen, f"{prefix}/nginx")
    assert cache is not None
    assert cache.upstream == "public.ecr.aws"
    assert [place.partition(" in ")[2] for place in seen.replicated_to] == ["eu-west-1"]


def test_c05_a_locked_tag_is_known_before_anything_is_written(scene: Scene, repository: Repository) -> None:
    assert not tag_is_locked(repository, "tag1")
    scene.lock_tags()
    locked = scene.repositories.repository(scene.original.reference)
    assert locked is not None
    assert tag_is_locked(locked, "tag1")


@pytest.mark.parametrize(
    "permission",
    ["ecr:GetLifecyclePolicy", "ecr:DescribeImages", "ecr:DescribePullThroughCacheRules", "ecr:DescribeRegistry"],
)
def test_a_fake_denies_one_read_as_aws_does(permission: str) -> None:
    scene = FakeScene()
    scene.world.ecr.denied.add(permission)
    found = scene.repositories.repository(scene.original.reference)
    assert found is not None
    assert [item.permission for item in contents(scene, found).unread] == [permission]


def test_a_registry_that_cannot_be_asked_at_all_is_an_error() -> None:
    scene = FakeScene()
    scene.world.refuse("contents", AccessError("Expired.", then="Sign in."))
    found = scene.repositories.repository(scene.original.reference)
    assert found is not None
    with pytest.raises(AccessError):
        contents(scene, found)
