"""Preflight of the repository whose tag moves: whether the tag may move and stays, and whether the way back does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from migrate.core.desired_state import shelf_tag
from migrate.core.facts import Repository
from migrate.core.findings import Finding, Grade
from migrate.core.observation import ContainerImage, Observation
from migrate.core.preflight.finding import finding
from migrate.core.preflight.lifecycle import lifecycle_findings
from migrate.core.repository.guarding import (
    RepositoryContents,
    cached_from,
    earlier_tags,
    left_over,
    registry_host,
    tag_is_locked,
)
from migrate.core.settings import ImageMode, Settings

_RECENT = timedelta(days=1)
_MOST_SHOWN = 5


def repository_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield why the tag could not be guarded or moved, and what would take the way back away.

    In mode external nobody moves the tag from here: only what happens to the images is looked at.
    """
    repository, image = observation.repository, observation.image(settings.image.container)
    external = settings.image.mode is ImageMode.EXTERNAL
    if image is None:
        return
    contents = observation.contents
    if repository is None:
        if contents is not None:
            yield from _unread(contents)
        elif not external:
            yield _elsewhere(observation, image)
        return
    if not external:
        yield from _locked_tags(repository, image, contents)
    if contents is None:
        return
    yield from _unread(contents)
    yield from _archived(image, contents)
    if not external:
        yield from _overwritten(repository, image, contents)
        yield from _replicated(contents)
    if image.facts is not None and image.reference.tag:
        yield from lifecycle_findings(contents, image.facts, observation.taken_at, settings.image.mode)
        yield from _left_over(observation, image, contents)


def _elsewhere(observation: Observation, image: ContainerImage) -> Finding:
    evidence = (("container", image.container), ("image", str(image.reference)))
    host, account = registry_host(image.reference.registry), observation.account.account_id
    if host is not None and host.account_id != account:
        return finding(
            "repository.other-account",
            Grade.BLOCK,
            0,
            f"The image is in the registry of account {host.account_id}, and these are credentials of {account}: its "
            "tag cannot be guarded or moved from here.",
            f'Have account {host.account_id} push the index and set image.mode = "external", or keep the service\'s '
            f"image in a repository of {account}.",
            evidence,
        )
    return finding(
        "repository.not-ecr",
        Grade.BLOCK,
        0,
        f"{image.reference.registry} is no ECR registry of this account: the tag cannot be guarded or moved here.",
        'Push the index by your own CI and set image.mode = "external".',
        evidence,
    )


def _locked_tags(
    repository: Repository, image: ContainerImage, contents: RepositoryContents | None
) -> Iterator[Finding]:
    tag = image.reference.tag or ""
    shelf = shelf_tag(tag)
    mode = (
        ("imageTagMutability", repository.tag_mutability),
        ("exclusion filters", ", ".join(repository.exclusion_filters) or "none"),
        ("own tag", shelf),
    )
    if tag_is_locked(repository, tag):
        yield finding(
            "repository.immutable-tag",
            Grade.BLOCK,
            1,
            f"ECR does not let the tag {tag} move ({repository.tag_mutability}).",
            "Either stop here, or go by a new tag: have your CI push the multi-platform index under it, register a "
            'task definition revision that names it, deploy that, and migrate with image.mode = "external". This tool '
            "never changes a repository's mutability.",
            mode,
        )
    elif tag_is_locked(repository, shelf):
        held = contents.behind(shelf) if contents is not None else None
        now = f"it names {held.digest} already" if held is not None else "it is free now"
        yield finding(
            "repository.index-tag-locked",
            Grade.WARN,
            1,
            f"ECR lets the tag {shelf}, under which stage 1 proves the index, be written once ({now}): a second build "
            "with another result would be refused, with the service's tag untouched.",
            "Exclude migrate-* from the locked tags as well, or be ready to remove that tag by hand before a second "
            "build. This tool never changes a repository's mutability.",
            mode,
        )


def _unread(contents: RepositoryContents) -> Iterator[Finding]:
    if contents.unread:
        names = ", ".join(item.what for item in contents.unread)
        yield finding(
            "repository.unread",
            Grade.UNKNOWN,
            1,
            f"These credentials may not read {names}: what they do to the image and its tag is not known.",
            f"Allow {', '.join(item.permission for item in contents.unread)} and plan again.",
            tuple((item.permission, item.why) for item in contents.unread),
        )


def _archived(image: ContainerImage, contents: RepositoryContents) -> Iterator[Finding]:
    digests = [image.facts.digest, *(child.digest for child in image.facts.children)] if image.facts else []
    found = (contents.behind(name) for name in (*digests, image.reference.wanted))
    asleep = {stored.digest: stored for stored in found if stored is not None and stored.status not in ("", "ACTIVE")}
    if asleep:
        shown = ", ".join(f"{stored.digest} is {stored.status}" for stored in asleep.values())
        yield finding(
            "repository.image-archived",
            Grade.BLOCK,
            0,
            f"An image that the service runs cannot be pulled: {shown}. A task that stops now cannot be replaced.",
            "Restore it to the standard storage class (`aws ecr update-image-storage-class`), wait until it is ACTIVE, "
            "and plan again.",
            tuple((stored.digest, stored.status) for stored in asleep.values()),
        )


def _overwritten(repository: Repository, image: ContainerImage, contents: RepositoryContents) -> Iterator[Finding]:
    rule = cached_from(contents, repository.name)
    if rule is not None:
        yield finding(
            "repository.pull-through-cache",
            Grade.BLOCK,
            1,
            f"The repository is a pull-through cache of {rule.upstream}: ECR looks there every 24 hours for the tag "
            f"{image.reference.tag or image.reference.digest}, and would put what it finds over the index.",
            "Take the multi-platform image from upstream, or copy it into a repository that is no cache; then use "
            'image.mode = "external".',
            (("ecrRepositoryPrefix", rule.prefix), ("upstream", rule.upstream)),
        )


def _replicated(contents: RepositoryContents) -> Iterator[Finding]:
    if contents.replicated_to:
        yield finding(
            "repository.replicated",
            Grade.INFO,
            1,
            f"What is pushed is copied to {', '.join(contents.replicated_to)}: services there that use the same tag "
            "get the index with their next deployment, and a rollback of the tag too.",
            "Nothing to do: an amd64 service runs from the index what it ran before.",
            tuple(("destination", place) for place in contents.replicated_to),
        )


def _left_over(observation: Observation, image: ContainerImage, contents: RepositoryContents) -> Iterator[Finding]:
    if image.facts is None:
        return
    needed = (image.facts.digest, *(child.digest for child in image.facts.children))
    tags = earlier_tags(contents, image.facts)
    untagged = left_over(contents, observation.taken_at - _RECENT, needed)
    if tags or untagged:
        told = [f"the tag {name}" for name, _ in tags]
        told += (
            [f"{len(untagged)} manifest{'s' * (len(untagged) > 1)} without a tag of the last 24 hours"]
            if untagged
            else []
        )
        yield finding(
            "repository.leftovers",
            Grade.INFO,
            1,
            f"The repository holds what an earlier attempt may have left: {', '.join(told)}.",
            "Nothing to do: none of it is in the way. This tool deletes no image; remove by hand what nobody needs.",
            (*tags, *untagged[:_MOST_SHOWN]),
        )
