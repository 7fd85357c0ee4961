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
from migrate.core.images import ImageFacts
from migrate.core.lifecycle_policy import Fate, LifecyclePolicy, StoredImage, evaluate, matches_wildcard
from migrate.core.surroundings import Unread

GUARD_PATTERN = "migrate-guard-*"
"""What a lifecycle rule has to select to keep every guard tag (``tagPatternList``)."""
NEW_INDEX = "the new index"
"""Stands for the digest of an index that is not built yet."""

_GUARD = re.compile(r"migrate-guard-[0-9a-f]{1,12}-.*")
_ECR_HOST = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)"
)


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
    contents: RepositoryContents, policy: LifecyclePolicy, facts: ImageFacts, guard: str, now: datetime, *, extend: bool
) -> WayBack:
    """Evaluate a policy on the repository as it will be after the service's tag has moved.

    ``facts`` are of what the tag names now and ``guard`` is the guard tag that it will get. With ``extend`` the new
    index lists what the original image runs, which keeps it for as long as the index is there. Where ``guard`` names
    another image already, the tag has moved: nothing is added then, and that image is the original.
    """
    roles, images, parents = _after_the_switch(contents, facts, guard, now, extend=extend)
    ours = frozenset(roles)
    bare = tuple(_without(image, (guard,)) for image in images)
    guarded, unguarded = evaluate(policy, images, parents, now), evaluate(policy, bare, parents, now)
    return WayBack(
        roles,
        {digest: fate for digest, fate in guarded.items() if digest in ours},
        {digest: fate for digest, fate in unguarded.items() if digest in ours},
    )


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


def earlier_tags(contents: RepositoryContents, tag: str, guard: str) -> tuple[tuple[str, str], ...]:
    """Return the tags of ours (tag and digest) for the same service tag that an earlier migration left."""
    return tuple(
        sorted(
            (name, image.digest)
            for image in contents.images
            for name in image.tags
            if name == shelf_tag(tag) or (name != guard and _GUARD.fullmatch(name) and name.endswith(f"-{tag}"))
        )
    )


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


def missing_way_back(stored: StoredImage | None) -> str:
    """Say why the original image cannot be gone back to; empty where it can (case C20).

    ``stored`` is what the registry shows for the original digest, None where it shows nothing.
    """
    if stored is None:
        return "The repository does not hold it any more: a lifecycle rule or a person has removed it."
    if stored.status not in ("", "ACTIVE"):
        return f"It is {stored.status}: it cannot be pulled before it is restored from the archive."
    return ""


def _after_the_switch(
    contents: RepositoryContents, facts: ImageFacts, guard: str, now: datetime, *, extend: bool
) -> tuple[dict[str, str], tuple[StoredImage, ...], dict[str, tuple[str, ...]]]:
    parents = listed_by(contents)
    holder = next((image for image in contents.images if guard in image.tags), None)
    below = {child.digest: f"its child {child.offered or child.kind}" for child in facts.children}
    below.pop(facts.digest, None)
    if holder is not None and holder.digest != facts.digest:
        roles = {holder.digest: "the original image", facts.digest: "the index that the service runs", **below}
        return roles, contents.images, _with(parents, facts.digest, below)
    tag = facts.reference.tag or ""
    index = StoredImage(NEW_INDEX, tags=(tag, shelf_tag(tag)), pushed_at=now)
    others = tuple(_without(image, index.tags) for image in contents.images if image.digest != facts.digest)
    before = contents.behind(facts.digest) or StoredImage(facts.digest)
    original = replace(before, tags=(*(name for name in before.tags if name not in (tag, guard)), guard))
    parents = _with(parents, facts.digest, below)
    if extend:
        parents = _with(parents, NEW_INDEX, below or (facts.digest,))
    roles = {facts.digest: "the original image", **below, NEW_INDEX: "the index that the service will run"}
    return roles, (*others, original, index), parents


def _without(image: StoredImage, tags: tuple[str, ...]) -> StoredImage:
    return replace(image, tags=tuple(name for name in image.tags if name not in tags))


def _with(parents: Mapping[str, tuple[str, ...]], index: str, children: Iterable[str]) -> dict[str, tuple[str, ...]]:
    found = dict(parents)
    for child in children:
        found[child] = tuple(dict.fromkeys((*found.get(child, ()), index)))
    return found
