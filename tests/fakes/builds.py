"""A builder and a Dockerfile as a test wants them, in place of buildx and the file system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from migrate.core.build.dockerfile_context import context_sources
from migrate.core.build.dockerfile_stages import BuildTarget
from migrate.core.build.dockerignore import path_pattern
from migrate.core.build.facts import Builder, BuilderNode, BuildSource, ContextProgram
from migrate.core.image.executables import AARCH64_MACHINE, X86_64_MACHINE
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64, Platform
from migrate.core.settings import ImageSettings

DOCKERFILE = """FROM scratch
ARG TARGETARCH
COPY bin/linux/${TARGETARCH}/app /app
ENTRYPOINT ["/app"]
"""
PROGRAMS = (
    ContextProgram("bin/linux/amd64/app", X86_64_MACHINE),
    ContextProgram("bin/linux/arm64/app", AARCH64_MACHINE),
)


def a_builder(
    name: str = "multi-platform",
    driver: str = "docker-container",
    platforms: Sequence[Platform] = (LINUX_AMD64, LINUX_ARM64),
    *,
    named: bool = True,
    free_bytes: int | None = 100 << 30,
    **more: object,
) -> Builder:
    node = BuilderNode(f"{name}0", "unix:///var/run/docker.sock", tuple(platforms), asked=True)
    return Builder(name, driver, named, (node,), free_bytes=free_bytes, **more)  # type: ignore[arg-type]


def a_source(
    dockerfile: str | None = DOCKERFILE, programs: Sequence[ContextProgram] = PROGRAMS, **more: object
) -> BuildSource:
    return BuildSource("app", "app/Dockerfile", dockerfile, programs=tuple(programs), **more)  # type: ignore[arg-type]


@dataclass
class FakeBuildReader:
    """The port BuildReader. ``builders`` are those there are by name; ``current`` is what no name stands for."""

    builders: dict[str, Builder] = field(default_factory=lambda: {"multi-platform": a_builder()})
    current: str = "multi-platform"
    files: BuildSource = field(default_factory=a_source)
    asked: list[str] = field(default_factory=list)

    def builder(self, name: str | None) -> Builder:
        self.asked.append(f"builder {name}")
        found = self.builders.get(name or self.current)
        if found is not None:
            return found
        there = ", ".join(sorted(self.builders))
        return Builder(name or self.current, "", name is not None, problem=f"the builders there are: {there}.")

    def source(self, build: ImageSettings, targets: tuple[BuildTarget, ...]) -> BuildSource:
        self.asked.append(f"source {build.context}")
        sources = context_sources(self.files.dockerfile or "", targets)
        return BuildSource(
            self.files.context,
            self.files.path,
            self.files.dockerfile,
            self.files.remote,
            self.files.context_problem,
            self.files.problem,
            tuple(item for item in self.files.programs if _copied(item.path, sources)),
            self.files.cut_short,
        )


def _copied(path: str, sources: tuple[str, ...]) -> bool:
    parts = path.split("/")
    above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return any(source == "." or any(path_pattern(source).fullmatch(item) for item in above) for source in sources)
