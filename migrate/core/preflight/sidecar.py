"""Preflight of the containers beside the one that moves: a task starts only where the image of each has arm64 (C15)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from migrate.core.documents import Json, fields
from migrate.core.facts import TaskDefinition
from migrate.core.findings import Finding, Grade
from migrate.core.image.facts import ImageFacts
from migrate.core.image.names import LINUX_ARM64, ImageReference
from migrate.core.observation import ContainerImage
from migrate.core.preflight.finding import finding
from migrate.core.task_definition import containers

_ARM64_SINCE: Mapping[str, tuple[str, str]] = {
    "aws-appmesh-envoy": ("v1.20.0.1", "aws/aws-app-mesh-roadmap issues 215 and 381"),
    "aws-for-fluent-bit": ("2.9.0", "aws/aws-for-fluent-bit CHANGELOG, and issue 44"),
    "aws-otel-collector": ("v0.16.0", "aws-observability/aws-otel-collector issue 274"),
    "aws-xray-daemon": ("3.2.0", "aws/aws-xray-daemon issue 68"),
}
"""First version with arm64 of AWS's own sidecars, by the last part of the repository's name, and who says so."""


def sidecar_findings(
    image: ContainerImage, facts: ImageFacts, path: str, task_definition: TaskDefinition
) -> Iterator[Finding]:
    """Yield that a container has no arm64, with what is known of a way out; nothing is changed by this tool."""
    if facts.has(LINUX_ARM64):
        return
    platforms = ", ".join(sorted(str(platform) for platform in facts.platforms)) or "nothing runnable"
    yield finding(
        "image.sidecar-without-arm64",
        Grade.BLOCK,
        2,
        f"Container {image.container}: {image.reference} has no linux/arm64 (it has: {platforms}).",
        _way_out(image, facts),
        (
            ("container", image.container),
            ("image", str(image.reference)),
            ("digest", facts.digest),
            ("platforms", platforms),
            ("task definition", path),
            *_ties(image.container, task_definition),
        ),
    )


def _way_out(image: ContainerImage, facts: ImageFacts) -> str:
    pinned = image.reference.digest is not None and not facts.is_index
    if pinned and image.tag_index:
        named = image.reference.at(image.tag_index)
        return f"It is pinned to one manifest; its tag holds {named}, an index that lists arm64: name that, or the tag."
    since = arm64_since(image.reference)
    if since is not None:
        version, source = since
        return f"Move it to {version} or later, which has arm64 ({source}), in a revision of its own before stage 2."
    if pinned:
        return "It is pinned to one manifest: name the digest of an index that has arm64, in a revision of its own."
    return "Move it to a version that has, in a revision of its own, before stage 2."


def arm64_since(reference: ImageReference) -> tuple[str, str] | None:
    """Return the first version of a known sidecar that has arm64, and the source of that."""
    return _ARM64_SINCE.get(reference.repository.rpartition("/")[2])


def health_counts(container: Mapping[str, Json], definitions: tuple[dict[str, Json], ...]) -> bool:
    """Tell whether a container's health decides anything: an essential one's does, and one that another waits for.

    A nonessential container's check "only affects the health status of a task if no essential containers have health
    checks defined" (ECS API, HealthCheck).
    """
    if container.get("essential") is not False:
        return True
    waits = [item for definition in definitions for item in _objects(definition.get("dependsOn"))]
    if any((item.get("containerName"), item.get("condition")) == (container.get("name"), "HEALTHY") for item in waits):
        return True
    essential = [definition for definition in definitions if definition.get("essential") is not False]
    return not any(definition.get("healthCheck") for definition in essential)


def _objects(value: Json) -> list[dict[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _ties(name: str, task_definition: TaskDefinition) -> Iterator[tuple[str, str]]:
    """Yield what hangs on the container: whether it is essential, who waits for it, and whether traffic goes by it."""
    definitions = containers(task_definition.document)
    for definition in definitions:
        if definition.get("name") == name:
            yield "essential", "false" if definition.get("essential") is False else "true"
    for number, definition in enumerate(definitions):
        for position, item in enumerate(_objects(definition.get("dependsOn"))):
            if item.get("containerName") == name:
                where = f"$.containerDefinitions[{number}].dependsOn[{position}]"
                yield where, f"{definition.get('name')} waits for {item.get('condition')}"
    proxy = fields(task_definition.document).get("proxyConfiguration")
    if isinstance(proxy, dict) and proxy.get("containerName") == name:
        yield "$.proxyConfiguration.containerName", "all traffic of the task goes through it"
