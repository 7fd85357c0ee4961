"""The images of all repositories: manifests byte for byte, tags, mutability, and the platform each child really has."""

from __future__ import annotations

import fnmatch
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrate.sandbox.front.http import AwsError

if TYPE_CHECKING:
    from migrate.sandbox.front.http import Json, Scope

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_IMMUTABLE_TEXT = (
    "The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the {what} is "
    "immutable."
)
_ECR_HOST = ".dkr.ecr."


@dataclass(frozen=True, slots=True)
class Platform:
    """Operating system and architecture in the words of the OCI image specification."""

    os: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.os}/{self.architecture}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or index as it was pushed.

    ``platform`` comes from the config blob and ``machine`` from the entry point's own header; None for an index.
    """

    digest: str
    media_type: str
    body: bytes
    pushed_at: float
    size: int
    platform: Platform | None = None
    machine: str | None = None

    @property
    def is_index(self) -> bool:
        """Whether it lists other manifests."""
        return self.media_type in INDEX_TYPES

    @property
    def document(self) -> Json:
        """The parsed body."""
        parsed: Json = json.loads(self.body)
        return parsed

    def children(self) -> dict[str, Platform | None]:
        """Digest to declared platform of every entry of an index, in its order."""
        if not self.is_index:
            return {}
        found: dict[str, Platform | None] = {}
        for entry in self.document.get("manifests", []):
            declared = entry.get("platform")
            platform = Platform(declared.get("os", ""), declared.get("architecture", "")) if declared else None
            found.setdefault(entry["digest"], platform)
        return found


@dataclass(slots=True)
class Repository:
    """One ECR repository: what MiniStack does not keep, or keeps too softly."""

    name: str
    scope: Scope
    mutability: str = "MUTABLE"
    filters: list[Json] = field(default_factory=list)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    lifecycle_policy: str | None = None
    pushes: list[Json] = field(default_factory=list)
    """Every manifest that was taken, in order: ``digest``, ``tag``, and ``changed``: whether it brought anything."""
    archived: dict[str, float] = field(default_factory=dict)
    """Digest to when the image went to the archive, from where it cannot be pulled."""

    def status(self, digest: str) -> str:
        """Return the imageStatus of an image."""
        return "ARCHIVED" if digest in self.archived else "ACTIVE"

    def locked(self, tag: str) -> bool:
        """Whether an existing ``tag`` may not move (facts F30)."""
        named = any(fnmatch.fnmatchcase(tag, item["filter"]) for item in self.filters)
        return {"IMMUTABLE": True, "IMMUTABLE_WITH_EXCLUSION": not named, "MUTABLE_WITH_EXCLUSION": named}.get(
            self.mutability, False
        )

    def find(self, reference: str) -> Manifest | None:
        """Return the manifest behind a tag or digest."""
        return self.manifests.get(reference if reference.startswith("sha256:") else self.tags.get(reference, ""))

    def pullable(self, reference: str) -> Manifest | None:
        """Return the manifest behind a tag or digest, if it can be pulled."""
        found = self.find(reference)
        return found if found is not None and found.digest not in self.archived else None

    def tags_of(self, digest: str) -> list[str]:
        """All tags that point at ``digest``, in name order."""
        return sorted(tag for tag, target in self.tags.items() if target == digest)

    def put(self, manifest: Manifest, tag: str | None) -> None:
        """Keep a manifest and move the tag; raises ImageTagAlreadyExistsException when the tag is locked."""
        if tag is not None:
            current = self.tags.get(tag)
            if current is not None and current != manifest.digest and self.locked(tag):
                what = "repository" if self.mutability == "IMMUTABLE" else "tag"
                message = _IMMUTABLE_TEXT.format(tag=tag, name=self.name, what=what)
                raise AwsError("ImageTagAlreadyExistsException", message)
        changed = manifest.digest not in self.manifests or (tag is not None and self.tags.get(tag) != manifest.digest)
        self.pushes.append({"digest": manifest.digest, "tag": tag, "changed": changed})
        if tag is not None:
            self.tags[tag] = manifest.digest
        self.manifests.setdefault(manifest.digest, manifest)
        # A push brings an archived image back (ECR user guide, "Archiving an image").
        self.archived.pop(manifest.digest, None)

    def referrer_of(self, digest: str) -> str | None:
        """Return the digest of an index that lists ``digest``."""
        return next((m.digest for m in self.manifests.values() if digest in m.children()), None)

    def delete(self, digest: str) -> None:
        """Forget a manifest and every tag on it."""
        self.manifests.pop(digest, None)
        self.tags = {tag: target for tag, target in self.tags.items() if target != digest}


@dataclass(frozen=True, slots=True)
class Pull:
    """What pulling an image for a platform gives: the index's (or only) digest and the child's, or the error.

    ``crashes``: the image can be pulled, and its program cannot run there.
    """

    digest: str = ""
    child: str = ""
    error: str = ""
    crashes: bool = False


def content_digest(body: bytes) -> str:
    """Return the digest of a manifest's bytes."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


class ImageStore:
    """All repositories of all accounts and regions."""

    def __init__(self, registry_host: str) -> None:
        port = registry_host.rpartition(":")[2]
        self._hosts = {registry_host, f"localhost:{port}", f"127.0.0.1:{port}"}
        self._repositories: dict[tuple[Scope, str], Repository] = {}
        self.caches: dict[Scope, dict[str, Json]] = {}
        self.replication: dict[Scope, list[Json]] = {}

    def create(self, scope: Scope, name: str, mutability: str, filters: list[Json]) -> Repository:
        """Add a repository."""
        repository = Repository(name, scope, mutability, filters)
        self._repositories[scope, name] = repository
        return repository

    def remove(self, scope: Scope, name: str) -> None:
        """Drop a repository with its images."""
        self._repositories.pop((scope, name), None)

    def get(self, scope: Scope, name: str) -> Repository:
        """Return the repository; raises RepositoryNotFoundException."""
        repository = self._repositories.get((scope, name))
        if repository is None:
            message = f"The repository with name '{name}' does not exist in the registry with id '{scope.account}'"
            raise AwsError("RepositoryNotFoundException", message)
        return repository

    def pushes(self) -> list[Json]:
        """Every manifest that was taken, those of a repository in order."""
        return [{"repository": name, **push} for (_, name), held in self._repositories.items() for push in held.pushes]

    def by_name(self, name: str) -> Repository | None:
        """Return the repository that a registry request means, which carries no account or region."""
        return next((repository for (_, known), repository in self._repositories.items() if known == name), None)

    def pull(self, scope: Scope, image: str, platform: Platform | None) -> Pull:
        """Return what a task pulling ``image`` for ``platform`` gets; ``platform`` None takes what comes (facts F25).

        An image of a registry that is not this one is taken to exist for every platform.
        """
        host, _, rest = image.partition("/")
        if host not in self._hosts and _ECR_HOST not in host:
            made_up = image.partition("@")[2] or content_digest(image.encode())
            return Pull(made_up, made_up)
        path, _, digest = rest.partition("@")
        name, _, tag = path.partition(":")
        repository = self._repositories.get((scope, name)) or self.by_name(name)
        manifest = repository.pullable(digest or tag or "latest") if repository else None
        if repository is None or manifest is None:
            return Pull(
                error=f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve "
                f"ref {image}: {image}: not found"
            )
        child = self._child_for(repository, manifest, platform)
        if child is None:
            return Pull(
                error="CannotPullContainerError: pull image manifest has been retried 5 time(s): image Manifest does "
                f"not contain descriptor matching platform '{platform}'"
            )
        machine = repository.manifests[child].machine
        crashes = platform is not None and machine not in (None, platform.architecture)
        return Pull(manifest.digest, child, crashes=crashes)

    def _child_for(self, repository: Repository, manifest: Manifest, platform: Platform | None) -> str | None:
        if not manifest.is_index:
            fits = platform is None or manifest.platform in (None, platform)
            return manifest.digest if fits else None
        for digest, declared in manifest.children().items():
            child = repository.pullable(digest)
            if child is None:
                continue
            if platform is None or (declared or child.platform) == platform:
                return digest
        return None
