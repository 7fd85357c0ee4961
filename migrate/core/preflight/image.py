"""Preflight of the images of all containers."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.findings import Finding, Grade
from migrate.core.images import ImageFacts
from migrate.core.observation import ContainerImage, Observation
from migrate.core.preflight.finding import finding
from migrate.core.settings import Settings


def image_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong with the image of any container, essential or not."""
    for image in observation.images:
        main = image.container == settings.image.container
        if image.facts is None:
            yield finding(
                "image.unreadable",
                Grade.BLOCK if main else Grade.UNKNOWN,
                0 if main else 2,
                f"The image of container {image.container} could not be read: {image.problem}",
                "Check that the image exists and that you may pull it.",
                (("image", str(image.reference)),),
            )
        elif main:
            yield from _main_image(image, image.facts)
        elif "linux/arm64" not in _platforms(image.facts):
            yield finding(
                "image.sidecar-without-arm64",
                Grade.BLOCK,
                2,
                f"The image of container {image.container} has no linux/arm64.",
                "Move it to a version that has, in a revision of its own, before stage 2.",
                (("image", str(image.reference)), ("platforms", ", ".join(_platforms(image.facts)))),
            )


def _main_image(image: ContainerImage, facts: ImageFacts) -> Iterator[Finding]:
    evidence = (("image", str(image.reference)), ("digest", facts.digest), ("media type", facts.media_type))
    if image.reference.digest is not None:
        yield finding(
            "image.pinned-by-digest",
            Grade.BLOCK,
            1,
            f"Container {image.container} is pinned to a digest: moving the tag changes nothing for it.",
            "Register a revision that names the tag, or the digest of a multi-platform index.",
            evidence,
        )
    platforms = _platforms(facts)
    if "linux/amd64" not in platforms:
        yield finding(
            "image.without-amd64",
            Grade.BLOCK,
            0,
            f"The image has no linux/amd64 (it has: {', '.join(platforms) or 'nothing runnable'}).",
            "Tasks of this X86_64 service cannot be replaced as it is; repair the tag first.",
            evidence,
        )
    if "linux/arm64" in platforms:
        text, advice = "The tag is already a multi-platform index.", 'Use image.mode = "external" to verify it only.'
        yield finding("image.multi-platform", Grade.INFO, 1, text, advice, evidence)
    else:
        text = "The tag holds amd64 only" + (" (an index of one platform)." if facts.is_index else ".")
        yield finding("image.single-platform", Grade.INFO, 1, text, "Stage 1 adds arm64.", evidence)
    for problem in facts.problems:
        grade = Grade.BLOCK if problem.grade in ("block", "emergency") else Grade(problem.grade)
        yield finding(problem.code, grade, 2, problem.text, "See the runbook section.", problem.evidence)


def _platforms(facts: ImageFacts) -> tuple[str, ...]:
    return tuple(sorted(str(platform) for platform in facts.platforms))
