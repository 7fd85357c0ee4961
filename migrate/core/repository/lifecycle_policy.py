"""What an ECR lifecycle policy does to the images of a repository, and when.

Source: ECR user guide, "Lifecycle policy evaluation rules" and "Lifecycle policy properties" (read November 2026).
That children of an index take no part in counts was seen in a policy preview (DefangLabs/pulumi-defang pull 466).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from migrate.core.documents import Json


class TagStatus(StrEnum):
    """Which images a rule selects by whether they have tags."""

    TAGGED = "tagged"
    UNTAGGED = "untagged"
    ANY = "any"


class CountType(StrEnum):
    """What a rule counts; all but the first count days."""

    IMAGES = "imageCountMoreThan"
    SINCE_PUSHED = "sinceImagePushed"
    SINCE_PULLED = "sinceImagePulled"
    SINCE_ARCHIVED = "sinceImageTransitioned"


class Action(StrEnum):
    """What becomes of an image that a rule takes; an archived one cannot be pulled ("Archiving an image")."""

    EXPIRE = "expire"
    ARCHIVE = "transition"


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image as DescribeImages shows it; ``status`` is ACTIVE, ARCHIVED or ACTIVATING, empty where ECR says nothing.

    Tagging it again changes none of the times (aws/containers-roadmap issue 2746).
    """

    digest: str
    status: str = ""
    tags: tuple[str, ...] = ()
    pushed_at: datetime | None = None
    media_type: str = ""
    pulled_at: datetime | None = None
    archived_at: datetime | None = None
    activated_at: datetime | None = None

    @property
    def is_archived(self) -> bool:
        """Whether it lies in the archive: described, and not to be pulled."""
        return self.status == "ARCHIVED"


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """One rule; the lowest ``priority`` goes first. ``patterns`` have ``*`` for any text; all of them must match."""

    priority: int
    tag_status: TagStatus
    patterns: tuple[str, ...]
    count_type: CountType
    count: int
    action: Action
    archive: bool = False
    """Whether it selects archived images, and those only (``storageClass``)."""

    def selects(self, image: StoredImage) -> bool:
        """Tell whether the image has the tags and the storage class that the rule asks for."""
        if image.is_archived is not self.archive:
            return False
        if self.tag_status is TagStatus.UNTAGGED:
            return not image.tags
        if self.tag_status is TagStatus.ANY:
            return True
        return bool(image.tags) and all(
            any(matches_wildcard(pattern, tag) for tag in image.tags) for pattern in self.patterns
        )

    def __str__(self) -> str:
        which = f"{self.tag_status} {', '.join(self.patterns)}".strip()
        unit = "images" if self.count_type is CountType.IMAGES else "days"
        return f"rule {self.priority} ({which}, {self.count_type} {self.count} {unit}, {self.action})"


@dataclass(frozen=True, slots=True)
class LifecyclePolicy:
    """The rules, lowest priority number first; ``unread`` says in words which parts this version cannot read."""

    rules: tuple[LifecycleRule, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def counts_untagged(self) -> bool:
        """Whether a count hangs on images without a tag, of which some may be children of an index."""
        return any(
            rule.count_type is CountType.IMAGES and rule.tag_status is not TagStatus.TAGGED for rule in self.rules
        )


@dataclass(frozen=True, slots=True)
class Fate:
    """What the policy does to one image.

    ``rule`` is the only rule that may take it, None where none selects it. ``due`` is when ECR may take it (within 24
    hours of that), None where time alone never does. ``pushes_left`` is how many more images that the rule selects may
    come before it is taken; ``held_by`` are the indexes that keep it as long as they are there.
    """

    image: StoredImage
    rule: LifecycleRule | None = None
    due: datetime | None = None
    pushes_left: int | None = None
    held_by: tuple[str, ...] = field(default=())


def matches_wildcard(pattern: str, text: str) -> bool:
    """Match as ECR does: ``*`` stands for any text, also none, and nothing else is special."""
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)


def parse_lifecycle_policy(text: str) -> LifecyclePolicy:
    """Read the text of a policy; what cannot be read is named, never an error."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return LifecyclePolicy(unread=("the policy is not JSON",))
    written = value.get("rules") if isinstance(value, dict) else None
    rules, unread = [], []
    for item in written if isinstance(written, list) else []:
        try:
            rules.append(_rule(item))
        except (AttributeError, KeyError, TypeError, ValueError):
            named = item.get("rulePriority", "?") if isinstance(item, dict) else "?"
            unread.append(f"rule {named} is of a kind that this version does not know")
    if not isinstance(written, list):
        unread.append("the policy has no list of rules")
    return LifecyclePolicy(tuple(sorted(rules, key=lambda rule: rule.priority)), tuple(unread))


def evaluate(
    policy: LifecyclePolicy,
    images: Iterable[StoredImage],
    parents: Mapping[str, tuple[str, ...]],
    now: datetime,
    wanted: Iterable[str] | None = None,
) -> Mapping[str, Fate]:
    """Return what the policy does to each image that is there, by digest; with ``wanted``, to these alone.

    ``parents`` are the digests of the indexes that list an image. Each image is taken by the first rule that selects
    it, or by none; a rule counts images that an earlier one selects as if they were all to stay.
    """
    present = {image.digest: image for image in images}
    listed = {
        digest: tuple(parent for parent in parents.get(digest, ()) if parent in present and parent != digest)
        for digest in present
    }
    asked = present if wanted is None else [digest for digest in wanted if digest in present]
    ranks = {
        rule.priority: _ranks(rule, [image for image in present.values() if not listed[image.digest]])
        for rule in policy.rules
        if rule.count_type is CountType.IMAGES
    }
    alone = {
        digest: _alone(policy, present[digest], ranks, now)
        for digest in {name for one in asked for name in (one, *listed[one])}
    }
    return {digest: _held(alone[digest], [alone[parent] for parent in listed[digest]], now) for digest in asked}


def _rule(item: Mapping[str, Json]) -> LifecycleRule:
    selection, action = item["selection"], item["action"]
    if not isinstance(selection, dict) or not isinstance(action, dict):
        raise TypeError
    prefixes, patterns = _texts(selection.get("tagPrefixList")), _texts(selection.get("tagPatternList"))
    tag_status = TagStatus(str(selection["tagStatus"]))
    count_type = CountType(str(selection["countType"]))
    wanted = (*(f"{prefix}*" for prefix in prefixes), *patterns)
    if (tag_status is TagStatus.TAGGED) != bool(wanted):
        raise ValueError
    if count_type is not CountType.IMAGES and selection.get("countUnit") != "days":
        raise ValueError
    storage_class = str(selection.get("storageClass", "standard"))
    if storage_class not in ("standard", "archive"):
        raise ValueError
    count, priority = selection["countNumber"], item["rulePriority"]
    if not isinstance(count, int) or not isinstance(priority, int):
        raise TypeError
    kind = Action(str(action["type"]))
    return LifecycleRule(priority, tag_status, wanted, count_type, count, kind, archive=storage_class == "archive")


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _ranks(rule: LifecycleRule, images: Iterable[StoredImage]) -> Mapping[str, int]:
    """Return how many images that the rule selects are younger, by digest."""
    selected = sorted((image for image in images if rule.selects(image)), key=_age, reverse=True)
    return {image.digest: rank for rank, image in enumerate(selected)}


def _age(image: StoredImage) -> float:
    since = image.activated_at or image.pushed_at
    return since.timestamp() if since is not None else 0.0


def _alone(policy: LifecyclePolicy, image: StoredImage, ranks: Mapping[int, Mapping[str, int]], now: datetime) -> Fate:
    """Return the fate that an image has when no index holds it."""
    rule = next((rule for rule in policy.rules if rule.selects(image)), None)
    if rule is None:
        return Fate(image)
    if rule.count_type is CountType.IMAGES:
        rank = ranks[rule.priority].get(image.digest, rule.count)
        if rank >= rule.count:
            return Fate(image, rule, due=now, pushes_left=0)
        return Fate(image, rule, pushes_left=rule.count - rank)
    since = {
        CountType.SINCE_PUSHED: image.activated_at or image.pushed_at,
        CountType.SINCE_PULLED: _last_use(image),
        CountType.SINCE_ARCHIVED: image.archived_at,
    }[rule.count_type]
    # A time that ECR does not tell may be long ago.
    return Fate(image, rule, due=now if since is None else since + timedelta(days=rule.count))


def _last_use(image: StoredImage) -> datetime | None:
    if image.activated_at and (image.pulled_at is None or image.pulled_at < image.activated_at):
        return image.activated_at
    return image.pulled_at or image.pushed_at


def _held(fate: Fate, parents: Sequence[Fate], now: datetime) -> Fate:
    """Let the indexes that list an image keep it: it goes when the last of them has gone, and not before."""
    if not parents:
        return fate
    held_by = tuple(parent.image.digest for parent in parents)
    if any(parent.due is None and parent.pushes_left is None for parent in parents):
        return Fate(fate.image, fate.rule, held_by=held_by)
    counted = [parent.pushes_left for parent in parents if parent.pushes_left is not None]
    if not counted or max(counted) == 0:
        dues = [parent.due for parent in parents if parent.due is not None]
        due = max(fate.due, *dues) if fate.due is not None else None
        return Fate(fate.image, fate.rule, due=due, pushes_left=None if due else fate.pushes_left, held_by=held_by)
    # Which comes first, pushes or a day, nobody knows: only what would go at once without its index is told.
    goes = fate.pushes_left is not None or (fate.due is not None and fate.due <= now)
    return Fate(
        fate.image, fate.rule, pushes_left=max(*counted, fate.pushes_left or 0) if goes else None, held_by=held_by
    )
