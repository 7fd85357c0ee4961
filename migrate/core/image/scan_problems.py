"""What a scan of an arm64 image means for a migration, as problems with file, layer and chain."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.core.findings import Grade
from migrate.core.image.binaries import BinaryEvidence, BinaryVerdict
from migrate.core.image.facts import ChildFacts, ImageProblem
from migrate.core.image.names import Platform
from migrate.core.image.scan import ForeignFiles, ImageScan, Place

_MOST_PACKAGES = 8

_Evidence = tuple[tuple[str, str], ...]


def scan_problems(child: ChildFacts, claimed: Platform, scan: ImageScan) -> Iterator[ImageProblem]:
    """Yield what stands against running the image on arm64; the start itself is told by image_evidence.py."""
    for item in scan.libraries:
        if item.verdict is BinaryVerdict.UNDECIDED:
            text = f"It could not be decided whether the {claimed} image has what its start needs: {item.reason}"
            yield ImageProblem("image.library-undecided", Grade.UNKNOWN, text, file_evidence(child, item))
        else:
            text = f"The {claimed} image starts a program that cannot load what it needs: {item.reason}"
            yield ImageProblem("image.wrong-library", Grade.BLOCK, text, file_evidence(child, item))
    yield from _health_check(child, scan)
    for group in scan.foreign:
        yield from _foreign(child, group)
    yield from _wheels(child, scan)
    if scan.on_volumes:
        text = (
            f"The start runs {_listed(scan.on_volumes)}, which is not in the image: what a volume brings is not judged."
        )
        files = tuple(("file", path) for path in scan.on_volumes)
        yield ImageProblem("image.start-on-volume", Grade.UNKNOWN, text, (("digest", child.digest), *files))
    if scan.unread:
        text = f"Archives could not be looked into ({scan.unread_reason}); native code in them is not judged."
        files = tuple(("file", path) for path in scan.unread)
        yield ImageProblem("image.archive-not-read", Grade.UNKNOWN, text, (("digest", child.digest), *files))


def file_evidence(child: ChildFacts, item: BinaryEvidence) -> _Evidence:
    """Return child, file, machine, way and layer of one program or library."""
    return (
        ("digest", child.digest),
        ("path", item.path),
        ("e_machine", "none" if item.machine is None else f"{item.machine:#06x}"),
        ("started by", " > ".join(item.chain)),
        *_layers(child, (item.layer,)),
    )


def _layers(child: ChildFacts, numbers: tuple[int, ...]) -> _Evidence:
    """Return the digests of layers by their numbers, lowest first from 1; others are left out."""
    found = (child.layers[number - 1].digest for number in numbers if 0 < number <= len(child.layers))
    return tuple(("layer", digest) for digest in found)


def _health_check(child: ChildFacts, scan: ImageScan) -> Iterator[ImageProblem]:
    """Yield what is wrong with the health check; ECS runs the container definition's only, so the image's is a warning.

    Source: ECS API reference, HealthCheck.
    """
    if scan.health_check is None:
        return
    whose = "the image's own health check, which ECS does not run," if scan.checks_itself else "the health check"
    for item in (scan.health_check, *scan.health_libraries):
        if item.verdict is BinaryVerdict.UNDECIDED:
            grade = Grade.INFO if scan.checks_itself else Grade.UNKNOWN
            text = f"It could not be decided whether {whose} can run on arm64: {item.reason}"
            yield ImageProblem("image.health-check-undecided", grade, text, file_evidence(child, item))
        elif item.verdict is not BinaryVerdict.ARM64:
            grade = Grade.WARN if scan.checks_itself else Grade.BLOCK
            text = f"On arm64 {whose} cannot run: {item.reason}"
            yield ImageProblem("image.wrong-health-check", grade, text, file_evidence(child, item))


def _foreign(child: ChildFacts, group: ForeignFiles) -> Iterator[ImageProblem]:
    evidence: _Evidence = (
        ("digest", child.digest),
        ("files", str(group.count)),
        *((("packages", _listed(group.packages)),) if group.packages else ()),
        *(("file", path) for path in group.paths),
        *_layers(child, group.layers),
    )
    files = "1 file" if group.count == 1 else f"{group.count} files"
    if group.place is Place.MODULE:
        # An installer never puts these there on arm64: they were copied from an amd64 stage, and every import fails.
        text = f"{files} that {group.runtime} would load are for x86: {_listed(group.packages)}. The start runs it."
        yield ImageProblem("image.wrong-native-module", Grade.BLOCK, text, evidence)
    elif group.place is Place.OPTIONAL_MODULE:
        text = f"{files} that {group.runtime} may load are for x86: {_listed(group.packages)}. Some do without them."
        yield ImageProblem("image.foreign-native-module", Grade.WARN, text, evidence)
    elif group.place is Place.ELSEWHERE:
        text = f"{files} of the arm64 image are programs or libraries for x86; the start was not seen to need them."
        yield ImageProblem("image.foreign-binary", Grade.WARN, text, evidence)
    else:
        why = "have an arm64 one beside them" if group.place is Place.BESIDE_ARM64 else "are test data or documentation"
        yield ImageProblem("image.foreign-binary-beside", Grade.INFO, f"{files} for x86 {why}.", evidence)


def _wheels(child: ChildFacts, scan: ImageScan) -> Iterator[ImageProblem]:
    if not scan.wheels:
        return
    names = tuple(wheel.package for wheel in scan.wheels)
    text = f"{len(names)} Python packages were installed for x86 Linux: {_listed(names)}."
    shown = tuple((wheel.path, wheel.tag) for wheel in scan.wheels[:_MOST_PACKAGES])
    evidence = (("digest", child.digest), ("packages", _listed(names)), *shown)
    yield ImageProblem("image.foreign-wheel", Grade.WARN, text, evidence)


def _listed(names: tuple[str, ...]) -> str:
    rest = len(names) - _MOST_PACKAGES
    return ", ".join(names[:_MOST_PACKAGES]) + (f" and {rest} more" if rest > 0 else "")
