"""Whether the way back stays: what is in the repository, what acts on it, and what becomes of the original image.

Pure: facts in, judgements out. The findings made of them are in preflight/repository.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from migrate.core.desired_state import shelf_tag
from migrate.core.facts import Repository
from migrate.core.image.index import ImageFacts
from migrate.core.repository.lifecycle_policy import Fate, LifecyclePolicy, StoredImage, evaluate, matches_wildcard
from migrate.core.surroundings import Unread

GUARD_PATTERN = "migrate-guard-*"
"""What a lifecycle rule has to select to keep every guard tag (``tagPatternList``)."""
NEW_INDEX = "the new index"
"""Stands for the digest of an index that is not built yet."""

_ORIGINAL = "the original image"
_ECR_HOST = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.(?:com|com\.cn|eu)|on\.aws"
    r"|on\.amazonwebservices\.(?:com\.cn|eu)|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)"
)
"""Every partition's suffix (botocore, partitions.json)."""


@dataclass(frozen=True, slots=True)
class RegistryHost:
    """Account and region that the host name of an ECR registry says."""

    account_id: str
    region: str


@dataclass(frozen=True, slots=True)
class PullThroughCache:
    """A rule by which ECR fetches tags below ``prefix`` from another registry (ROOT: all of them)."""

    prefix: str
    upstream: str


@dataclass(frozen=True, slots=True)
class RepositoryContents:
    """What is in an ECR repository, and what acts on it beside people.

    ``complete`` is False where ``images`` are some of many. ``lifecycle_policy`` is the policy's text, None where
    there is none. ``children`` maps each index that was opened to the digests it lists; ``opened_all`` says whether
    that are all indexes. What could not be read stands in ``unread``, and is empty otherwise.
    """

    images: tuple[StoredImage, ...] = ()
    complete: bool = True
    lifecycle_policy: str | None = None
    children: tuple[tuple[str, tuple[str, ...]], ...] = ()
    opened_all: bool = True
    pull_through: tuple[PullThroughCache, ...] = ()
    replicated_to: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()

    def behind(self, reference: str) -> StoredImage | None:
        """Return the image behind a tag or digest, None where it was not read."""
        return next((item for item in self.images if item.digest == reference or reference in item.tags), None)


@dataclass(frozen=True, slots=True)
class WayBack:
    """What becomes of each digest that the migration needs, once the service's tag points at the index.

    ``roles`` names the digests; ``guarded`` and ``unguarded`` are their fates with the guard tag and without it.
    """

    roles: Mapping[str, str]
    guarded: Mapping[str, Fate]
    unguarded: Mapping[str, Fate]


def registry_host(host: str) -> RegistryHost | None:
    """Read an ECR host name, dual-stack and FIPS spellings included; None for any other.

    Source: ECR user guide, "Amazon ECR private registry", and general reference, "Amazon ECR endpoints".
    """
    match = _ECR_HOST.fullmatch(host.lower())
    return RegistryHost(match["account"], match["region"]) if match else None


def guard_tag(tag: str, digest: str) -> str:
    """Return the tag of our own that keeps the original manifest (facts F31); at most 128 characters (ECR)."""
    return f"migrate-guard-{digest.removeprefix('sha256:')[:12]}-{tag}"[:128]


def tag_is_locked(repository: Repository, tag: str) -> bool:
    """Tell whether ECR refuses to move an existing tag (facts F30: the filters of both exclusion modes differ).

    A locked tag may be written once, and again with the image that it already names (PutImage reference). Source: ECR
    user guide, "Preventing image tags from being overwritten"; filters are wildcards, in which only ``*`` is special.
    """
    matched = any(matches_wildcard(pattern, tag) for pattern in repository.exclusion_filters)
    if repository.tag_mutability == "IMMUTABLE":
        return True
    if repository.tag_mutability == "IMMUTABLE_WITH_EXCLUSION":
        return not matched
    return repository.tag_mutability == "MUTABLE_WITH_EXCLUSION" and matched


def cached_from(contents: RepositoryContents, repository: str) -> PullThroughCache | None:
    """Return the pull-through cache rule that the repository belongs to, the longest prefix first."""
    owning = [
        rule for rule in contents.pull_through if rule.prefix == "ROOT" or repository.startswith(f"{rule.prefix}/")
    ]
    return max(owning, key=lambda rule: 0 if rule.prefix == "ROOT" else len(rule.prefix), default=None)


def way_back(
    contents: RepositoryContents, policy: LifecyclePolicy, facts: ImageFacts, now: datetime, *, extend: bool
) -> WayBack:
    """Evaluate a policy on the repository as it will be after the service's tag has moved, or as it is if it has.

    ``facts`` are of what the tag names now. With ``extend`` the new index lists what the original image runs, which
    keeps that for as long as the index is there.
    """
    roles, images, parents = _after_the_switch(contents, facts, now, extend=extend)
    guards = tuple(guard_tag(facts.reference.tag or "", digest) for digest in roles)
    bare = tuple(_without(image, guards) for image in images)
    return WayBack(roles, evaluate(policy, images, parents, now, roles), evaluate(policy, bare, parents, now, roles))


def guarded_originals(contents: RepositoryContents, facts: ImageFacts) -> tuple[StoredImage, ...]:
    """Return the originals that a guard tag holds where the service's tag has moved on to a multi-platform index."""
    if not facts.is_multi_platform:
        return ()
    return tuple(image for image in _guarded(contents, facts) if image.digest != facts.digest)


def listed_by(contents: RepositoryContents) -> dict[str, tuple[str, ...]]:
    """Return the indexes that list each digest, as far as indexes were opened."""
    found: dict[str, tuple[str, ...]] = {}
    for index, children in contents.children:
        for child in children:
            found[child] = (*found.get(child, ()), index)
    return found


def recent_pushes(contents: RepositoryContents, fate: Fate, now: datetime, within: timedelta) -> int:
    """Return how many images that the fate's rule selects came in a time: what a count may grow by in as long."""
    rule = fate.rule
    listed = listed_by(contents)
    return sum(
        image.pushed_at is not None and now - image.pushed_at <= within
        for image in contents.images
        if rule is not None and rule.selects(image) and image.digest not in listed
    )


def earlier_tags(contents: RepositoryContents, facts: ImageFacts) -> tuple[tuple[str, str], ...]:
    """Return our own tags (and what they name) that an earlier migration of the service's tag has left."""
    if guarded_originals(contents, facts):
        return ()
    tag = facts.reference.tag or ""
    guards = ((guard_tag(tag, item.digest), item) for item in _guarded(contents, facts) if item.digest != facts.digest)
    shelves = ((shelf_tag(tag), item) for item in contents.images if shelf_tag(tag) in item.tags)
    return tuple(sorted((name, item.digest) for name, item in (*guards, *shelves)))


def left_over(contents: RepositoryContents, since: datetime, needed: Iterable[str] = ()) -> tuple[tuple[str, str], ...]:
    """Return digest and media type of what was pushed since and has no tag: what a failed push leaves (case C05).

    Children of an index, and the digests in ``needed``, belong to something and are left out.
    """
    listed, kept = listed_by(contents), frozenset(needed)
    return tuple(
        sorted(
            (image.digest, image.media_type or "manifest")
            for image in contents.images
            if not image.tags
            and image.pushed_at is not None
            and image.pushed_at >= since
            and image.digest not in kept
            and image.digest not in listed
        )
    )


def _guarded(contents: RepositoryContents, facts: ImageFacts) -> tuple[StoredImage, ...]:
    tag = facts.reference.tag or ""
    return tuple(image for image in contents.images if guard_tag(tag, image.digest) in image.tags)


def _after_the_switch(
    contents: RepositoryContents, facts: ImageFacts, now: datetime, *, extend: bool
) -> tuple[dict[str, str], tuple[StoredImage, ...], dict[str, tuple[str, ...]]]:
    below = {child.digest: f"its child {child.offered or child.kind}" for child in facts.children}
    below.pop(facts.digest, None)
    parents = _with(listed_by(contents), facts.digest, below)
    originals = guarded_originals(contents, facts)
    if originals:
        roles = {image.digest: _ORIGINAL for image in originals}
        return {**roles, facts.digest: "the index that the service runs", **below}, contents.images, parents
    tag, guard = facts.reference.tag or "", guard_tag(facts.reference.tag or "", facts.digest)
    index = StoredImage(NEW_INDEX, tags=(tag, shelf_tag(tag)), pushed_at=now)
    others = tuple(_without(image, index.tags) for image in contents.images if image.digest != facts.digest)
    before = contents.behind(facts.digest) or StoredImage(facts.digest)
    original = replace(before, tags=(*_without(before, (tag, guard)).tags, guard))
    if extend:
        parents = _with(parents, NEW_INDEX, below or (facts.digest,))
    roles = {facts.digest: _ORIGINAL, **below, NEW_INDEX: "the index that the service will run"}
    return roles, (*others, original, index), parents


def _without(image: StoredImage, tags: tuple[str, ...]) -> StoredImage:
    left = tuple(name for name in image.tags if name not in tags)
    return image if left == image.tags else replace(image, tags=left)


def _with(parents: Mapping[str, tuple[str, ...]], index: str, children: Iterable[str]) -> dict[str, tuple[str, ...]]:
    found = dict(parents)
    for child in children:
        found[child] = tuple(dict.fromkeys((*found.get(child, ()), index)))
    return found
