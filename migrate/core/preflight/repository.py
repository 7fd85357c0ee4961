"""Preflight of the repository whose tag moves: can the tag move, and does the way back stay."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.desired_state import shelf_tag
from migrate.core.findings import Finding, Grade
from migrate.core.guarding import tag_is_locked
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.settings import ImageMode, Settings


def repository_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield why the tag could not be guarded or moved."""
    repository, image = observation.repository, observation.image(settings.image.container)
    if image is None or settings.image.mode is ImageMode.EXTERNAL:
        return
    if repository is None:
        yield finding(
            "repository.not-ecr",
            Grade.BLOCK,
            0,
            f"{image.reference.registry} is no ECR registry of this account: the tag cannot be guarded or moved here.",
            'Push the index by your own CI and set image.mode = "external".',
            (("image", str(image.reference)),),
        )
        return
    tag = image.reference.tag or ""
    locked = [name for name in (tag,) if tag_is_locked(repository, name)]
    if locked:
        yield finding(
            "repository.immutable-tag",
            Grade.BLOCK,
            1,
            f"ECR does not let the tag {tag} move ({repository.tag_mutability}).",
            "Use a new tag in a new task definition revision; this tool never changes a repository's mutability.",
            (
                ("imageTagMutability", repository.tag_mutability),
                ("exclusion filters", ", ".join(repository.exclusion_filters) or "none"),
                ("own tag", shelf_tag(tag)),
            ),
        )
