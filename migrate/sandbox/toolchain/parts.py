"""Makes every part of the tool chain ready, one after the other: two cores are best used by one Go build at a time."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from migrate.sandbox.toolchain import found, pinned
from migrate.sandbox.toolchain.cache import CacheEntry, provide, recipe_hash
from migrate.sandbox.toolchain.commands import run
from migrate.sandbox.toolchain.golang import LazyGo, build
from migrate.sandbox.toolchain.progress import Progress
from migrate.sandbox.toolchain.uv import find_uv

if TYPE_CHECKING:
    from pathlib import Path

_INSTALL_TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Where each real part is.

    ``buildkitd`` is None when ``docker_host``, this machine's Docker engine, can hold the builder instead.
    ``aws_plugin`` is the real pulumi-aws plugin when this machine has it, else None.
    """

    go: Path
    pulumi: Path
    docker_build: Path
    buildkitd: Path | None
    ministack_python: Path
    aws_plugin: Path | None
    docker_host: str | None = None


def ensure(progress: Progress | None = None) -> Toolchain:
    """Find or build every part and return where they are. Raises EngineError naming the part that cannot be had."""
    progress = progress or Progress()
    go = LazyGo(progress)
    ministack = ensure_ministack(progress)
    pulumi = found.pulumi_on_path() or build(pinned.PULUMI, go, progress)
    docker_build = found.plugin("docker-build", pinned.DOCKER_BUILD_VERSION) or build(pinned.DOCKER_BUILD, go, progress)
    docker_host = found.docker_engine()
    buildkitd = None if docker_host else ensure_buildkit(progress, go)
    # The demo's service is compiled with Go, so it is wanted even when nothing above had to be built.
    return Toolchain(
        go=go.path(),
        pulumi=pulumi,
        docker_build=docker_build,
        buildkitd=buildkitd,
        ministack_python=ministack,
        aws_plugin=found.plugin("aws"),
        docker_host=docker_host,
    )


def ensure_buildkit(progress: Progress, go: LazyGo | None = None) -> Path:
    """Return a ``buildkitd``, built when none new enough is on PATH."""
    return found.buildkitd_on_path() or build(pinned.BUILDKIT, go or LazyGo(progress), progress)


def ensure_engine(progress: Progress) -> tuple[Path, ...]:
    """Build the Docker engine of the containers level, and return the folders that hold its programs.

    No part of ``ensure``: only who asks for containers waits for it. Raises EngineError when one cannot be built.
    """
    go = LazyGo(progress)
    return tuple(build(tool, go, progress).parent for tool in (pinned.RUNC, pinned.CONTAINERD, pinned.DOCKERD))


def ensure_ministack(progress: Progress) -> Path:
    """Return the Python of MiniStack's own environment: it pins a botocore that the product must not be held to."""
    requirements = pinned.RECIPES / "ministack" / "requirements.txt"
    # Not this environment's own Python, which is a link that goes away with the clone, but the one that it links to.
    base: str = getattr(sys, "_base_executable", sys.executable)
    entry = CacheEntry(
        "ministack",
        pinned.MINISTACK_VERSION,
        recipe_hash((requirements,), base),
        "bin/python",
    )
    make = partial(_install_ministack, base=base, requirements=requirements, entry=entry, progress=progress)
    return provide(entry, make, progress) / entry.proof


def _install_ministack(target: Path, *, base: str, requirements: Path, entry: CacheEntry, progress: Progress) -> None:
    part = f"MiniStack {pinned.MINISTACK_VERSION}"
    with progress.step(f"installing {part}", usually="20 s"):
        uv = find_uv(progress)
        python = target / "bin" / "python"
        commands: tuple[list[str | Path], ...] = (
            [uv, "venv", "--quiet", "--allow-existing", "--relocatable", "--no-python-downloads", "-p", base, target],
            [uv, "pip", "install", "--require-hashes", "-p", python, "-r", requirements],
        )
        for command in commands:
            run(command, part=part, log=entry.log, timeout=_INSTALL_TIMEOUT_SECONDS)
