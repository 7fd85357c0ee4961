"""What is wrong with an image, and whether an index that was read back proves stage 1.

Codes never change their meaning; each has a section in the runbook of findings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from migrate.core.findings import Grade
from migrate.core.image.binaries import BinaryVerdict
from migrate.core.image.documents import UnreadableKind
from migrate.core.image.facts import ChildFacts, ChildKind, ImageFacts, ImageProblem
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64, Platform
from migrate.core.image.scan_problems import file_evidence, scan_problems

EMERGENCY = "emergency"
_PROVEN_ENOUGH = frozenset({Grade.INFO, Grade.WARN})
_NOT_ON_THE_WAY = frozenset({"image.archive-not-read", "image.start-on-volume"})
"""Codes of what could not be decided and does not lie in the way of what the image itself starts: no counter-proof."""
_RUN = (LINUX_AMD64, LINUX_ARM64)
_VERDICT_OF = {"arm64": BinaryVerdict.ARM64, "amd64": BinaryVerdict.X86_64}

_Evidence = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ExpectedIndex:
    """What stage 1 was to leave behind the tag.

    ``digest`` is the build result's (None in mode external, where no build of ours says it); ``amd64_digest`` is the
    amd64 manifest that mode extend keeps bit for bit (None in the other modes).
    """

    digest: str | None = None
    amd64_digest: str | None = None
    required: tuple[Platform, ...] = (LINUX_AMD64, LINUX_ARM64)


def proves(problems: tuple[ImageProblem, ...]) -> bool:
    """Whether nothing speaks against the proof: what could not be decided about the start does."""
    return all(problem.grade in _PROVEN_ENOUGH or problem.code in _NOT_ON_THE_WAY for problem in problems)


def is_emergency(problems: tuple[ImageProblem, ...]) -> bool:
    """Whether tasks that run now could not be replaced: the tag has to go back at once."""
    return any(problem.grade == EMERGENCY for problem in problems)


def stage_one_evidence(expected: ExpectedIndex, found: ImageFacts) -> tuple[ImageProblem, ...]:
    """Compare the image read back from the registry with what stage 1 was to make; `proves` judges the answer.

    The tag may rest on one child though the build reported success (docker/buildx issue 2959), entries may lie about
    their content (facts F33), and a kept manifest must be the one that ran before (facts F38).
    """
    return (*_arrival(expected, found), *_platforms(expected, found), *_binaries_seen(expected, found), *found.problems)


def _arrival(expected: ExpectedIndex, found: ImageFacts) -> Iterator[ImageProblem]:
    seen = (("found digest", found.digest), ("found media type", found.media_type), ("found platforms", _names(found)))
    if expected.digest is not None and found.digest != expected.digest:
        yield ImageProblem(
            "image.tag-elsewhere",
            Grade.BLOCK,
            f"{found.reference} is not what the build made.",
            (("built digest", expected.digest), *seen),
        )
    if not found.is_index and found.unreadable is None:
        text = f"{found.reference} is one manifest, not an index."
        yield ImageProblem("image.not-an-index", Grade.BLOCK, text, seen)


def _platforms(expected: ExpectedIndex, found: ImageFacts) -> Iterator[ImageProblem]:
    for platform in expected.required:
        child = found.child_for(platform)
        if not found.has(platform):
            yield _missing(platform, child, found)
        elif platform.matches(LINUX_AMD64) and child is not None and expected.amd64_digest not in {None, child.digest}:
            yield ImageProblem(
                "image.amd64-changed",
                Grade.BLOCK,
                "The amd64 manifest in the index is not the one that ran before.",
                (("kept digest", str(expected.amd64_digest)), ("found digest", child.digest)),
            )


def _missing(platform: Platform, child: ChildFacts | None, found: ImageFacts) -> ImageProblem:
    evidence: _Evidence = (("platforms", _names(found)), ("digest", found.digest), ("media type", found.media_type))
    if child is not None:
        evidence = (*evidence, ("entry", child.digest), ("entry's config", str(child.actual or child.reason)))
    if platform.matches(LINUX_AMD64):
        text = f"{found.reference} has no {platform}: X86_64 tasks that stop now cannot be started again."
        return ImageProblem("image.tag-without-amd64", EMERGENCY, text, evidence)
    return ImageProblem("image.platform-missing", Grade.BLOCK, f"{found.reference} has no {platform}.", evidence)


def _binaries_seen(expected: ExpectedIndex, found: ImageFacts) -> Iterator[ImageProblem]:
    child = found.child_for(LINUX_ARM64)
    if any(platform.matches(LINUX_ARM64) for platform in expected.required) and child and child.binary is None:
        text = "Nobody looked whether the arm64 image starts an arm64 program."
        yield ImageProblem("image.binary-not-read", Grade.UNKNOWN, text, (("digest", child.digest),))


def image_problems(facts: ImageFacts) -> tuple[ImageProblem, ...]:
    """Return what is to be known about an image by itself, in an order that does not hang on the index's order."""
    found = {*_document(facts), *_children(facts)}
    return tuple(sorted(found, key=lambda item: (item.code, item.evidence, item.text)))


def _document(facts: ImageFacts) -> Iterator[ImageProblem]:
    evidence: _Evidence = (("digest", facts.digest), ("media type", facts.media_type or "none"))
    if facts.unreadable is UnreadableKind.SCHEMA_1:
        text = f"{facts.reference} is a Docker schema 1 image, which no index can hold: it has to be rebuilt."
        yield ImageProblem("image.schema-1", Grade.BLOCK, text, evidence)
    elif facts.unreadable is not None:
        text = f"{facts.reference} cannot be read: {facts.reason}"
        yield ImageProblem("image.not-readable", Grade.BLOCK, text, evidence)
    for remark in facts.remarks:
        yield ImageProblem("image.media-type", Grade.INFO, remark, evidence)
    if facts.attestations:
        text = f"{len(facts.attestations)} attestation entries describe other entries; no runtime starts them."
        described = tuple((entry.digest, f"describes {entry.subject}") for entry in facts.attestations)
        yield ImageProblem("image.attestations", Grade.INFO, text, tuple(sorted(described)))
    systems = {child.actual.canonical.os for child in facts.runnable if child.actual}
    if "windows" in systems:
        grade, text = Grade.INFO, "The image also has Windows entries; ECS has no ARM64 Windows."
        if "linux" not in systems:
            grade, text = Grade.BLOCK, "The image is for Windows, and ECS has no ARM64 Windows."
        yield ImageProblem("image.windows", grade, text, evidence)


def _children(facts: ImageFacts) -> Iterator[ImageProblem]:
    """Yield the problems of every child; those of a platform that no task of ours runs on stop nothing."""
    for child in facts.children:
        named = [platform for platform in (child.declared, child.actual) if platform is not None]
        ours = not named or any(platform.matches(wanted) for platform in named for wanted in _RUN)
        for problem in _of_child(child, facts):
            yield problem if ours or problem.grade == Grade.INFO else replace(problem, grade=Grade.WARN)


def _of_child(child: ChildFacts, facts: ImageFacts) -> Iterator[ImageProblem]:
    evidence = (("digest", child.digest), ("media type", child.media_type or "none"))
    if child.kind is ChildKind.UNREADABLE:
        text = f"The {child.declared or 'undeclared'} image cannot be read: {child.reason}"
        yield ImageProblem("image.child-not-readable", Grade.UNKNOWN, text, evidence)
    elif child.kind is ChildKind.NOT_RUNNABLE:
        text = f"An entry of the index is not a runnable image: {child.reason}."
        yield ImageProblem("image.entry-not-runnable", Grade.INFO, text, evidence)
    elif child.kind is ChildKind.UNDECLARED:
        text = f"{child.reason} Fargate may refuse to start it; amd64 is not assumed."
        yield ImageProblem("image.platform-undeclared", Grade.WARN, text, evidence)
    elif child.kind is ChildKind.RUNNABLE and not child.config_type:
        text = "The manifest gives its config no media type. Fargate may not find its platform."
        yield ImageProblem("image.platform-undeclared", Grade.WARN, text, evidence)
    yield from _platform_problems(child)
    yield from _shape_problems(child, facts)
    yield from _binary_problems(child)


def _platform_problems(child: ChildFacts) -> Iterator[ImageProblem]:
    if not child.agrees:
        yield ImageProblem(
            "image.platform-mismatch",
            Grade.BLOCK,
            f"The index says {child.declared}, the image's own config says {child.actual}.",
            (
                ("digest", child.digest),
                ("index platform", str(child.declared)),
                ("config platform", str(child.actual)),
                ("config digest", child.config_digest),
            ),
        )
    odd = {str(platform): platform for platform in (child.declared, child.actual) if platform and platform.is_odd}
    for name, platform in sorted(odd.items()):
        text = f"The platform is written {name}; it is read as {platform.canonical}."
        yield ImageProblem("image.platform-spelling", Grade.WARN, text, (("digest", child.digest),))


def _shape_problems(child: ChildFacts, facts: ImageFacts) -> Iterator[ImageProblem]:
    if child.shadowed and child.offered is not None:
        first = facts.child_for(child.offered)
        taken = first.digest if first else ""
        same = taken == child.digest
        text = f"{child.offered} is in the index more than once{'' if same else '; runtimes take the first entry'}."
        evidence = (("digest", child.digest), ("first entry", taken))
        yield ImageProblem("image.platform-twice", Grade.INFO if same else Grade.WARN, text, evidence)
    if child.nested:
        text = f"The {child.offered or 'undeclared'} image lies in an index within the index; some runtimes stop there."
        yield ImageProblem("image.nested-index", Grade.WARN, text, (("digest", child.digest),))
    yield from _layer_problems(child)
    zstd = [layer.digest for layer in child.layers if "zstd" in layer.media_type and ".docker." in layer.media_type]
    if zstd:
        text = "zstd layers under Docker media types are read by no runtime in a defined way: rebuild with OCI types."
        yield ImageProblem("image.docker-zstd", Grade.BLOCK, text, tuple(("layer", digest) for digest in zstd))


def _layer_problems(child: ChildFacts) -> Iterator[ImageProblem]:
    """Yield what the manifest says of its layers and config that their content or each other gainsays."""
    foreign = [layer for layer in child.layers if layer.urls or "nondistributable" in layer.media_type]
    foreign += [layer for layer in child.layers if ".foreign." in layer.media_type and layer not in foreign]
    if foreign:
        text = "Layers lie outside the registry; a runtime fetches them from elsewhere, or not at all."
        where = tuple((layer.digest, ", ".join(layer.urls) or layer.media_type) for layer in foreign)
        # Windows base layers lie at Microsoft by design.
        is_windows = child.actual is not None and child.actual.canonical.os == "windows"
        grade = Grade.INFO if is_windows else Grade.WARN
        yield ImageProblem("image.foreign-layer", grade, text, (("digest", child.digest), *where))
    unpacked = len(child.config.diff_ids) if child.config else 0
    if unpacked and unpacked != len(child.layers):
        text = f"The manifest has {len(child.layers)} layers and its config {unpacked}: runtimes refuse to unpack that."
        yield ImageProblem("image.layer-mismatch", Grade.BLOCK, text, (("digest", child.digest),))
    if child.size_fault:
        evidence = (("digest", child.digest), ("config digest", child.config_digest))
        yield ImageProblem("image.size-mismatch", Grade.BLOCK, f"{child.size_fault} Runtimes refuse that.", evidence)
    told = {layer.digest: layer.size for layer in child.layers}
    for digest, size in child.scan.sizes if child.scan else ():
        text = f"The manifest gives a layer {told.get(digest, 0)} bytes, it has {size}. Runtimes refuse that."
        evidence = (("digest", child.digest), ("layer", digest))
        yield ImageProblem("image.size-mismatch", Grade.BLOCK, text, evidence)


def _binary_problems(child: ChildFacts) -> Iterator[ImageProblem]:
    claimed = child.declared or child.actual
    expected = _VERDICT_OF.get(claimed.canonical.architecture) if claimed else None
    if claimed is None or expected is None:
        return
    if child.scan is not None:
        yield from scan_problems(child, claimed, child.scan)
    binary = child.binary
    if binary is None or binary.verdict is expected:
        return
    evidence = file_evidence(child, binary)
    if binary.verdict is BinaryVerdict.UNDECIDED:
        text = f"It could not be decided whether the {claimed} image starts a program for it: {binary.reason}"
        yield ImageProblem("image.binary-undecided", Grade.UNKNOWN, text, evidence)
    else:
        text = f"The {claimed} image starts a program that cannot run there: {binary.reason}"
        yield ImageProblem("image.wrong-binary", Grade.BLOCK, text, evidence)


def _names(facts: ImageFacts) -> str:
    return ", ".join(str(platform) for platform in facts.platforms) or "none"
