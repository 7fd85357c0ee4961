"""The port RepositoryReader over the scripted world: one repository."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from migrate.core.facts import Repository
from migrate.core.image.names import ImageReference
from migrate.core.repository.guarding import RepositoryContents
from migrate.core.repository.lifecycle_policy import StoredImage
from migrate.core.surroundings import Unread
from tests.fakes.aws_world import ACCOUNT, REGISTRY, World
from tests.fakes.image_content import REPOSITORY, digest_of

T = TypeVar("T")


@dataclass(frozen=True)
class FakeRepositoryReader:
    """Reads what the world holds, parts that are denied left out and told."""

    world: World

    def repository(self, image: ImageReference) -> Repository | None:
        self.world.called("repository")
        if image.name != f"{REGISTRY}/{REPOSITORY}":
            return None
        return Repository(REPOSITORY, image.name, ACCOUNT, self.world.tag_mutability, self.world.exclusion_filters)

    def contents(self, repository: Repository, wanted: Sequence[str]) -> RepositoryContents:
        self.world.called("contents")
        assert repository.name == REPOSITORY, wanted
        unread: list[Unread] = []

        def tried(what: str, permission: str, value: T, otherwise: T) -> T:
            if permission not in self.world.ecr.denied:
                return value
            unread.append(Unread(what, permission, "AccessDeniedException"))
            return otherwise

        ecr = self.world.ecr
        images = tried("the images", "ecr:DescribeImages", self._images(), ())
        return RepositoryContents(
            images=images,
            complete=bool(images),
            lifecycle_policy=tried("the lifecycle policy", "ecr:GetLifecyclePolicy", ecr.lifecycle_policy, None),
            children=tried("the indexes of the repository", "ecr:BatchGetImage", self._children(), ()),
            opened_all="ecr:BatchGetImage" not in ecr.denied,
            pull_through=tried("pull-through cache rules", "ecr:DescribePullThroughCacheRules", ecr.pull_through, ()),
            replicated_to=tried("the replication of the registry", "ecr:DescribeRegistry", ecr.replicated_to, ()),
            unread=tuple(unread),
        )

    def credentials(self, registry: str) -> tuple[str, str] | None:
        self.world.called("credentials")
        return ("AWS", "made-up-password") if registry == REGISTRY else None

    def _images(self) -> tuple[StoredImage, ...]:
        named: dict[str, list[str]] = {}
        types: dict[str, str] = {}
        for name, (media_type, body) in self.world.shelf.manifests.items():
            digest = digest_of(body)
            types[digest] = media_type
            named.setdefault(digest, []).extend([name] if name != digest else [])
        return tuple(
            StoredImage(
                digest,
                "ARCHIVED" if digest in self.world.ecr.archived else "ACTIVE",
                tuple(sorted(tags)),
                self.world.ecr.pushed_at.get(digest, self.world.clock.start),
                types[digest],
            )
            for digest, tags in named.items()
        )

    def _children(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        bodies = {digest_of(body): json.loads(body) for _, body in self.world.shelf.manifests.values()}
        return tuple(
            (digest, tuple(entry["digest"] for entry in body["manifests"]))
            for digest, body in bodies.items()
            if "manifests" in body
        )
