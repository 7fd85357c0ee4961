"""Preflight of the images of all containers, essential or not: what they hold, and by what they are pinned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from migrate.core.documents import Json
from migrate.core.findings import Finding, Grade
from migrate.core.image.advice import advice_for
from migrate.core.image.facts import ChildFacts, ChildKind, ImageFacts, ImageProblem
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64
from migrate.core.observation import ContainerImage, Observation
from migrate.core.preflight.finding import finding
from migrate.core.preflight.sidecar import health_counts, sidecar_findings
from migrate.core.settings import ImageMode, Settings
from migrate.core.surroundings import FARGATE_PROVIDERS
from migrate.core.task_definition import containers

_OF_HEALTH = frozenset({"image.wrong-health-check", "image.health-check-undecided"})
_STAGE_OF = {"image.windows": 0, "image.not-readable": 0, "image.schema-1": 1}


@dataclass(frozen=True, slots=True)
class _Seen:
    """One container: its image, what is behind it, its definition, and where in the task definition that stands."""

    image: ContainerImage
    facts: ImageFacts
    definition: dict[str, Json]
    path: str
    is_main: bool

    @property
    def evidence(self) -> tuple[tuple[str, str], ...]:
        return (
            ("container", self.image.container),
            ("image", str(self.image.reference)),
            ("digest", self.facts.digest),
            ("media type", self.facts.media_type),
            ("named by", self.pin),
            ("task definition", self.path),
        )

    @property
    def pin(self) -> str:
        """By what the container names its image: only a tag follows a push."""
        if self.image.reference.digest is None:
            return "tag"
        return "digest of an index" if self.facts.is_index else "digest of one manifest"


def image_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong with the image of any container."""
    definitions = containers(observation.task_definition.document)
    places = {str(item.get("name")): number for number, item in enumerate(definitions)}
    for image in observation.images:
        is_main = image.container == settings.image.container
        number = places.get(image.container)
        path = "$.containerDefinitions" if number is None else f"$.containerDefinitions[{number}].image"
        if image.facts is None:
            yield _unreadable(image, path, is_main=is_main)
            continue
        seen = _Seen(image, image.facts, definitions[number] if number is not None else {}, path, is_main)
        if is_main:
            yield from _main_image(seen, settings)
        else:
            yield from sidecar_findings(image, image.facts, path, observation.task_definition)
        yield from _problems(seen, definitions)
        yield from _pulls(seen, observation, settings)


def _unreadable(image: ContainerImage, path: str, *, is_main: bool) -> Finding:
    return finding(
        "image.unreadable",
        Grade.BLOCK if is_main else Grade.UNKNOWN,
        0 if is_main else 2,
        f"The image of container {image.container} could not be read: {image.problem}",
        "Check that the image exists and that you may pull it.",
        (("container", image.container), ("image", str(image.reference)), ("task definition", path)),
    )


def _main_image(seen: _Seen, settings: Settings) -> Iterator[Finding]:
    yield from _pinned(seen, settings)
    facts, platforms = seen.facts, _platforms(seen.facts)
    undeclared = [child for child in facts.children if child.kind is ChildKind.UNDECLARED]
    windows_only = any(problem.code == "image.windows" and problem.grade == Grade.BLOCK for problem in facts.problems)
    if "linux/amd64" not in platforms and not windows_only and facts.unreadable is None:
        if undeclared:
            yield _undeclared(seen, undeclared[0], settings)
        else:
            yield finding(
                "image.without-amd64",
                Grade.BLOCK,
                0,
                f"The image has no linux/amd64 (it has: {', '.join(platforms) or 'nothing runnable'}).",
                "Tasks of this X86_64 service cannot be replaced as it is; repair the tag first.",
                seen.evidence,
            )
    if "linux/arm64" in platforms and facts.is_multi_platform:
        text, advice = "The tag is already a multi-platform index.", 'Use image.mode = "external" to verify it only.'
        yield finding("image.multi-platform", Grade.INFO, 1, text, advice, seen.evidence)
    elif "linux/amd64" in platforms:
        text = "The tag holds amd64 only" + (" (an index of one platform)." if facts.is_index else ".")
        yield finding("image.single-platform", Grade.INFO, 1, text, "Stage 1 adds arm64.", seen.evidence)


def _undeclared(seen: _Seen, child: ChildFacts, settings: Settings) -> Finding:
    """Judge an image that declares no platform (case C13): it may run today, and nothing says for which machine."""
    extend = settings.image.mode is ImageMode.EXTEND
    return finding(
        "image.platform-undeclared",
        Grade.BLOCK if extend else Grade.WARN,
        1,
        f"{child.reason} Fargate may not start it, and amd64 is not assumed"
        + ("; an index that keeps it would have an entry without a platform." if extend else "."),
        "Rebuild it with a tool that writes os and architecture into the config, and push it.",
        (*seen.evidence, ("config digest", child.config_digest)),
    )


def _pinned(seen: _Seen, settings: Settings) -> Iterator[Finding]:
    """Yield what a pin by digest means for the container whose image moves (case C14)."""
    image, facts = seen.image, seen.facts
    if image.reference.digest is None:
        return
    whole = facts.is_index and facts.has(LINUX_AMD64) and facts.has(LINUX_ARM64)
    kind = "an index" if facts.is_index else f"one manifest ({', '.join(_platforms(facts)) or 'no known platform'})"
    start = f"Container {image.container} is pinned to the digest of {kind}"
    if whole and settings.image.mode is ImageMode.EXTERNAL:
        text, advice = f"{start} that has amd64 and arm64.", "Nothing to do: the pin is right for both."
        yield finding("image.pinned-to-index", Grade.INFO, 1, text, advice, seen.evidence)
        return
    if whole:
        advice = 'The index has both platforms already: set image.mode = "external" to have it verified only.'
    elif image.tag_index:
        named = image.reference.at(image.tag_index)
        advice = f"Register a revision that names {named}: the index that its tag holds, which lists arm64."
    else:
        advice = "Register a revision that names the tag, or the digest of an index that has amd64 and arm64."
    text = f"{start}: switching the tag has no effect on it."
    yield finding("image.pinned-by-digest", Grade.BLOCK, 1, text, advice, seen.evidence)


def _problems(seen: _Seen, definitions: tuple[dict[str, Json], ...]) -> Iterator[Finding]:
    """Yield the problems of the image itself; of a sidecar only those that an operator has to act on."""
    undeclared = seen.is_main and "linux/amd64" not in _platforms(seen.facts)
    for problem in seen.facts.problems:
        if problem.code == "image.platform-undeclared" and undeclared:
            continue
        grade = Grade.BLOCK if problem.grade in ("block", "emergency") else Grade(problem.grade)
        if grade is Grade.INFO and not seen.is_main:
            continue
        if problem.code in _OF_HEALTH and grade is not Grade.INFO and not health_counts(seen.definition, definitions):
            grade = Grade.WARN
        yield finding(
            problem.code,
            grade,
            _STAGE_OF.get(problem.code, 2) if seen.is_main else 2,
            problem.text if seen.is_main else f"Container {seen.image.container}: {problem.text}",
            advice_for(problem.code),
            _with_container(seen, problem),
        )


def _with_container(seen: _Seen, problem: ImageProblem) -> tuple[tuple[str, str], ...]:
    return (
        ("container", seen.image.container),
        ("image", str(seen.image.reference)),
        ("task definition", seen.path),
        *problem.evidence,
    )


def _pulls(seen: _Seen, observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield what the way in which ECS pulls the image means: compression, moving tags, resolution of tags."""
    yield from _zstd(seen, observation, settings)
    reference, name = seen.image.reference, seen.image.container
    if reference.digest is None and reference.wanted == "latest":
        yield finding(
            "image.tag-latest",
            Grade.INFO,
            2,
            f"Container {name} names the tag latest: what it holds today may not be what stage 2 deploys.",
            "Name a version; the findings here are about the digest that the tag holds now.",
            seen.evidence,
        )
    if seen.definition.get("versionConsistency") == "disabled" and reference.digest is None and seen.is_main:
        yield finding(
            "image.version-consistency-disabled",
            Grade.WARN,
            1,
            f"Container {name} resolves its tag for every task: the index reaches tasks before stage 1 deploys it.",
            "Set versionConsistency to enabled, so that only a deployment changes the image (facts F14).",
            (*seen.evidence, ("task definition", seen.path.replace(".image", ".versionConsistency"))),
        )


def _zstd(seen: _Seen, observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield that hosts of EC2 have to read zstd (case C12: Docker before 23 cannot; Fargate 1.4 can)."""
    child = seen.facts.child_for(LINUX_ARM64)
    layers = [layer.digest for layer in child.layers if "zstd" in layer.media_type] if child else []
    on_ec2 = [item.provider for item in settings.capacity if item.provider not in FARGATE_PROVIDERS]
    if not layers or not on_ec2:
        return
    now = {item.provider for item in observation.service.strategy}
    whose = ", ".join(filter(None, on_ec2)) or "its capacity"
    yield finding(
        "image.zstd-on-ec2",
        Grade.WARN,
        2 if now & set(on_ec2) or observation.service.launch_type == "EC2" else 3,
        f"The arm64 image of container {seen.image.container} has zstd layers, and {whose} runs on EC2: "
        "its hosts need containerd 1.5 or Docker 23.",
        "Check the container runtime of the instances' AMI (docker version), or build with gzip layers.",
        (*seen.evidence, *(("layer", digest) for digest in layers)),
    )


def _platforms(facts: ImageFacts) -> tuple[str, ...]:
    return tuple(sorted(str(platform) for platform in facts.platforms))
