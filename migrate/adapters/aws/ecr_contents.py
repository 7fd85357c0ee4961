"""Reads what is in an ECR repository and what acts on it: lifecycle policy, pull-through cache, replication.

A repository may hold ten thousand images and more: all of them are read only where a lifecycle policy decides over
them, in pages of 1000. A single read that is denied is told as such, and takes nothing else with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from migrate.adapters.aws.errors import DENIED, code_of, is_unknown_operation, translated
from migrate.adapters.shared_reads import SharedReads, once
from migrate.core.image.documents import INDEX_TYPES, IndexDocument, parse_document
from migrate.core.repository.guarding import PullThroughCache, RepositoryContents
from migrate.core.repository.lifecycle_policy import StoredImage, parse_lifecycle_policy
from migrate.core.surroundings import Unread

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import (
        DescribeRegistryResponseTypeDef,
        ImageDetailTypeDef,
        ImageIdentifierTypeDef,
        PullThroughCacheRuleTypeDef,
    )

_T = TypeVar("_T")

_PAGE = 1000
_MOST_PAGES = 50
_BATCH = 100
_MOST_INDEXES = 1000
_UNSUPPORTED = frozenset({"UnsupportedOperationException", "UnsupportedCommandException"})


def image_of(detail: ImageDetailTypeDef) -> StoredImage:
    """Return an image of DescribeImages."""
    return StoredImage(
        digest=detail.get("imageDigest", ""),
        status=str(detail.get("imageStatus", "")),
        tags=tuple(sorted(detail.get("imageTags", []))),
        pushed_at=detail.get("imagePushedAt"),
        media_type=detail.get("imageManifestMediaType", ""),
        pulled_at=detail.get("lastRecordedPullTime"),
        archived_at=detail.get("lastArchivedAt"),
        activated_at=detail.get("lastActivatedAt"),
    )


def stored_image(client: ECRClient, repository: str, reference: str) -> StoredImage | None:
    """Return what a tag or digest names, archived or not; None when there is nothing of that name.

    To be called inside ``translated``.
    """
    wanted: ImageIdentifierTypeDef = {"imageDigest": reference} if ":" in reference else {"imageTag": reference}
    try:
        details = client.describe_images(repositoryName=repository, imageIds=[wanted])["imageDetails"]
    except ClientError as error:
        if code_of(error) == "ImageNotFoundException":
            return None
        raise
    return image_of(details[0]) if details else None


def read_contents(
    client: ECRClient, repository: str, wanted: Sequence[str], shared: SharedReads | None = None
) -> RepositoryContents:
    """Return the contents of a repository; ``wanted`` are tags and digests that are looked for in any case.

    What holds for the whole registry is ``shared`` between its repositories.

    Raises AccessError where AWS cannot be asked at all.
    """
    return _Reading(client, repository, shared).contents(wanted)


class _Reading:
    """One look at one repository; ``unread`` fills with what was denied."""

    def __init__(self, client: ECRClient, repository: str, shared: SharedReads | None) -> None:
        self._client = client
        self._shared = shared
        self._name = repository
        self._unread: list[Unread] = []

    def contents(self, wanted: Sequence[str]) -> RepositoryContents:
        policy = self._tried("the lifecycle policy", "ecr:GetLifecyclePolicy", self._policy)
        listed = self._tried("the images", "ecr:DescribeImages", lambda: self._images(wanted, policy is not None))
        images, complete = listed or ((), False)
        opened = self._tried(
            "the indexes of the repository", "ecr:BatchGetImage", lambda: self._indexes(images, policy, wanted)
        )
        children, opened_all = opened or ((), False)
        return RepositoryContents(
            images=images,
            complete=complete,
            lifecycle_policy=policy,
            children=children,
            opened_all=opened_all,
            pull_through=self._tried("pull-through cache rules", "ecr:DescribePullThroughCacheRules", self._caches)
            or (),
            replicated_to=self._tried("the replication of the registry", "ecr:DescribeRegistry", self._replicas) or (),
            unread=tuple(self._unread),
        )

    def _tried(self, what: str, permission: str, read: Callable[[], _T]) -> _T | None:
        """Return what was read; None where it is denied, or where the region or endpoint has no such thing."""
        with translated("ecr", self._client.meta.region_name):
            try:
                return read()
            except ClientError as error:
                code = code_of(error)
                if code in DENIED:
                    self._unread.append(Unread(what, permission, f"{code}: {error}"))
                elif code not in _UNSUPPORTED and not is_unknown_operation(error):
                    raise
                return None

    def _policy(self) -> str | None:
        try:
            return self._client.get_lifecycle_policy(repositoryName=self._name)["lifecyclePolicyText"]
        except ClientError as error:
            if code_of(error) == "LifecyclePolicyNotFoundException":
                return None
            raise

    def _images(self, wanted: Sequence[str], all_of_them: bool) -> tuple[tuple[StoredImage, ...], bool]:
        pages = self._client.get_paginator("describe_images").paginate(
            repositoryName=self._name, filter={"imageStatus": "ANY"}, PaginationConfig={"PageSize": _PAGE}
        )
        images: list[StoredImage] = []
        complete = True
        for page in islice(pages, _MOST_PAGES if all_of_them else 1):
            images += (image_of(detail) for detail in page["imageDetails"])
            complete = "nextToken" not in page
        if not complete:
            known = {name for image in images for name in (image.digest, *image.tags)}
            missing = (name for name in dict.fromkeys(wanted) if name not in known)
            found = (stored_image(self._client, self._name, name) for name in missing)
            images += {image.digest: image for image in found if image is not None}.values()
        return tuple(images), complete

    def _indexes(
        self, images: Iterable[StoredImage], policy: str | None, wanted: Sequence[str]
    ) -> tuple[tuple[tuple[str, tuple[str, ...]], ...], bool]:
        """Open the indexes that matter: all where a policy counts untagged images, else those since the wanted one."""
        indexes = sorted((image for image in images if image.media_type in INDEX_TYPES), key=_pushed, reverse=True)
        if policy is None or not parse_lifecycle_policy(policy).counts_untagged:
            since = max((_pushed(image) for image in images if wanted and wanted[0] in image.tags), default=0.0)
            indexes = [image for image in indexes if _pushed(image) >= since][:_BATCH]
        digests = [image.digest for image in indexes if not image.is_archived]
        opened = tuple(self._opened(digests[:_MOST_INDEXES]))
        return opened, len(opened) == len(digests)

    def _opened(self, digests: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
        for start in range(0, len(digests), _BATCH):
            answer = self._client.batch_get_image(
                repositoryName=self._name,
                imageIds=[{"imageDigest": digest} for digest in digests[start : start + _BATCH]],
                acceptedMediaTypes=sorted(INDEX_TYPES),
            )
            for image in answer["images"]:
                document = parse_document(
                    image.get("imageManifest", "").encode(), image.get("imageManifestMediaType", "")
                )
                entries = document.entries if isinstance(document, IndexDocument) else ()
                yield image.get("imageId", {}).get("imageDigest", ""), tuple(entry.digest for entry in entries)

    def _of_the_registry(self, operation: str, read: Callable[[], _T]) -> _T:
        return once(self._shared, operation, self._client.meta.region_name, read)

    def _caches(self) -> tuple[PullThroughCache, ...]:
        return self._of_the_registry("ecr:DescribePullThroughCacheRules", self._read_caches)

    def _read_caches(self) -> tuple[PullThroughCache, ...]:
        pages = self._client.get_paginator("describe_pull_through_cache_rules").paginate(
            PaginationConfig={"PageSize": _PAGE}
        )
        return tuple(
            PullThroughCache(rule.get("ecrRepositoryPrefix", "").rstrip("/"), _upstream(rule))
            for page in pages
            for rule in page["pullThroughCacheRules"]
        )

    def _replicas(self) -> tuple[str, ...]:
        answer = self._of_the_registry("ecr:DescribeRegistry", self._read_registry)
        rules = answer.get("replicationConfiguration", {}).get("rules", [])
        return tuple(
            f"{destination['registryId']} in {destination['region']}"
            for rule in rules
            if self._is_chosen([item["filter"] for item in rule.get("repositoryFilters", [])])
            for destination in rule["destinations"]
        )

    def _read_registry(self) -> DescribeRegistryResponseTypeDef:
        return self._client.describe_registry()

    def _is_chosen(self, prefixes: Sequence[str]) -> bool:
        return not prefixes or any(self._name.startswith(prefix) for prefix in prefixes)


def _upstream(rule: PullThroughCacheRuleTypeDef) -> str:
    """Return registry and prefix that a rule fetches from; ROOT stands for no prefix (CreatePullThroughCacheRule)."""
    prefix = rule.get("upstreamRepositoryPrefix", "ROOT")
    return rule.get("upstreamRegistryUrl", "") + ("" if prefix == "ROOT" else f"/{prefix.rstrip('/')}")


def _pushed(image: StoredImage) -> float:
    return image.pushed_at.timestamp() if image.pushed_at is not None else 0.0
