"""Preflight of what runs beside what the tag names: a tag may have moved since the running deployment began."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.findings import Finding, Grade
from migrate.core.observation import ContainerImage, Observation
from migrate.core.preflight.finding import finding
from migrate.core.settings import Settings


def running_image_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield that tasks run another image than the tag names now.

    ECS resolves a tag once per deployment (facts F14): the first deployment of a migration would bring what nobody has
    released yet, and the manifest that it guards would not be the one that runs.
    """
    image = observation.image(settings.image.container)
    if image is None or image.facts is None or image.reference.digest is not None:
        return
    named = {image.facts.digest, *(child.digest for child in image.facts.children)}
    running = _running(observation, image)
    strange = sorted({digest for digest in running if digest not in named})
    if not strange:
        return
    count = sum(digest in strange for digest in running)
    yield finding(
        "service.tag-moved",
        Grade.BLOCK,
        0,
        f"The tag of {image.reference} names {image.facts.digest}, and {count} of {len(running)} running tasks run "
        f"{', '.join(strange)}: somebody pushed since the service was deployed.",
        "Have what the tag names deployed by its owner (a forced deployment does it), or let the tag name what runs; "
        "then plan again. The first deployment of a migration would release it otherwise.",
        (
            ("container", image.container),
            ("image", str(image.reference)),
            ("digest", image.facts.digest),
            *(("running digest", digest) for digest in strange),
        ),
    )


def _running(observation: Observation, image: ContainerImage) -> list[str]:
    return [
        container.image_digest
        for task in observation.tasks
        for container in task.containers
        if task.last_status == "RUNNING" and container.name == image.container and container.image_digest is not None
    ]
