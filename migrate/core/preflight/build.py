"""Preflight of stage 1's build: builder, Dockerfile, context, and what of the amd64 image will not cross over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sized

from migrate.core.build.dockerfile import Dockerfile, parse_dockerfile
from migrate.core.build.dockerfile_commands import commands
from migrate.core.build.dockerfile_context import copied_programs, origins
from migrate.core.build.dockerfile_rules import base_images, pinned_platforms, platform_arguments
from migrate.core.build.dockerfile_stages import BuildGraph, BuildTarget, build_graph
from migrate.core.build.facts import BuildFacts
from migrate.core.build.readiness import (
    build_targets,
    builder_problems,
    disk_problems,
    platform_problems,
    reads_as_docker,
    source_problems,
)
from migrate.core.findings import Finding, Grade
from migrate.core.image.crossing import Crossing
from migrate.core.image.facts import ImageProblem
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64
from migrate.core.observation import Observation
from migrate.core.preflight.finding import finding
from migrate.core.settings import Settings

_STAGE = 1
_SHOWN = 12
_ADVICE: Mapping[str, str] = {
    "build.builder-overlooked": "Name the builder in image.builder.",
    "build.builder-missing": "Make it with `docker buildx create`, or correct image.builder.",
    "build.builder-driver": "Make a builder with the driver docker-container and name it in image.builder.",
    "build.builder-unreachable": "Start it (`docker buildx inspect --bootstrap`), or name another in image.builder.",
    "build.platforms-unknown": "Start it with `docker buildx inspect --bootstrap`, then plan again.",
    "build.platform-missing": "Use a native arm64 builder, or install emulators on the builder's machine.",
    "build.emulated": "Nothing to do; a native arm64 node makes the build faster and steadier.",
    "build.context-remote": "Look for yourself, or plan from a local clone.",
    "build.context-missing": "Correct image.context.",
    "build.context-large": "Keep out of the context what the image does not need (.dockerignore).",
    "build.dockerfile-missing": "Correct image.dockerfile or image.context.",
    "build.disk-space": "Free space on the builder's machine, for example with `docker buildx prune`.",
    "build.disk-unknown": "Look on the builder's machine, if it is short of space.",
    "dockerfile.refused": "Mend the Dockerfile, or correct image.target.",
    "dockerfile.frontend": "Look for yourself what holds it to amd64.",
    "dockerfile.platform-unknown": "Give the variable a value in image.build_arguments.",
    "dockerfile.platform-pinned": "Take --platform out; in a stage that only builds, use --platform=$BUILDPLATFORM.",
    "dockerfile.base-unknown": "Check that you may pull it, and that it has the platform.",
    "dockerfile.base-pinned": "Pin the digest of its index instead, or its tag.",
    "dockerfile.base-without-platform": "Move to a version of the base image that has it.",
    "dockerfile.targetarch-undeclared": "Put ARG TARGETARCH (or its kin) into the stage, before its first use.",
    "dockerfile.targetarch-pinned": "Take the value away: BuildKit sets it for each platform.",
    "dockerfile.built-for-amd64": "Take the architecture from TARGETARCH.",
    "dockerfile.download-for-amd64": "Choose the download by TARGETARCH, and see that there is one for arm64.",
    "dockerfile.foreign-packages": "Install the package of the image's own architecture.",
    "dockerfile.compiler-flags": "Give the flag to amd64 builds only, by TARGETARCH.",
    "dockerfile.names-amd64": "See whether arm64 needs another word there, and choose it by TARGETARCH.",
    "dockerfile.copied-binary": "Copy the program for each platform (by TARGETARCH), or build it in a stage.",
}


def build_findings(observation: Observation, settings: Settings) -> Iterator[Finding]:
    """Yield what stands in the way of stage 1's build; nothing where nobody looked, or nothing has to be built."""
    facts, found = observation.build, observation.crossing
    seen: dict[tuple[str, str], ImageProblem] = {}
    for problem in _build(observation, settings, facts) if facts is not None else ():
        seen.setdefault((problem.code, problem.text), problem)
    for problem in seen.values():
        advice = _ADVICE[problem.code]
        yield finding(problem.code, Grade(problem.grade), _STAGE, problem.text, advice, problem.evidence)
    if found is not None:
        yield from crossing_findings(found, dict(_origins(settings, facts)))


def _build(observation: Observation, settings: Settings, facts: BuildFacts) -> Iterator[ImageProblem]:
    targets = build_targets(settings.image, facts.builder)
    dockerfile = parse_dockerfile(facts.source.dockerfile or "")
    known = facts.source.dockerfile is not None and reads_as_docker(dockerfile)
    graphs = [build_graph(dockerfile, target) if known else None for target in targets]
    fault = _fault(dockerfile, graphs[0]) if known and graphs else ""
    yield from builder_problems(facts.builder)
    yield from source_problems(facts.source, graphs[0] if graphs else None, fault)
    yield from disk_problems(facts.builder, _compressed(observation, settings), len(targets))
    for target, graph in zip(targets, graphs, strict=True):
        yield from platform_problems(facts.builder, target, graph)
        if graph is not None and not fault:
            yield from _dockerfile(graph, target, facts)


def _fault(dockerfile: Dockerfile, graph: BuildGraph | None) -> str:
    if dockerfile.fault:
        return f"line {dockerfile.fault_line}, {dockerfile.fault}"
    return graph.fault if graph else ""


def _dockerfile(graph: BuildGraph, target: BuildTarget, facts: BuildFacts) -> Iterator[ImageProblem]:
    path = facts.source.path
    yield from pinned_platforms(graph, target, path, native_known=facts.builder.native is not None)
    yield from base_images(graph, facts.bases, path)
    yield from platform_arguments(graph, target, path)
    yield from commands(graph, target, path)
    yield from copied_programs(graph, target, facts.source)


def _compressed(observation: Observation, settings: Settings) -> int:
    """Return the size of the layers of the amd64 image, as they are stored."""
    image = observation.image(settings.image.container)
    child = image.facts.child_for(LINUX_AMD64) if image and image.facts else None
    return sum(layer.size for layer in child.layers) if child else 0


def _origins(settings: Settings, facts: BuildFacts | None) -> Iterator[tuple[str, str]]:
    """Yield what of the image a build for arm64 brings by itself, and from where."""
    if facts is None or facts.source.dockerfile is None:
        return
    dockerfile = parse_dockerfile(facts.source.dockerfile)
    for target in build_targets(settings.image, facts.builder):
        if target.platform.matches(LINUX_ARM64) and reads_as_docker(dockerfile):
            yield from origins(build_graph(dockerfile, target), target, facts.source)


def crossing_findings(found: Crossing, known: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what of the amd64 image needs a look before it is built for arm64.

    ``known`` are paths that the Dockerfile brings for arm64, and from where; they are told as such.
    """
    digest = ("digest", found.digest)
    if found.problem:
        text = f"The files of the amd64 image could not be read, so what will not cross over is open: {found.problem}"
        yield finding("crossing.unread", Grade.UNKNOWN, _STAGE, text, "See why, and plan again.", (digest,))
        return
    brought = {path: known[end] for path in found.own if (end := _brought(path, known)) is not None}
    rest = [path for path in found.own if path not in brought]
    if rest:
        how = "of no installed package" if found.owners_known else "outside the places of packages"
        yield finding(
            "crossing.own-binaries",
            Grade.WARN,
            _STAGE,
            f"The amd64 image holds {_counted(rest)} {how}: copied in, downloaded or compiled.",
            "See that the build makes or fetches each of them for arm64 too.",
            (digest, *_listed("file", rest)),
        )
    if brought:
        text = f"The Dockerfile itself brings for arm64 what stands for {_counted(brought)} of the amd64 image."
        evidence = tuple(("file", f"{path}: {where}") for path, where in list(brought.items())[:_SHOWN])
        yield finding("crossing.brought", Grade.INFO, _STAGE, text, "Nothing to do.", (digest, *evidence))
    for name, path, advice in found.x86_only:
        text = f"{name} is in the amd64 image, and is not made for arm64 as it is there."
        yield finding("crossing.x86-only", Grade.WARN, _STAGE, text, advice, (digest, ("file", path)))
    if found.jars:
        count = f"{len(found.jars)} Java archives hold" if len(found.jars) > 1 else "A Java archive holds"
        text = f"{count} native code for x86 alone."
        advice = "Move to versions of these libraries that have native code for aarch64."
        evidence = (digest, *_listed("file", found.jars))
        yield finding("crossing.jars", Grade.WARN, _STAGE, text, advice, evidence)
    yield from _installed_anew(found, digest)


def _installed_anew(found: Crossing, digest: tuple[str, str]) -> Iterator[Finding]:
    """Yield what a package manager installs for the other platform by itself."""
    told = [
        *_listed("python package", [f"{name} ({tag})" for name, tag in found.wheels]),
        *_listed("node module", found.node_modules),
        *(("base image's run-time", name) for name in found.runtimes),
    ]
    if told:
        text = (
            "What package managers install anew for arm64, mostly ready-made, has x86 code in the amd64 image: "
            f"{len(found.wheels)} of Python, {len(found.node_modules)} of Node, {len(found.runtimes)} of the base."
        )
        advice = "Where the build has to compile one for want of a ready-made arm64 one, it needs a compiler."
        yield finding("crossing.installed-anew", Grade.INFO, _STAGE, text, advice, (digest, *told))


def _counted(paths: Sized) -> str:
    return "1 x86 program or library" if len(paths) == 1 else f"{len(paths)} x86 programs or libraries"


def _brought(path: str, known: Mapping[str, str]) -> str | None:
    """Return the known path that is this one, or a directory above it."""
    parts = path.split("/")
    return next((end for size in range(len(parts), 1, -1) if (end := "/".join(parts[:size])) in known), None)


def _listed(name: str, items: Iterable[str]) -> tuple[tuple[str, str], ...]:
    every = list(items)
    more = ((name, f"and {len(every) - _SHOWN} more"),) if len(every) > _SHOWN else ()
    return (*((name, item) for item in every[:_SHOWN]), *more)
