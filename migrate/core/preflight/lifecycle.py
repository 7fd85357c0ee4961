"""Preflight of the lifecycle policy: whether it takes what the way back needs (case C20)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from migrate.core.findings import Finding, Grade
from migrate.core.image.index import ImageFacts
from migrate.core.preflight.finding import finding
from migrate.core.repository.guarding import (
    GUARD_PATTERN,
    NEW_INDEX,
    RepositoryContents,
    WayBack,
    recent_pushes,
    way_back,
)
from migrate.core.repository.lifecycle_policy import Action, Fate, LifecyclePolicy, parse_lifecycle_policy
from migrate.core.settings import ImageMode

MIGRATION = timedelta(days=7)
"""How long the way back has to stay at the very least: three stages, their gates, and a weekend."""
FORESIGHT = timedelta(days=90)
"""What goes later than that is told, not warned of."""

_KEEP = (
    f"Put a rule before all others (the smallest rulePriority) that selects tagged images by tagPatternList "
    f'["{GUARD_PATTERN}"] and keeps more of them than there will be (imageCountMoreThan 1000): an image that a rule '
    "selects is safe from every later one."
)


def lifecycle_findings(
    contents: RepositoryContents, facts: ImageFacts, now: datetime, mode: ImageMode
) -> Iterator[Finding]:
    """Yield what the repository's lifecycle policy does to the digests that the migration needs.

    In mode external nobody moves the tag back to the original, so that losing it blocks nothing.
    """
    if contents.lifecycle_policy is None:
        return
    policy = parse_lifecycle_policy(contents.lifecycle_policy)
    yield from _undecided(contents, policy)
    judged = way_back(contents, policy, facts, now, extend=mode is ImageMode.EXTEND)
    needed = [digest for digest in judged.guarded if mode is not ImageMode.EXTERNAL and _is_way_back(judged, digest)]
    lost = [digest for digest in needed if _is_lost(judged.guarded[digest], now)]
    limited = [
        digest for digest, fate in judged.guarded.items() if digest not in lost and _is_limited(contents, fate, now)
    ]
    saved = [
        digest
        for digest, fate in judged.unguarded.items()
        if digest not in (*lost, *limited) and _is_limited(contents, fate, now)
    ]
    if lost:
        yield _lost(judged, lost)
    if limited:
        yield _limited(judged, limited)
    if saved:
        yield _saved(judged, saved)
    if not (lost or limited or saved or policy.unread):
        yield _safe(judged, policy)


def _undecided(contents: RepositoryContents, policy: LifecyclePolicy) -> Iterator[Finding]:
    reasons = [*policy.unread]
    if not contents.complete:
        reasons.append(f"only {len(contents.images)} of the repository's images were read")
    if policy.counts_untagged and not contents.opened_all:
        reasons.append("not every index was opened, and their children take no part in a count")
    if reasons:
        yield finding(
            "lifecycle.undecided",
            Grade.UNKNOWN,
            1,
            f"What the lifecycle policy does is not known for certain: {'; '.join(reasons)}.",
            "Let ECR itself evaluate it (start-lifecycle-policy-preview) and look for the digest of the image.",
            tuple(("reason", reason) for reason in reasons),
        )


def _is_way_back(judged: WayBack, digest: str) -> bool:
    """Tell whether a digest is gone back to; an index is gone forward to, and can be built again."""
    return digest != NEW_INDEX and not judged.roles[digest].startswith("the index")


def _is_lost(fate: Fate, now: datetime) -> bool:
    return fate.due is not None and fate.due <= now + MIGRATION


def _is_limited(contents: RepositoryContents, fate: Fate, now: datetime) -> bool:
    if fate.due is not None:
        return fate.due <= now + FORESIGHT
    return fate.pushes_left is not None and fate.pushes_left <= recent_pushes(contents, fate, now, FORESIGHT)


def _lost(judged: WayBack, digests: list[str]) -> Finding:
    fate = judged.guarded[digests[0]]
    return finding(
        "lifecycle.way-back-expires",
        Grade.BLOCK,
        1,
        f"The lifecycle policy takes {judged.roles[digests[0]]} in spite of the guard tag: {fate.rule} {_done(fate)} "
        f"it {_when(fate)}. Running tasks could not be replaced from it, and nothing could go back to it.",
        _KEEP,
        _evidence(judged, digests),
    )


def _limited(judged: WayBack, digests: list[str]) -> Finding:
    fate = judged.guarded[digests[0]]
    return finding(
        "lifecycle.way-back-limited",
        Grade.WARN,
        1,
        f"The lifecycle policy takes {judged.roles[digests[0]]}, which no guard tag changes: {fate.rule} {_done(fate)} "
        f"it {_when(fate)}.",
        f"Be done with the migration by then, or: {_KEEP}",
        _evidence(judged, digests),
    )


def _saved(judged: WayBack, digests: list[str]) -> Finding:
    fate = judged.unguarded[digests[0]]
    return finding(
        "lifecycle.guard-protects",
        Grade.WARN,
        1,
        f"Once the service's tag has moved, only the guard tag keeps {judged.roles[digests[0]]}: without it "
        f"{fate.rule} {_done(fate)} it {_when(fate)}.",
        f"Leave the tags {GUARD_PATTERN} alone until the migration is over, also by rules and scripts of your own.",
        tuple((judged.roles[digest], _shown(digest, judged.unguarded[digest])) for digest in digests),
    )


def _safe(judged: WayBack, policy: LifecyclePolicy) -> Finding:
    return finding(
        "lifecycle.harmless",
        Grade.INFO,
        1,
        "The repository has a lifecycle policy, and none of its rules takes an image that the migration needs.",
        "Nothing to do.",
        (*(("rule", str(rule)) for rule in policy.rules), *_evidence(judged, list(judged.guarded))),
    )


def _evidence(judged: WayBack, digests: list[str]) -> tuple[tuple[str, str], ...]:
    return tuple((judged.roles[digest], _shown(digest, judged.guarded[digest])) for digest in digests)


def _shown(digest: str, fate: Fate) -> str:
    if fate.due is None and fate.pushes_left is None:
        return f"{digest}: stays{f', listed by {fate.held_by[0]}' if fate.held_by else ''}"
    return f"{digest}: {fate.rule} {_done(fate)} it {_when(fate)}"


def _done(fate: Fate) -> str:
    return "archives" if fate.rule is not None and fate.rule.action is Action.ARCHIVE else "expires"


def _when(fate: Fate) -> str:
    if fate.pushes_left == 0:
        return "within 24 hours"
    if fate.pushes_left is not None:
        return f"after {fate.pushes_left} more image{'s' * (fate.pushes_left > 1)} that it selects"
    return f"within 24 hours after {fate.due:%Y-%m-%d %H:%M} UTC" if fate.due else "never"
