"""Dockerfiles in short: the graph of a build of one, and what the rules say of it."""

from __future__ import annotations

from collections.abc import Sequence

from migrate.core.build.dockerfile import parse_dockerfile
from migrate.core.build.dockerfile_stages import BuildGraph, BuildTarget, build_graph
from migrate.core.build.facts import BaseImage, Builder, BuildFacts, BuildSource, ContextProgram
from migrate.core.findings import Finding
from migrate.core.image.names import LINUX_AMD64, LINUX_ARM64, Platform
from migrate.core.preflight.build import build_findings
from migrate.core.settings import ImageMode, ImageSettings, ServiceSettings, Settings
from tests.fakes.builds import a_builder
from tests.fakes.facts import observation


def graph(
    text: str,
    platform: Platform = LINUX_ARM64,
    *,
    native: Platform = LINUX_AMD64,
    stage: str | None = None,
    arguments: tuple[tuple[str, str], ...] = (),
) -> BuildGraph:
    return build_graph(parse_dockerfile(text), BuildTarget(platform, native, stage, arguments))


def judged(
    text: str,
    *,
    bases: Sequence[BaseImage] = (),
    programs: Sequence[ContextProgram] = (),
    builder: Builder | None = None,
    **image: object,
) -> tuple[Finding, ...]:
    """Return what preflight says of a build from this Dockerfile, with a builder that can do everything."""
    source = BuildSource("app", "app/Dockerfile", text, programs=tuple(programs))
    facts = BuildFacts(builder or a_builder(), source, tuple(bases))
    chosen = ImageSettings("app", context="app", **image)  # type: ignore[arg-type]
    settings = Settings(ServiceSettings("demo", "web", "us-east-1"), chosen)
    return tuple(build_findings(observation(build=facts), settings))


def summary(found: Sequence[Finding]) -> list[tuple[str, str, str]]:
    """Return code, grade and line of each finding, those about emulation left out."""
    return sorted(
        (item.code, item.grade.value, dict(item.evidence).get("line", ""))
        for item in found
        if item.code != "build.emulated"
    )


def base(image: str, *platforms: Platform, is_index: bool = True, problem: str = "") -> BaseImage:
    return BaseImage(image, tuple(platforms), is_index, "@" in image, problem)


BOTH = (LINUX_AMD64, LINUX_ARM64)
REBUILD = ImageMode.REBUILD
