"""ECR's image operations and tag mutability, as strict as AWS; repositories and tokens stay MiniStack's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrate.sandbox.front.ecr_policies import Policies
from migrate.sandbox.front.http import AwsError
from migrate.sandbox.front.images import content_digest
from migrate.sandbox.front.upstream import ECR_TARGET

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from migrate.sandbox.front.http import Json, Scope
    from migrate.sandbox.front.images import ImageStore, Manifest, Repository
    from migrate.sandbox.front.registry import Registry
    from migrate.sandbox.front.settings import FrontSettings
    from migrate.sandbox.front.upstream import Upstream

_MUTABILITIES = ("MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION")
_FILTER = re.compile(r"^[0-9a-zA-Z._*-]{1,128}$")
_MOST_FILTERS, _MOST_WILDCARDS = 5, 2
_REPOSITORY_NAME = re.compile(r"^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$")


class Ecr:
    """The operations of ECR that MiniStack answers too softly."""

    def __init__(self, store: ImageStore, registry: Registry, upstream: Upstream, settings: FrontSettings) -> None:
        self._store = store
        self._registry = registry
        self._upstream = upstream
        self._settings = settings
        self.operations: dict[str, Callable[[Scope, Json], Awaitable[Json]]] = {
            "CreateRepository": self._create_repository,
            "DescribeRepositories": self._describe_repositories,
            "DeleteRepository": self._delete_repository,
            "PutImageTagMutability": self._put_image_tag_mutability,
            "PutImage": self._put_image,
            "BatchGetImage": self._batch_get_image,
            "BatchDeleteImage": self._batch_delete_image,
            "DescribeImages": self._describe_images,
            "ListImages": self._list_images,
            "GetAuthorizationToken": self._get_authorization_token,
            **Policies(store, registry.clock, _find).operations,
        }

    async def _create_repository(self, scope: Scope, request: Json) -> Json:
        name = request.get("repositoryName", "")
        if not _REPOSITORY_NAME.fullmatch(name):
            message = (
                f"Invalid parameter at 'repositoryName' failed to satisfy constraint: '{_REPOSITORY_NAME.pattern}'"
            )
            raise AwsError("InvalidParameterException", message)
        mutability, filters = _checked_mutability(request)
        plain = {**request, "imageTagMutability": "MUTABLE"}
        plain.pop("imageTagMutabilityExclusionFilters", None)
        created = await self._upstream.api(scope, ECR_TARGET, "CreateRepository", plain)
        repository = self._store.create(scope, name, mutability, filters)
        return {"repository": self._described(created["repository"], repository)}

    async def _describe_repositories(self, scope: Scope, request: Json) -> Json:
        answered = await self._upstream.api(scope, ECR_TARGET, "DescribeRepositories", request)
        described = [
            self._described(item, self._store.get(scope, item["repositoryName"])) for item in answered["repositories"]
        ]
        return {**answered, "repositories": described}

    async def _delete_repository(self, scope: Scope, request: Json) -> Json:
        repository = self._store.get(scope, request.get("repositoryName", ""))
        if repository.manifests and not request.get("force"):
            message = f"The repository with name '{repository.name}' in registry with id '{scope.account}' cannot be "
            raise AwsError("RepositoryNotEmptyException", f"{message}deleted because it still contains images")
        deleted = await self._upstream.api(scope, ECR_TARGET, "DeleteRepository", {**request, "force": True})
        self._store.remove(scope, repository.name)
        return {"repository": self._described(deleted["repository"], repository)}

    def _described(self, item: Json, repository: Repository) -> Json:
        described = {
            **item,
            "repositoryUri": f"{self._settings.registry_host}/{repository.name}",
            "imageTagMutability": repository.mutability,
        }
        if repository.filters:
            described["imageTagMutabilityExclusionFilters"] = repository.filters
        return described

    async def _put_image_tag_mutability(self, scope: Scope, request: Json) -> Json:
        repository = self._store.get(scope, request.get("repositoryName", ""))
        repository.mutability, repository.filters = _checked_mutability(request)
        answered: Json = {
            "registryId": scope.account,
            "repositoryName": repository.name,
            "imageTagMutability": repository.mutability,
        }
        if repository.filters:
            answered["imageTagMutabilityExclusionFilters"] = repository.filters
        return answered

    async def _put_image(self, scope: Scope, request: Json) -> Json:
        repository = self._store.get(scope, request.get("repositoryName", ""))
        body, tag = request.get("imageManifest", "").encode(), request.get("imageTag")
        digest = content_digest(body)
        if request.get("imageDigest", digest) != digest:
            raise AwsError("ImageDigestDoesNotMatchException", "The provided digest does not match the image's digest")
        if digest in repository.manifests and (tag is None or repository.tags.get(tag) == digest):
            message = f"Image with digest '{digest}' and tag '{tag}' already exists in the repository with name "
            message += f"'{repository.name}' in registry with id '{scope.account}'"
            raise AwsError("ImageAlreadyExistsException", message)
        manifest = repository.manifests.get(digest) or await self._registry.read(
            repository, body, request.get("imageManifestMediaType", "")
        )
        if not manifest.media_type:
            message = "imageManifestMediaType is required for a manifest that does not name its media type"
            raise AwsError("InvalidParameterException", message)
        repository.put(manifest, tag)
        return {"image": _image(repository, manifest, tag)}

    async def _batch_get_image(self, scope: Scope, request: Json) -> Json:
        repository = self._store.get(scope, request.get("repositoryName", ""))
        images, failures = [], []
        for wanted in request.get("imageIds", []):
            manifest = _find(repository, wanted)
            if manifest is None:
                failures.append(_failure(wanted, "ImageNotFound", "Requested image not found"))
            else:
                images.append(_image(repository, manifest, wanted.get("imageTag")))
        return {"images": images, "failures": failures}

    async def _batch_delete_image(self, scope: Scope, request: Json) -> Json:
        repository = self._store.get(scope, request.get("repositoryName", ""))
        deleted, failures = [], []
        for wanted in request.get("imageIds", []):
            manifest, tag = _find(repository, wanted), wanted.get("imageTag")
            if manifest is None:
                failures.append(_failure(wanted, "ImageNotFound", "Requested image not found"))
            elif tag and len(repository.tags_of(manifest.digest)) > 1:
                del repository.tags[tag]
                deleted.append({"imageDigest": manifest.digest, "imageTag": tag})
            elif (referrer := repository.referrer_of(manifest.digest)) is not None:
                reason = f"Requested image referenced by manifest list: [{referrer}]"
                failures.append(_failure(wanted, "ImageReferencedByManifestList", reason))
            else:
                tags = repository.tags_of(manifest.digest)
                deleted += [{"imageDigest": manifest.digest, "imageTag": item} for item in tags]
                deleted += [] if tags else [{"imageDigest": manifest.digest}]
                repository.delete(manifest.digest)
        return {"imageIds": deleted, "failures": failures}

    async def _describe_images(self, scope: Scope, request: Json) -> Json:
        repository = self._store.get(scope, request.get("repositoryName", ""))
        wanted = request.get("imageIds")
        if wanted:
            found = [(item, _find(repository, item)) for item in wanted]
            missing = next((item for item, manifest in found if manifest is None), None)
            if missing is not None:
                message = (
                    f"The image with imageId {{{_spelt(missing)}}} does not exist within the repository with name "
                )
                message += f"'{repository.name}' in the registry with id '{scope.account}'"
                raise AwsError("ImageNotFoundException", message)
            manifests = list({manifest.digest: manifest for _, manifest in found if manifest}.values())
        else:
            manifests = [m for m in repository.manifests.values() if _passes(request, repository, m)]
        details = [_detail(repository, manifest) for manifest in manifests]
        return _page(request, "imageDetails", details)

    async def _list_images(self, scope: Scope, request: Json) -> Json:
        repository = self._store.get(scope, request.get("repositoryName", ""))
        ids: list[Json] = []
        for manifest in repository.manifests.values():
            if _passes(request, repository, manifest):
                tags = repository.tags_of(manifest.digest)
                ids += [{"imageDigest": manifest.digest, "imageTag": tag} for tag in tags]
                ids += [] if tags else [{"imageDigest": manifest.digest}]
        return _page(request, "imageIds", ids)

    async def _get_authorization_token(self, scope: Scope, request: Json) -> Json:
        answered = await self._upstream.api(scope, ECR_TARGET, "GetAuthorizationToken", request)
        for item in answered["authorizationData"]:
            item["proxyEndpoint"] = f"https://{self._settings.registry_host}"
        return answered


def _checked_mutability(request: Json) -> tuple[str, list[Json]]:
    mutability = request.get("imageTagMutability", "MUTABLE")
    filters = request.get("imageTagMutabilityExclusionFilters") or []
    if mutability not in _MUTABILITIES:
        message = "Invalid parameter at 'imageTagMutability' failed to satisfy constraint: 'must satisfy enum value "
        raise AwsError("InvalidParameterException", f"{message}set: [{', '.join(_MUTABILITIES)}]'")
    if mutability.endswith("_WITH_EXCLUSION") != bool(filters):
        message = "Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: 'filters "
        raise AwsError("InvalidParameterException", f"{message}belong to the modes with exclusion, and only there'")
    for item in filters:
        text = item.get("filter", "")
        if not _FILTER.fullmatch(text) or text.count("*") > _MOST_WILDCARDS or item.get("filterType") != "WILDCARD":
            message = (
                f"Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: '{text}'"
            )
            raise AwsError("InvalidParameterException", message)
    if len(filters) > _MOST_FILTERS:
        message = "Invalid parameter at 'imageTagMutabilityExclusionFilters': at most 5 filters"
        raise AwsError("InvalidParameterException", message)
    return mutability, filters


def _find(repository: Repository, image_id: Json) -> Manifest | None:
    digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
    manifest = repository.find(digest or tag or "")
    if manifest is not None and digest and tag and repository.tags.get(tag) != digest:
        return None
    return manifest


def _image(repository: Repository, manifest: Manifest, tag: str | None) -> Json:
    return {
        "registryId": repository.scope.account,
        "repositoryName": repository.name,
        "imageId": {"imageDigest": manifest.digest, **({"imageTag": tag} if tag else {})},
        "imageManifest": manifest.body.decode(),
        "imageManifestMediaType": manifest.media_type,
    }


def _detail(repository: Repository, manifest: Manifest) -> Json:
    tags = repository.tags_of(manifest.digest)
    config = manifest.document.get("config", {}).get("mediaType")
    archived = repository.archived.get(manifest.digest)
    return {
        "registryId": repository.scope.account,
        "repositoryName": repository.name,
        "imageDigest": manifest.digest,
        **({"imageTags": tags} if tags else {}),
        "imageSizeInBytes": manifest.size,
        "imagePushedAt": manifest.pushed_at,
        "imageManifestMediaType": manifest.media_type,
        **({"artifactMediaType": config} if config else {}),
        "imageStatus": repository.status(manifest.digest),
        **({"lastArchivedAt": archived} if archived is not None else {}),
    }


def _passes(request: Json, repository: Repository, manifest: Manifest) -> bool:
    chosen = request.get("filter", {})
    wanted, status = chosen.get("tagStatus", "ANY"), chosen.get("imageStatus", "ACTIVE")
    tagged = bool(repository.tags_of(manifest.digest))
    if status not in ("ANY", repository.status(manifest.digest)):
        return False
    return bool(wanted == "ANY" or (wanted == "TAGGED") == tagged)


def _failure(image_id: Json, code: str, reason: str) -> Json:
    return {"imageId": image_id, "failureCode": code, "failureReason": reason}


def _spelt(image_id: Json) -> str:
    return f"imageDigest:'{image_id.get('imageDigest', 'null')}', imageTag:'{image_id.get('imageTag', 'null')}'"


def _page(request: Json, key: str, items: list[Json]) -> Json:
    start, limit = int(request.get("nextToken") or 0), int(request.get("maxResults") or 1000)
    following = {"nextToken": str(start + limit)} if start + limit < len(items) else {}
    return {key: items[start : start + limit], **following}
