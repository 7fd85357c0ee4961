"""Whether a build could be made as asked: builder, platforms, files, disk; and what a build's failure means.

A build that cannot succeed is told before Pulumi starts, since a preview of a pushed image builds nothing (facts F34,
case C27). Sources: docker-build 0.0.22, provider/internal/host.go (which builder is taken); buildx 0.35 (drivers).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrate.core.build.dockerfile import Dockerfile
from migrate.core.build.dockerfile_stages import BuildGraph, BuildTarget
from migrate.core.build.facts import Builder, BuildSource
from migrate.core.findings import Grade
from migrate.core.image.facts import ImageProblem
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64, Platform
from migrate.core.settings import ImageMode, ImageSettings

_DOCKER = "docker"
_USABLE = frozenset({"docker", "docker-container", "kubernetes", "remote"})
"""The drivers that docker-build has built in; it reaches no other (Docker Build Cloud's ``cloud``, plugins)."""

_NEW_BUILDER = "docker buildx create --name multi-platform --driver docker-container --bootstrap"
_UNPACKED = 4
"""How many times its compressed layers an image takes while it is built: unpacked, exported, and what is left over."""

_LEAST_BYTES = 1 << 30
_GIB = 1 << 30
_FRONTEND = re.compile(r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?:[:@].*)?")


def build_targets(image: ImageSettings, builder: Builder) -> tuple[BuildTarget, ...]:
    """Return what is built: arm64 alone, or both platforms in mode rebuild; nothing in mode external.

    A builder whose own platform is not known is taken to be an amd64 machine, as most are.
    """
    platforms = {ImageMode.EXTEND: (LINUX_ARM64,), ImageMode.REBUILD: (LINUX_AMD64, LINUX_ARM64)}.get(image.mode, ())
    native = builder.native or LINUX_AMD64
    return tuple(BuildTarget(platform, native, image.target, image.build_arguments) for platform in platforms)


def reads_as_docker(dockerfile: Dockerfile) -> bool:
    """Tell whether a Dockerfile is written for Docker's own frontend, whose rules are followed here."""
    return not dockerfile.syntax or _FRONTEND.fullmatch(dockerfile.syntax) is not None


def builder_problems(builder: Builder) -> Iterator[ImageProblem]:
    """Yield why the builder could not be used at all (cases C23 and C24)."""
    evidence = _evidence(builder)
    if builder.overlooked and builder.overlooked != builder.name and not builder.named:
        text = (
            f"BUILDX_BUILDER names {builder.overlooked}, which Pulumi's docker-build does not heed; it would use "
            f"{builder.name or 'none'}."
        )
        yield ImageProblem("build.builder-overlooked", Grade.WARN, text, evidence)
    if not builder.driver:
        what = f"There is no buildx builder named {builder.name}" if builder.named else "There is no buildx builder"
        why = f": {builder.problem}" if builder.problem else "."
        yield ImageProblem("build.builder-missing", Grade.BLOCK, f"{what}{why}", evidence)
        return
    if builder.driver not in _USABLE:
        text = f"Builder {builder.name} has the driver {builder.driver}, which Pulumi's docker-build cannot use."
        yield ImageProblem("build.builder-driver", Grade.BLOCK, text, evidence)
    if builder.driver == _DOCKER:
        yield from _docker_driver(builder, evidence)
    grade = Grade.BLOCK if builder.is_silent else Grade.WARN
    # The pods of a cluster may be there only while something is built.
    grade = Grade.UNKNOWN if builder.driver == "kubernetes" else grade
    for node in builder.nodes:
        if node.problem:
            text = f"Builder {builder.name} does not answer at {node.endpoint or node.name}: {node.problem}"
            yield ImageProblem("build.builder-unreachable", grade, text, evidence)


def _docker_driver(builder: Builder, evidence: tuple[tuple[str, str], ...]) -> Iterator[ImageProblem]:
    """Judge the driver ``docker``: without the containerd image store it can neither export by digest nor an index."""
    store = {True: "containerd", False: "Docker's own", None: "unknown"}[builder.containerd_store]
    evidence = (*evidence, ("image store", store), ("remedy", _NEW_BUILDER))
    refused = (
        f"Builder {builder.name} has the driver docker, which can make neither a multi-platform image nor push by "
        "digest without the containerd image store."
    )
    if not builder.named:
        # docker-build passes an unnamed one over: it takes the first other builder that answers, or creates one.
        other = f"use {', '.join(builder.others)}" if builder.others else "create a docker-container builder of its own"
        text = f"The current builder {builder.name} has the driver docker, so docker-build would {other} instead."
        yield ImageProblem("build.builder-driver", Grade.WARN, text, evidence)
    elif builder.containerd_store is None:
        text = f"{refused} Which store its engine has could not be found out."
        yield ImageProblem("build.builder-driver", Grade.UNKNOWN, text, evidence)
    elif not builder.containerd_store:
        yield ImageProblem("build.builder-driver", Grade.BLOCK, refused, evidence)


def platform_problems(builder: Builder, target: BuildTarget, graph: BuildGraph | None) -> Iterator[ImageProblem]:
    """Yield whether the builder can execute what the build runs for its platform (case C24).

    Without a RUN on that platform nothing is executed on it, and any builder will do. ``graph`` is None where the
    Dockerfile could not be read.
    """
    platform = target.platform
    runs = None if graph is None else _first_run(graph, platform)
    if not builder.driver or builder.is_silent or (graph is not None and runs is None):
        return
    evidence = (*_evidence(builder), ("platform", str(platform)))
    evidence = (*evidence, ("first RUN", f"line {runs}")) if runs else evidence
    if not builder.platforms:
        text = f"What builder {builder.name} can execute is not known: it is not running, or does not say."
        yield ImageProblem("build.platforms-unknown", Grade.UNKNOWN, text, evidence)
    elif any(known.matches(platform) for known in builder.platforms):
        if builder.native is not None and not _on_node_of_its_own(builder, platform):
            text = (
                f"Builder {builder.name} builds {platform} by emulation: slowly, and now and then the emulator fails."
            )
            yield ImageProblem("build.emulated", Grade.INFO, text, evidence)
    else:
        yield _no_platform(builder, platform, evidence, sure=graph is not None)


def _no_platform(
    builder: Builder, platform: Platform, evidence: tuple[tuple[str, str], ...], *, sure: bool
) -> ImageProblem:
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.canonical.architecture, platform.architecture)
    registered = [name for name in builder.registered if name.endswith(machine)]
    known = (
        f"An emulator is registered ({registered[0]}) and does not work there." if registered else "It has no emulator."
    )
    return ImageProblem(
        "build.platform-missing",
        Grade.BLOCK if sure else Grade.UNKNOWN,
        f"Builder {builder.name} cannot execute {platform}, which the Dockerfile's RUN needs. {known}",
        (*evidence, *(("registered emulator", name) for name in registered)),
    )


def _first_run(graph: BuildGraph, platform: Platform) -> int | None:
    """Return the line of the first command that is executed on the platform."""
    for stage in graph.used:
        if stage.platform is None or stage.platform.matches(platform):
            for step in stage.steps:
                if step.instruction.keyword == "RUN":
                    return step.instruction.line
    return None


def _on_node_of_its_own(builder: Builder, platform: Platform) -> bool:
    answering = (node.platforms for node in builder.nodes if node.platforms and not node.problem)
    return any(platforms[0].matches(platform) for platforms in answering)


def source_problems(source: BuildSource, graph: BuildGraph | None, fault: str) -> Iterator[ImageProblem]:
    """Yield what is missing or unreadable among the files of the build."""
    evidence = (("context", source.context), ("file", source.path))
    if source.remote:
        text = (
            f"The build context {source.context} is fetched by the builder; it and its Dockerfile were not looked at."
        )
        yield ImageProblem("build.context-remote", Grade.UNKNOWN, text, evidence)
    elif source.context_problem:
        text = f"The build context {source.context} cannot be used: {source.context_problem}"
        yield ImageProblem("build.context-missing", Grade.BLOCK, text, evidence)
    if source.dockerfile is None:
        if not source.remote:
            text = f"The Dockerfile {source.path} cannot be read: {source.problem}"
            yield ImageProblem("build.dockerfile-missing", Grade.BLOCK, text, evidence)
    elif fault:
        yield ImageProblem("dockerfile.refused", Grade.BLOCK, f"{source.path} cannot be built from: {fault}.", evidence)
    elif graph is None:
        text = f"{source.path} is written for another frontend than Docker's, and was not read."
        yield ImageProblem("dockerfile.frontend", Grade.UNKNOWN, text, evidence)
    if source.cut_short:
        text = f"The build context {source.context} holds too many files to look at all of them for programs."
        yield ImageProblem("build.context-large", Grade.UNKNOWN, text, evidence)


def disk_problems(builder: Builder, compressed: int, platforms: int) -> Iterator[ImageProblem]:
    """Yield whether the disk of the builder is too full, judged by the image that there is (bytes, compressed)."""
    wanted = max(_LEAST_BYTES, _UNPACKED * compressed * platforms)
    if not builder.driver or builder.is_silent:
        return
    if builder.free_bytes is None:
        text = f"How much room builder {builder.name} has is not known from here; a build may need {_gib(wanted)}."
        yield ImageProblem("build.disk-unknown", Grade.UNKNOWN, text, (*_evidence(builder), ("wanted", _gib(wanted))))
        return
    evidence = (*_evidence(builder), ("free", _gib(builder.free_bytes)), ("wanted", _gib(wanted)))
    if builder.free_bytes < wanted:
        sure = builder.free_bytes < max(_LEAST_BYTES // _UNPACKED, compressed * platforms)
        text = (
            f"Builder {builder.name} has {_gib(builder.free_bytes)} left on its disk; a build may need {_gib(wanted)}."
        )
        yield ImageProblem("build.disk-space", Grade.BLOCK if sure else Grade.WARN, text, evidence)


def _gib(count: int) -> str:
    return f"{count / _GIB:.1f} GiB"


def _evidence(builder: Builder) -> tuple[tuple[str, str], ...]:
    """Return what is known of a builder."""
    found = [("builder", builder.name or "none"), ("driver", builder.driver or "none")]
    found += [("endpoint", node.endpoint) for node in builder.nodes if node.endpoint]
    if builder.platforms:
        found.append(("platforms", ", ".join(str(platform) for platform in builder.platforms)))
    found += [("other builder", name) for name in builder.others]
    return tuple(found)


_FAILURES = (
    (
        # Docker's driver: buildx, build/opt.go and docker/buildx issues 59 and 1996 (case C23).
        "build.builder-driver",
        re.compile(
            r"Multi-platform build is not supported for the docker driver"
            r"|docker exporter does not (?:currently )?support exporting manifest lists"
            r"|push-by-digest is currently not implemented for docker driver",
            re.IGNORECASE,
        ),
        "The builder's driver cannot make a multi-platform image. The service's tag was not touched.",
        "Make a builder with the driver docker-container, kubernetes or remote, and name it in image.builder.",
    ),
    (
        # docker/buildx issues 464, 314 and 1170, tonistiigi/binfmt issue 215 (case C24).
        "build.emulator-crash",
        re.compile(
            r"buildkit_qemu_emulator.*exit code: 127\b|exit code: 139\b|qemu: uncaught target signal \d+"
            r"|qemu-\w+[^\n]*(?:Segmentation fault|core dumped)",
            re.IGNORECASE,
        ),
        "The emulator crashed, not the Dockerfile's command. The service's tag was not touched.",
        "Retry on a native arm64 builder: the Dockerfile needs no change for that.",
    ),
    (
        "build.platform-missing",
        re.compile(r"exec format error", re.IGNORECASE),
        "A command of the build is for another platform than the builder executes. The service's tag was not touched.",
        "Use a native arm64 builder or one with emulators; see also whether the Dockerfile fetches an amd64 program.",
    ),
    (
        "build.disk-space",
        re.compile(r"no space left on device", re.IGNORECASE),
        "The builder's disk is full. The service's tag was not touched.",
        "Free space on the builder's machine, for example with `docker buildx prune`, then run the command again.",
    ),
)
_LONGEST_LINE = 300


def explain_build_failure(output: str) -> ImageProblem | None:
    """Return what a failed build means, with the line that says so and a remedy; None where the build is to blame."""
    for code, pattern, text, remedy in _FAILURES:
        for line in output.splitlines():
            if pattern.search(line):
                return ImageProblem(
                    code, Grade.BLOCK, text, (("said", line.strip()[:_LONGEST_LINE]), ("remedy", remedy))
                )
    return None
